//! Event patterns, with the meaning that they have for `EventBridge`: which events of a bus are wanted.
//!
//! A pattern has the shape of an event. Each key of it must match; at a leaf stands a list of tests, of which one must match
//! ([`test`]). Where the event has a list, one element must match: all keys of a pattern below a list of objects match in the
//! same element. `$or` is a list of patterns of which one must match.
//!
//! The tests follow the documentation of `EventBridge`, and the test cases of its library `event-ruler`.

mod read;
mod test;
#[cfg(test)]
mod tests;
mod wildcard;

use serde::Deserialize;
use serde_json::{Map, Value};

use test::Test;
pub(crate) use wildcard::Wildcard;

/// A pattern as it is written, and as it is read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "WrittenPattern")]
pub struct EventPattern {
    read: Result<Fields, WrongPattern>,
}

/// A pattern as it is written.
#[derive(Deserialize)]
#[serde(transparent)]
struct WrittenPattern(Map<String, Value>);

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WrongPattern {
    /// Keys and places in lists below the pattern, from the outside.
    pub place: Vec<Step>,
    /// What was expected, and what was found.
    pub message: String,
}

/// A step of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key of an object.
    Key(String),
    /// A place in a list.
    At(usize),
}

/// The keys of a pattern, each of which must match.
#[derive(Debug, Clone, PartialEq, Default)]
struct Fields {
    keys: Vec<(String, Node)>,
    /// Of each list, one must match.
    any: Vec<Vec<Fields>>,
}

/// What stands at a key.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Fields(Fields),
    /// One must match.
    Tests(Vec<Test>),
}

impl From<WrittenPattern> for EventPattern {
    fn from(WrittenPattern(keys): WrittenPattern) -> Self {
        Self::read(&keys)
    }
}

#[cfg(feature = "describe")]
impl schemars::JsonSchema for EventPattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventPattern".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // What it may be is said by the check, with the place.
        schemars::json_schema!({ "type": "object" })
    }
}

impl EventPattern {
    /// Reads a pattern.
    pub fn read(keys: &Map<String, Value>) -> Self {
        Self { read: read::pattern(keys) }
    }

    /// What is wrong with it.
    pub fn wrong(&self) -> Option<&WrongPattern> {
        self.read.as_ref().err()
    }

    /// Whether an event matches; nothing matches a pattern that is wrong.
    pub fn matches(&self, event: &Value) -> bool {
        self.read.as_ref().is_ok_and(|fields| fields.match_value(event, &mut Path { event, keys: Vec::new() }))
    }

    /// The texts of which a key of the event must be one; `None` if the pattern asks something else, or nothing.
    pub fn texts(&self, key: &str) -> Option<Vec<&str>> {
        let (_, node) = self.read.as_ref().ok()?.keys.iter().find(|(known, _)| known == key)?;
        match node {
            Node::Fields(_) => None,
            Node::Tests(tests) => tests.iter().map(Test::text).collect(),
        }
    }
}

/// Where a value stands in an event, lists left out.
struct Path<'p> {
    event: &'p Value,
    keys: Vec<&'p str>,
}

impl Fields {
    /// Whether an object matches, or one object of a list.
    fn match_value<'p>(&'p self, value: &Value, path: &mut Path<'p>) -> bool {
        match value {
            Value::Array(elements) => elements.iter().any(|element| self.match_value(element, path)),
            Value::Object(keys) => self.match_keys(Some(keys), path),
            _ => false,
        }
    }

    /// Whether the keys of an object match; `None` if there is no object.
    fn match_keys<'p>(&'p self, object: Option<&Map<String, Value>>, path: &mut Path<'p>) -> bool {
        let mut matches = |(key, node): &'p (String, Node)| {
            path.keys.push(key);
            let found = node.matches(object.and_then(|keys| keys.get(key)), path);
            path.keys.pop();
            found
        };
        if !self.keys.iter().all(&mut matches) {
            return false;
        }
        self.any.iter().all(|some| some.iter().any(|fields| fields.match_keys(object, path)))
    }
}

impl Node {
    fn matches<'p>(&'p self, value: Option<&Value>, path: &mut Path<'p>) -> bool {
        match (self, value) {
            (Self::Tests(tests), value) => {
                let leaf = |test: &Test| value.is_some_and(|value| any_leaf(value, &|leaf| test.matches(leaf)));
                tests.iter().any(|test| if test.is_absence() { !path.has_leaf() } else { leaf(test) })
            }
            (Self::Fields(fields), Some(found @ (Value::Object(_) | Value::Array(_)))) => {
                fields.match_value(found, path) || (!holds_object(found) && fields.match_keys(None, path))
            }
            // What is not there can match only tests for what is not there.
            (Self::Fields(fields), _) => fields.match_keys(None, path),
        }
    }
}

/// Whether there is an object, or a list with one.
fn holds_object(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(elements) => elements.iter().any(holds_object),
        _ => false,
    }
}

/// Whether a value that is neither object nor list passes, or one of a list.
fn any_leaf(value: &Value, passes: &impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(|element| any_leaf(element, passes)),
        Value::Object(_) => false,
        leaf => passes(leaf),
    }
}

impl Path<'_> {
    /// Whether the event has a value at this path in any of its lists. An object is none.
    fn has_leaf(&self) -> bool {
        fn at(value: &Value, keys: &[&str]) -> bool {
            match (value, keys) {
                (Value::Array(elements), keys) => elements.iter().any(|element| at(element, keys)),
                (Value::Object(object), [key, rest @ ..]) => object.get(*key).is_some_and(|value| at(value, rest)),
                (Value::Object(_), []) => false,
                (_, keys) => keys.is_empty(),
            }
        }
        at(self.event, &self.keys)
    }
}
