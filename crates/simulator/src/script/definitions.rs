//! Groups, calendars and people: workflows that read them, people who edit them while executions run, and starts on a group.
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
    script.definitions = vec![
        (DefinitionKind::Group, group(first)),
        (DefinitionKind::Calendar, calendar(&["sat", "sun"])),
        (DefinitionKind::People, people()),
    ];
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

/// The members among whom steps choose.
pub(crate) const MEMBERS: &[&str] = &["ada", "bob", "cyd"];

/// Items that run at once, each of which makes a record with an owner: no record is in the way of another one, so that only the
/// round keeps them apart.
fn crowd() -> Value {
    let made = json!({
        "id": ROUND, "type": "create_record", "object": "log", "fields": {"kind": "owned"},
        "owner": {"round_robin": "everyone"},
    });
    json!({
        "id": "crowd", "type": "for_each", "items": [1, 2, 3, 4, 5, 6], "concurrency": 3, "item_failed": "continue",
        "do": [made], "on_failure": {"then": "continue"},
    })
}

/// The steps that choose them one after the other.
pub(crate) const ROUND: &str = "round";

fn people() -> Value {
    let member = |id: &&str| json!({"member": id, "teams": ["sales"]});
    let mut members: Vec<_> = MEMBERS.iter().map(member).collect();
    for id in ["dan", "ada@example.com", "bob@example.com"] {
        members.push(json!({"member": id, "teams": ["sales"], "active": false}));
    }
    json!({"members": members, "teams": [{"team": "sales"}]})
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
    let (id, to) = if chance.percent(80) {
        (ROUND, json!({"round_robin": "everyone"}))
    } else {
        ("least", json!({"least_loaded": {"team": "sales"}}))
    };
    let mut assigned = json!({"id": id, "type": "assign_owner", "to": to, "on_failure": {"then": "continue"}});
    if !on_tickets {
        (assigned["target"], assigned["object"]) = (json!("acme"), json!("company"));
    }
    if chance.percent(60) {
        steps.insert(0, if chance.percent(50) { assigned } else { crowd() });
    }
    let (before, after) = (drawn("g1"), drawn("g2"));
    steps.insert(0, before);
    if steps.last().is_some_and(|last| last["type"] != "stop") {
        steps.push(after);
    }
}
