//! The template of an installation on AWS, as a value in which tags are written out: `!Ref X` is `{"Ref": "X"}`.

use std::sync::OnceLock;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};
use serde_json::{Map, Value, json};

use crate::workspace::read;

/// Where it stands.
pub(crate) const PATH: &str = "infra/template.yaml";

/// The template.
pub(crate) fn template() -> &'static Value {
    static TEMPLATE: OnceLock<Value> = OnceLock::new();
    TEMPLATE.get_or_init(|| parse(&read(PATH)))
}

/// A section's entries, in order.
pub(crate) fn section(name: &str) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let entries = template()[name].as_object().unwrap_or_else(|| panic!("{PATH} has no section {name}"));
    entries.iter().map(|(name, value)| (name.as_str(), value))
}

/// The properties of all resources of a type, by logical id.
pub(crate) fn resources(kind: &str) -> impl Iterator<Item = (&'static str, &'static Value)> {
    section("Resources")
        .filter(move |(_, resource)| resource["Type"] == kind)
        .map(|(id, value)| (id, &value["Properties"]))
}

/// The properties of one resource.
pub(crate) fn resource(id: &str) -> &'static Value {
    &whole(id)["Properties"]
}

/// One resource with its type, condition and policies.
pub(crate) fn whole(id: &str) -> &'static Value {
    let found = &template()["Resources"][id];
    assert!(!found.is_null(), "{PATH} has no resource {id}");
    found
}

/// The logical ids of resources, and the parameters, that a value names.
pub(crate) fn named(value: &Value) -> Vec<String> {
    let mut names = Vec::new();
    walk(value, &mut |value| match value {
        Value::Object(entries) if entries.len() == 1 => {
            let (function, argument) = entries.iter().next().expect("there is one");
            match (function.as_str(), argument.as_str()) {
                ("Ref", Some(name)) => names.push(name.to_owned()),
                ("Fn::GetAtt", Some(path)) => names.extend(path.split('.').next().map(str::to_owned)),
                ("Fn::Sub", Some(text)) => names.extend(placeholders(text)),
                _ => {}
            }
        }
        _ => {}
    });
    names.retain(|name| !name.starts_with("AWS::"));
    names
}

/// The texts in a value.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    walk(value, &mut |value| texts.extend(value.as_str().map(str::to_owned)));
    texts
}

/// An entry that is one text or a list of them.
pub(crate) fn one_or_many(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().into_iter().collect(),
    }
}

fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Array(values) => values.iter().for_each(|value| walk(value, visit)),
        Value::Object(entries) => entries.values().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

fn placeholders(text: &str) -> impl Iterator<Item = String> {
    text.split("${").skip(1).filter_map(|rest| rest.split(['}', '.']).next()).map(str::to_owned)
}

fn parse(text: &str) -> Value {
    let mut events = Parser::new_from_str(text);
    loop {
        match next(&mut events) {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            event => return value(event, &mut events),
        }
    }
}

fn next<'a>(events: &mut Parser<'a, StrInput<'a>>) -> Event<'a> {
    match events.next_event() {
        Some(Ok((event, _))) => event,
        Some(Err(error)) => panic!("{PATH} is no YAML: {error}"),
        None => panic!("{PATH} ends too early"),
    }
}

fn value<'a>(event: Event<'a>, events: &mut Parser<'a, StrInput<'a>>) -> Value {
    match event {
        Event::Scalar(text, style, _, tag) => tagged(tag.as_deref(), scalar(&text, style)),
        Event::SequenceStart(_, tag) => {
            let mut values = Vec::new();
            loop {
                match next(events) {
                    Event::SequenceEnd => return tagged(tag.as_deref(), Value::Array(values)),
                    event => values.push(value(event, events)),
                }
            }
        }
        Event::MappingStart(_, tag) => {
            let mut entries = Map::new();
            loop {
                match next(events) {
                    Event::MappingEnd => return tagged(tag.as_deref(), Value::Object(entries)),
                    Event::Scalar(key, ..) => {
                        let event = next(events);
                        entries.insert(key.into_owned(), value(event, events));
                    }
                    event => panic!("{PATH}: expected a word as key, found {event:?}"),
                }
            }
        }
        // CloudFormation takes none.
        event => panic!("{PATH}: expected a value, found {event:?}"),
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return text.into();
    }
    match text {
        "true" => true.into(),
        "false" => false.into(),
        _ => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
    }
}

fn tagged(tag: Option<&Tag>, value: Value) -> Value {
    match tag.map(|tag| tag.suffix.as_str()) {
        None => value,
        Some(function @ ("Ref" | "Condition")) => json!({ function: value }),
        Some(function) => json!({ format!("Fn::{function}"): value }),
    }
}
