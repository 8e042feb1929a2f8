//! Amounts of money.

use serde_json::{Map, Value, json};

use super::{canonical, is_blank, read_number};

/// An amount with its currency in its one form, `{amount, currency}`: a number, and the three letters of ISO 4217. Null if
/// both are blank, `None` if it is no amount of money. An amount may be written as text, `12.50 EUR`.
pub fn money(value: &Value) -> Option<Value> {
    match value {
        Value::Object(parts) => of_parts(parts),
        Value::String(text) => of_text(text),
        _ => None,
    }
}

fn of_parts(parts: &Map<String, Value>) -> Option<Value> {
    if parts.keys().any(|key| !matches!(key.as_str(), "amount" | "currency")) {
        return None;
    }
    if parts.values().all(is_blank) {
        return Some(Value::Null);
    }
    let amount = match parts.get("amount")? {
        Value::Number(number) => canonical(number.clone().into()),
        Value::String(text) => read_number(text.trim()).ok()?.into(),
        _ => return None,
    };
    Some(json!({"amount": amount, "currency": currency(parts.get("currency")?.as_str()?)?}))
}

fn of_text(text: &str) -> Option<Value> {
    let (left, right) = text.trim().split_once(' ')?;
    let (amount, code) = if currency(left).is_some() { (right, left) } else { (left, right) };
    Some(json!({"amount": read_number(amount.trim()).ok()?, "currency": currency(code)?}))
}

fn currency(text: &str) -> Option<String> {
    let code = text.trim();
    (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic())).then(|| code.to_uppercase())
}
