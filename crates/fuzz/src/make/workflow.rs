//! Definitions: workflows that run, those that are refused, and texts that are none.

use serde_json::{Value, json};

use super::{expression, json as values};
use crate::Random;

/// A text for `/v1/workflows` or `/v1/check`.
pub fn source(random: &mut Random) -> String {
    match random.below(12) {
        0 => values::hostile(random),
        1 => format!("{{\"{}\": [{}1]}}", "k".repeat(random.size(60_000)), "1,".repeat(random.size(50_000))),
        2 => aliases(random),
        3 => format!("{}{}", "- ".repeat(random.size(3_000)), "x"),
        4 => {
            let mut whole = workflow(random).to_string();
            for _ in 0..=random.below(4) {
                let at = random.below(whole.len());
                let at = (0..=at).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0);
                whole.insert_str(at, random.pick(&["{", "]", "\"", ":", "&a ", "*a", "\n", "!!str ", "\u{0}", "é"]));
            }
            whole
        }
        _ => workflow(random).to_string(),
    }
}

/// Anchors that multiply: each line holds the one before it ten times.
fn aliases(random: &mut Random) -> String {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for at in 1..=random.below(12) {
        let inner = vec![format!("*a{}", at - 1); 10].join(", ");
        text.extend([format!("a{at}: &a{at} [{inner}]\n")]);
    }
    text
}

/// A workflow with a webhook, some variables and some steps; mostly a right one.
pub fn workflow(random: &mut Random) -> Value {
    let name = format!("made-{}", random.below(20));
    let steps: Vec<Value> = (0..=random.below(5)).map(|at| step(random, &format!("s{at}"), 2)).collect();
    let mut whole = json!({
        "workflow": name,
        "owner": "fuzz@example.com",
        "active": true,
        "variables": [{"name": "x", "type": "object", "default": {}}, {"name": "n", "type": "number", "default": 0}],
        "triggers": [{"id": "in", "type": "webhook", "verify": "none"}],
        "steps": steps,
    });
    if random.one_in(3) {
        let values = json!({"n": expression::expression(random, 2)});
        whole["triggers"][0]["values"] = values;
    }
    if random.one_in(4) {
        whole["triggers"][0]["filter"] = expression::expression(random, 2).into();
    }
    if random.one_in(6) {
        let key = random.pick(&values::KEYS);
        whole[key] = values::value(random, 3);
    }
    whole
}

fn step(random: &mut Random, id: &str, levels: usize) -> Value {
    let text = expression::template(random);
    match random.below(if levels == 0 { 6 } else { 8 }) {
        0 | 1 => json!({"id": id, "type": "note", "text": text}),
        2 => json!({"id": id, "type": "set_variables", "values": {"x": {"a": "{{ vars.x }}", "b": text}}}),
        3 => json!({"id": id, "type": "delay", "for": random.pick(&["1s", "0s", "2d", "x"])}),
        4 => json!({"id": id, "type": "stop", "reason": text}),
        5 => json!({"id": id, "type": "go_to", "step": format!("s{}", random.below(6))}),
        _ => {
            let inner = (0..random.below(3)).map(|at| step(random, &format!("{id}-{at}"), levels - 1));
            let inner: Vec<Value> = inner.collect();
            json!({"id": id, "type": "condition", "if": expression::expression(random, 2), "yes": inner})
        }
    }
}
