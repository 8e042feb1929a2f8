//! JSON, right and wrong.

use serde_json::{Map, Value};

use crate::Random;

/// Keys that mean something somewhere, and some that do not.
pub const KEYS: [&str; 24] = [
    "a",
    "b",
    "id",
    "email",
    "number",
    "amount",
    "tags",
    "priority",
    "name",
    "type",
    "body",
    "values",
    "lines",
    "prices",
    "x",
    "object",
    "record",
    "reason",
    "actor",
    "fields",
    "",
    " ",
    "é",
    "__proto__",
];

/// Texts that were trouble somewhere.
const TEXTS: [&str; 20] = [
    "",
    " ",
    "x",
    "ada@example.com",
    "Ada@Example.com",
    "2026-11-21",
    "2026-11-21T09:00:00Z",
    "2d 3h",
    "{{ x }}",
    "}}",
    "-1",
    "1e309",
    "\u{0}",
    "\u{1b}[31m",
    "\u{202e}",
    "\u{e000}secret:shop\u{e001}",
    "../../etc/passwd",
    "é🦀",
    "null",
    "<script>",
];

/// A value of bounded size.
pub fn value(random: &mut Random, levels: usize) -> Value {
    match random.below(if levels == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => Value::Bool(random.one_in(2)),
        2 => number(random),
        3 | 4 => text(random).into(),
        5 => (0..random.size(40)).map(|_| value(random, levels - 1)).collect(),
        _ => Value::Object(object(random, levels - 1)),
    }
}

/// An object of bounded size.
pub fn object(random: &mut Random, levels: usize) -> Map<String, Value> {
    (0..random.size(30)).map(|_| (key(random), value(random, levels))).collect()
}

fn key(random: &mut Random) -> String {
    match random.below(20) {
        0 => "k".repeat(random.size(6_000)),
        1 => format!("key-{}", random.below(1_000)),
        _ => random.pick(&KEYS).to_owned(),
    }
}

fn number(random: &mut Random) -> Value {
    match random.below(6) {
        0 => i64::MIN.into(),
        1 => u64::MAX.into(),
        2 => f64::from(u32::try_from(random.below(1_000)).unwrap_or(0)).sqrt().into(),
        3 => (-1.5).into(),
        _ => random.below(1_000).into(),
    }
}

/// A text, sometimes long.
pub fn text(random: &mut Random) -> String {
    match random.below(30) {
        0 => "x".repeat(random.size(200_000)),
        1 => " ".repeat(random.size(50_000)),
        2 => "é🦀".repeat(random.size(2_000)),
        _ => random.pick(&TEXTS).to_owned(),
    }
}

/// A text that is JSON, or tries to be: deep, wide, with enormous numbers and keys, with half surrogates, cut off.
pub fn hostile(random: &mut Random) -> String {
    match random.below(14) {
        0 => nested(random.size(2_000)),
        1 => format!("{{\"a\": {}}}", nested(60 + random.below(80))),
        2 => format!("[{}1]", "1,".repeat(random.size(400_000))),
        3 => format!("{{\"{}\": 1}}", "k".repeat(random.size(100_000))),
        4 => "9".repeat(random.size(5_000)),
        5 => format!("[1e{}]", random.below(10_000)),
        6 => "\"\\ud800\"".to_owned(),
        7 => format!(
            "{{{}}}",
            (0..random.size(20_000)).map(|at| format!("\"k{at}\":{at}")).collect::<Vec<_>>().join(",")
        ),
        8 => {
            let whole = Value::Object(object(random, 4)).to_string();
            let at = random.below(whole.len() + 1);
            whole.char_indices().take_while(|(place, _)| *place < at).map(|(_, c)| c).collect()
        }
        9 => "[null,null]".to_owned(),
        10 => format!("\"{}\"", "x".repeat(random.size(1_200_000))),
        11 => random
            .pick(&["", "null", "true", "0", "\"\"", "[]", "{}", "{", "[", "\u{feff}{}", "NaN", "{\"a\":1,\"a\":2}"])
            .to_owned(),
        _ => Value::Object(object(random, 5)).to_string(),
    }
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json_and_hostile_texts_are_of_both_kinds() {
        let mut random = Random::new(1);
        let (mut right, mut wrong) = (0, 0);
        for _ in 0..300 {
            assert!(Value::Object(object(&mut random, 3)).is_object());
            match serde_json::from_str::<Value>(&hostile(&mut random)) {
                Ok(_) => right += 1,
                Err(_) => wrong += 1,
            }
        }
        assert!(right > 30 && wrong > 30, "{right} are JSON and {wrong} are not");
    }
}
