//! Workflows that listen for the ends of others, and goals that wait for them.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else.

use serde_json::{Value, json};

use super::workflow::name;
use super::{Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have them, of those whose outcome may vary.
const SHARE: u32 = 45;

/// Gives workflows triggers for the ends of workflows before them, some rings among them, and to some of their edits.
pub(super) fn listen(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "ends");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    let many = script.workflows.len();
    let is_ring = chance.percent(25);
    for index in 0..many {
        let others: Vec<_> = (0..many).filter(|other| *other < index || (is_ring && *other != index)).collect();
        if others.is_empty() || !chance.percent(80) {
            continue;
        }
        let trigger = trigger(chance, &others);
        let id = script.workflows[index]["workflow"].clone();
        put(&mut script.workflows[index], &trigger);
        for action in &mut script.actions {
            if let What::Save(edited) = &mut action.what
                && edited["workflow"] == id
                && chance.percent(75)
            {
                put(edited, &trigger);
            }
        }
        if chance.percent(50) {
            wait(chance, &mut script.workflows[index], &others);
        }
    }
}

fn trigger(chance: &Chance, others: &[usize]) -> Value {
    let mut trigger = json!({"id": "after", "type": "workflow_ended"});
    let all: Vec<_> = others.iter().map(|other| name(*other)).collect();
    trigger["workflow"] = if chance.percent(50) { json!(chance.pick(&all)) } else { json!(all) };
    if chance.percent(50) {
        trigger["status"] = json!(chance.pick(&[vec!["completed"], vec!["failed", "canceled"], vec!["canceled"]]));
    }
    trigger
}

fn put(workflow: &mut Value, trigger: &Value) {
    if let Some(triggers) = workflow["triggers"].as_array_mut() {
        triggers.push(trigger.clone());
    }
}

/// A goal among the steps, which waits for an end.
fn wait(chance: &Chance, workflow: &mut Value, others: &[usize]) {
    let Some(steps) = workflow["steps"].as_array_mut() else { return };
    let on = json!({"id": "other-ended", "type": "workflow_ended", "workflow": name(*chance.pick(others))});
    let goal = json!({"id": "until-end", "type": "goal", "on": [on], "timeout": chance.pick(&["20s", "10m"])});
    let at = chance.below(steps.len() + 1);
    steps.insert(at, goal);
}
