//! Steps that call services of the cloud: they publish events that workflows of the world may listen for, send messages and
//! invoke functions.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else. What an event starts depends on what
//! overtakes what, so a confluent world publishes none. In others only an execution that a webhook started publishes: if those
//! that an event started did, events would multiply up to the limits of chains.

use serde_json::{Value, json};

use super::{Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have them.
const SHARE: u32 = 40;

/// Whether an execution publishes.
const TOLD: &str = "trigger.type == 'webhook'";

/// Puts some of them among the steps of workflows, and of their edits.
pub(super) fn call(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "cloud");
    if !chance.percent(SHARE) {
        return;
    }
    for workflow in script.workflows.iter_mut().filter(|_| chance.percent(70)) {
        for number in 0..=chance.below(2) {
            let mut step = step(chance, number, script.confluent);
            if step["type"] == "publish_event" {
                step = json!({"id": format!("told-{number}"), "type": "condition", "if": TOLD, "yes": [step]});
            }
            for action in &mut script.actions {
                if let What::Save(edited) = &mut action.what
                    && edited["workflow"] == workflow["workflow"]
                    && chance.percent(75)
                {
                    put(chance, edited, &step);
                }
            }
            put(chance, workflow, &step);
        }
    }
}

fn step(chance: &Chance, number: usize, confluent: bool) -> Value {
    let of = if confluent { 2 } else { 4 };
    let mut step = match chance.below(of) {
        0 => json!({
            "type": "send_message", "queue": "arn:aws:sqs:eu-central-1:123456789012:orders.fifo", "group": "{{ workflow.id }}",
            "body": {"n": "{{ vars.n }}"},
        }),
        1 => json!({
            "type": "invoke_function", "function": chance.pick(&["echo", "echo", "fails:prod"]),
            "input": {"n": "{{ vars.n }}"}, "wait": chance.percent(75),
        }),
        _ => json!({
            "type": "publish_event", "source": chance.pick(&["shop.orders", "shop.returns"]),
            "detail_type": chance.pick(&["Order Placed", "Order Returned"]),
            "detail": {"key": chance.pick(&["key 0", "key 1", "key of an event"]), "kind": "a", "n": chance.below(4)},
        }),
    };
    step["id"] = json!(format!("cloud-{number}"));
    step["timeout"] = json!("10s");
    step["on_failure"] = json!({"retry": {"attempts": 3, "first": "2s", "max": "1m"}, "then": "continue"});
    if !confluent && chance.percent(30) {
        step["delivery"] = json!("at_most_once");
    }
    step
}

fn put(chance: &Chance, workflow: &mut Value, step: &Value) {
    let Some(steps) = workflow["steps"].as_array_mut() else { return };
    let at = chance.below(steps.len() + 1);
    steps.insert(at, step.clone());
}
