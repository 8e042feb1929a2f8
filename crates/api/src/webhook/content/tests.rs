use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ContentError, MAX_BODY, decode};

fn headers(content_type: &str) -> HeaderMap {
    let value = HeaderValue::from_str(content_type).expect("a test writes a type that can be sent");
    HeaderMap::from_iter([(CONTENT_TYPE, value)])
}

fn read(content_type: &str, body: impl AsRef<[u8]>) -> Value {
    decode(&headers(content_type), body.as_ref()).expect("the body can be read")
}

fn refusal(content_type: &str, body: impl AsRef<[u8]>) -> (u16, &'static str, String) {
    let error = decode(&headers(content_type), body.as_ref()).expect_err("the body is refused");
    (error.status(), error.code(), error.to_string())
}

#[test]
fn json_of_every_name_is_read() {
    for name in ["application/json", "Application/JSON; charset=UTF-8", "application/cloudevents+json", "text/json"] {
        assert_eq!(read(name, "\u{FEFF}{\"a\": [1, null]}"), json!({"a": [1, null]}), "{name}");
    }
}

#[test]
fn malformed_json_is_refused_with_its_place() {
    insta::assert_snapshot!(refusal("application/json", "{\n  \"a\": tru\n}").2, @"expected JSON, found a fault (expected ident) at line 3, column 0");
    insta::assert_snapshot!(refusal("application/json", "{\"a\": 1").2, @"expected JSON, found a fault (EOF while parsing an object) at line 1, column 7");
    insta::assert_snapshot!(refusal("application/json", " ").2, @"expected JSON, found a fault (EOF while parsing a value) at line 1, column 1");
    let (status, code, _) = refusal("application/json", "{} {}");
    assert_eq!((status, code), (422, "body_malformed"));
}

#[test]
fn json_deeper_than_what_is_stored_can_be_read_is_refused() {
    let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(read("application/json", nested(64)).is_array());
    let (status, code, text) = refusal("application/json", nested(125));
    assert_eq!((status, code), (422, "value_too_deep"));
    insta::assert_snapshot!(text, @"expected JSON within bounds, found more than 64 levels of nesting at line 1, column 65");
}

#[test]
fn a_body_holds_a_bounded_number_of_values() {
    let many = format!("[{}1]", "1,".repeat(250_000));
    assert_eq!(refusal("application/json", many).1, "value_too_large");
    assert_eq!(refusal("application/x-www-form-urlencoded", "a&".repeat(300_000)).1, "value_too_large");
    assert_eq!(refusal("application/json", "[123456789012345678901]").1, "number_out_of_range");
}

#[test]
fn a_form_gives_texts_and_lists() {
    let form = |body: &str| read("application/x-www-form-urlencoded", body);
    assert_eq!(
        form("a=1&b=two+words&a=%E2%82%AC&&flag&a=3"),
        json!({"a": ["1", "€", "3"], "b": "two words", "flag": ""})
    );
    assert_eq!(
        form("payload=%7B%22action%22%3A%22opened%22%7D&x=%7B%7D"),
        json!({"payload": {"action": "opened"}, "x": "{}"})
    );
    assert_eq!(form("payload=%5B1%5D"), json!({"payload": "[1]"}), "only an object is parsed");
    assert_eq!(form("payload=%7B"), json!({"payload": "{"}));
    assert_eq!(form("payload=%7B%7D&payload=%7B%7D"), json!({"payload": ["{}", "{}"]}));
    insta::assert_snapshot!(refusal("application/x-www-form-urlencoded", "a=1&b=%FF").2, @"expected a form, found a field that is not UTF-8 at line 1, column 5");
}

#[test]
fn text_xml_and_csv_are_texts() {
    for name in
        ["text/plain", "text/csv; charset=\"utf-8\"; header=present", "text/xml", "application/atom+xml", "text/html"]
    {
        assert_eq!(read(name, "a,b\n1,2"), json!("a,b\n1,2"), "{name}");
    }
    insta::assert_snapshot!(refusal("text/csv", b"a,b\n\xc3\xa9\xff").2, @"expected CSV, found bytes that are not UTF-8 at line 2, column 2");
}

#[test]
fn an_empty_body_is_null_whatever_its_type() {
    assert_eq!(decode(&HeaderMap::new(), b""), Ok(Value::Null));
    assert_eq!(read("image/png", ""), Value::Null);
}

#[test]
fn other_types_charsets_and_encodings_are_refused() {
    let of = |content_type: &str| {
        let (status, code, _) = refusal(content_type, "x");
        assert_eq!(status, 415, "{content_type}");
        code
    };
    for name in
        ["multipart/form-data; boundary=x", "image/png", "image/svg+xml", "application/octet-stream", "json", ""]
    {
        assert_eq!(of(name), "content_type_unsupported", "{name}");
    }
    for label in ["klingon", "iso-2022-kr", "utf-7"] {
        assert_eq!(of(&format!("text/plain; charset={label}")), "charset_unsupported", "{label}");
    }
    assert_eq!(decode(&HeaderMap::new(), b"x"), Err(ContentError::TypeMissing));
}

