//! Reads a pattern, and says what is wrong with it.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::test::{Bound, Network, Test, TextTest};
use super::wildcard::Wildcard;
use super::{Fields, Node, Step, WrongPattern};
use crate::value;

/// The key of alternatives.
const OR: &str = "$or";

/// The words of tests.
const WORDS: &[&str] =
    &["prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "cidr", "exists"];

/// Reads a pattern.
pub(super) fn pattern(keys: &Map<String, Value>) -> Result<Fields, WrongPattern> {
    fields(keys, &mut Vec::new())
}

fn wrong<T>(place: &[Step], message: impl Into<String>) -> Result<T, WrongPattern> {
    Err(WrongPattern { place: place.to_vec(), message: message.into() })
}

fn found(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(keys) if keys.is_empty() => "an empty object".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        simple => simple.to_string(),
    }
}

/// Reads one step further down.
fn below<T>(
    place: &mut Vec<Step>,
    step: Step,
    read: impl FnOnce(&mut Vec<Step>) -> Result<T, WrongPattern>,
) -> Result<T, WrongPattern> {
    place.push(step);
    let result = read(place);
    place.pop();
    result
}

fn fields(keys: &Map<String, Value>, place: &mut Vec<Step>) -> Result<Fields, WrongPattern> {
    if keys.is_empty() {
        return wrong(place, "expected at least one key, found an empty object");
    }
    let mut read = Fields::default();
    for (key, value) in keys {
        below(place, Step::Key(key.clone()), |place| {
            match value {
                _ if key == OR => read.any.push(alternatives(value, place)?),
                Value::Object(inside) => read.keys.push((key.clone(), Node::Fields(fields(inside, place)?))),
                Value::Array(tests) if !tests.is_empty() => {
                    read.keys.push((key.clone(), Node::Tests(each(tests, place, test)?)));
                }
                Value::Array(_) => return wrong(place, "expected at least one value, found an empty list"),
                other => {
                    let written = if other.is_string() { other.to_string() } else { found(other) };
                    return wrong(place, format!("expected a list such as [{written}], found {}", found(other)));
                }
            }
            Ok(())
        })?;
    }
    Ok(read)
}

fn each<T>(
    values: &[Value],
    place: &mut Vec<Step>,
    read: impl Fn(&Value, &mut Vec<Step>) -> Result<T, WrongPattern>,
) -> Result<Vec<T>, WrongPattern> {
    values.iter().enumerate().map(|(at, value)| below(place, Step::At(at), |place| read(value, place))).collect()
}

fn alternatives(value: &Value, place: &mut Vec<Step>) -> Result<Vec<Fields>, WrongPattern> {
    match value {
        Value::Array(patterns) if patterns.len() > 1 => each(patterns, place, |pattern, place| match pattern {
            Value::Object(keys) => fields(keys, place),
            other => wrong(place, format!("expected a pattern, found {}", found(other))),
        }),
        _ => wrong(place, "expected a list of two patterns or more"),
    }
}

fn test(value: &Value, place: &mut Vec<Step>) -> Result<Test, WrongPattern> {
    match value {
        Value::Object(keys) => {
            let (word, setting) = only(keys, place)?;
            below(place, Step::Key(word.to_owned()), |place| of_word(word, setting, place))
        }
        Value::Array(_) => wrong(place, "expected a value or a test, found a list"),
        simple => Ok(Test::Is(simple.clone())),
    }
}

/// The one key of a test.
fn only<'v>(keys: &'v Map<String, Value>, place: &[Step]) -> Result<(&'v str, &'v Value), WrongPattern> {
    let mut all = keys.iter();
    match (all.next(), all.next()) {
        (Some((word, setting)), None) => Ok((word, setting)),
        (None, _) => wrong(place, format!("expected one of {}, found an empty object", WORDS.join(", "))),
        (Some(_), Some(_)) => wrong(place, "expected a test with one key, found several"),
    }
}

fn of_word(word: &str, setting: &Value, place: &mut Vec<Step>) -> Result<Test, WrongPattern> {
    match word {
        "prefix" | "suffix" | "equals-ignore-case" | "wildcard" => text_test(word, setting, place).map(Test::Text),
        "anything-but" => anything_but(setting, place),
        "numeric" => numeric(setting, place).map(Test::Numeric),
        "cidr" => match setting.as_str().and_then(network) {
            Some(network) => Ok(Test::Cidr(network)),
            None => wrong(place, format!("expected a network such as \"10.0.0.0/24\", found {}", found(setting))),
        },
        "exists" => match setting {
            Value::Bool(true) => Ok(Test::Exists),
            Value::Bool(false) => Ok(Test::Absent),
            other => wrong(place, format!("expected true or false, found {}", found(other))),
        },
        unknown => wrong(place, format!("expected one of {}, found {unknown:?}", WORDS.join(", "))),
    }
}

