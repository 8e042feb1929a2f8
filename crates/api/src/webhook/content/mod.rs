//! The body of a delivery as a value.

mod error;
mod form;
mod media_type;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use pawl_definition::json::{self, Bounds};
use pawl_runtime::body::{self, Charset, ContentType, UnknownCharset};
use serde_json::Value;

pub use error::ContentError;
use media_type::Form;

/// Longest body that is accepted, in bytes: 1 MiB, a documented limit.
///
/// GitHub's longest is 25 MB, but what an event needs is small; API Gateway's limit is 10 MB, and a decoded value takes
/// several times the memory of its text.
pub const MAX_BODY: usize = 1024 * 1024;

/// Decodes a body by its content type, as answers of outside calls are decoded.
///
/// JSON gives its value (at most 64 levels deep); a form gives an object of texts, with a list where a name is
/// repeated, and its `payload` parsed if that is a JSON object (as GitHub and Slack send it); text, XML and CSV give a
/// text; an empty body of any type gives null. A body in `gzip` or `deflate` is unpacked up to the limit. Text is decoded by
/// its byte order mark, which is left out, else by the `charset` that the header says, else as UTF-8.
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
    let body = body::unpacked(headers, body, MAX_BODY).map_err(|error| ContentError::of_packing(error, body.len()))?;
    let written = headers.get(CONTENT_TYPE).ok_or(ContentError::TypeMissing)?.as_bytes();
    let kind = ContentType::read(Some(written));
    let form = media_type::form(&kind.essence)
        .ok_or_else(|| ContentError::TypeUnsupported { found: error::shown(written) })?;
    let (charset, body) =
        kind.charset(&body).map_err(|UnknownCharset(found)| ContentError::CharsetUnsupported { found })?;
    match form {
        Form::Json => json(&text("JSON", charset, body)?),
        Form::UrlEncoded => form::decode(charset, body),
        Form::Text(name) => text(name, charset, body).map(|text| Value::String(text.into_owned())),
    }
}

fn json(text: &str) -> Result<Value, ContentError> {
    json::parse(text.as_bytes(), &Bounds::OUTSIDE).map_err(ContentError::of_json)
}

/// Reads a body as text; `format` names it in the error.
fn text<'a>(format: &'static str, charset: Charset, body: &'a [u8]) -> Result<Cow<'a, str>, ContentError> {
    charset.text(body).map_err(|error| {
        let (line, column) = error::position(&error.before);
        let problem = format!("bytes that are not {}", charset.name());
        ContentError::Malformed { format, line, column, problem }
    })
}
