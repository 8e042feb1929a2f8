//! A key that a value does not have. Most such errors are never shown: `blank`, `has`, `coalesce`, `||` and `exists` make
//! them good. So the text, with the keys that exist and the nearest of them, is written only for the error that is.

use super::ExpressionError;
use super::error::{nearest, shortened};
use super::node::Path;
use super::val::Val;

/// Most keys that a message lists.
const MOST_LISTED: usize = 12;

/// Most keys among which the nearest is sought: beyond them nobody chose the names by hand.
const MOST_COMPARED: usize = 200;

/// A path that ends early.
#[derive(Debug, Clone)]
pub(super) struct Lack<'a> {
    pub(super) path: &'a Path,
    /// How many of its segments were found.
    pub(super) place: usize,
    /// What lacks the next one.
    pub(super) holder: Val<'a>,
    pub(super) key: Val<'a>,
}

impl Lack<'_> {
    /// The error, whose text is still to be written if it is a missing key: it then has only its number.
    pub(super) fn unworded(&self, number: usize) -> ExpressionError {
        match (self.holder.kind(), &self.key) {
            ("null" | "object", _) => missing(number),
            ("list", key) if key.whole_number().is_some() => missing(number),
            ("list", _) => {
                let name = self.path.text(self.place);
                ExpressionError::wrong_type(format!(
                    "`{name}` is a list: take an element, `{name}[0]`, or go over it with map()"
                ))
            }
            (kind, _) => {
                let name = self.path.text(self.place);
                ExpressionError::wrong_type(format!("`{name}` is {kind}, which has nothing inside"))
            }
        }
    }

    fn worded(&self) -> ExpressionError {
        let name = self.path.text(self.place);
        let mut suggestion = None;
        let message = match self.holder.kind() {
            "null" => format!("`{name}` is null"),
            "list" => format!("`{name}` has {} elements, the first is [0]", self.holder.length().unwrap_or(0)),
            _ => {
                let keys = self.holder.first_keys(MOST_COMPARED);
                if let Val::Text(key) = &self.key {
                    suggestion = nearest(key, keys.iter().map(|key| &**key));
                }
                listed(&name, &keys, self.holder.length().unwrap_or(0))
            }
        };
        ExpressionError::Missing { path: self.path.text(self.place + 1), message, suggestion }
    }
}

fn missing(number: usize) -> ExpressionError {
    ExpressionError::Missing { path: String::new(), message: number.to_string(), suggestion: None }
}

/// Writes the text of an error that is shown.
pub(super) fn worded(error: ExpressionError, lacks: &[Lack<'_>]) -> ExpressionError {
    match &error {
        ExpressionError::Missing { path, message, .. } if path.is_empty() => {
            let lack = message.parse().ok().and_then(|number: usize| lacks.get(number));
            lack.map_or(error, Lack::worded)
        }
        _ => error,
    }
}

fn listed(name: &str, keys: &[super::val::Text<'_>], all: usize) -> String {
    let some: Vec<String> = keys.iter().take(MOST_LISTED).map(|key| format!("`{}`", shortened(key))).collect();
    match all {
        0 => format!("`{name}` is empty"),
        all if all > MOST_LISTED => format!("`{name}` has {} and {} more", some.join(", "), all - MOST_LISTED),
        _ => format!("`{name}` has {}", some.join(", ")),
    }
}
