//! Schedules: workflows without a record that fire a few times in the first half hour.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else.

use serde_json::{Value, json};

use super::{Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have schedules, of those whose outcome may vary.
const SHARE: u32 = 60;

/// Gives schedules to workflows that run against no record, and to their edits, which may have another one or none.
pub(super) fn fire(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "schedules");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    for workflow in &mut script.workflows {
        let Some(schedule) = schedule(chance, workflow) else { continue };
        let name = workflow["workflow"].clone();
        put(workflow, schedule.clone());
        for action in &mut script.actions {
            if let What::Save(edited) = &mut action.what
                && edited["workflow"] == name
            {
                match chance.below(4) {
                    0 => {}
                    1 => put(edited, json!({"id": "tick", "type": "schedule", "every": "4m", "ends": ENDS})),
                    _ => put(edited, schedule.clone()),
                }
            }
        }
    }
}

/// When all of them end: a world with a schedule that does not end never comes to rest.
const ENDS: &str = "2026-01-01T00:40:00Z";

fn schedule(chance: &Chance, workflow: &Value) -> Option<Value> {
    if workflow.get("object").is_some() {
        return None;
    }
    let (key, pattern) = *chance.pick(&[
        ("every", "5m"),
        ("every", "90s"),
        ("cron", "*/7 * * * *"),
        ("rrule", "FREQ=MINUTELY;INTERVAL=6"),
        ("rrule", "DTSTART:20260101T000300Z\nRRULE:FREQ=MINUTELY;INTERVAL=10;COUNT=3\nRDATE:20260101T001100Z"),
    ]);
    let mut schedule = json!({"id": "tick", "type": "schedule", "ends": ENDS});
    schedule[key] = json!(pattern);
    schedule["overlap"] = json!(chance.pick(&["allow", "skip", "queue"]));
    schedule["catch_up"] = json!(chance.pick(&["one", "none", "all", "all"]));
    Some(schedule)
}

fn put(workflow: &mut Value, schedule: Value) {
    if let Some(triggers) = workflow["triggers"].as_array_mut() {
        triggers.push(schedule);
    }
}
