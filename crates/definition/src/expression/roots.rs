//! The variables that an evaluation reads, each asked for at most once.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;

use serde_json::Value;

use super::budget::Budget;
use super::error::nearest;
use super::secret::disarm;
use super::{ExpressionError, Scope};

/// Variables by name; empty until they are read.
pub(super) struct Roots<'a> {
    scope: &'a dyn Scope,
    budget: Cell<Budget>,
    cells: Vec<(&'a str, OnceCell<Option<Cow<'a, Value>>>)>,
}

impl<'a> Roots<'a> {
    pub(super) fn new(scope: &'a dyn Scope, names: &'a BTreeSet<String>) -> Self {
        let budget = Cell::new(Budget::new(scope.meter(), names.len()));
        Self { scope, budget, cells: names.iter().map(|name| (name.as_str(), OnceCell::new())).collect() }
    }

    pub(super) fn scope(&self) -> &'a dyn Scope {
        self.scope
    }

    /// What is left for the next evaluation over these variables.
    pub(super) fn budget(&self) -> Budget {
        self.budget.get()
    }

    /// Keeps what an evaluation has left.
    pub(super) fn keep(&self, budget: Budget) {
        self.budget.set(budget);
        budget.note(self.scope.meter());
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &str) -> Result<&Value, ExpressionError> {
        let cell = self.cells.iter().find(|(known, _)| *known == name);
        let value = cell.and_then(|(_, cell)| cell.get_or_init(|| self.load(name)).as_ref());
        value.map(AsRef::as_ref).ok_or_else(|| self.unknown(name))
    }

    fn load(&self, name: &str) -> Option<Cow<'a, Value>> {
        let held = self.scope.root_ref(name).map(Cow::Borrowed);
        let value = held.or_else(|| self.scope.root(name).map(Cow::Owned))?;
        Some(if self.scope.secrets() { disarm(value) } else { value })
    }

    fn unknown(&self, name: &str) -> ExpressionError {
        const KNOWN: [&str; 9] =
            ["record", "vars", "trigger", "steps", "execution", "workflow", "item", "index", "answer"];
        let here = KNOWN.into_iter().filter(|known| self.scope.root(known).is_some()).chain(["now"]);
        let suggestion = nearest(name, here);
        ExpressionError::Unknown { kind: "variable".to_owned(), name: name.to_owned(), suggestion }
    }
}
