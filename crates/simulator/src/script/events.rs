//! Events that outside systems post, and workflows and goals that listen for them by patterns.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else.

use serde_json::{Value, json};

use super::{Action, Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have them, of those whose outcome may vary.
const SHARE: u32 = 40;

/// Gives workflows triggers for events, and to some of their edits; posts events, some of them again under the same id.
pub(super) fn post(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "events");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    for workflow in script.workflows.iter_mut().filter(|_| chance.percent(80)) {
        let trigger = trigger(chance, workflow.get("object").is_some());
        put(workflow, &trigger);
        for action in &mut script.actions {
            if let What::Save(edited) = &mut action.what
                && edited["workflow"] == workflow["workflow"]
                && chance.percent(75)
            {
                put(edited, &trigger);
            }
        }
        if chance.percent(30) {
            wait(chance, workflow);
        }
    }
    for number in 0..=chance.below(4) {
        // Workflows must have listened for a while, else nobody can tell whether an event comes too early for them.
        let at = chance.millis(130_000, *chance.pick(&[200_000, 900_000, 4_000_000]));
        let what = What::Post { id: format!("post {number}"), event: event(chance) };
        if chance.percent(50) {
            let again = at + chance.millis(0, 90_000);
            script.actions.push(Action { at: again, what: what.clone() });
        }
        script.actions.push(Action { at, what });
    }
    script.actions.sort_by_key(|action| action.at);
}

fn trigger(chance: &Chance, on_record: bool) -> Value {
    let mut trigger = json!({"id": "posted", "type": "event", "pattern": pattern(chance)});
    trigger["values"] = json!({"n": "trigger.event.detail.n"});
    if on_record {
        trigger["values"]["kind"] = json!("trigger.event.detail.kind");
        trigger["record"] = json!({"match": {"key": "trigger.event.detail.key"}, "create": chance.percent(50)});
    }
    trigger
}

fn pattern(chance: &Chance) -> Value {
    match chance.below(5) {
        0 => json!({"source": ["shop.orders"]}),
        1 => json!({"source": ["shop.orders", "shop.returns"], "detail-type": ["Order Placed"]}),
        2 => json!({"source": [{"prefix": "shop."}], "detail": {"n": [{"numeric": [">", 0, "<=", 2]}]}}),
        3 => json!({"detail": {"kind": [{"anything-but": ["b"]}], "voucher": [{"exists": false}]}}),
        _ => json!({"detail-type": ["Order Returned"], "detail": {"key": [{"wildcard": "key *"}]}}),
    }
}

fn event(chance: &Chance) -> Value {
    json!({
        "source": chance.pick(&["shop.orders", "shop.orders", "shop.returns"]),
        "detail-type": chance.pick(&["Order Placed", "Order Returned"]),
        "detail": {
            "key": chance.pick(&["key 0", "key 0", "key 1", "key of an event"]),
            "kind": chance.pick(&["a", "b"]),
            "n": chance.below(4),
        },
    })
}

fn put(workflow: &mut Value, trigger: &Value) {
    if let Some(triggers) = workflow["triggers"].as_array_mut() {
        triggers.push(trigger.clone());
    }
}

/// A goal among the steps, which waits for an event.
fn wait(chance: &Chance, workflow: &mut Value) {
    let Some(steps) = workflow["steps"].as_array_mut() else { return };
    let on = json!({"id": "other-posted", "type": "event", "pattern": pattern(chance)});
    let goal = json!({"id": "until-post", "type": "goal", "on": [on], "timeout": chance.pick(&["20s", "20m"])});
    let at = chance.below(steps.len() + 1);
    steps.insert(at, goal);
}
