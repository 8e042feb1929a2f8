//! The variables that an evaluation reads, each asked for at most once.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use serde_json::Value;

use super::secret::disarm;
use super::{ExpressionError, Scope};
use crate::expression::error::nearest;

/// Variables by name; empty until they are read.
pub(super) struct Roots<'a> {
    scope: &'a dyn Scope,
    cells: Vec<(&'a str, OnceCell<Option<Value>>)>,
}

impl<'a> Roots<'a> {
    pub(super) fn new(scope: &'a dyn Scope, names: &'a BTreeSet<String>) -> Self {
        Self { scope, cells: names.iter().map(|name| (name.as_str(), OnceCell::new())).collect() }
    }

    pub(super) fn scope(&self) -> &'a dyn Scope {
        self.scope
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &str) -> Result<&Value, ExpressionError> {
        let cell = self.cells.iter().find(|(known, _)| *known == name);
        let value = cell.and_then(|(_, cell)| cell.get_or_init(|| self.load(name)).as_ref());
        value.ok_or_else(|| self.unknown(name))
    }

    fn load(&self, name: &str) -> Option<Value> {
        let value = self.scope.root(name)?;
        Some(if self.scope.secrets() { disarm(value) } else { value })
    }

    fn unknown(&self, name: &str) -> ExpressionError {
        const KNOWN: [&str; 8] = ["record", "vars", "trigger", "steps", "execution", "workflow", "item", "index"];
        let here = KNOWN.into_iter().filter(|known| self.scope.root(known).is_some()).chain(["now"]);
        let suggestion = nearest(name, here);
        ExpressionError::Unknown { kind: "variable".to_owned(), name: name.to_owned(), suggestion }
    }
}
