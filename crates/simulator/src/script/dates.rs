//! Dates: tickets with a time in the first forty minutes, and workflows on tickets that fire around it.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::Subject;
use serde_json::{Map, Value, json};

use super::{Action, Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have dates, of those whose outcome may vary.
const SHARE: u32 = 40;

/// The beginning of each world.
const BEGINS: &str = "2026-01-01T00:00:00Z";

/// Gives workflows on tickets a trigger around a time, also in their edits, and lets people move the time.
pub(super) fn settle(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "dates");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    for object in script.objects.iter_mut().filter(|object| object["object"] == "ticket") {
        object["fields"]["due"] = json!({"type": "datetime"});
    }
    for workflow in script.workflows.iter_mut().filter(|workflow| workflow.get("object").is_some()) {
        let (name, trigger) = (workflow["workflow"].clone(), trigger(chance));
        if chance.percent(75) {
            put(workflow, trigger.clone());
        }
        for action in &mut script.actions {
            if let What::Save(edited) = &mut action.what
                && edited["workflow"] == name
            {
                match chance.below(4) {
                    0 => {}
                    1 => put(edited, self::trigger(chance)),
                    _ => put(edited, trigger.clone()),
                }
            }
        }
    }
    for action in &mut script.actions {
        if let What::Create { fields, .. } = &mut action.what
            && chance.percent(70)
        {
            fields.insert("due".to_owned(), due(chance));
        }
    }
    for _ in 0..=chance.below(4) {
        let at = chance.millis(0, *chance.pick(&[20_000, 200_000, 1_500_000]));
        let ticket = chance.below(2);
        // Several changes at once: who works out an older one must lose.
        for _ in 0..*chance.pick(&[1, 1, 2, 5]) {
            script.actions.push(Action { at: at + chance.millis(0, 300), what: change(chance, ticket) });
        }
    }
    switch(chance, script);
    script.actions.sort_by_key(|action| action.at);
}

/// Switches a workflow off for a while, in which dates change.
fn switch(chance: &Chance, script: &mut Script) {
    let on_tickets = |workflow: &&Value| workflow.get("object").is_some();
    let name = script.workflows.iter().find(on_tickets).and_then(|workflow| workflow["workflow"].as_str());
    let Some(name) = name.filter(|_| chance.percent(50)).map(str::to_owned) else { return };
    let off = chance.millis(0, *chance.pick(&[20_000, 400_000]));
    let on = off + chance.millis(1_000, 300_000);
    script.actions.push(Action { at: off, what: What::SetActive(name.clone(), false) });
    script.actions.push(Action { at: off + (on - off) / 2, what: change(chance, 0) });
    script.actions.push(Action { at: on, what: What::SetActive(name, true) });
}

fn change(chance: &Chance, ticket: usize) -> What {
    let value = if chance.percent(15) { Value::Null } else { due(chance) };
    let subject = Subject { object: "ticket".to_owned(), id: format!("ticket-{ticket}") };
    What::Update { subject, fields: Map::from_iter([("due".to_owned(), value)]) }
}

fn trigger(chance: &Chance) -> Value {
    json!({"id": "due", "type": "date", "field": "due", "offset": chance.pick(&["0s", "-1m", "-5m", "2m"])})
}

fn due(chance: &Chance) -> Value {
    let begins: Timestamp = BEGINS.parse().expect("a constant time is one");
    let seconds = chance.below(*chance.pick(&[90, 600, 2_400]));
    let at = begins + SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0));
    json!(at.to_string())
}

fn put(workflow: &mut Value, trigger: Value) {
    if let Some(triggers) = workflow["triggers"].as_array_mut() {
        triggers.push(trigger);
    }
}
