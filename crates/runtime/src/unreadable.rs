//! Stored items that cannot be read: they are passed over, counted, logged once, and told to the one who asked.
//!
//! An item that is not of its shape is a fault of one item, and of no other: a listing shows the others, a sweep goes on,
//! and a search finds what can be read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Metrics;
use crate::items::Unreadable;
use crate::ports::Item;

/// Most keys whose logging is remembered; a process that meets more logs no more of them, and still counts them.
const REMEMBERED: usize = 10_000;

/// Passes over what cannot be read.
#[derive(Debug)]
pub struct UnreadableItems {
    metrics: Arc<Metrics>,
    logged: Mutex<BTreeSet<String>>,
}

impl UnreadableItems {
    /// Counts in these metrics.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, logged: Mutex::default() }
    }

    /// Reads the items of a page, in their order: those that can be read, and beside them those that cannot.
    pub(crate) fn read<T>(
        &self,
        items: &[Item],
        parse: impl Fn(&Item) -> Result<T, Unreadable>,
    ) -> (Vec<T>, Vec<Unreadable>) {
        let (mut read, mut unreadable) = (Vec::new(), Vec::new());
        for item in items {
            match parse(item) {
                Ok(value) => read.push(value),
                Err(error) => {
                    self.pass_over(&error);
                    unreadable.push(error);
                }
            }
        }
        (read, unreadable)
    }

    /// What was read; `None` if it could not be.
    pub(crate) fn readable<T>(&self, read: Result<T, Unreadable>) -> Option<T> {
        read.inspect_err(|error| self.pass_over(error)).ok()
    }

    /// Counts an item that is passed over, and logs its key the first time. Nothing of its body is logged.
    pub(crate) fn pass_over(&self, unreadable: &Unreadable) {
        Metrics::count(&self.metrics.items_unreadable);
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() < REMEMBERED && logged.insert(unreadable.key.clone()) {
            tracing::error!(key = %unreadable.key, code = "unreadable_item", "{unreadable}; it is passed over");
        }
    }
}
