//! What an author's schema may be, so that a value is checked against it in bounded time and stack, and as exactly as the
//! schema says.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Mismatch, MismatchKind};

/// Most values in a schema.
const VALUES: usize = 2_000;

/// Longest pattern, in bytes.
const PATTERN: usize = 1_000;

/// Most characters that all patterns of a schema have together, repetitions written out: each is compiled for every answer.
const CHARACTERS: u64 = 50_000;

/// Most schemas in a row that a value leads through, references included.
const CHAIN: usize = 64;

/// Most schemas that one value is held against, each as often as references lead to it.
const WORK: u64 = 50_000;

/// Levels of a value that a schema may follow which leads back to itself.
const LEVELS: usize = 12;

/// A schema whose base, or whose target, is found only while a value is checked.
const MOVING: &[&str] = &["$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"];

/// Checks a schema; returns how deep a value may be, if the schema leads back to itself.
pub(super) fn check(schema: &Value) -> Result<Option<usize>, Mismatch> {
    let values = count(schema);
    if values > VALUES {
        return Err(mistake("", format!("expected at most {VALUES} values, found {values}")));
    }
    if schema.get("$schema").and_then(Value::as_str).is_some_and(|draft| draft.contains("draft-04")) {
        return Err(mistake("/$schema", "expected a newer draft than 4".to_owned()));
    }
    let mut walk = Walk { root: schema, levels: None, known: BTreeMap::new(), open: BTreeSet::new() };
    match walk.cost("", schema, 0, 0) {
        Err(Stop::Recursive) => {
            walk = Walk { levels: Some(LEVELS), known: BTreeMap::new(), open: BTreeSet::new(), ..walk };
            walk.cost("", schema, 0, 0).map_err(Stop::into_mistake)?;
            Ok(Some(LEVELS))
        }
        Err(stop) => Err(stop.into_mistake()),
        Ok(_) => Ok(None),
    }
}

/// Checks what the patterns of a schema weigh together.
pub(super) fn check_patterns(weight: u64) -> Result<(), Mismatch> {
    if weight <= CHARACTERS {
        return Ok(());
    }
    let message = format!("expected patterns of at most {CHARACTERS} characters, repetitions written out, found more");
    Err(mistake("", message))
}

/// How many levels a value has: 1 for a word or number, one more for each list and mapping around it.
pub(super) fn levels(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(levels).max(),
        Value::Object(keys) => keys.values().map(levels).max(),
        _ => None,
    };
    inner.map_or(1, |inner| inner + 1)
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        // The order of properties is kept beside them, not written by the author.
        Value::Object(keys) => {
            keys.iter().filter(|(key, _)| *key != super::PROPERTY_ORDER).map(|(_, value)| count(value)).sum()
        }
        _ => 0,
    }
}

fn mistake(place: &str, message: String) -> Mismatch {
    Mismatch { place: place.to_owned(), schema: String::new(), kind: MismatchKind::Other, message }
}

/// What it takes to hold a value against a schema and all that it leads to.
#[derive(Debug, Clone, Copy)]
struct Cost {
    work: u64,
    chain: usize,
}

/// Why a walk ends early.
enum Stop {
    Mistake(Mismatch),
    /// It comes back to where it was, a level deeper, and levels were not counted.
    Recursive,
}

impl Stop {
    fn into_mistake(self) -> Mismatch {
        match self {
            Self::Mistake(mistake) => mistake,
            Self::Recursive => unreachable!("levels are counted, and end"),
        }
    }
}

/// A schema that another one leads to.
struct Edge<'a> {
    place: String,
    schema: &'a Value,
    /// For a part of the value, or for the same value.
    deeper: bool,
}

struct Walk<'a> {
    root: &'a Value,
    /// How many levels of a value are followed; all, if it is not said.
    levels: Option<usize>,
    known: BTreeMap<(String, usize), Cost>,
    /// Where the walk is, and whether a level lies between there and the place before.
    open: BTreeSet<(String, usize)>,
}

