//! Activities about records: workflows that make, log and cancel them.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else. Which activities a step finds open
//! depends on what overtakes what.

use pawl_definition::DefinitionKind;
use serde_json::{Value, json};

use super::Script;
use crate::chance::Chance;

/// How many seeds of a hundred have them, of those whose outcome may vary.
const SHARE: u32 = 30;

/// The trigger of workflows that listen for logged activities.
pub(crate) const LOGGED: &str = "logged";

/// The trigger of workflows that listen for overdue activities.
pub(crate) const OVERDUE: &str = "overdue";

/// Gives some worlds a type of activities, and workflows that use it.
pub(super) fn settle(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "activities");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    let memo = json!({"activity": "memo", "fields": {"n": {"type": "number", "default": 1}}});
    script.definitions.push((DefinitionKind::Activity, memo));
    script.workflows.iter_mut().for_each(|workflow| use_them(chance, workflow));
    let listening = chance.below(script.workflows.len());
    if let Some(workflow) = script.workflows.get_mut(listening).filter(|_| chance.percent(70)) {
        put(workflow, json!({"id": LOGGED, "type": "activity_logged", "activity": "memo"}));
    }
    overdue(&Chance::new(seed, "overdue activities"), script);
}

/// Lets some activities be due soon and stay open, and a workflow listen for those that are overdue.
fn overdue(chance: &Chance, script: &mut Script) {
    if chance.percent(30) {
        return;
    }
    for workflow in &mut script.workflows {
        let steps = workflow["steps"].as_array_mut().into_iter().flatten();
        for step in steps.filter(|step| step["id"] == "a-make") {
            step["due"] = json!(chance.pick(&["1s", "20s", "2m", "5m"]));
        }
        if let Some(steps) = workflow["steps"].as_array_mut().filter(|_| chance.percent(50)) {
            steps.retain(|step| step["id"] != "a-last");
        }
    }
    let listening = chance.below(script.workflows.len());
    let Some(workflow) = script.workflows.get_mut(listening) else { return };
    let mut trigger = json!({"id": OVERDUE, "type": "activity_overdue", "activity": "memo"});
    if chance.percent(50) {
        trigger["after"] = json!(chance.pick(&["1s", "1m", "3m"]));
    }
    put(workflow, trigger);
}

fn put(workflow: &mut Value, trigger: Value) {
    match workflow["triggers"].as_array_mut() {
        Some(triggers) => triggers.push(trigger),
        None => workflow["triggers"] = json!([trigger]),
    }
}

/// Puts steps at the beginning and at the end of a workflow.
fn use_them(chance: &Chance, workflow: &mut Value) {
    let on_tickets = workflow["object"] == "ticket";
    let Some(steps) = workflow["steps"].as_array_mut() else { return };
    let about = |mut step: Value| {
        if !on_tickets {
            step["records"] = json!({"company": "acme"});
        } else if chance.percent(30) {
            step["records"] = json!({"company": "record.company"});
        }
        // The record may be forgotten, and there may be many.
        step["on_failure"] = json!({"then": "continue"});
        step
    };
    let cancel = |id: &str| {
        let mut step =
            json!({"id": id, "type": "cancel_activities", "activities": ["memo"], "on_failure": {"then": "continue"}});
        if !on_tickets {
            (step["target"], step["object"]) = (json!("acme"), json!("company"));
        }
        step
    };
    if steps.last().is_some_and(|last| last["type"] != "stop") {
        steps.push(about(
            json!({"id": "a-log", "type": "log_activity", "activity": "memo", "note": "n is {{ vars.n }}"}),
        ));
        steps.push(cancel("a-last"));
    }
    if chance.percent(50) {
        steps.insert(0, cancel("a-cancel"));
    }
    steps.insert(
        0,
        about(json!({"id": "a-make", "type": "create_activity", "activity": "memo", "due": "5m", "fields": {"n": 2}})),
    );
}
