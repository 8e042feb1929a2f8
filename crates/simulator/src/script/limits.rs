//! Limits of generated workflows.

use serde_json::{Map, Value, json};

use super::Plan;
use crate::chance::Chance;

/// Limits of executions at once: mostly so low that some wait.
const CONCURRENCY: [u32; 6] = [1, 2, 1, 2, 3, 4];

/// A limit of executions at once, of all or of each key, held until the end or only while they run.
pub(super) fn concurrency(chance: &Chance, on_record: bool) -> Value {
    let at_most = *chance.pick(&CONCURRENCY);
    if chance.percent(35) {
        return json!(at_most);
    }
    let mut limit = json!({"at_most": at_most});
    if chance.percent(65) {
        // Of these, `color` is in no event: the key is blank.
        let keys = if on_record {
            ["record.kind", "record.key", "trigger.body.color"]
        } else {
            ["trigger.type", "trigger.id", "trigger.body.color"]
        };
        limit["per"] = json!(chance.pick(&keys));
    }
    if chance.percent(50) {
        limit["hold"] = json!("running");
    }
    limit
}

/// Small limits, so that they are met; chains of causes are kept short, so that runs are.
pub(super) fn make(plan: &Plan<'_>, on_record: bool) -> Value {
    let chance = plan.chance;
    let mut limits = Map::new();
    let mut set = |key: &str, value: Value| limits.insert(key.to_owned(), value);
    set("depth", json!(if plan.confluent { 6 } else { 2 + chance.below(3) }));
    set("self", json!(1 + chance.below(2)));
    set("visits", json!(if chance.percent(15) { 2 } else { 6 }));
    if chance.percent(15) {
        let most = 3 + chance.below(6);
        set(if most.is_multiple_of(2) { "steps" } else { "tree_steps" }, json!(most));
    }
    if chance.percent(35) {
        set("concurrency", concurrency(chance, on_record));
    }
    // Which events come together depends on the weather.
    if !plan.confluent && chance.percent(15) {
        let mut debounce = json!({"for": "20s", "at_most": "1m"});
        if chance.percent(50) {
            debounce["per"] = json!(chance.pick(&["trigger.type", "trigger.body.color"]));
        }
        set("debounce", debounce);
    }
    if chance.percent(15) {
        set("starts", json!({"per": "1m", "at_most": 1 + chance.below(3)}));
    }
    // A call that is cut off is paid and made again: what a budget still allows depends on the weather.
    if !plan.confluent && chance.percent(20) {
        set("budget", json!({"tokens": 150, "per": if chance.percent(50) { "execution" } else { "day" }}));
    }
    if on_record && !plan.confluent {
        let reentry = ["every_event", "every_event", "one_active_per_record", "once_per_record"];
        set("reentry", json!(chance.pick(&reentry)));
        if chance.percent(15) {
            set("cooldown", json!("30s"));
        }
    }
    Value::Object(limits)
}
