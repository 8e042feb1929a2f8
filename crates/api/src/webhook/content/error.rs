//! Why a body could not be read.

use pawl_definition::json;
use pawl_runtime::body::Unpackable;

use super::MAX_BODY;

/// Longest part of a header that an error repeats, in characters.
const MOST_SHOWN: usize = 80;

/// Why a body could not be read. Its text never repeats the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// The body is longer than the limit.
    #[error("expected a body of at most {limit} bytes, found {size}")]
    TooLarge {
        /// Its length in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The body is packed in a way that is not read.
    #[error("expected a body without content encoding, or in gzip or deflate, found {found:?}")]
    EncodingUnsupported {
        /// The encoding as sent.
        found: String,
    },
    /// The body has no type.
    #[error("expected a header content-type that says how to read the body, found none")]
    TypeMissing,
    /// The body is neither JSON, nor a form, nor text.
    #[error("expected JSON, a url-encoded form, text, XML or CSV, found {found:?}")]
    TypeUnsupported {
        /// The type as sent.
        found: String,
    },
    /// The body is not what its content encoding says.
    #[error("expected a body that is packed by {encoding:?}, found one that is not, or is cut off")]
    Unpackable {
        /// The encoding.
        encoding: String,
    },
    /// The charset is not known.
    #[error("expected a charset that is known, such as utf-8, found {found:?}")]
    CharsetUnsupported {
        /// The charset as sent.
        found: String,
    },
    /// The body is not what its type says.
    #[error("expected {format}, found {problem} at line {line}, column {column}")]
    Malformed {
        /// What the type says.
        format: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 where the line had not begun.
        column: usize,
        /// What was found.
        problem: String,
    },
    /// The JSON, or the form, exceeds a bound.
    #[error("expected {format} within bounds, found {error}")]
    OutOfBounds {
        /// What the type says.
        format: &'static str,
        /// The bound.
        error: json::Error,
    },
}

impl ContentError {
    /// Its stable code. Stored, do not rename.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "body_too_large",
            Self::EncodingUnsupported { .. } => "content_encoding_unsupported",
            Self::TypeMissing => "content_type_missing",
            Self::TypeUnsupported { .. } => "content_type_unsupported",
            Self::CharsetUnsupported { .. } => "charset_unsupported",
            Self::Malformed { .. } | Self::Unpackable { .. } => "body_malformed",
            Self::OutOfBounds { error, .. } => error.code().unwrap_or("body_malformed"),
        }
    }

    /// Its HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLarge { .. } => 413,
            Self::Malformed { .. } | Self::Unpackable { .. } | Self::OutOfBounds { .. } => 422,
            _ => 415,
        }
    }

    /// From the error of unpacking a body of a size.
    pub(super) fn of_packing(error: Unpackable, size: usize) -> Self {
        match error {
            // How long it is unpacked nobody knows: unpacking ends at the limit.
            Unpackable::TooLarge => Self::TooLarge { size: size.max(MAX_BODY + 1), limit: MAX_BODY },
            Unpackable::TooManyLayers => Self::EncodingUnsupported { found: "several encodings".to_owned() },
            Unpackable::Unknown(found) => Self::EncodingUnsupported { found },
            Unpackable::Broken(encoding) => Self::Unpackable { encoding },
        }
    }

    /// From the error of the entrance of JSON.
    pub(super) fn of_json(error: json::Error) -> Self {
        if error.code().is_some() {
            return Self::OutOfBounds { format: "JSON", error };
        }
        let (line, column) = error.place.unwrap_or_default();
        Self::Malformed { format: "JSON", line, column, problem: error.kind.to_string() }
    }
}

/// Line and column, from 1, of what follows a text.
pub(super) fn position(before: &str) -> (usize, usize) {
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The part of a header that an error repeats.
pub(super) fn shown(header: &[u8]) -> String {
    String::from_utf8_lossy(header).chars().take(MOST_SHOWN).collect()
}
