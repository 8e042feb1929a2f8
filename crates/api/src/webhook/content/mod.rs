//! The body of a delivery as a value.

mod error;
mod form;
mod media_type;

#[cfg(test)]
mod tests;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use pawl_definition::json::{self, Bounds};
use serde_json::Value;

pub use error::ContentError;
use media_type::{Form, MediaType};

/// Longest body that is accepted, in bytes: 1 MiB, a documented limit.
///
/// GitHub's longest is 25 MB, but what an event needs is small; API Gateway's limit is 10 MB, and a decoded value takes
/// several times the memory of its text.
pub const MAX_BODY: usize = 1024 * 1024;

/// Decodes a body by its content type.
///
/// JSON gives its value (at most 64 levels deep); a form gives an object of texts, with a list where a name is
/// repeated, and its `payload` parsed if that is a JSON object (as GitHub and Slack send it); text, XML and CSV give a
/// text without byte order mark; an empty body of any type gives null. Everything is UTF-8.
///
/// # Errors
/// 413 `body_too_large`; 415 `content_encoding_unsupported`, `content_type_missing`, `content_type_unsupported`,
/// `charset_unsupported`; 422 `body_malformed`, `value_too_deep`, `value_too_large` and `number_out_of_range` with line
/// and column.
pub fn decode(headers: &HeaderMap, body: &[u8]) -> Result<Value, ContentError> {
    if body.len() > MAX_BODY {
        return Err(ContentError::TooLarge { size: body.len(), limit: MAX_BODY });
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    for encoding in headers.get_all(CONTENT_ENCODING) {
        if !encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity") {
            return Err(ContentError::EncodingUnsupported { found: error::shown(encoding.as_bytes()) });
        }
    }
    let written = headers.get(CONTENT_TYPE).ok_or(ContentError::TypeMissing)?;
    let media_type = MediaType::read(written.as_bytes())?;
    let body = body.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(body);
    match media_type.form {
        Form::Json => json(body),
        Form::UrlEncoded => form::decode(body),
        Form::Text(name) => text(name, body).map(|text| Value::String(text.to_owned())),
    }
}

fn json(body: &[u8]) -> Result<Value, ContentError> {
    json::parse(body, &Bounds::OUTSIDE).map_err(ContentError::of_json)
}

/// Reads a body as UTF-8; `format` names it in the error.
fn text<'a>(format: &'static str, body: &'a [u8]) -> Result<&'a str, ContentError> {
    str::from_utf8(body).map_err(|error| {
        let right = String::from_utf8_lossy(&body[..error.valid_up_to()]);
        let (line, column) = error::position(&right);
        ContentError::Malformed { format, line, column, problem: "bytes that are not UTF-8".to_owned() }
    })
}
