//! What can be wrong with an expression, before and while it is evaluated.

use serde::{Deserialize, Serialize};

/// Why an expression could not be read or evaluated. Stored in history; every code has a page in `docs/errors`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code")] // The codes are stored, do not rename.
pub enum ExpressionError {
    /// The text is no expression of the language.
    #[error("cannot read `{expression}`: {message}")]
    #[serde(rename = "expression_syntax")]
    Syntax {
        /// The text, shortened if long.
        expression: String,
        /// What was expected, and where.
        message: String,
    },
    /// The text is longer than an expression may be.
    #[error("expression is {length} bytes long, at most {limit} are allowed")]
    #[serde(rename = "expression_too_long")]
    TooLong {
        /// Bytes found.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// It nests too deeply, or took more work or memory than an evaluation may.
    #[error("expression is too costly: {message}")]
    #[serde(rename = "expression_too_costly")]
    TooCostly {
        /// Which bound was met.
        message: String,
    },
    /// The value that it gives nests deeper than what may be stored.
    #[error("{message}")]
    #[serde(rename = "value_too_deep")]
    TooDeep {
        /// Which bound was met.
        message: String,
    },
    /// A variable or function that does not exist here.
    #[error("unknown {kind} `{name}`{}", did_you_mean(.suggestion.as_ref()))]
    #[serde(rename = "expression_unknown_name")]
    Unknown {
        /// `variable` or `function`.
        kind: String,
        /// The name as written.
        name: String,
        /// The nearest name that exists.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suggestion: Option<String>,
    },
    /// A key, or list element, that the value does not have.
    #[error("`{path}` does not exist: {message}{}", did_you_mean(.suggestion.as_ref()))]
    #[serde(rename = "expression_missing_key")]
    Missing {
        /// The path as written.
        path: String,
        /// What exists in its place.
        message: String,
        /// The nearest key that exists.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suggestion: Option<String>,
    },
    /// An operand or argument of the wrong type.
    #[error("wrong type: {message}")]
    #[serde(rename = "expression_type")]
    Type {
        /// What was expected and what was found.
        message: String,
    },
    /// A value of the right type that cannot be used: a date that does not exist, a division by zero, an overflow.
    #[error("bad value: {message}")]
    #[serde(rename = "expression_value")]
    Value {
        /// What was expected and what was found.
        message: String,
    },
    /// `secret(…)` where no secret may stand.
    #[error(
        "secret({name:?}) is not allowed here: secrets stand only in http_request, tool and webhook-verification settings"
    )]
    #[serde(rename = "expression_secret")]
    Secret {
        /// Name of the secret.
        name: String,
    },
}

impl ExpressionError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "expression_syntax",
            Self::TooLong { .. } => "expression_too_long",
            Self::TooCostly { .. } => "expression_too_costly",
            Self::TooDeep { .. } => "value_too_deep",
            Self::Unknown { .. } => "expression_unknown_name",
            Self::Missing { .. } => "expression_missing_key",
            Self::Type { .. } => "expression_type",
            Self::Value { .. } => "expression_value",
            Self::Secret { .. } => "expression_secret",
        }
    }

    pub(crate) fn syntax(expression: &str, message: impl Into<String>) -> Self {
        Self::Syntax { expression: shortened(expression), message: message.into() }
    }

    pub(crate) fn costly(message: impl Into<String>) -> Self {
        Self::TooCostly { message: message.into() }
    }

    pub(crate) fn wrong_type(message: impl Into<String>) -> Self {
        Self::Type { message: message.into() }
    }

    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self::Value { message: message.into() }
    }
}

fn did_you_mean(suggestion: Option<&String>) -> String {
    suggestion.map_or_else(String::new, |name| format!(", did you mean `{name}`?"))
}

/// Shortens a text for a message.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Longest name that is compared with others, in bytes: the work is the product of two lengths.
const MOST_COMPARED: usize = 64;

/// Most candidates that are compared.
const MOST_CANDIDATES: usize = 200;

/// The candidate nearest to a name, if one is near enough to be meant.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if name.len() > MOST_COMPARED {
        return None;
    }
    let candidates = candidates.into_iter().filter(|candidate| candidate.len() <= MOST_COMPARED).take(MOST_CANDIDATES);
    let near = candidates.map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate));
    let (distance, candidate) = near.min()?;
    (distance <= name.chars().count().div_ceil(3)).then(|| candidate.to_owned())
}
