//! Groups and calendars: workflows that read them, people who edit them while executions run, and starts on a group.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else. What a decision finds in a group
//! depends on what overtakes what.

use pawl_definition::DefinitionKind;
use pawl_runtime::{StartRecords, Task};
use serde_json::{Value, json};

use super::{Action, Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have them, of those whose outcome may vary.
const SHARE: u32 = 40;

/// What makes a ticket hot, at one time or another.
const TESTS: &[&str] = &[
    "record.state == 'done'",
    "coalesce(record.score, 0) < 3",
    "coalesce(record.w0, 0) > 0",
    "record.stage == 'open'",
];

/// Weekends of the calendar, at one time or another.
const WEEKENDS: &[&[&str]] = &[&["sun"], &["fri", "sat"], &[]];

/// Gives some worlds a group and a calendar, with edits of both.
pub(super) fn settle(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "definitions");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    let first = *chance.pick(TESTS);
    script.definitions =
        vec![(DefinitionKind::Group, group(first)), (DefinitionKind::Calendar, calendar(&["sat", "sun"]))];
    script.workflows.iter_mut().for_each(|workflow| read(chance, workflow));
    for action in &mut script.actions {
        if let What::Begin { task: Task::Start(starts), .. } = &mut action.what
            && chance.percent(50)
        {
            // All tickets belong to it, so that none may be forgotten.
            starts.records =
                StartRecords::Group { group: "all".to_owned(), test: "record.object == 'ticket'".to_owned() };
        }
    }
    for _ in 0..=chance.below(3) {
        let at = chance.millis(0, *chance.pick(&[20_000, 200_000, 8_000_000]));
        let (test, weekend) = (*chance.pick(TESTS), *chance.pick(WEEKENDS));
        let what = if chance.percent(70) {
            What::Define(DefinitionKind::Group, group(test))
        } else {
            What::Define(DefinitionKind::Calendar, calendar(weekend))
        };
        script.actions.push(Action { at, what });
    }
    script.actions.sort_by_key(|action| action.at);
}

fn group(test: &str) -> Value {
    json!({"group": "hot", "object": "ticket", "where": test})
}

fn calendar(weekend: &[&str]) -> Value {
    json!({"calendar": "shop", "weekend": weekend, "holidays": ["2026-01-02", "2026-01-05"]})
}

/// Puts steps that read them at the beginning and at the end of a workflow.
fn read(chance: &Chance, workflow: &mut Value) {
    workflow["calendar"] = json!("shop");
    let on_tickets = workflow["object"] == "ticket";
    let Some(steps) = workflow["steps"].as_array_mut() else { return };
    let drawn = |id: &str| match chance.below(if on_tickets { 3 } else { 2 }) {
        0 => json!({"id": id, "type": "find_records", "object": "ticket", "in_group": "hot", "order": "key"}),
        1 => json!({"id": id, "type": "set_variables", "values": {"due": "{{ now + business_days(2) }}"}}),
        _ => json!({"id": id, "type": "set_variables", "values": {"hot": "{{ in_group(record, \"hot\") }}"}}),
    };
    let (before, after) = (drawn("g1"), drawn("g2"));
    steps.insert(0, before);
    if steps.last().is_some_and(|last| last["type"] != "stop") {
        steps.push(after);
    }
}
