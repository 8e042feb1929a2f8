//! Generated branches and loops.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Maker;

/// Names of lanes.
const LANES: [&str; 3] = ["a", "b", "c"];

impl Maker<'_> {
    /// A branch. In a confluent world it has one lane: what several lanes do to each other depends on which is faster.
    pub(super) fn branch(&mut self, depth: usize, most: usize) -> Value {
        let chance = self.plan.chance;
        let several = if self.plan.confluent { 1 } else { 1 + chance.below(LANES.len()) };
        let lanes: BTreeMap<_, _> = LANES[..several].iter().map(|name| (*name, self.steps(depth + 1, most))).collect();
        let mut step = json!({"type": "branch", "on_failure": {"then": chance.pick(&["continue", "fail"])}});
        step["merge"] = merge(&lanes);
        step["lanes"] = json!(lanes);
        if self.plan.confluent {
            return step;
        }
        step["join"] = json!(chance.pick(&["all", "all", "any"]));
        step["lane_failed"] = json!(chance.pick(&["stop", "continue"]));
        if chance.percent(20) {
            step["on_failure"] = json!({"then": "pause"});
        }
        if chance.percent(25) {
            let end = self.id();
            let lane = chance.pick(&LANES[..several]);
            let steps = step["lanes"][lane].as_array_mut().expect("a lane is a list of steps");
            steps.push(json!({"id": end, "type": "stop", "as": "lane"}));
        }
        step
    }
}

impl Maker<'_> {
    /// A loop over a few small items, or over some that do not stand in the head.
    pub(super) fn for_each(&mut self, depth: usize, most: usize) -> Value {
        let chance = self.plan.chance;
        let items = match chance.below(4) {
            0 => json!([]),
            1 => json!("{{ [vars.n, vars.n + 1, 'x'] }}"),
            2 => (0..3).map(|n| json!({"n": n, "text": "x".repeat(900)})).collect(),
            _ => json!([1, 2, 3]),
        };
        let steps = self.steps(depth + 1, most);
        let mut step = json!({
            "type": "for_each", "items": items, "do": steps, "output": "[index, vars.n]",
            "on_failure": {"then": chance.pick(&["continue", "fail"])},
            "item_failed": chance.pick(&["stop", "continue"]),
        });
        if !self.plan.confluent {
            step["concurrency"] = json!(chance.pick(&[1, 1, 2, 3]));
        }
        if !self.plan.confluent && chance.percent(25) {
            step["on_failure"] = json!({"then": "pause"});
        }
        if chance.percent(25) {
            let end = self.id();
            let test = self.id();
            let ends = json!([{"id": end, "type": "stop", "as": "item"}]);
            let steps = step["do"].as_array_mut().expect("a loop has a list of steps");
            steps.insert(0, json!({"id": test, "type": "condition", "if": "index == 1", "yes": ends}));
        }
        step
    }
}

/// How the variables become one that several lanes set.
fn merge(lanes: &BTreeMap<&str, Vec<Value>>) -> Value {
    let mut set_by: BTreeMap<String, usize> = BTreeMap::new();
    for steps in lanes.values() {
        let mut names = Vec::new();
        for step in steps {
            sets(step, &mut names);
        }
        names.sort_unstable();
        names.dedup();
        for name in names {
            *set_by.entry(name).or_default() += 1;
        }
    }
    let shared = set_by.into_iter().filter(|(_, lanes)| *lanes > 1);
    Value::Object(shared.map(|(name, _)| (name, json!("last"))).collect())
}

/// The variables that a step sets, and the steps in it.
fn sets(step: &Value, names: &mut Vec<String>) {
    match step {
        Value::Object(keys) => {
            names.extend(keys.get("save_as").and_then(Value::as_str).map(str::to_owned));
            let set = keys.get("values").filter(|_| keys.get("type") == Some(&json!("set_variables")));
            names.extend(set.and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned());
            keys.values().for_each(|value| sets(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| sets(value, names)),
        _ => {}
    }
}
