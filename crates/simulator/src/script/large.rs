//! Values near and above the bounds of storage, by every way that they come in.
//!
//! A delivery brings a large text; steps make it larger, keep it, send it and write it, and what they call answers
//! with as much. Only some worlds have such values, and theirs are chosen apart from all else.

use serde_json::{Value, json};

use super::{Script, What};
use crate::chance::Chance;

/// Bytes of a text: around what stands in an item, what a record may have, what a message and an item may have, and what
/// comes in at all.
const SIZES: [usize; 10] = [1_000, 32_700, 32_800, 99_000, 102_500, 239_000, 262_200, 380_000, 400_000, 1_000_000];

/// How many seeds of a hundred have large values.
const SHARE: u32 = 10;

/// A text with so many bytes.
pub(crate) fn text(bytes: usize) -> String {
    "0123456789abcdef".chars().cycle().take(bytes).collect()
}

/// Gives some worlds large values.
pub(super) fn enlarge(seed: u64, script: &mut Script) {
    let chance = &Chance::new(seed, "large");
    if !chance.percent(SHARE) {
        return;
    }
    let bytes = *chance.pick(&SIZES);
    for object in &mut script.objects {
        object["fields"]["notes"] = json!({"type": "text"});
    }
    let confluent = script.confluent;
    for workflow in &mut script.workflows {
        widen(chance, workflow, confluent);
    }
    for action in &mut script.actions {
        match &mut action.what {
            What::Deliver { text, .. } => *text = bytes,
            // Which of two texts stands at last depends on what overtakes what.
            What::Update { fields, .. } if !confluent && chance.percent(50) => {
                fields.insert("notes".to_owned(), json!(text(*chance.pick(&SIZES))));
            }
            _ => {}
        }
    }
}

/// Puts one to three steps with large values at the beginning of a workflow.
fn widen(chance: &Chance, workflow: &mut Value, confluent: bool) {
    let name = workflow["workflow"].as_str().unwrap_or_default().to_owned();
    let on_record = workflow.get("object").is_some();
    if let Some(variables) = workflow["variables"].as_array_mut() {
        variables.push(json!({"name": "text", "type": "text", "default": "0"}));
    }
    let Some(steps) = workflow["steps"].as_array_mut() else { return };
    for number in 0..=chance.below(3) {
        let mut step = step(chance, &name, number, on_record && !confluent);
        step["id"] = json!(format!("large-{number}"));
        step["on_failure"] = json!({"retry": {"attempts": 3, "first": "2s", "max": "1m"}, "then": "continue"});
        steps.insert(number, step);
    }
}

fn step(chance: &Chance, name: &str, number: usize, may_write: bool) -> Value {
    let log = json!({"type": "create_record", "object": "log", "fields": {"n": number, "notes": "{{ vars.text }}"}});
    let grow = json!({"type": "set_variables", "values": {"text": "{{ vars.text + vars.text }}"}});
    match chance.below(if may_write { 8 } else { 7 }) {
        0 | 1 => grow,
        2 => log,
        3 => json!({"type": "note", "text": "{{ vars.text }}"}),
        4 => json!({
            "type": "http_request", "method": "POST", "url": format!("https://huge.example/{name}/{number}"),
            "body": {"text": "{{ vars.text }}"}, "timeout": "10s", "save_as": format!("huge_{number}"),
        }),
        5 => json!({
            "type": "call_llm", "model": "sim/small", "prompt": format!("label {{{{ vars.text }}}} for {name} {number}"),
            "output": {"fields": {"label": {"type": "option", "options": ["yes", "no"]}}},
            "save_as": format!("label_{number}"), "timeout": "20s",
        }),
        6 => json!({
            "type": "run_state_machine", "input": {"text": "{{ vars.text }}"}, "timeout": "10s",
            "state_machine": format!("arn:aws:states:eu-central-1:123456789012:stateMachine:huge-{name}-{number}"),
        }),
        _ => json!({"type": "set_fields", "fields": {"notes": "{{ vars.text }}"}}),
    }
}

/// What the service of large answers answers with, by what is asked.
pub(crate) fn answer(bits: u64) -> String {
    let most = u64::try_from(SIZES.len()).expect("a list is short");
    let at = usize::try_from(bits % most).expect("a number below a length is one");
    text(SIZES[at])
}
