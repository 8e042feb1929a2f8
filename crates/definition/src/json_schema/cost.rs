//! What it takes to hold a value against a schema, counted before it is done. The library that does it counts nothing and
//! cannot be interrupted; this walk goes through the same schemas and values, and ends as soon as the budget is spent.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::budget::{SchemaBudget, SchemaTooCostly, VISIT};
use super::pattern;

/// Longest label of an international host name that is looked at, in characters: each costs its length squared.
const LABEL: usize = 1_000;

/// Lists up to this length are searched for equal items by comparing each with each.
const EACH_WITH_EACH: usize = 20;

/// A schema and what its patterns weigh.
pub(super) struct Costs {
    schema: Value,
    patterns: BTreeMap<String, u64>,
}

type Counted = Result<(), SchemaTooCostly>;

impl Costs {
    pub(super) fn of(schema: &Value) -> Self {
        let mut patterns = BTreeMap::new();
        collect_patterns(schema, &mut patterns);
        Self { schema: schema.clone(), patterns }
    }

    /// What all patterns of the schema weigh together.
    pub(super) fn weight(&self) -> u64 {
        self.patterns.values().fold(0, |sum, weight| sum.saturating_add(*weight))
    }

    /// Spends what it takes to hold a value against the schema.
    pub(super) fn spend(&self, value: &Value, budget: &mut SchemaBudget) -> Counted {
        Walk { costs: self, budget }.hold(&self.schema, At { value, path: 0 })
    }
}

/// Every text that stands where a pattern may stand. What is data and not a schema is among them: it costs a look.
fn collect_patterns(schema: &Value, into: &mut BTreeMap<String, u64>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| collect_patterns(item, into)),
        Value::Object(keys) => {
            let named = keys.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
            let patterns = named.map(|(pattern, _)| pattern.as_str());
            for pattern in patterns.chain(keys.get("pattern").and_then(Value::as_str)) {
                into.entry(pattern.to_owned()).or_insert_with(|| pattern::weight(pattern));
            }
            keys.values().for_each(|below| collect_patterns(below, into));
        }
        _ => {}
    }
}

/// A part of a value, and how many bytes its place has: each error repeats it.
#[derive(Clone, Copy)]
struct At<'v> {
    value: &'v Value,
    path: usize,
}

impl<'v> At<'v> {
    fn below(self, value: &'v Value, key_bytes: usize) -> Self {
        Self { value, path: self.path + key_bytes + 1 }
    }
}

struct Walk<'a> {
    costs: &'a Costs,
    budget: &'a mut SchemaBudget,
}