/// Answers of outside calls were decoded by their charset, and deliveries were refused.
#[test]
fn bug_charsets_that_answers_may_have_were_refused_of_deliveries() {
    for (kind, body, expected) in [
        ("application/json; charset=iso-8859-1", &b"{\"name\":\"Zo\xeb\"}"[..], json!({"name": "Zoë"})),
        ("application/json", b"\xff\xfe{\0}\0", json!({})),
        ("text/csv; charset=\"windows-1252\"", b"5 \x80", json!("5 €")),
        ("text/plain; charset=Shift_JIS", b"\x93\xfa\x96\x7b", json!("日本")),
        (
            "application/xml",
            b"<?xml version='1.0' encoding='ISO-8859-1'?>\xe9",
            json!("<?xml version='1.0' encoding='ISO-8859-1'?>é"),
        ),
        (
            "application/x-www-form-urlencoded; charset=windows-1252",
            b"name=Zo%EB&price=5+\x80",
            json!({"name": "Zoë", "price": "5 €"}),
        ),
    ] {
        assert_eq!(read(kind, body), expected, "{kind}");
    }
    insta::assert_snapshot!(refusal("text/csv; charset=shift_jis", b"a\n\x93\xfa\x93").2, @"expected CSV, found bytes that are not Shift_JIS at line 2, column 2");
    insta::assert_snapshot!(refusal("text/plain; charset=klingon", "x").2, @r#"expected a charset that is known, such as utf-8, found "klingon""#);
}

/// `{"name":"Zoë"}` in ISO-8859-1.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\x4b\xcc\x4d\x55\xb2\x52\x8a\xca\x7f\xad\x54\x0b\x00\xc1\xcd\x69\x05\x0e\x00\x00\x00";

#[test]
fn a_packed_body_is_unpacked_up_to_the_limit() {
    let packed = |encoding: &str, body: &[u8]| {
        let mut headers = headers("application/json; charset=latin1");
        headers.insert(CONTENT_ENCODING, HeaderValue::from_str(encoding).expect("the test's value can be sent"));
        decode(&headers, body)
    };
    assert_eq!(packed("gzip", GZIP), Ok(json!({"name": "Zoë"})));
    assert_eq!(packed("Identity", b"{}"), Ok(json!({})));
    assert_eq!(packed("br", b"{}"), Err(ContentError::EncodingUnsupported { found: "br".to_owned() }));
    let broken = packed("gzip", &GZIP[..20]).expect_err("it is cut off");
    assert_eq!((broken.status(), broken.code()), (422, "body_malformed"));
}

#[test]
fn what_an_error_repeats_of_a_header_is_bounded() {
    assert!(refusal(&format!("image/{}", "x".repeat(5_000)), "x").2.len() < 200);
}

#[test]
fn the_limit_is_a_mebibyte() {
    assert_eq!(read("text/plain", vec![b'x'; MAX_BODY]).as_str().map(str::len), Some(MAX_BODY));
    let (status, code, text) = refusal("text/plain", vec![b'x'; MAX_BODY + 1]);
    assert_eq!((status, code), (413, "body_too_large"));
    insta::assert_snapshot!(text, @"expected a body of at most 1048576 bytes, found 1048577");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        body in prop::collection::vec(any::<u8>(), 0..400),
        name in prop::sample::select(vec!["application/json", "application/x-www-form-urlencoded", "text/csv", "text/xml"]),
    ) {
        if let Err(error) = decode(&headers(name), &body) {
            prop_assert_eq!(error.status(), 422);
        }
    }

    #[test]
    fn no_content_type_makes_it_panic(written in prop::collection::vec(32_u8..=255, 0..60)) {
        let Ok(value) = HeaderValue::from_bytes(&written) else { return Ok(()) };
        let _ = decode(&HeaderMap::from_iter([(CONTENT_TYPE, value)]), b"x");
    }

    #[test]
    fn a_form_keeps_what_was_written(fields in prop::collection::btree_map(".{1,12}", ".{0,12}", 0..6)) {
        prop_assume!(!fields.contains_key("payload"));
        let mut body = Vec::new();
        for (name, value) in &fields {
            let encode = |text: &String| percent_encoding::percent_encode(text.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string();
            body.push(format!("{}={}", encode(name), encode(value)));
        }
        let expected = if fields.is_empty() { Value::Null } else { json!(fields) };
        prop_assert_eq!(read("application/x-www-form-urlencoded", body.join("&")), expected);
    }

    #[test]
    fn json_keeps_what_was_written(text in ".{0,60}", number in any::<i64>()) {
        let value = json!({"text": text, "list": [number, null, true]});
        prop_assert_eq!(read("application/json", value.to_string()), value);
    }
}
