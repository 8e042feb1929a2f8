//! Values that are written out: whether they are what their place takes.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::{FieldType, value};

/// What a field type takes, in words.
pub(crate) fn expected(kind: FieldType, options: &[String]) -> String {
    match kind {
        FieldType::Text => "a text".to_owned(),
        FieldType::Number => "a number".to_owned(),
        FieldType::Boolean => "true or false".to_owned(),
        FieldType::Date => "a date such as 2026-11-21".to_owned(),
        FieldType::Datetime => "a date and time such as 2026-11-21T09:00:00Z".to_owned(),
        FieldType::Uuid => "a UUID".to_owned(),
        FieldType::Phone => "a telephone number such as +49301234567".to_owned(),
        FieldType::Email => "an e-mail address".to_owned(),
        FieldType::Option => super::words::any_of(options.iter().map(String::as_str)),
        FieldType::Member => "the address of a member".to_owned(),
        FieldType::Object => "a mapping".to_owned(),
        FieldType::Url => "an address such as https://example.com/prices".to_owned(),
        FieldType::Money => {
            "an amount with its currency, such as {amount: 12.5, currency: EUR} or \"12.50 EUR\"".to_owned()
        }
        FieldType::File => "a file: {id, name, media_type, size, pages}".to_owned(),
    }
}

/// Whether a field of a type takes a value, or can be given it: `"42"` is a number, `7` a text.
pub(crate) fn takes(kind: FieldType, options: &[String], value: &Value) -> bool {
    match (kind, value) {
        (_, Value::Null)
        | (FieldType::Text, Value::String(_) | Value::Number(_) | Value::Bool(_))
        | (FieldType::Number, Value::Number(_))
        | (FieldType::Boolean, Value::Bool(_))
        | (FieldType::Member, Value::String(_))
        | (FieldType::Object, Value::Object(_)) => true,
        // A blank text empties a field of whatever type.
        (_, Value::String(text)) if value::is_blank_text(text) => true,
        (FieldType::Number, Value::String(text)) => value::read_number(text.trim()).is_ok(),
        (FieldType::Boolean, Value::String(text)) => {
            let words = ["true", "false", "yes", "no", "on", "off", "1", "0"];
            words.contains(&text.trim().to_lowercase().as_str())
        }
        (FieldType::Date, Value::String(text)) => is_date(text) || is_moment(text),
        (FieldType::Datetime, Value::String(text)) => is_moment(text),
        (FieldType::Uuid, Value::String(text)) => is_uuid(text.trim()),
        (FieldType::Phone, Value::String(text)) => {
            let digits = text.chars().filter(char::is_ascii_digit).count();
            (7..=17).contains(&digits) && !text.contains(char::is_alphabetic)
        }
        (FieldType::Email, Value::String(text)) => value::email(text).is_some(),
        (FieldType::Option, Value::String(text)) => options.contains(text),
        (FieldType::Url, Value::String(text)) => value::web_address(text).is_some(),
        (FieldType::Money, value) => value::money(value).is_some(),
        (FieldType::File, value) => value::file(value).is_some(),
        _ => false,
    }
}

/// `2026-11-21`.
pub(crate) fn is_date(text: &str) -> bool {
    text.trim().len() == 10 && text.trim().parse::<Date>().is_ok()
}

/// A date and time, with an offset or without; a date is its beginning.
pub(crate) fn is_moment(text: &str) -> bool {
    text.trim().parse::<Timestamp>().is_ok() || text.trim().parse::<DateTime>().is_ok()
}

/// `09:00`.
pub(crate) fn is_time_of_day(text: &str) -> bool {
    let form = text.len() == 5 && text.as_bytes()[2] == b':';
    form && text.parse::<Time>().is_ok()
}

/// A name of the IANA time zone database.
pub(crate) fn is_timezone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// `[a-z_][a-z0-9_]*`.
pub(crate) fn is_variable_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.len() == 36
        && text.char_indices().all(|(at, c)| if dashes.contains(&at) { c == '-' } else { c.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_fit_their_types() {
        let options = ["open".to_owned(), "closed".to_owned()];
        for (kind, good, bad) in [
            (FieldType::Text, json!(7), json!([])),
            (FieldType::Number, json!("42"), json!("many")),
            (FieldType::Boolean, json!("no"), json!("maybe")),
            (FieldType::Date, json!("2026-11-21"), json!("2026-13-01")),
            (FieldType::Datetime, json!("2026-11-21T09:00:00Z"), json!("tomorrow")),
            (FieldType::Uuid, json!("0b1f3f6e-6f0a-4d7b-9a55-0d4b8f6f2f0a"), json!("0b1f")),
            (FieldType::Phone, json!("+49 30 1234567"), json!("call 1234567")),
            (FieldType::Email, json!("ada@example.com"), json!("ada@")),
            (FieldType::Option, json!("open"), json!("opened")),
            (FieldType::Object, json!({}), json!("x")),
            (FieldType::Url, json!(" https://example.com/a?b=c "), json!("javascript:alert(1)")),
            (FieldType::Money, json!("12.50 eur"), json!("12.50")),
            (FieldType::Money, json!({"amount": "7", "currency": "USD"}), json!({"amount": 7, "currency": "dollar"})),
            (FieldType::File, json!({"id": "f1", "name": "a.pdf"}), json!({"id": "f1", "path": "/etc"})),
        ] {
            assert!(takes(kind, &options, &good), "{good}");
            assert!(!takes(kind, &options, &bad), "{bad}");
        }
    }

    #[test]
    fn times_and_zones_are_read_strictly() {
        assert!(is_time_of_day("09:30") && !is_time_of_day("9:30") && !is_time_of_day("24:00"));
        assert!(is_timezone("Europe/Berlin") && is_timezone("UTC") && !is_timezone("Europe/Berlim"));
    }
}
