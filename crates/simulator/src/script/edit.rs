//! Edits of generated workflows.

use serde_json::{Value, json};

use super::limits::concurrency;
use crate::chance::Chance;

/// A workflow with one step taken out, put in or changed, at any depth, or with another limit.
pub(super) fn edited(chance: &Chance, workflow: &Value) -> Value {
    let mut edited = workflow.clone();
    let on_record = edited.get("object").is_some();
    if let Some(limit) = edited["limits"].get_mut("concurrency")
        && chance.percent(50)
    {
        *limit = concurrency(chance, on_record);
        return edited;
    }
    let Some(steps) = edited.get_mut("steps").and_then(Value::as_array_mut) else { return edited };
    edit(chance, steps, chance.bits());
    edited
}

fn edit(chance: &Chance, steps: &mut Vec<Value>, name: u64) {
    if steps.is_empty() || chance.percent(40) {
        let at = chance.below(steps.len() + 1);
        let step = if chance.percent(50) {
            json!({"id": format!("e{}", name % 1_000_000), "type": "note", "text": "put in"})
        } else {
            json!({"id": format!("e{}", name % 1_000_000), "type": "delay", "for": "30s"})
        };
        steps.insert(at, step);
        return;
    }
    // A step that somebody waits at is the most interesting one to take away.
    let waits = |step: &Value| step["type"] == "goal" || step["type"] == "wait_for_signal" || step["wait"] == true;
    let waits = steps.iter().position(waits).filter(|_| chance.percent(60));
    let at = waits.unwrap_or_else(|| chance.below(steps.len()));
    let branches = ["yes", "no", "met", "unmet", "default", "received", "timed_out", "do"];
    if let Some(lanes) = steps[at].get_mut("lanes").and_then(Value::as_object_mut)
        && chance.percent(50)
    {
        let names: Vec<_> = lanes.keys().cloned().collect();
        let lane = lanes.get_mut(chance.pick(&names)).and_then(Value::as_array_mut);
        return edit(chance, lane.expect("a lane is a list of steps"), name);
    }
    let inner: Vec<_> = branches.iter().copied().filter(|name| steps[at].get(*name).is_some()).collect();
    if !inner.is_empty() && chance.percent(50) {
        let branch = *chance.pick(&inner);
        if let Some(inner) = steps[at].get_mut(branch).and_then(Value::as_array_mut) {
            return edit(chance, inner, name);
        }
    }
    steps.remove(at);
}
