//! Values while an expression is evaluated. Data is borrowed, never converted as a whole.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::rc::Rc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::budget::Budget;
use super::{Duration, ExpressionError};
use crate::value::{self, Exact};

/// A value; a clone is cheap.
#[derive(Debug, Clone)]
pub(super) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Text<'a>),
    Bytes(Rc<[u8]>),
    Time(Timestamp),
    Duration(Duration),
    /// Days that only a calendar can count, to be added to a time.
    BusinessDays(i64),
    /// A list or an object of the scope's data.
    Data(&'a Value),
    List(Rc<Vec<Val<'a>>>),
    Map(Rc<BTreeMap<Key, Val<'a>>>),
    Type(&'static str),
}

/// A text, borrowed from the data or the expression, or made by it.
#[derive(Debug, Clone)]
pub(super) enum Text<'a> {
    Borrowed(&'a str),
    Shared(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

/// A key of an object that an expression makes. Numbers of equal value are one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Bool(bool),
    Integer(i128),
    Text(String),
}

impl Key {
    pub(super) fn of(val: &Val<'_>) -> Option<Self> {
        Some(match val {
            Val::Bool(truth) => Self::Bool(*truth),
            Val::Text(text) => Self::Text(text.to_string()),
            other => Self::Integer(other.whole_number()?),
        })
    }

    pub(super) fn val<'a>(&self) -> Val<'a> {
        match self {
            Self::Bool(truth) => Val::Bool(*truth),
            Self::Integer(number) => Val::integer(*number).unwrap_or(Val::Null),
            Self::Text(text) => Val::text(text.as_str()),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(truth) => truth.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl<'a> Val<'a> {
    /// A text that the expression made.
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(Text::Shared(text.into()))
    }

    /// A text that lives as long as the data or the expression.
    pub(super) fn borrowed(text: &'a str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    /// An integer, unless neither of the two kinds of them holds it.
    pub(super) fn integer(number: i128) -> Option<Self> {
        let signed = i64::try_from(number).map(Self::Int);
        signed.or_else(|_| u64::try_from(number).map(Self::Uint)).ok()
    }

    pub(super) fn list(elements: Vec<Self>) -> Self {
        Self::List(Rc::new(elements))
    }

    /// Data, borrowed.
    pub(super) fn data(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::number(number),
            Value::String(text) => Self::borrowed(text),
            Value::Array(_) | Value::Object(_) => Self::Data(value),
        }
    }

    /// Data that does not live long enough to be borrowed.
    pub(super) fn owned_data(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(truth),
            Value::Number(number) => Self::number(&number),
            Value::String(text) => Self::text(text),
            Value::Array(values) => Self::list(values.into_iter().map(Self::owned_data).collect()),
            Value::Object(keys) => {
                let own = |(key, value)| (Key::Text(key), Self::owned_data(value));
                Self::Map(Rc::new(keys.into_iter().map(own).collect()))
            }
        }
    }

    fn number(number: &Number) -> Self {
        Self::exact(Exact::of(number))
    }

    /// A number: an integer if it is whole, however it is written.
    pub(super) fn exact(number: Exact) -> Self {
        match number {
            Exact::Whole(whole) => Self::integer(whole).unwrap_or(Self::Null),
            Exact::Double(double) => Self::Double(double),
        }
    }

    /// The exact value of a number.
    pub(super) fn as_exact(&self) -> Option<Exact> {
        match self {
            Self::Int(number) => Some(Exact::Whole(i128::from(*number))),
            Self::Uint(number) => Some(Exact::Whole(i128::from(*number))),
            Self::Double(number) => Some(Exact::of_double(*number)),
            _ => None,
        }
    }

    /// The value of a number that has no fraction.
    pub(super) fn whole_number(&self) -> Option<i128> {
        match self.as_exact()? {
            Exact::Whole(number) => Some(number),
            Exact::Double(_) => None,
        }
    }

    /// What its type is called in messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) | Self::Uint(_) | Self::Double(_) => "number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Time(_) => "timestamp",
            Self::Duration(_) => "duration",
            Self::BusinessDays(_) => "business days",
            Self::List(_) | Self::Data(Value::Array(_)) => "list",
            Self::Map(_) | Self::Data(_) => "object",
            Self::Type(_) => "type",
        }
    }

    /// What `type(x)` gives: the names of CEL.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Time(_) => "timestamp",
            Self::Duration(_) | Self::BusinessDays(_) => "duration",
            Self::List(_) | Self::Data(Value::Array(_)) => "list",
            Self::Map(_) | Self::Data(_) => "map",
            Self::Type(_) => "type",
        }
    }

    /// Whether it is blank as [`value::is_blank`] has it, or bytes of which there are none.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Data(value) => value::is_blank(value),
            Self::Text(text) => value::is_blank_text(text),
            Self::Bytes(bytes) => bytes.is_empty(),
            _ => self.length() == Some(0),
        }
    }

    /// How many elements a list or object has.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            Self::List(elements) => Some(elements.len()),
            Self::Map(entries) => Some(entries.len()),
            Self::Data(Value::Array(values)) => Some(values.len()),
            Self::Data(Value::Object(keys)) => Some(keys.len()),
            _ => None,
        }
    }

    /// What a loop goes over: the elements of a list, or the keys of an object in their order.
    pub(super) fn elements(&self) -> Option<Vec<Val<'a>>> {
        match self {
            Self::List(elements) => Some(elements.to_vec()),
            Self::Map(entries) => Some(entries.keys().map(Key::val).collect()),
            Self::Data(Value::Array(values)) => Some(values.iter().map(Self::data).collect()),
            Self::Data(Value::Object(keys)) => Some(keys.keys().map(|key| Self::borrowed(key)).collect()),
            _ => None,
        }
    }

    /// What it takes to go over the elements, in units of work: keys of an object that an expression made are copied.
    pub(super) fn elements_cost(&self) -> usize {
        let copied = match self {
            Self::Map(entries) => {
                entries.keys().map(|key| if let Key::Text(key) = key { key.len() / 16 } else { 0 }).sum()
            }
            _ => 0,
        };
        self.length().unwrap_or(0).saturating_add(copied)
    }

    /// The first keys of an object that are texts.
    pub(super) fn first_keys(&self, most: usize) -> Vec<Text<'a>> {
        match self {
            Self::Map(entries) => {
                let texts = entries.keys().filter_map(|key| if let Key::Text(key) = key { Some(key) } else { None });
                texts.take(most).map(|key| Text::Shared(key.as_str().into())).collect()
            }
            Self::Data(Value::Object(keys)) => keys.keys().take(most).map(|key| Text::Borrowed(key)).collect(),
            _ => Vec::new(),
        }
    }

    /// Bytes of a text; nothing of other values.
    pub(super) fn text_length(&self) -> usize {
        if let Self::Text(text) = self { text.len() } else { 0 }
    }

    /// Bytes that are looked at to say whether it is blank.
    pub(super) fn blank_cost(&self) -> usize {
        if let Self::Text(text) = self { text.len() - text.trim_start().len() } else { 0 }
    }

    /// The element of a list at a place, or of an object at a key.
    pub(super) fn element(&self, key: &Val<'_>) -> Option<Val<'a>> {
        let place = || usize::try_from(key.whole_number()?).ok();
        match (self, key) {
            (Self::List(elements), _) => elements.get(place()?).cloned(),
            (Self::Data(Value::Array(values)), _) => values.get(place()?).map(Self::data),
            (Self::Map(entries), _) => entries.get(&Key::of(key)?).cloned(),
            (Self::Data(Value::Object(keys)), Val::Text(text)) => keys.get(&**text).map(Self::data),
            _ => None,
        }
    }

    /// The element of an object at a field's name.
    pub(super) fn field(&self, name: &str) -> Option<Val<'a>> {
        match self {
            Self::Data(Value::Object(keys)) => keys.get(name).map(Self::data),
            Self::Map(entries) => entries.get(&Key::Text(name.to_owned())).cloned(),
            _ => None,
        }
    }

    /// The value as JSON: times and durations as text, bytes in base64.
    pub(super) fn into_json(self, budget: &mut Budget) -> Result<Value, ExpressionError> {
        budget.spend(1)?;
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Int(number) => Value::from(number),
            Self::Uint(number) => Value::from(number),
            Self::Double(number) => Exact::of_double(number)
                .number()
                .map(Value::Number)
                .ok_or_else(|| ExpressionError::value(format!("the result is {number}, which JSON cannot hold")))?,
            Self::Text(text) => {
                budget.spend_bytes(text.len())?;
                Value::String(text.to_string())
            }
            Self::Bytes(bytes) => {
                budget.spend_bytes(bytes.len())?;
                Value::String(BASE64_STANDARD.encode(bytes))
            }
            Self::Time(time) => Value::String(time.to_string()),
            Self::Duration(duration) => Value::String(duration.to_string()),
            Self::BusinessDays(_) => {
                return Err(ExpressionError::wrong_type(
                    "business days are no value by themselves: add them to a time, as in `now + business_days(3)`",
                ));
            }
            Self::Data(value) => {
                spend_data(value, budget)?;
                value::canonical(value.clone())
            }
            Self::List(elements) => {
                let values = elements.iter().map(|element| element.clone().into_json(budget));
                Value::Array(values.collect::<Result<_, _>>()?)
            }
            Self::Map(entries) => {
                budget.spend_elements(entries.len())?;
                let mut object = Map::new();
                for (key, val) in entries.iter() {
                    let key = key.to_string();
                    budget.spend_bytes(key.len())?;
                    let value = val.clone().into_json(budget)?;
                    // In JSON each key is a text.
                    if object.contains_key(&key) {
                        return Err(ExpressionError::value(format!("the key `{key}` stands twice")));
                    }
                    object.insert(key, value);
                }
                Value::Object(object)
            }
            Self::Type(name) => Value::String(name.to_owned()),
        })
    }
}

/// Pays for a copy of data.
fn spend_data(value: &Value, budget: &mut Budget) -> Result<(), ExpressionError> {
    match value {
        Value::String(text) => budget.spend_bytes(text.len()),
        Value::Array(values) => {
            budget.spend_elements(values.len())?;
            values.iter().try_for_each(|value| spend_data(value, budget))
        }
        Value::Object(keys) => keys.iter().try_for_each(|(key, value)| {
            budget.spend_bytes(key.len())?;
            budget.spend(1)?;
            spend_data(value, budget)
        }),
        _ => Ok(()),
    }
}
