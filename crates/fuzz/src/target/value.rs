//! JSON, schemas, durations and paths.

use pawl_definition::json::{self, Bounds};
use pawl_definition::{Duration, JsonSchema, Path, SchemaBudget};
use serde_json::{Value, json};

use super::{PART, parts};
use crate::Random;
use crate::make::json as values;

pub(super) fn make(random: &mut Random) -> Vec<u8> {
    values::hostile(random).into_bytes()
}

/// Keywords, each with a schema below.
const APPLICATORS: [&str; 10] = [
    "additionalProperties",
    "contains",
    "items",
    "not",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "if",
    "then",
    "type",
];

/// Patterns and formats that cost much, or little.
const COSTLY: [(&str, &str); 6] = [
    ("pattern", "^(a?){900}a{900}$"),
    ("pattern", "(x+x+)+y"),
    ("pattern", "^[\\p{L} .'-]{1,100}$"),
    ("format", "regex"),
    ("format", "idn-hostname"),
    ("format", "uri"),
];

pub(super) fn make_pair(random: &mut Random) -> Vec<u8> {
    let mut schema = values::value(random, 3);
    for _ in 0..random.below(8) {
        schema = around(random, schema);
    }
    let value = match random.below(5) {
        0 => Value::from(vec![json!({"a": ["x".repeat(random.size(200)), []]}); random.size(9_000)]).to_string(),
        1 => json!(["\\d".repeat(random.size(100_000))]).to_string(),
        2 => brackets(random),
        _ => values::hostile(random),
    };
    [schema.to_string().as_bytes(), PART, value.as_bytes()].concat()
}

/// A schema around another one.
fn around(random: &mut Random, inner: Value) -> Value {
    let mut outer = serde_json::Map::new();
    let (costly, word) = random.pick(&COSTLY);
    outer.insert(costly.to_owned(), word.into());
    if random.one_in(3) {
        outer.insert("$ref".to_owned(), random.pick(&["#", "#/$defs/a", "#/properties/a", "#/items", "x"]).into());
    }
    if random.one_in(3) {
        outer.insert("uniqueItems".to_owned(), true.into());
    }
    // Many of what has many inside would be more than memory holds.
    let copies = if inner.to_string().len() < 500 { 1 + random.below(30) } else { 1 };
    match random.below(4) {
        0 => drop(outer.insert(random.pick(&["anyOf", "oneOf", "allOf"]).to_owned(), vec![inner; copies].into())),
        1 => drop(outer.insert("patternProperties".to_owned(), json!({"^": inner, "a*": true}))),
        2 => drop(outer.insert(random.pick(&["properties", "$defs"]).to_owned(), json!({"a": inner}))),
        _ => drop(outer.insert(random.pick(&APPLICATORS).to_owned(), inner)),
    }
    Value::Object(outer)
}

/// Lists of lists of nothing: all different, and alike without their brackets.
fn brackets(random: &mut Random) -> String {
    let lists =
        (0..random.size(8_000)).map(|at| (0..13).rev().map(move |bit| if at >> bit & 1 == 1 { "[[]]" } else { "[]" }));
    let lists = lists.map(|list| format!("[{}]", list.collect::<Vec<_>>().join(",")));
    format!("[{}]", lists.collect::<Vec<_>>().join(","))
}

pub(super) fn duration_text(random: &mut Random) -> Vec<u8> {
    let parts = (0..random.size(40)).map(|_| {
        let number = random.pick(&["1", "0", "-3", "99999999999", "1.5", "", "x"]);
        format!("{number}{}", random.pick(&["s", "m", "h", "d", "w", "mo", "y", " ", "bd", "é"]))
    });
    parts.collect::<Vec<_>>().join(" ").into_bytes()
}

/// What is read stays within the bounds, and is written and read as the same value.
pub(super) fn json(input: &[u8]) {
    let Ok(value) = json::parse(input, &Bounds::OUTSIDE) else { return };
    assert!(json::depth(&value) <= Bounds::OUTSIDE.depth, "the depth is bounded");
    json::check(&value, &Bounds::OUTSIDE).expect("what is read is within bounds");
    let again = json::parse(value.to_string().as_bytes(), &Bounds::OUTSIDE).expect("what is written is JSON");
    assert_eq!(again, value, "what is written is read as the same value");
}

/// A schema that is accepted checks every value, or says that it costs too much; the time of an input is bounded outside.
pub(super) fn schema(input: &[u8]) {
    let (schema, value) = parts(input);
    let (Ok(schema), Ok(value)) =
        (json::parse(schema, &Bounds::OUTSIDE), json::parse(value, &Bounds::OUTSIDE.with_bytes(200_000)))
    else {
        return;
    };
    if let Ok(schema) = JsonSchema::new(&schema) {
        let mut budget = SchemaBudget::default();
        if let Ok(found) = schema.mismatches(&value, &mut budget) {
            let told: usize = found.iter().map(|mismatch| mismatch.place.len() + mismatch.message.len()).sum();
            assert!(u64::try_from(told).is_ok_and(|told| told <= budget.spent()), "what is told is paid for");
        }
    }
}

/// A duration is read back as it is written.
pub(super) fn durations(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    if let Ok(duration) = Duration::parse(text) {
        let again = Duration::parse(&duration.to_string()).expect("what is written is a duration");
        assert_eq!(again.to_string(), duration.to_string(), "what is written is read as the same length");
    }
}

/// A path is read back as it is written.
pub(super) fn paths(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let short = text.len() < 150;
    if let Some(path) = Path::parse(text).filter(|_| short) {
        assert_eq!(Path::parse(&path.to_string()), Some(path), "what is written is read as the same path");
    }
}
