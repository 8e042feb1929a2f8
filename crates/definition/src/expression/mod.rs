//! Expressions: CEL in which an author writes logic, and templates that put values into texts.
//!
//! - [`Expression`]: bare CEL. [`Template`]: a JSON value whose strings may hold `{{ expr }}`.
//! - [`Scope`]: what both see. [`ExpressionError`]: what can be wrong.
//! - [`Duration`]: `2d 3h`.
//! - [`secret_placeholder`], [`placeholders`], [`redact`]: secrets are named here, and never known.

mod duration;
mod error;
mod scope;
mod secret;
mod template;

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub use duration::Duration;
pub use error::ExpressionError;
pub use scope::Scope;
pub use secret::{placeholders, redact, redact_text, secret_placeholder};
pub use template::Template;

/// Bare CEL, parsed once; a clone is cheap.
#[derive(Clone)]
pub struct Expression {
    program: Arc<Program>,
}

#[derive(Debug)]
struct Program {
    source: String,
    roots: BTreeSet<String>,
}

impl Expression {
    /// Parses CEL.
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        let program = Program { source: source.to_owned(), roots: BTreeSet::new() };
        Ok(Self { program: Arc::new(program) })
    }

    /// The text as written.
    pub fn source(&self) -> &str {
        &self.program.source
    }

    /// The variables that it reads.
    pub fn roots(&self) -> &BTreeSet<String> {
        &self.program.roots
    }

    /// Evaluates it to a JSON value.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, ExpressionError> {
        let _ = scope;
        Err(ExpressionError::value("evaluation is not there yet"))
    }

    /// Evaluates it to true or false; anything else is an error that names the type found.
    pub fn test(&self, scope: &dyn Scope) -> Result<bool, ExpressionError> {
        match self.evaluate(scope)? {
            Value::Bool(truth) => Ok(truth),
            _ => Err(ExpressionError::wrong_type("expected true or false")),
        }
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Expression").field(&self.source()).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Expression {}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let source = match Value::deserialize(deserializer)? {
            Value::String(source) => source,
            literal @ (Value::Bool(_) | Value::Number(_)) => literal.to_string(),
            other => return Err(D::Error::custom(format!("expected an expression, found {other}"))),
        };
        Self::parse(&source).map_err(D::Error::custom)
    }
}

impl JsonSchema for Expression {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expression".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "boolean", "number"], "description": "A CEL expression." })
    }
}
