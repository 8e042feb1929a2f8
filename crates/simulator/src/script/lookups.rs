//! Records that workflows look up by the values of unique fields, while others write them. Chosen apart from all else.

use serde_json::{Value, json};

use super::Script;
use crate::chance::Chance;

/// How many seeds of a hundred have them, of those whose outcome may vary: what is found depends on what overtakes what.
const SHARE: u32 = 30;

/// Lets some workflows look records up, in variables and in steps.
pub(super) fn settle(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "lookups");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    script.workflows.iter_mut().filter(|_| chance.percent(70)).for_each(|workflow| look_up(chance, workflow));
}

fn look_up(chance: &Chance, workflow: &mut Value) {
    let on_tickets = workflow["object"] == "ticket";
    let Some(steps) = workflow["steps"].as_array_mut() else { return };
    let company = r#"lookup("company", {"name": "acme"}).total"#;
    let missing = r#"lookup("log", {"name": "none"})"#;
    let own = r#"lookup("ticket", {"key": record.key}).score"#;
    let found = if on_tickets && chance.percent(50) { own } else { company };
    let values = json!({"found": format!("{{{{ {found} }}}}"), "missing": format!("{{{{ {missing} }}}}")});
    steps.insert(0, json!({"id": "looks", "type": "set_variables", "values": values}));
    if chance.percent(50) && steps.last().is_some_and(|last| last["type"] != "stop") {
        let test = format!("{company} == null || {missing} == null");
        steps.push(json!({"id": "asks", "type": "condition", "if": test, "yes": [], "no": []}));
    }
}
