//! What a `Content-Type` asks for.

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

/// How a body of a type is read; `None` if it is not.
pub(super) fn form(essence: &str) -> Option<Form> {
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
