//! Messages to the addresses of tickets, of which a provider tells what became, and workflows and goals that listen.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else. Nothing is archived there, and no ticket gets
//! another address, so that it is known for whom each event is.

use serde_json::{Value, json};

use super::{Action, Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have them, of those whose outcome may vary.
const SHARE: u32 = 30;

/// The addresses of tickets; several tickets may have one of them.
const ADDRESSES: &[&str] = &["ada@example.com", "bob@example.com"];

/// Gives tickets addresses, workflows triggers, also in their edits, and tells what became of messages, sometimes again.
pub(super) fn send(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "mail");
    let archives = script.actions.iter().any(|action| matches!(action.what, What::Archive { .. }))
        || script.workflows.iter().any(|workflow| workflow.to_string().contains("archive_record"));
    if script.confluent || archives || !chance.percent(SHARE) {
        return;
    }
    for object in script.objects.iter_mut().filter(|object| object["object"] == "ticket") {
        object["fields"]["mail"] = json!({"type": "email", "indexed": true});
        object["contact"] = json!({"email": "mail"});
    }
    for action in &mut script.actions {
        if let What::Create { fields, .. } = &mut action.what {
            fields.insert("mail".to_owned(), json!(chance.pick(ADDRESSES)));
        }
    }
    for workflow in script.workflows.iter_mut().filter(|workflow| workflow["object"] == "ticket") {
        let trigger = trigger(chance, "mailed");
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
    tell(chance, script);
}

fn tell(chance: &Chance, script: &mut Script) {
    for number in 0..=chance.below(4) {
        // Workflows must have listened for a while, and tickets must be there.
        let at = chance.millis(150_000, *chance.pick(&[200_000, 900_000, 4_000_000]));
        let event = *chance.pick(&["delivered", "opened", "bounced"]);
        let what = What::Mail { id: format!("mail {number}"), to: (*chance.pick(ADDRESSES)).to_owned(), event };
        if chance.percent(50) {
            let again = at + chance.millis(0, 90_000);
            script.actions.push(Action { at: again, what: what.clone() });
        }
        script.actions.push(Action { at, what });
    }
    script.actions.sort_by_key(|action| action.at);
}

fn trigger(chance: &Chance, id: &str) -> Value {
    let mut trigger = json!({"id": id, "type": "email"});
    match chance.below(3) {
        0 => {}
        1 => trigger["event"] = json!("bounced"),
        _ => trigger["event"] = json!(["delivered", "opened"]),
    }
    trigger
}

fn put(workflow: &mut Value, trigger: &Value) {
    match workflow["triggers"].as_array_mut() {
        Some(triggers) => triggers.push(trigger.clone()),
        None => workflow["triggers"] = json!([trigger]),
    }
}

/// A goal among the steps, which waits for what becomes of a message to its ticket.
fn wait(chance: &Chance, workflow: &mut Value) {
    let Some(steps) = workflow["steps"].as_array_mut() else { return };
    let goal = json!({
        "id": "until-mailed", "type": "goal", "on": [trigger(chance, "other-mailed")], "timeout": chance.pick(&["20s", "20m"]),
    });
    let at = chance.below(steps.len() + 1);
    steps.insert(at, goal);
}
