//! Events that steps published.

use pawl_engine::Execution;
use pawl_runtime::ports::{Transaction, Write};

use super::Broken;
use crate::posting::{is_published, stored_event};

/// A transaction is committed, with these heads: what a step published starts nothing without a cause, which limits bound.
pub(super) fn look(transaction: &Transaction, heads: &[Execution], broken: &mut Vec<Broken>) {
    let Some(begins) = heads.iter().find(|head| head.seq == 0) else { return };
    let puts = transaction.writes.iter().filter_map(|write| match write {
        Write::Put { item, .. } => Some(item),
        _ => None,
    });
    if puts.filter_map(stored_event).any(|event| is_published(&event) && event.cause.is_empty()) {
        broken.push((7, format!("{} was started by a step that published an event, and has no cause", begins.id)));
    }
}
