//! JSON, schemas, durations and paths.

use pawl_definition::json::{self, Bounds};
use pawl_definition::{Duration, JsonSchema, Path};
use serde_json::Value;

use super::{PART, parts};
use crate::Random;
use crate::make::json as values;

pub(super) fn make(random: &mut Random) -> Vec<u8> {
    values::hostile(random).into_bytes()
}

pub(super) fn make_pair(random: &mut Random) -> Vec<u8> {
    let word = |random: &mut Random| {
        random.pick(&["type", "properties", "items", "$ref", "anyOf", "pattern", "enum", "minLength", "not", "$defs"])
    };
    let mut schema = values::value(random, 3);
    for _ in 0..random.below(6) {
        let mut outer = serde_json::Map::new();
        outer.insert(word(random).to_owned(), schema);
        if random.one_in(3) {
            outer.insert("$ref".to_owned(), random.pick(&["#", "#/$defs/a", "#/properties/a", "x"]).into());
        }
        schema = Value::Object(outer);
    }
    [schema.to_string().as_bytes(), PART, &make(random)].concat()
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

/// A schema that is accepted checks every value.
pub(super) fn schema(input: &[u8]) {
    let (schema, value) = parts(input);
    let (Ok(schema), Ok(value)) =
        (json::parse(schema, &Bounds::OUTSIDE), json::parse(value, &Bounds::OUTSIDE.with_bytes(200_000)))
    else {
        return;
    };
    if let Ok(schema) = JsonSchema::new(&schema) {
        let _ = schema.mismatches(&value);
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
