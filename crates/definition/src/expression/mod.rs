//! Expressions: CEL in which an author writes logic, and templates that put values into texts.
//!
//! - [`Expression`]: bare CEL. [`Template`]: a JSON value whose strings may hold `{{ expr }}`.
//! - [`Scope`]: what both see. [`ExpressionError`]: what can be wrong.
//! - [`Duration`]: `2d 3h`.
//! - [`secret_placeholder`], [`placeholders`], [`redact`]: secrets are named here, and never known.
//!
//! # What differs from standard CEL
//!
//! The list is in `docs/language.md`; what is behind it:
//!
//! - Equality, order, blanks and the writing of numbers are those of [`crate::value`]. Whole numbers are exact however
//!   they are written: a double without fraction is one, so that equal numbers give equal results.
//! - `==` of two types is an error, never a silent no; but null may be compared with anything, and `in` and the elements
//!   of lists and objects compare as in CEL.
//! - A missing key, or a key of null, is an error that names the path; `has`, `blank` and `coalesce` take it at any depth.
//!   Behind an empty relationship ([`Scope::is_relationship`]) it is null.
//! - `now`, `date("2026-11-21")` and `timestamp("…")` are times; times in data are text, until one of the two reads them.
//!   `time ± duration("2d 3h")`, `± days(n)`, `± months(n)`, `± business_days(n)` count on the calendar of the scope's time
//!   zone, and business days on its holidays. `in_zone(time, "Europe/Berlin")` gives `year`, `month`, `day`, `hour`,
//!   `minute`, `second`, `weekday` (1 is Monday), `date`, `time` and `datetime`.
//! - Every function may be called as `f(x)` and as `x.f()`. `secret("name")` takes only a name written down.
//! - Messages and optional syntax (`a.?b`) are left out. Objects are gone through in the order of their keys.
//! - An expression has at most 4 KiB, 600 operators and 40 levels of brackets, and an evaluation a budget of work
//!   and bytes: one for all expressions of a template, and of a step.
//!
//! # How
//!
//! A text goes through `parse` (bounds, the parser of the `cel` crate) and `lower` (our tree, `node`); `evaluate` walks
//! the tree over values (`val`) that borrow the scope's data (`roots`), within a `budget`. Each function of the language
//! is one line in `functions`.

mod budget;
mod calendar;
mod conjuncts;
mod duration;
mod encoding;
mod error;
mod evaluate;
mod functions;
mod infer;
mod lack;
mod lower;
mod node;
mod operate;
mod parse;
mod roots;
mod scope;
mod secret;
mod template;
mod url;
mod val;
mod wait_length;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::json::{Bounds, ErrorKind};
use evaluate::Evaluator;
use lower::Lowered;
use roots::Roots;
use val::Val;

pub use budget::Meter;
pub use conjuncts::{Comparison, Conjunct};
pub use duration::Duration;
pub use encoding::{form_encoded, percent_encoded};
pub use error::ExpressionError;
pub(crate) use functions::all_names as names_of_functions;
pub(crate) use infer::Seen;
pub use scope::Scope;
pub use secret::{Placeholder, placeholders, redact, redact_text, secret_placeholder};
pub use template::Template;
pub(crate) use template::end_of_expression;
pub use url::UrlError;
pub use wait_length::WaitLength;
pub(crate) use words::{listed, short, value_words};

/// Bare CEL, parsed once; a clone is cheap.
#[derive(Clone)]
pub struct Expression {
    program: Arc<Program>,
}

#[derive(Debug)]
struct Program {
    source: String,
    lowered: Lowered,
}

impl Expression {
    /// Parses CEL.
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        let program = Program { source: source.to_owned(), lowered: parse::parse(source)? };
        Ok(Self { program: Arc::new(program) })
    }

    /// The text as written.
    pub fn source(&self) -> &str {
        &self.program.source
    }

    /// The variables that it reads.
    pub fn roots(&self) -> &BTreeSet<String> {
        &self.program.lowered.roots
    }

    /// The paths that it reads, each as far as it is known without data: `record.company.name` is
    /// `["record", "company", "name"]`, and `record.items[i].price` is `["record", "items"]`.
    pub fn reads(&self) -> &BTreeSet<Vec<String>> {
        &self.program.lowered.reads
    }

    /// The secrets that it names.
    pub fn secrets(&self) -> &BTreeSet<String> {
        &self.program.lowered.secrets
    }

    /// The groups that it asks for by `in_group`, each with the path of what it asks about, as far as that is a path.
    pub fn groups(&self) -> &BTreeSet<(Vec<String>, String)> {
        &self.program.lowered.groups
    }

    /// The records that it looks up by `lookup`: the object and the unique field of each.
    pub fn lookups(&self) -> &BTreeSet<(String, String)> {
        &self.program.lowered.lookups
    }

    /// Whether it reads the present time.
    pub fn reads_now(&self) -> bool {
        self.program.lowered.reads_now
    }

    /// Evaluates it to a JSON value: times in RFC 3339, durations as [`Duration`] writes them, bytes in base64.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, ExpressionError> {
        let value = self.evaluate_with(&Roots::new(scope, self.roots()))?;
        bounded(value)
    }

    /// Evaluates it to true or false; anything else is an error that names the type found.
    pub fn test(&self, scope: &dyn Scope) -> Result<bool, ExpressionError> {
        let roots = Roots::new(scope, self.roots());
        let node = &self.program.lowered.node;
        Evaluator::new(&roots).whole(node, |_, val| match val {
            Val::Bool(truth) => Ok(truth),
            other => {
                let found = evaluate::described(Some(node), &other);
                Err(ExpressionError::wrong_type(format!("expected true or false, found {found}")))
            }
        })
    }

    /// Evaluates it to true or false as a part of another expression, whose budget it spends.
    fn test_within(&self, scope: &dyn Scope, budget: &mut budget::Budget) -> Result<bool, ExpressionError> {
        let roots = Roots::new(scope, self.roots());
        Evaluator::new(&roots).part(&self.program.lowered.node, budget)
    }

    /// Whether it is a call of `urlencode`.
    fn is_urlencoded(&self) -> bool {
        matches!(&self.program.lowered.node, node::Node::Call(function, _) if function.name == "urlencode")
    }

    fn evaluate_with<'a>(&'a self, roots: &'a Roots<'a>) -> Result<Value, ExpressionError> {
        let node = &self.program.lowered.node;
        Evaluator::new(roots).whole(node, |evaluator, val| val.into_json(&mut evaluator.budget))
    }
}

/// The value that was made, if it is not more than what may be stored.
fn bounded(value: Value) -> Result<Value, ExpressionError> {
    match crate::json::check(&value, &Bounds::MADE) {
        Ok(()) => Ok(value),
        Err(error) if matches!(error.kind, ErrorKind::TooDeep { .. }) => {
            Err(ExpressionError::TooDeep { message: format!("expected a value within bounds, found {error}") })
        }
        Err(error) => Err(ExpressionError::costly(format!("its value has {error}"))),
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

#[cfg(feature = "describe")]
impl schemars::JsonSchema for Expression {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expression".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "boolean", "number"], "description": "A CEL expression." })
    }
}
