//! Interactions that a site posts about tickets, and workflows and goals that listen for them.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else.

use serde_json::{Value, json};

use super::{Action, Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have them, of those whose outcome may vary.
const SHARE: u32 = 30;

/// The trigger of workflows that listen for them.
const VIEWED: &str = "viewed";

/// Gives workflows on tickets triggers for interactions, and posts some, part of them again under the same id.
pub(super) fn post(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "interactions");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    let on_tickets = script.workflows.iter_mut().filter(|workflow| workflow["object"] == "ticket");
    for workflow in on_tickets.filter(|_| chance.percent(80)) {
        let mut trigger = fits(chance);
        trigger["id"] = VIEWED.into();
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
    for number in 0..=chance.below(5) {
        // Workflows must have listened for a while, else nobody can tell whether it comes too early for them.
        let at = chance.millis(130_000, *chance.pick(&[200_000, 900_000, 4_000_000]));
        let what = What::Interact { id: format!("view {number}"), posted: interaction(chance) };
        if chance.percent(50) {
            let again = at + chance.millis(0, 90_000);
            script.actions.push(Action { at: again, what: what.clone() });
        }
        script.actions.push(Action { at, what });
    }
    script.actions.sort_by_key(|action| action.at);
}

/// A trigger without its id.
fn fits(chance: &Chance) -> Value {
    match chance.below(4) {
        0 => json!({"type": "interaction"}),
        1 => json!({"type": "interaction", "kind": "page_view"}),
        2 => json!({"type": "interaction", "kind": ["page_view", "download"], "url": "/pricing"}),
        _ => json!({"type": "interaction", "url": "*.example/*"}),
    }
}

/// With the keys of the API.
fn interaction(chance: &Chance) -> Value {
    let mut posted = json!({
        "kind": chance.pick(&["page_view", "page_view", "download"]),
        "object": "ticket",
        "data": {"n": chance.below(4)},
    });
    if chance.percent(80) {
        posted["url"] =
            json!(chance.pick(&["https://shop.example/pricing?from=mail", "https://shop.example/", "/pricing"]));
    }
    let number = chance.below(2);
    if chance.percent(50) {
        posted["record"] = json!(format!("ticket-{number}"));
    } else {
        posted["match"] = json!({"key": format!("key {number}")});
    }
    posted
}

fn put(workflow: &mut Value, trigger: &Value) {
    if let Some(triggers) = workflow["triggers"].as_array_mut() {
        triggers.push(trigger.clone());
    }
}

/// A goal among the steps, which waits for an interaction.
fn wait(chance: &Chance, workflow: &mut Value) {
    let Some(steps) = workflow["steps"].as_array_mut() else { return };
    let mut on = fits(chance);
    on["id"] = "other-viewed".into();
    let goal = json!({"id": "until-view", "type": "goal", "on": [on], "timeout": chance.pick(&["20s", "20m"])});
    let at = chance.below(steps.len() + 1);
    steps.insert(at, goal);
}
