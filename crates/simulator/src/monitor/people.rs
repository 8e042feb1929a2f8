//! Choices among people: each round is fair within one.

use std::collections::BTreeMap;

use pawl_engine::{Execution, Row};
use serde_json::Value;

use super::Broken;
use crate::script::{MEMBERS, ROUND};

/// How often each step chose each member, as rows say it.
#[derive(Debug, Clone, Default)]
pub(super) struct People {
    chosen: BTreeMap<(String, String), BTreeMap<String, u64>>,
}

impl People {
    /// Rows are committed: no member was chosen by a step more than once more often than another.
    pub(super) fn rows(&mut self, execution: &Execution, rows: &[Row], broken: &mut Vec<Broken>) {
        for row in rows {
            let (Some(step), Some(member)) = (row.step.as_deref(), chosen_by(row)) else { continue };
            if step != ROUND {
                continue;
            }
            let place = (execution.workflow.clone(), step.to_owned());
            let counts = self.chosen.entry(place).or_default();
            *counts.entry(member.to_owned()).or_default() += 1;
            let count = |member: &&str| counts.get(*member).copied().unwrap_or_default();
            let counted = || MEMBERS.iter().map(count);
            let (least, most) = (counted().min(), counted().max());
            if counted().sum::<u64>() != counts.values().sum::<u64>() {
                broken.push((7, format!("{step} chose {member}, who is not active")));
            }
            if let (Some(least), Some(most)) = (least, most)
                && most > least + 1
            {
                broken.push((7, format!("{step} chose one member {most} times and another {least} times: {counts:?}")));
            }
        }
    }
}

/// Whom a row says that its step chose: in words, or as the owner of the record that it made.
fn chosen_by(row: &Row) -> Option<&str> {
    if let Some(owner) = row.input.get("owner").and_then(Value::as_str) {
        return Some(owner);
    }
    let chosen = row.note.as_deref()?.strip_prefix("chose ")?;
    Some(chosen.split_once(';').map_or(chosen, |(member, _)| member))
}
