//! The body of an answer: unpacked, decoded by its charset, and read as its type says. Nothing is guessed and nothing
//! is replaced: what is not what the headers say is an error.

use std::borrow::Cow;
use std::io::Read;

use encoding_rs::{Encoding, UTF_8};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use pawl_runtime::json::{self, Bounds};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use serde_json::Value;

/// Most encodings on top of each other. More than one is rare, and each costs an answer's size.
const MOST_LAYERS: usize = 2;

/// Longest part of a header that an error repeats, in characters.
const MOST_SHOWN: usize = 60;

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
    let lists: Vec<_> = headers.get_all(CONTENT_ENCODING).iter().map(|list| shown(list.as_bytes())).collect();
    let names = lists.iter().flat_map(|list| list.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let layers: Vec<_> = names.filter(|name| !name.is_empty() && name != "identity").collect();
    if layers.len() > MOST_LAYERS {
        return Err(Unreadable::Malformed(format!("has more than {MOST_LAYERS} content encodings")));
    }
    let mut unpacked = Cow::Borrowed(body);
    if body.is_empty() {
        return Ok(unpacked);
    }
    for name in layers.iter().rev() {
        let packed = unpacked.as_ref();
        let bytes = match name.as_str() {
            "gzip" | "x-gzip" => read(MultiGzDecoder::new(packed), limit, name),
            // Meant is zlib (RFC 9110, section 8.4.1.2); some servers send the bare stream.
            "deflate" => read(ZlibDecoder::new(packed), limit, name)
                .or_else(|error| read(DeflateDecoder::new(packed), limit, name).map_err(|_| error)),
            _ => Err(Unreadable::Malformed(format!(
                "has the content encoding {name:?}, which was not asked for and is not read"
            ))),
        };
        unpacked = Cow::Owned(bytes?);
    }
    Ok(unpacked)
}

fn read(unpacking: impl Read, limit: usize, name: &str) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let done = unpacking.take(most).read_to_end(&mut bytes);
    done.map_err(|_| Unreadable::Malformed(format!("is said to be packed by {name:?} and is not, or is cut off")))?;
    if bytes.len() > limit { Err(Unreadable::TooLarge) } else { Ok(bytes) }
}

/// Reads an unpacked body: JSON if it is said to be, else text; null if it is empty.
pub(super) fn value(headers: &HeaderMap, body: &[u8]) -> Result<Value, Unreadable> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    let kind = ContentType::of(headers);
    let text = kind.text(body)?;
    if !kind.is_json() {
        return Ok(Value::String(text));
    }
    json::parse(text.as_bytes(), &Bounds::OUTSIDE).map_err(|error| match error.code() {
        Some(_) => Unreadable::OutOfBounds(error.to_string()),
        None => Unreadable::Malformed(format!("is said to be JSON ({}), found {error}", kind.essence)),
    })
}

/// What a `Content-Type` says.
struct ContentType {
    /// `application/json`, in lower case; empty if there is none.
    essence: String,
    charset: Option<String>,
}

impl ContentType {
    fn of(headers: &HeaderMap) -> Self {
        let written = headers.get(CONTENT_TYPE).map(|kind| shown(kind.as_bytes())).unwrap_or_default();
        let mut parts = written.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let charset =
            parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let charset = charset.map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned());
        Self { essence, charset: charset.filter(|charset| !charset.is_empty()) }
    }

    /// `application/json`, `text/json` or any `…+json`, whatever its parameters.
    fn is_json(&self) -> bool {
        self.essence.ends_with("/json") || self.essence.ends_with("+json")
    }

    /// Decodes: by the byte order mark, else the charset that the headers say, else that of an XML declaration, else
    /// UTF-8. Names and tables are those of browsers (WHATWG Encoding).
    fn text(&self, body: &[u8]) -> Result<String, Unreadable> {
        let (encoding, body) = match Encoding::for_bom(body) {
            Some((encoding, length)) => (encoding, &body[length..]),
            None => (self.encoding(body)?, body),
        };
        let text = encoding.decode_without_bom_handling_and_without_replacement(body).map(Cow::into_owned);
        text.ok_or_else(|| {
            let kind = if self.essence.is_empty() { "without a type" } else { &self.essence };
            Unreadable::Malformed(format!("({kind}) is no text in {}", encoding.name()))
        })
    }

    fn encoding(&self, body: &[u8]) -> Result<&'static Encoding, Unreadable> {
        let declared = if self.essence.ends_with("xml") { xml_encoding(body) } else { None };
        let Some(label) = self.charset.as_deref().or(declared) else { return Ok(UTF_8) };
        Encoding::for_label_no_replacement(label.as_bytes())
            .ok_or_else(|| Unreadable::Malformed(format!("has the charset {label:?}, which is not known")))
    }
}

