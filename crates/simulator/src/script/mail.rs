//! Messages to the addresses of tickets, of which a provider tells what became, and workflows and goals that listen.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else. Nothing is archived there, and no ticket gets
//! another address, so that it is known for whom each event is.

use serde_json::{Value, json};

use super::{Script, What, listening};
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
    let listens = |workflow: &Value| workflow["object"] == "ticket";
    listening::listen(chance, script, listens, |_| trigger(chance, "mailed"), || goal(chance));
    // Workflows must have listened for a while, and tickets must be there.
    let told = |number| {
        let event = *chance.pick(&["delivered", "opened", "bounced"]);
        What::Mail { id: format!("mail {number}"), to: (*chance.pick(ADDRESSES)).to_owned(), event }
    };
    listening::tell(chance, script, (chance.below(4) + 1, 150_000), told);
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

/// A goal that waits for what becomes of a message to its ticket.
fn goal(chance: &Chance) -> Value {
    json!({
        "id": "until-mailed", "type": "goal", "on": [trigger(chance, "other-mailed")], "timeout": chance.pick(&["20s", "20m"]),
    })
}
