//! Generated workflows.

use serde_json::{Value, json};

use super::step::Maker;
use super::{Plan, limits};

/// The name of a workflow.
pub(super) fn name(index: usize) -> String {
    format!("flow-{index}")
}

pub(super) fn make(plan: &Plan<'_>, index: usize) -> Value {
    let chance = plan.chance;
    let on_record = chance.percent(80);
    let limits = limits::make(plan, on_record);
    let blocks = limits.get("concurrency").is_some();
    let mut maker = Maker::new(plan, index, on_record, blocks);
    let steps = maker.steps(0, 8);
    let mut workflow = json!({
        "workflow": name(index),
        "owner": "owner@example.com",
        "active": true,
        "edits": if chance.percent(70) { "live" } else { "pinned" },
        "priority": if chance.percent(20) { "high" } else { "normal" },
        "limits": limits,
        "triggers": triggers(plan, index, on_record),
        "variables": variables(on_record),
        "steps": steps,
    });
    if on_record {
        workflow["object"] = json!("ticket");
    }
    if chance.percent(40) {
        workflow["output"] = json!({"n": "vars.n", "failed": "size(execution.failed_steps)"});
    }
    if chance.percent(40) {
        let reached = *chance.pick(&["vars.n < 2", "size(execution.failed_steps) == 0", "dyn([true, false])[vars.n]"]);
        workflow["outcome"] = json!({"name": "little was done", "reached": reached, "saves": "15m"});
    }
    // By default a failure pauses, and a pause keeps its place in the line.
    if chance.percent(30) || (plan.confluent && blocks) {
        workflow["on_failure"] = maker.policy(true);
    }
    workflow
}

fn variables(on_record: bool) -> Value {
    let mut variables = vec![
        json!({"name": "n", "type": "number", "default": 0}),
        json!({"name": "twice", "type": "number", "from": ["vars.n * 2"]}),
    ];
    if on_record {
        variables.push(json!({"name": "key", "type": "text", "from": ["record.key"]}));
    }
    Value::Array(variables)
}

fn triggers(plan: &Plan<'_>, index: usize, on_record: bool) -> Value {
    let chance = plan.chance;
    let mut triggers = vec![json!({"id": "hook", "type": "webhook"})];
    if !on_record {
        return Value::Array(triggers);
    }
    if chance.percent(50) {
        triggers.push(json!({"id": "made", "type": "record_created"}));
    }
    if chance.percent(50) {
        triggers.push(json!({"id": "changed", "type": "field_updated", "field": field(plan, index)}));
    }
    if chance.percent(30) {
        let at = chance.below(triggers.len());
        triggers[at]["filter"] = json!("record.kind == \"a\"");
    }
    Value::Array(triggers)
}

/// What a workflow listens to: what people write, or what workflows before it write; any field if outcomes may vary.
fn field(plan: &Plan<'_>, index: usize) -> String {
    let chance = plan.chance;
    let mut fields = vec!["score".to_owned(), "state".to_owned()];
    let others = if plan.confluent { index } else { plan.workflows };
    fields.extend((0..others).flat_map(|other| [format!("w{other}"), format!("m{other}")]));
    chance.pick(&fields).clone()
}
