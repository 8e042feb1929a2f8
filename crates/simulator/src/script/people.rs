//! People whose values stand in records, workflows that copy these values, and requests to forget the people.
//!
//! Only some worlds have them, and everything about them is chosen apart from all else. What is forgotten fails steps that
//! read it, so outcomes depend on what overtakes what.

use pawl_engine::Subject;
use serde_json::{Map, Value, json};

use super::{Action, Script, What};
use crate::chance::Chance;

/// How many seeds of a hundred have people, of those whose outcome may vary.
const SHARE: u32 = 40;

/// The value of a record by which its person is known. No other text contains it.
pub(crate) fn mail(id: &str) -> String {
    format!("mail-of-{id}@example.com")
}

/// Gives some worlds people, and an operator who is asked to forget one or two of them.
pub(super) fn settle(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "people");
    if script.confluent || !chance.percent(SHARE) {
        return;
    }
    for object in script.objects.iter_mut().filter(|object| object["object"] != "log") {
        object["fields"]["mail"] = json!({"type": "text", "unique": true});
    }
    for (_, id, fields) in &mut script.records {
        add_mail(id, fields);
    }
    for action in &mut script.actions {
        match &mut action.what {
            What::Create { id, fields } => add_mail(id, fields),
            What::Deliver { subject: Some(subject), creates: Some(fields), .. } => add_mail(&subject.id, fields),
            _ => {}
        }
    }
    script.workflows.iter_mut().for_each(|workflow| copy(chance, workflow));
    for _ in 0..=chance.below(2) {
        let at = chance.millis(0, *chance.pick(&[20_000, 200_000, 8_000_000]));
        script.actions.push(Action { at, what: forget(chance) });
    }
    script.actions.sort_by_key(|action| action.at);
}

fn add_mail(id: &str, fields: &mut Map<String, Value>) {
    fields.insert("mail".to_owned(), json!(mail(id)));
}

/// Puts one to three steps that copy values of people at the beginning of a workflow on tickets.
fn copy(chance: &Chance, workflow: &mut Value) {
    if workflow.get("object").is_none() {
        return;
    }
    if let Some(variables) = workflow["variables"].as_array_mut() {
        variables.push(json!({"name": "mail", "type": "text", "default": "none"}));
    }
    let name = workflow["workflow"].as_str().unwrap_or_default().to_owned();
    let Some(steps) = workflow["steps"].as_array_mut() else { return };
    for number in 0..=chance.below(3) {
        let whose = *chance.pick(&["record.mail", "record.company.mail", "trigger.body.mail"]);
        let mut step = match chance.below(4) {
            0 => json!({"type": "note", "text": format!("for {{{{ {whose} }}}}")}),
            1 => json!({
                "type": "http_request", "method": "POST", "url": format!("https://mail.example/{name}/{number}"),
                "body": {"to": format!("{{{{ {whose} }}}}")}, "timeout": "10s",
            }),
            _ => json!({"type": "set_variables", "values": {"mail": format!("{{{{ {whose} }}}}")}}),
        };
        step["id"] = json!(format!("mail-{number}"));
        step["on_failure"] = json!({"retry": {"attempts": 2, "first": "2s", "max": "1m"}, "then": "continue"});
        let at = chance.below(steps.len() + 1);
        steps.insert(at, step);
    }
}

fn forget(chance: &Chance) -> What {
    let (object, id) = *chance.pick(&[
        ("ticket", "ticket-0"),
        ("ticket", "ticket-0"),
        ("ticket", "ticket-1"),
        ("ticket", "ticket-7"),
        ("company", "acme"),
        ("company", "acme"),
        ("company", "globex"),
    ]);
    let record = Subject { object: object.to_owned(), id: id.to_owned() };
    What::Forget { record, cancel: chance.percent(75) }
}
