//! Signals: which were accepted, and which rows say that they were taken.

use std::collections::BTreeMap;

use pawl_engine::{Execution, Given, Observed, Row, SentSignal};
use pawl_runtime::items;
use pawl_runtime::ports::{Item, Table};

use super::Broken;

/// The signals of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signals {
    accepted: BTreeMap<String, SentSignal>,
    /// Execution and row that received or refused it.
    taken: BTreeMap<String, (String, u64)>,
}

impl Signals {
    /// A signal is stored.
    pub(super) fn look(&mut self, item: &Item) {
        if let Ok(signal) = items::signal::parse(item) {
            let id = item.key.sort.clone();
            self.accepted.insert(id.clone(), signal.sent(&id));
        }
    }

    /// Rows are committed: no signal is taken twice.
    pub(super) fn rows(&mut self, execution: &Execution, rows: &[Row], broken: &mut Vec<Broken>) {
        for row in rows {
            let Some(id) = taken_by(row) else { continue };
            let by = (execution.id.clone(), row.seq);
            if let Some((other, seq)) = self.taken.insert(id.clone(), by) {
                broken.push((4, format!("takes the signal {id}, which {other} has taken in its row {seq}")));
            }
        }
    }

    /// The execution that has taken a signal.
    pub(crate) fn taker(&self, id: &str) -> Option<&str> {
        self.taken.get(id).map(|(execution, _)| execution.as_str())
    }

    /// All signals that were accepted.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = &SentSignal> {
        self.accepted.values()
    }

    /// Whether a signal was accepted.
    pub(crate) fn is_accepted(&self, id: &str) -> bool {
        self.accepted.contains_key(id)
    }
}

/// The signal that a row has taken: it received it, or refused it.
fn taken_by(row: &Row) -> Option<String> {
    let observed = Observed::list(&row.observed).ok()?;
    let Given::Event(event) = observed.last()?.given.clone() else { return None };
    let is_received = row.branch.as_deref() == Some("received");
    let is_refused = row.note.as_deref().is_some_and(|note| note.contains("is refused"));
    (event.kind.facts().is_kept && (is_received || is_refused)).then_some(event.id)
}

/// Whether an item is a signal.
pub(super) fn is_signal(table: Table, item: &Item) -> bool {
    table == items::signal::TABLE
        && item.key == items::signal::key(&item.key.sort)
        && !item.key.sort.ends_with("#taken")
}