impl Walk<'_> {
    /// All that a schema asks of a value, whether or not another part of it has refused the value already.
    fn hold(&mut self, schema: &Value, at: At<'_>) -> Counted {
        let width = match at.value {
            Value::Object(keys) => keys.len(),
            Value::Array(items) => items.len(),
            Value::String(text) => text.len() / 16,
            _ => 0,
        };
        self.budget.spend_each(VISIT + at.path / 16 + width)?;
        for (key, part) in schema.as_object().into_iter().flatten() {
            match (key.as_str(), at.value) {
                ("$ref", _) => self.reference(part, at)?,
                ("not" | "if" | "then" | "else", _) => self.hold(part, at)?,
                ("allOf" | "anyOf" | "oneOf", _) => {
                    part.as_array().into_iter().flatten().try_for_each(|schema| self.hold(schema, at))?;
                }
                ("dependentSchemas" | "dependencies", _) => {
                    part.as_object().into_iter().flatten().try_for_each(|(_, schema)| self.hold(schema, at))?;
                }
                ("enum" | "const" | "required" | "dependentRequired", _) => self.budget.spend_each(weight(part))?,
                ("format", Value::String(text)) => self.budget.spend(format(part, text))?,
                ("pattern", Value::String(text)) => self.pattern(part.as_str().unwrap_or_default(), text)?,
                ("uniqueItems", Value::Array(items)) if *part == Value::Bool(true) => self.unique(items)?,
                (key, Value::Object(inner)) => self.keys((key, part), schema, inner, at)?,
                (key, Value::Array(items)) => self.items((key, part), items, at)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn reference(&mut self, reference: &Value, at: At<'_>) -> Counted {
        let costs = self.costs;
        let pointer = reference.as_str().and_then(|reference| reference.strip_prefix('#')).unwrap_or_default();
        let pointer = percent_decode_str(pointer).decode_utf8_lossy();
        costs.schema.pointer(&pointer).map_or(Ok(()), |schema| self.hold(schema, at))
    }

    /// Keywords for the parts of an object.
    fn keys(&mut self, (key, part): (&str, &Value), schema: &Value, inner: &Map<String, Value>, at: At<'_>) -> Counted {
        let named = schema.get("properties").and_then(Value::as_object);
        for (name, value) in inner {
            let below = at.below(value, name.len());
            match key {
                "properties" => part.get(name).map_or(Ok(()), |schema| self.hold(schema, below))?,
                "patternProperties" => {
                    for (pattern, schema) in part.as_object().into_iter().flatten() {
                        self.pattern(pattern, name)?;
                        self.hold(schema, below)?;
                    }
                }
                "additionalProperties" if named.is_some_and(|named| named.contains_key(name)) => {}
                "additionalProperties" | "unevaluatedProperties" => self.hold(part, below)?,
                "propertyNames" => self.hold(part, At { value: &Value::String(name.clone()), path: at.path })?,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Keywords for the items of a list.
    fn items(&mut self, (key, part): (&str, &Value), items: &[Value], at: At<'_>) -> Counted {
        for (index, item) in items.iter().enumerate() {
            let below = at.below(item, 6);
            match (key, part) {
                ("prefixItems" | "items", Value::Array(schemas)) => {
                    schemas.get(index).map_or(Ok(()), |schema| self.hold(schema, below))?;
                }
                ("items" | "additionalItems" | "unevaluatedItems" | "contains", _) => self.hold(part, below)?,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// A pattern is tried at each byte, with as many of its places at once as it may have reached.
    fn pattern(&mut self, pattern: &str, text: &str) -> Counted {
        let places = self.costs.patterns.get(pattern).map_or(u64::MAX, |weight| weight.div_ceil(4));
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.budget.spend(places.saturating_mul(bytes.saturating_add(1)))
    }

    /// Items are told apart by a hash in which lists have no brackets: `[[1], []]` and `[[1]]` are alike. Those that are
    /// alike and not equal are compared each with each.
    fn unique(&mut self, items: &[Value]) -> Counted {
        let compared = items.len().min(EACH_WITH_EACH);
        let mut alike = BTreeMap::<String, BTreeSet<String>>::new();
        for item in items {
            self.budget.spend_each(weight(item).saturating_mul(1 + compared))?;
            let mut flat = String::new();
            flatten(item, &mut flat);
            alike.entry(flat).or_default().insert(item.to_string());
        }
        for distinct in alike.values().filter(|distinct| distinct.len() > 1) {
            let bytes: usize = distinct.iter().map(String::len).sum();
            self.budget.spend_each(distinct.len().saturating_mul(distinct.len() + bytes / 16))?;
        }
        Ok(())
    }
}

/// What a format costs. Patterns are read again for each class in them, and labels of host names are sorted.
fn format(name: &Value, text: &str) -> u64 {
    let each = match name.as_str().unwrap_or_default() {
        "regex" => text.len(),
        "idn-hostname" | "idn-email" | "uri" | "uri-reference" | "iri" | "iri-reference" => text.len().min(LABEL),
        _ => 1,
    };
    u64::try_from(text.len().saturating_mul(each)).unwrap_or(u64::MAX)
}

/// How much there is of a value: one for each part, and for 16 bytes of text.
fn weight(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(keys) => keys.iter().map(|(key, value)| 1 + key.len() / 16 + weight(value)).sum(),
        Value::String(text) => text.len() / 16,
        _ => 0,
    }
}

/// A value without the brackets of its lists, its numbers as doubles.
fn flatten(value: &Value, into: &mut String) {
    match value {
        Value::Array(items) => return items.iter().for_each(|item| flatten(item, into)),
        Value::Object(keys) => {
            into.push('{');
            for (key, value) in keys {
                into.push_str(key);
                into.push(':');
                flatten(value, into);
                into.push(',');
            }
            into.push('}');
        }
        Value::Number(number) => into.push_str(&number.as_f64().unwrap_or_default().to_string()),
        other => into.push_str(&other.to_string()),
    }
    into.push(';');
}

#[cfg(test)]
mod tests;