impl<'a> Walk<'a> {
    /// The cost of a schema for a value at a level, after so many schemas in a row.
    fn cost(&mut self, place: &str, schema: &'a Value, level: usize, before: usize) -> Result<Cost, Stop> {
        let at = (place.to_owned(), level);
        let known = self.known.get(&at).copied();
        if before + known.map_or(1, |known| known.chain) > CHAIN {
            return Err(Stop::Mistake(mistake(
                place,
                format!("expected at most {CHAIN} schemas in a row, found more"),
            )));
        }
        if let Some(known) = known {
            return Ok(known);
        }
        if self.levels.is_none() && level > 0 && self.open.iter().any(|(open, above)| open == place && *above < level) {
            return Err(Stop::Recursive);
        }
        if !self.open.insert(at.clone()) {
            let message = "expected a schema that does not lead back to itself for the same value".to_owned();
            return Err(Stop::Mistake(mistake(place, message)));
        }
        let mut whole = Cost { work: 1, chain: 1 };
        for edge in self.edges(place, schema)? {
            let level = level + usize::from(edge.deeper);
            if self.levels.is_some_and(|levels| level >= levels) {
                continue;
            }
            let cost = self.cost(&edge.place, edge.schema, level, before + 1)?;
            whole.work = whole.work.saturating_add(cost.work);
            whole.chain = whole.chain.max(1 + cost.chain);
        }
        if whole.work > WORK {
            let message = format!("expected references that lead to at most {WORK} schemas, found more");
            return Err(Stop::Mistake(mistake(place, message)));
        }
        self.open.remove(&at);
        self.known.insert(at, whole);
        Ok(whole)
    }

    fn edges(&self, place: &str, schema: &'a Value) -> Result<Vec<Edge<'a>>, Stop> {
        let mut edges = Vec::new();
        for (key, value) in schema.as_object().into_iter().flatten() {
            let here = format!("{place}/{}", escaped(key));
            if key == "patternProperties" {
                let mut patterns = value.as_object().into_iter().flatten().map(|(pattern, _)| pattern);
                patterns.try_for_each(|pattern| short(&here, pattern)).map_err(Stop::Mistake)?;
            }
            match key.as_str() {
                "$ref" => edges.push(self.target(&here, value).map_err(Stop::Mistake)?),
                "not" | "if" | "then" | "else" => edges.push(Edge { place: here, schema: value, deeper: false }),
                "allOf" | "anyOf" | "oneOf" | "dependentSchemas" | "dependencies" => {
                    inner(&here, value, false, &mut edges);
                }
                "properties" | "patternProperties" | "prefixItems" => inner(&here, value, true, &mut edges),
                "items" if value.is_array() => inner(&here, value, true, &mut edges),
                "items"
                | "additionalItems"
                | "unevaluatedItems"
                | "contains"
                | "additionalProperties"
                | "unevaluatedProperties"
                | "propertyNames"
                | "contentSchema" => {
                    edges.push(Edge { place: here, schema: value, deeper: true });
                }
                _ => plain(place, key, &here, value).map_err(Stop::Mistake)?,
            }
        }
        Ok(edges)
    }

    /// What a reference leads to: a place of the same schema.
    fn target(&self, place: &str, reference: &Value) -> Result<Edge<'a>, Mismatch> {
        let written = reference.as_str().unwrap_or_default();
        let pointer =
            written.strip_prefix('#').map(|pointer| percent_decode_str(pointer).decode_utf8_lossy().into_owned());
        let target = pointer.and_then(|pointer| self.root.pointer(&pointer).map(|schema| (pointer, schema)));
        let wrong =
            || mistake(place, format!("expected a place of this schema such as #/$defs/name, found {written:?}"));
        let (place, schema) = target.ok_or_else(wrong)?;
        Ok(Edge { place, schema, deeper: false })
    }
}

/// Keys that lead to no other schema.
fn plain(place: &str, key: &str, here: &str, value: &Value) -> Result<(), Mismatch> {
    match (key, value) {
        ("pattern", Value::String(pattern)) => short(here, pattern),
        // The library divides binary fractions: 19.99 would be no multiple of 0.01.
        ("multipleOf", Value::Number(number)) if number.as_i64().is_none() => {
            Err(mistake(here, format!("expected a whole number, found {number}")))
        }
        ("$id", Value::String(_)) if !place.is_empty() => {
            Err(mistake(here, "expected `$id` at the top of the schema only".to_owned()))
        }
        (key, _) if MOVING.contains(&key) => {
            Err(mistake(here, format!("expected references by `$ref` to #/$defs/name, found `{key}`")))
        }
        _ => Ok(()),
    }
}

fn short(place: &str, pattern: &str) -> Result<(), Mismatch> {
    if pattern.len() <= PATTERN {
        return Ok(());
    }
    Err(mistake(place, format!("expected a pattern of at most {PATTERN} bytes, found {}", pattern.len())))
}

fn inner<'a>(place: &str, value: &'a Value, deeper: bool, into: &mut Vec<Edge<'a>>) {
    match value {
        Value::Array(schemas) => {
            into.extend(schemas.iter().enumerate().map(|(index, schema)| Edge {
                place: format!("{place}/{index}"),
                schema,
                deeper,
            }));
        }
        Value::Object(schemas) => {
            into.extend(schemas.iter().map(|(key, schema)| Edge {
                place: format!("{place}/{}", escaped(key)),
                schema,
                deeper,
            }));
        }
        _ => {}
    }
}