fn text_test(word: &str, setting: &Value, place: &[Step]) -> Result<TextTest, WrongPattern> {
    match (word, setting) {
        ("prefix", Value::String(text)) => Ok(TextTest::Prefix(text.clone())),
        ("suffix", Value::String(text)) => Ok(TextTest::Suffix(text.clone())),
        ("equals-ignore-case", Value::String(text)) => Ok(TextTest::EqualsIgnoreCase(text.to_lowercase())),
        ("wildcard", Value::String(text)) => match Wildcard::read(text) {
            Ok(wildcard) => Ok(TextTest::Wildcard(wildcard)),
            Err(why) => wrong(place, why),
        },
        ("prefix" | "suffix", Value::Object(keys)) => {
            let ignoring = |text: &str| match word {
                "prefix" => TextTest::PrefixIgnoreCase(text.to_lowercase()),
                _ => TextTest::SuffixIgnoreCase(text.to_lowercase()),
            };
            match only(keys, place)? {
                ("equals-ignore-case", Value::String(text)) => Ok(ignoring(text)),
                _ => wrong(place, format!("expected a text or {{equals-ignore-case: text}} as `{word}`")),
            }
        }
        (_, other) => wrong(place, format!("expected a text, found {}", found(other))),
    }
}

fn anything_but(setting: &Value, place: &mut Vec<Step>) -> Result<Test, WrongPattern> {
    let expected =
        "expected a text, a number, a list of either, or one of prefix, suffix, equals-ignore-case, wildcard";
    match setting {
        Value::String(_) | Value::Number(_) => Ok(Test::AnythingBut(vec![setting.clone()])),
        Value::Array(values) => {
            let (texts, numbers) = (values.iter().all(Value::is_string), values.iter().all(Value::is_number));
            if values.is_empty() || !(texts || numbers) {
                return wrong(place, "expected a list of texts or a list of numbers");
            }
            Ok(Test::AnythingBut(values.clone()))
        }
        Value::Object(keys) => {
            let (word, setting) = only(keys, place)?;
            if !["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(&word) {
                return wrong(place, format!("{expected}, found {word:?}"));
            }
            below(place, Step::Key(word.to_owned()), |place| match setting {
                Value::Array(all) if !all.is_empty() => {
                    each(all, place, |setting, place| text_test(word, setting, place)).map(Test::NoText)
                }
                one => text_test(word, one, place).map(|test| Test::NoText(vec![test])),
            })
        }
        other => wrong(place, format!("{expected}, found {}", found(other))),
    }
}

fn numeric(setting: &Value, place: &[Step]) -> Result<Vec<(Bound, Value)>, WrongPattern> {
    let expected = "expected one or two comparisons such as [\">\", 0, \"<=\", 5]";
    let parts = setting.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut bounds = Vec::new();
    for pair in parts.chunks(2) {
        let [Value::String(word), number @ Value::Number(_)] = pair else { return wrong(place, expected) };
        let bound = match word.as_str() {
            "<" => Bound::Less,
            "<=" => Bound::LessOrEqual,
            "=" => Bound::Equal,
            ">=" => Bound::GreaterOrEqual,
            ">" => Bound::Greater,
            other => return wrong(place, format!("expected one of <, <=, =, >=, >, found {other:?}")),
        };
        bounds.push((bound, number.clone()));
    }
    match bounds.as_slice() {
        [_] => Ok(bounds),
        [(Bound::Greater | Bound::GreaterOrEqual, least), (Bound::Less | Bound::LessOrEqual, most)] => {
            if value::order(least, most).is_some_and(Ordering::is_lt) {
                Ok(bounds)
            } else {
                wrong(place, format!("no number is above {least} and below {most}"))
            }
        }
        _ => wrong(place, expected),
    }
}

/// `10.0.0.0/24` or `2001:db8::/32`.
fn network(text: &str) -> Option<Network> {
    let (address, bits) = text.split_once('/')?;
    let address: std::net::IpAddr = address.parse().ok()?;
    let bits: u8 = bits.parse().ok()?;
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some(Network { address, bits })
}