/// The encoding that an XML declaration names.
fn xml_encoding(body: &[u8]) -> Option<&str> {
    let head = body.strip_prefix(b"<?xml")?;
    let end = head.iter().take(200).position(|byte| *byte == b'>')?;
    let (_, rest) = str::from_utf8(&head[..end]).ok()?.split_once("encoding=")?;
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    rest[1..].split(quote).next()
}

/// A header as text, shortened.
fn shown(header: &[u8]) -> String {
    String::from_utf8_lossy(header).chars().filter(|c| !c.is_control()).take(4 * MOST_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use reqwest::header::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    const LIMIT: usize = 100_000;

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
    fn a_body_that_was_packed_unasked_is_unpacked_up_to_the_limit() {
        let text = b"{\"a\":1}".repeat(50);
        let of = |encoding: &str, body: &[u8]| {
            unpacked(&headers(&[(CONTENT_ENCODING, encoding)]), body, LIMIT).map(Cow::into_owned)
        };
        let (gzip, zlib, bare) = (packed_gzip(&text), packed_zlib(&text), packed_bare(&text));
        for (encoding, body) in
            [("gzip", &gzip), ("X-Gzip", &gzip), ("deflate", &zlib), ("deflate", &bare), ("identity", &text)]
        {
            assert_eq!(of(encoding, body).as_ref(), Ok(&text), "{encoding}");
        }
        assert_eq!(of("deflate, gzip", &packed_gzip(&zlib)), Ok(text.clone()));
        assert_eq!(of("gzip", b""), Ok(Vec::new()), "as after HEAD");
        assert_eq!(of("gzip", &packed_gzip(&vec![b'x'; LIMIT])).map(|body| body.len()), Ok(LIMIT));
        assert_eq!(of("gzip", &packed_gzip(&vec![b'x'; LIMIT + 1])), Err(Unreadable::TooLarge));
        let why = |encoding: &str, body: &[u8]| match of(encoding, body) {
            Err(Unreadable::Malformed(why)) => why,
            other => panic!("expected that it is malformed, found {other:?}"),
        };
        insta::assert_snapshot!(why("gzip", &text), @r#"is said to be packed by "gzip" and is not, or is cut off"#);
        insta::assert_snapshot!(why("gzip", &gzip[..gzip.len() - 9]), @r#"is said to be packed by "gzip" and is not, or is cut off"#);
        insta::assert_snapshot!(why("br", b"x"), @r#"has the content encoding "br", which was not asked for and is not read"#);
        insta::assert_snapshot!(why("gzip, gzip, gzip", &gzip), @"has more than 2 content encodings");
    }

    fn packed_gzip(text: &[u8]) -> Vec<u8> {
        let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
        packing.write_all(text).expect("memory takes it");
        packing.finish().expect("memory takes it")
    }

    fn packed_zlib(text: &[u8]) -> Vec<u8> {
        let mut packing = ZlibEncoder::new(Vec::new(), Compression::fast());
        packing.write_all(text).expect("memory takes it");
        packing.finish().expect("memory takes it")
    }

    fn packed_bare(text: &[u8]) -> Vec<u8> {
        let mut packing = DeflateEncoder::new(Vec::new(), Compression::fast());
        packing.write_all(text).expect("memory takes it");
        packing.finish().expect("memory takes it")
    }
}
