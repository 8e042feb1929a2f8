//! Events that steps published.

use std::collections::BTreeSet;

use pawl_engine::{Cause, Event, Execution};
use pawl_runtime::items;
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

/// A record that names a cause changes with a transition of it. An event that a step published may make the record of what it
/// starts, at once or when a burst is over.
pub(super) fn explain(
    transaction: &Transaction,
    heads: &[Execution],
    causes: &BTreeSet<String>,
    broken: &mut Vec<Broken>,
) {
    for cause in causes {
        let is_cause = |of: &Cause| of.chain.last().is_some_and(|link| link.execution == *cause);
        let is_own = |head: &Execution| head.id == *cause || head.seq == 0 && is_cause(&head.cause);
        if !heads.iter().any(is_own) && !collected(transaction).any(|event| is_cause(&event.cause)) {
            broken.push((1, format!("a record changed for {cause} without a transition of it")));
        }
    }
}

/// The events that a transaction takes into a burst.
fn collected(transaction: &Transaction) -> impl Iterator<Item = Event> {
    transaction.writes.iter().filter_map(|write| match write {
        Write::Put { item, .. } if items::debounce::is_event(&item.key) => items::debounce::parse_event(item).ok(),
        _ => None,
    })
}
