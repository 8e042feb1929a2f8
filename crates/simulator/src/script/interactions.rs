//! Interactions that a site posts about tickets, and workflows and goals that listen for them.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else.

use serde_json::{Value, json};

use super::{Script, What, listening};
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
    let listens = |workflow: &Value| workflow["object"] == "ticket" && chance.percent(80);
    listening::listen(chance, script, listens, |_| trigger(chance, VIEWED), || goal(chance));
    // Workflows must have listened for a while, else nobody can tell whether it comes too early for them.
    let view = |number| What::Interact { id: format!("view {number}"), posted: interaction(chance) };
    listening::tell(chance, script, (chance.below(5) + 1, 130_000), view);
}

fn trigger(chance: &Chance, id: &str) -> Value {
    let mut trigger = match chance.below(4) {
        0 => json!({"type": "interaction"}),
        1 => json!({"type": "interaction", "kind": "page_view"}),
        2 => json!({"type": "interaction", "kind": ["page_view", "download"], "url": "/pricing"}),
        _ => json!({"type": "interaction", "url": "*.example/*"}),
    };
    trigger["id"] = id.into();
    trigger
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

/// A goal that waits for an interaction.
fn goal(chance: &Chance) -> Value {
    let on = trigger(chance, "other-viewed");
    json!({"id": "until-view", "type": "goal", "on": [on], "timeout": chance.pick(&["20s", "20m"])})
}
