//! The body of an answer: unpacked, decoded by its charset, and read as its type says. Nothing is guessed and nothing
//! is replaced: what is not what the headers say is an error.

use std::borrow::Cow;

use pawl_runtime::body::{self, ContentType, UnknownCharset, Unpackable};
use pawl_runtime::json::{self, Bounds};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;

/// Why a body could not be read. Its text never repeats the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Unpacked, it is longer than the limit.
    TooLarge,
    /// It is JSON beyond the bounds of all values from outside.
    OutOfBounds(String),
    /// It is not what its headers say, in words that go on after "its body".
    Malformed(String),
}

/// Undoes `Content-Encoding`, which servers apply unasked: at most `limit` bytes come of it.
pub(super) fn unpacked<'a>(headers: &HeaderMap, body: &'a [u8], limit: usize) -> Result<Cow<'a, [u8]>, Unreadable> {
    body::unpacked(headers, body, limit).map_err(|error| match error {
        Unpackable::TooLarge => Unreadable::TooLarge,
        Unpackable::TooManyLayers => Unreadable::Malformed("has too many content encodings".to_owned()),
        Unpackable::Unknown(name) => {
            Unreadable::Malformed(format!("has the content encoding {name:?}, which was not asked for and is not read"))
        }
        Unpackable::Broken(name) => {
            Unreadable::Malformed(format!("is said to be packed by {name:?} and is not, or is cut off"))
        }
    })
}

/// Reads an unpacked body: JSON if it is said to be, else text; null if it is empty.
pub(super) fn value(headers: &HeaderMap, body: &[u8]) -> Result<Value, Unreadable> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    let kind = ContentType::read(headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes));
    let text = text(&kind, body)?;
    if !kind.is_json() {
        return Ok(Value::String(text.into_owned()));
    }
    json::parse(text.as_bytes(), &Bounds::OUTSIDE).map_err(|error| match error.code() {
        Some(_) => Unreadable::OutOfBounds(error.to_string()),
        None => Unreadable::Malformed(format!("is said to be JSON ({}), found {error}", kind.essence)),
    })
}

fn text<'a>(kind: &ContentType, body: &'a [u8]) -> Result<Cow<'a, str>, Unreadable> {
    let (charset, body) = kind.charset(body).map_err(|UnknownCharset(label)| {
        Unreadable::Malformed(format!("has the charset {label:?}, which is not known"))
    })?;
    charset.text(body).map_err(|_| {
        let kind = if kind.essence.is_empty() { "without a type" } else { &kind.essence };
        Unreadable::Malformed(format!("({kind}) is no text in {}", charset.name()))
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::{CONTENT_ENCODING, HeaderName};
    use serde_json::json;

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let value = |value: &str| HeaderValue::from_str(value).expect("the test's value can be sent");
        pairs.iter().map(|(name, text)| (name.clone(), value(text))).collect()
    }

    fn of_type(kind: &str, body: &[u8]) -> Value {
        match value(&headers(&[(CONTENT_TYPE, kind)]), body) {
            Ok(value) => value,
            Err(Unreadable::Malformed(why)) => json!({"unreadable": why}),
            Err(other) => json!(format!("{other:?}")),
        }
    }

    #[test]
    fn a_body_is_json_where_it_says_so_and_text_elsewhere() {
        for (kind, body, expected) in [
            ("application/json", &b"{\"a\":1}"[..], json!({"a": 1})),
            ("application/problem+json; charset=utf-8", b"[1]", json!([1])),
            ("Application/JSON", b"1", json!(1)),
            ("application/json", b"", json!(null)),
            ("text/plain", b"{\"a\":1}", json!("{\"a\":1}")),
            ("application/jsonp", b"1", json!("1")),
            ("", b"", json!(null)),
            ("", b"x", json!("x")),
        ] {
            assert_eq!(of_type(kind, body), expected, "{kind} {body:?}");
        }
    }

    #[test]
    fn a_charset_is_decoded_and_a_byte_order_mark_is_no_text() {
        for (kind, body, expected) in [
            ("application/json; charset=iso-8859-1", &b"{\"name\":\"Zo\xeb\"}"[..], json!({"name": "Zoë"})),
            ("text/csv; charset=\"windows-1252\"; header=present", b"5 \x80", json!("5 €")),
            ("text/plain; CHARSET='Shift_JIS'", b"\x93\xfa\x96\x7b", json!("日本")),
            ("text/plain; charset=utf-16le", b"a\0b\0", json!("ab")),
            ("application/json", b"\xef\xbb\xbf{\"a\":1}", json!({"a": 1})),
            ("text/plain; charset=iso-8859-1", b"\xef\xbb\xbf\xc3\xa9", json!("é")),
            ("text/plain", b"\xfe\xff\0a", json!("a")),
            (
                "application/xml",
                b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>",
                json!("<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>"),
            ),
        ] {
            assert_eq!(of_type(kind, body), expected, "{kind}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_told() {
        let why = |kind, body: &[u8]| of_type(kind, body)["unreadable"].as_str().unwrap_or("it was read").to_owned();
        insta::assert_snapshot!(why("application/json", br#"{"text": "cut here \ud83d"}"#), @"is said to be JSON (application/json), found a fault (unexpected end of hex escape: half of a surrogate pair, which is no character) at line 1, column 26");
        insta::assert_snapshot!(why("application/json", b"OK"), @"is said to be JSON (application/json), found a fault (expected value) at line 1, column 1");
        insta::assert_snapshot!(why("text/plain", b"caf\xe9"), @"(text/plain) is no text in UTF-8");
        insta::assert_snapshot!(why("image/png", b"\x89PNG\xff"), @"(image/png) is no text in UTF-8");
        insta::assert_snapshot!(why("", b"\xff"), @"(without a type) is no text in UTF-8");
        insta::assert_snapshot!(why("text/plain; charset=klingon", b"x"), @r#"has the charset "klingon", which is not known"#);
        insta::assert_snapshot!(why("text/plain; charset=iso-2022-kr", b"x"), @r#"has the charset "iso-2022-kr", which is not known"#);
        insta::assert_snapshot!(why("text/plain; charset=shift_jis", b"\x93"), @"(text/plain) is no text in Shift_JIS");
    }

    /// Once it was accepted, stored in an envelope, and neither the execution nor a listing could be read again.
    #[test]
    fn json_deeper_than_what_is_stored_can_be_read_is_refused() {
        let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(of_type("application/json", nested(64).as_bytes()).is_array());
        let expected = r#"OutOfBounds("more than 64 levels of nesting at line 1, column 65")"#;
        assert_eq!(of_type("application/json", nested(65).as_bytes()), json!(expected));
    }

    #[test]
    fn what_cannot_be_unpacked_is_told() {
        let why = |encoding: &str, limit: usize| match unpacked(&headers(&[(CONTENT_ENCODING, encoding)]), b"x", limit)
        {
            Err(Unreadable::Malformed(why)) => why,
            other => format!("{other:?}"),
        };
        insta::assert_snapshot!(why("gzip", 9), @r#"is said to be packed by "gzip" and is not, or is cut off"#);
        insta::assert_snapshot!(why("br", 9), @r#"has the content encoding "br", which was not asked for and is not read"#);
        insta::assert_snapshot!(why("gzip, gzip, gzip", 9), @"has too many content encodings");
    }
}
