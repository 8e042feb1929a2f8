//! Charsets, by the names and tables of browsers (WHATWG Encoding).

use std::borrow::Cow;

use encoding_rs::{DecoderResult, Encoding, UTF_8};

use super::shown;

/// What a `Content-Type` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// `application/json`, in lower case; empty if there is none.
    pub essence: String,
    charset: Option<String>,
}

/// How bytes are decoded to text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset(&'static Encoding);

/// A charset that is not known, as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCharset(pub String);

/// Bytes that are no text in their charset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotText {
    /// What stands before them.
    pub before: String,
}

impl ContentType {
    /// Reads the header; without one all is empty.
    pub fn read(written: Option<&[u8]>) -> Self {
        let written = written.map(shown).unwrap_or_default();
        let mut parts = written.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut parameters = parts.filter_map(|part| part.split_once('='));
        let charset = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let charset = charset.map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned());
        Self { essence, charset: charset.filter(|charset| !charset.is_empty()) }
    }

    /// `application/json`, `text/json` or any `…+json`, whatever its parameters.
    pub fn is_json(&self) -> bool {
        self.essence.ends_with("/json") || self.essence.ends_with("+json")
    }

    /// How a body is decoded, and the body without its byte order mark: by that mark, else by the charset that the header
    /// says, else by that of an XML declaration, else as UTF-8.
    pub fn charset<'a>(&self, body: &'a [u8]) -> Result<(Charset, &'a [u8]), UnknownCharset> {
        if let Some((encoding, length)) = Encoding::for_bom(body) {
            return Ok((Charset(encoding), &body[length..]));
        }
        let declared = if self.essence.ends_with("xml") { xml_encoding(body) } else { None };
        let Some(label) = self.charset.as_deref().or(declared) else { return Ok((Charset(UTF_8), body)) };
        // To browsers it is windows-1252, but ASCII is the part of UTF-8 that both have.
        if label.eq_ignore_ascii_case("us-ascii") {
            return Ok((Charset(UTF_8), body));
        }
        let encoding = Encoding::for_label_no_replacement(label.as_bytes());
        let encoding = encoding.ok_or_else(|| UnknownCharset(shown(label.as_bytes())))?;
        Ok((Charset(encoding), body))
    }
}

impl Charset {
    /// Its name, such as `UTF-8`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Bytes as text. Fails with what stands before the first that are none.
    pub fn text(self, bytes: &[u8]) -> Result<Cow<'_, str>, NotText> {
        self.0.decode_without_bom_handling_and_without_replacement(bytes).ok_or_else(|| self.not_text(bytes))
    }

    fn not_text(self, bytes: &[u8]) -> NotText {
        let mut decoder = self.0.new_decoder_without_bom_handling();
        let most = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
        let mut before = String::with_capacity(most.unwrap_or(0));
        match decoder.decode_to_string_without_replacement(bytes, &mut before, true) {
            (DecoderResult::Malformed(..) | DecoderResult::InputEmpty | DecoderResult::OutputFull, _) => {
                NotText { before }
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, body: &[u8], expected: Result<&str, &str>) {
        let read = match ContentType::read(Some(kind.as_bytes())).charset(body) {
            Ok((charset, body)) => charset.text(body).map(Cow::into_owned).map_err(|error| error.before),
            Err(UnknownCharset(label)) => Err(label),
        };
        assert_eq!(read.as_deref().map_err(String::as_str), expected, "{kind}");
    }

    #[test]
    fn a_charset_is_that_of_the_mark_the_header_the_declaration_or_utf_8() {
        check("application/json; charset=iso-8859-1", b"{\"name\":\"Zo\xeb\"}", Ok("{\"name\":\"Zoë\"}"));
        check("text/csv; charset=\"windows-1252\"; header=present", b"5 \x80", Ok("5 €"));
        check("text/plain; CHARSET='Shift_JIS'", b"\x93\xfa\x96\x7b", Ok("日本"));
        check("text/plain; charset=utf-16le", b"a\0b\0", Ok("ab"));
        check("text/plain; charset=us-ascii", b"\xc3\xa9", Ok("é"));
        check("text/plain; charset=iso-8859-1", b"\xef\xbb\xbf\xc3\xa9", Ok("é"));
        check("text/plain", b"\xfe\xff\0a", Ok("a"));
        let declared = "<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>";
        check("application/xml", b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>", Ok(declared));
        check("", b"x", Ok("x"));
    }

    #[test]
    fn what_cannot_be_decoded_is_told() {
        check("text/plain; charset=klingon", b"x", Err("klingon"));
        check("text/plain; charset=iso-2022-kr", b"x", Err("iso-2022-kr"));
        check("text/plain", b"caf\xe9 x", Err("caf"));
        check("text/plain; charset=shift_jis", b"a\x93\xfab\x93", Err("a日b"));
    }
}