/// A key as it stands in a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn refused(schema: &Value) -> String {
        check(schema).expect_err("it is beyond a bound").to_string()
    }

    /// `a0` leads to `a1` and so on, each by `link`.
    fn chain(length: usize, link: impl Fn(&str) -> Value) -> Value {
        let last = [(format!("a{length}"), json!({"type": "string"}))];
        let links = (0..length).map(|at| (format!("a{at}"), link(&format!("#/$defs/a{}", at + 1))));
        json!({"$ref": "#/$defs/a0", "$defs": links.chain(last).collect::<Map<_, _>>()})
    }

    #[test]
    fn an_ordinary_schema_passes() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/answer",
            "type": "object", "required": ["to"],
            "properties": {"to": {"$ref": "#/$defs/a%20name"}, "amount": {"multipleOf": 5}, "$ref": {"const": {"$ref": 1}}},
            "$defs": {"a name": {"type": "string", "pattern": "^[a-z]+$"}},
        });
        assert_eq!(check(&schema), Ok(None));
    }

    #[test]
    fn references_stay_in_the_schema() {
        for elsewhere in
            ["https://json-schema.org/draft/2020-12/schema", "file:///etc/hosts", "other.json", "#name", "#/a"]
        {
            let schema = json!({"properties": {"a": {"$ref": elsewhere}}});
            let told = format!(
                "/properties/a/$ref: expected a place of this schema such as #/$defs/name, found {elsewhere:?}"
            );
            assert_eq!(refused(&schema), told);
        }
    }

    #[test]
    fn what_moves_while_a_value_is_checked_is_refused() {
        assert!(refused(&json!({"items": {"$dynamicRef": "#node"}})).starts_with("/items/$dynamicRef: "));
        assert!(refused(&json!({"items": {"$id": "other"}})).starts_with("/items/$id: "));
        assert!(refused(&json!({"$schema": "http://json-schema.org/draft-04/schema#"})).starts_with("/$schema: "));
    }

    #[test]
    fn fractions_are_refused_where_they_would_be_wrong() {
        assert_eq!(refused(&json!({"multipleOf": 0.01})), "/multipleOf: expected a whole number, found 0.01");
    }

    #[test]
    fn a_long_way_through_references_is_refused() {
        assert_eq!(check(&chain(60, |next| json!({"$ref": next}))), Ok(None));
        assert!(refused(&chain(64, |next| json!({"$ref": next}))).contains("at most 64 schemas in a row"));
        assert!(refused(&chain(600, |next| json!({"$ref": next}))).contains("at most 64 schemas in a row"));
    }

    #[test]
    fn references_that_multiply_are_refused() {
        let twice = |next: &str| json!({"allOf": [{"$ref": next}, {"$ref": next}]});
        assert_eq!(check(&chain(10, twice)), Ok(None));
        assert!(refused(&chain(20, twice)).contains("at most 50000 schemas"));
    }

    #[test]
    fn a_schema_may_lead_back_to_itself_for_a_part_of_the_value() {
        let tree = json!({
            "$ref": "#/$defs/node",
            "$defs": {"node": {"properties": {"left": {"$ref": "#/$defs/node"}, "right": {"$ref": "#/$defs/node"}}}},
        });
        assert_eq!(check(&tree), Ok(Some(LEVELS)));
        let list = json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#"}}]});
        assert_eq!(check(&list), Ok(Some(LEVELS)));
        let bush = json!({"allOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]});
        assert!(refused(&bush).contains("at most 50000 schemas"), "each level would be looked at three times as often");
    }

    #[test]
    fn a_schema_may_not_lead_back_to_itself_for_the_same_value() {
        for schema in [json!({"$ref": "#"}), json!({"anyOf": [{"not": {"$ref": "#"}}]})] {
            assert!(refused(&schema).contains("lead back to itself for the same value"), "{schema}");
        }
    }

    #[test]
    fn large_schemas_and_patterns_are_refused() {
        assert!(refused(&json!({"enum": vec![1; 2_000]})).contains("at most 2000 values"));
        assert!(refused(&json!({"pattern": "a".repeat(1_001)})).starts_with("/pattern: expected a pattern of at most"));
        let keys = json!({"patternProperties": {"a".repeat(1_001): true}});
        assert!(refused(&keys).starts_with("/patternProperties: expected a pattern of at most"));
    }

    #[test]
    fn levels_are_counted() {
        assert_eq!([json!(1), json!([]), json!({"a": [1]})].map(|value| levels(&value)), [1, 1, 3]);
    }
}
