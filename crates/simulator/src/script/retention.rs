//! Executions that expire some days after their end, while others wait, run and begin.
//!
//! Only some worlds have retention, and everything about it is chosen apart from all else.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Action, Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have retention, of those whose outcome may vary.
const SHARE: u32 = 30;

/// The shortest retention.
const RETENTION: &str = "7d";

/// Gives some worlds retention, waits that are longer, and deliveries around the time at which the first executions expire.
pub(super) fn limit(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "retention");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    for workflow in &mut script.workflows {
        expire(workflow);
        wait_long(chance, workflow);
    }
    let mut later = Vec::new();
    for Action { at, what } in &mut script.actions {
        match what {
            What::Save(workflow) => expire(workflow),
            What::Deliver { .. } | What::Forget { .. } | What::Update { .. } if chance.percent(50) => {
                let days = SignedDuration::from_hours(*chance.pick(&[160, 168, 168, 200]));
                let at = *at + days + chance.millis(0, 7_200_000);
                later.push(Action { at, what: again(what) });
            }
            _ => {}
        }
    }
    script.actions.extend(later);
    script.actions.sort_by_key(|action| action.at);
}

/// A line in which executions ask for a place again and again makes a run of days long, and is met in other worlds.
fn expire(workflow: &mut Value) {
    workflow["retention"] = json!(RETENTION);
    if let Some(limits) = workflow["limits"].as_object_mut() {
        limits.remove("concurrency");
    }
}

fn wait_long(chance: &Chance, workflow: &mut Value) {
    let Some(steps) = workflow["steps"].as_array_mut().filter(|_| chance.percent(50)) else { return };
    let at = chance.below(steps.len() + 1);
    let time = *chance.pick(&["6d", "7d", "8d"]);
    steps.insert(at, json!({"id": "long", "type": "delay", "for": time}));
}

/// The same as another delivery: after days, nobody recognises a repeat by its key.
fn again(what: &What) -> What {
    match what.clone() {
        What::Deliver { workflow, trigger, key, subject, creates: _, n, text, debug } => {
            let key = key.map(|key| format!("{key} of another day"));
            What::Deliver { workflow, trigger, key, subject, creates: None, n, text, debug }
        }
        what => what,
    }
}
