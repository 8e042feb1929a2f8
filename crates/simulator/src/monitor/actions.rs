//! Tracked actions of a run: as they were stored last, and whom they say that they did not touch.

use std::collections::{BTreeMap, BTreeSet};

use pawl_runtime::items;
use pawl_runtime::items::operation::Operation;
use pawl_runtime::ports::Item;

/// The actions of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Actions {
    operations: BTreeMap<String, Operation>,
    /// Operation and target.
    results: BTreeSet<(String, String)>,
}

impl Actions {
    /// An operation is written.
    pub(super) fn look(&mut self, operation: &Operation) {
        if operation.action.is_some() {
            self.operations.insert(operation.id.clone(), operation.clone());
        }
    }

    /// A target that was refused or failed is written.
    pub(super) fn result(&mut self, item: &Item) {
        let result = items::operation_result::parse(item).expect("a result has its shape");
        let operation = item.key.partition.trim_start_matches("operation#").to_owned();
        self.results.insert((operation, result.target));
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values()
    }

    /// Whether an action says that it did not touch a target.
    pub(crate) fn is_told(&self, operation: &str, target: &str) -> bool {
        self.results.contains(&(operation.to_owned(), target.to_owned()))
    }
}
