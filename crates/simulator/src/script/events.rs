//! Events that outside systems post, and workflows and goals that listen for them by patterns.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else.

use serde_json::{Value, json};

use super::{Script, What, listening};
use crate::chance::Chance;

/// How many seeds of a hundred have them, of those whose outcome may vary.
const SHARE: u32 = 40;

/// Gives workflows triggers for events, and to some of their edits; posts events, some of them again under the same id.
pub(super) fn post(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "events");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    let trigger = |workflow: &Value| trigger(chance, workflow.get("object").is_some());
    listening::listen(chance, script, |_| chance.percent(80), trigger, || goal(chance));
    // Workflows must have listened for a while, else nobody can tell whether an event comes too early for them.
    let post = |number| What::Post { id: format!("post {number}"), event: event(chance) };
    listening::tell(chance, script, (chance.below(4) + 1, 130_000), post);
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

/// A goal that waits for an event.
fn goal(chance: &Chance) -> Value {
    let on = json!({"id": "other-posted", "type": "event", "pattern": pattern(chance)});
    json!({"id": "until-post", "type": "goal", "on": [on], "timeout": chance.pick(&["20s", "20m"])})
}
