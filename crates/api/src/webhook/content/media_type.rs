//! What a `Content-Type` asks for.

use super::error::{ContentError, shown};

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As JSON.
    Json,
    /// As a form.
    UrlEncoded,
    /// As a text, with the name of what it is.
    Text(&'static str),
}

/// What a `Content-Type` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MediaType {
    /// How the body is read.
    pub(super) form: Form,
}

impl MediaType {
    /// Reads the header: the type, and that its `charset`, if it has one, is UTF-8 or a part of it.
    pub(super) fn read(written: &[u8]) -> Result<Self, ContentError> {
        let unsupported = || ContentError::TypeUnsupported { found: shown(written) };
        let text = str::from_utf8(written).map_err(|_| unsupported())?.to_ascii_lowercase();
        let mut parts = text.split(';').map(str::trim);
        let form = form(parts.next().unwrap_or_default()).ok_or_else(unsupported)?;
        let charset = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim() == "charset");
        let charset = charset.map_or("utf-8", |(_, value)| value.trim().trim_matches('"'));
        if matches!(charset, "utf-8" | "utf8" | "us-ascii") {
            Ok(Self { form })
        } else {
            Err(ContentError::CharsetUnsupported { found: shown(charset.as_bytes()) })
        }
    }
}

fn form(essence: &str) -> Option<Form> {
    match essence {
        "application/json" | "text/json" => Some(Form::Json),
        "application/x-www-form-urlencoded" => Some(Form::UrlEncoded),
        "text/csv" | "application/csv" => Some(Form::Text("CSV")),
        "application/xml" | "text/xml" => Some(Form::Text("XML")),
        _ if !essence.contains('/') => None,
        _ if essence.ends_with("+json") => Some(Form::Json),
        _ if essence.ends_with("+xml") && !essence.starts_with("image/") => Some(Form::Text("XML")),
        _ if essence.starts_with("text/") => Some(Form::Text("text")),
        _ => None,
    }
}
