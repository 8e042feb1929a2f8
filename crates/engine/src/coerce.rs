//! Values to types: variables, start overrides and fields of records. Dates and times without an offset are meant in a
//! time zone, the workflow's.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
pub use pawl_definition::value::is_blank;
use pawl_definition::value::{self, NumberError};
use pawl_definition::{Field, FieldType, VariableType};
use serde_json::Value;

use crate::{StepCode, StepError};

/// Brings a value to the type of a variable. What is blank is null, of a list the empty list; but a text keeps what it
/// is, be it empty.
pub fn variable(value: Value, kind: VariableType, many: bool, timezone: &TimeZone) -> Result<Value, StepError> {
    let one = |value: Value| {
        let is_blank_id = kind == VariableType::Record && is_blank(&value);
        if is_blank_id { Ok(Value::Null) } else { scalar(&value, field_type(kind), &[], timezone) }
    };
    each(value, many, one)
}

/// Brings a value to the type of a field. What is blank is null, since an empty field is absent; but white space stays
/// white space in a field of text.
pub fn field(value: Value, field: &Field, timezone: &TimeZone) -> Result<Value, StepError> {
    let value = each(value, field.many, |value| scalar(&value, field.kind, &field.options, timezone))?;
    let is_white_space = value.as_str().is_some_and(|text| !text.is_empty());
    Ok(if is_blank(&value) && !is_white_space { Value::Null } else { value })
}

/// Brings what a model answered to the type of a field. An empty text is an answer only where a text is asked for.
pub fn answer(value: Value, field: &Field, timezone: &TimeZone) -> Result<Value, StepError> {
    each(value, field.many, |value| {
        let is_empty = field.kind != FieldType::Text && value.as_str().is_some_and(value::is_blank_text);
        if is_empty {
            Err(mismatch(&value, field.kind, &field.options))
        } else {
            scalar(&value, field.kind, &field.options, timezone)
        }
    })
}

fn field_type(kind: VariableType) -> FieldType {
    match kind {
        VariableType::Text | VariableType::Record => FieldType::Text,
        VariableType::Number => FieldType::Number,
        VariableType::Boolean => FieldType::Boolean,
        VariableType::Date => FieldType::Date,
        VariableType::Datetime => FieldType::Datetime,
        VariableType::Uuid => FieldType::Uuid,
        VariableType::Phone => FieldType::Phone,
        VariableType::Member => FieldType::Member,
        VariableType::Object => FieldType::Object,
    }
}

fn each(value: Value, many: bool, one: impl Fn(Value) -> Result<Value, StepError>) -> Result<Value, StepError> {
    match (value, many) {
        (Value::Null, false) => Ok(Value::Null),
        (Value::Array(values), true) => values.into_iter().map(one).collect::<Result<_, _>>().map(Value::Array),
        (value, true) if is_blank(&value) => Ok(Value::Array(Vec::new())),
        (value, true) => Ok(Value::Array(vec![one(value)?])),
        (value, false) => one(value),
    }
}

fn scalar(value: &Value, kind: FieldType, options: &[String], timezone: &TimeZone) -> Result<Value, StepError> {
    let coerced = match (kind, value) {
        (_, Value::Null)
        | (FieldType::Text, Value::String(_))
        | (FieldType::Boolean, Value::Bool(_))
        | (FieldType::Object, Value::Object(_)) => Some(value.clone()),
        (FieldType::Number, Value::Number(_)) => Some(value::canonical(value.clone())),
        (FieldType::Text, Value::Number(_) | Value::Bool(_)) => Some(value::text_of(value).into()),
        // A record variable may be given as the record itself: its id is kept.
        (FieldType::Text, Value::Object(record)) => record.get("id").filter(|id| id.is_string()).cloned(),
        // A visitor who leaves a field of a form empty sends an empty text.
        (_, Value::String(text)) if value::is_blank_text(text) => Some(Value::Null),
        (FieldType::Email, Value::String(text)) => value::email(text).map(Value::from),
        // The address of a member is one of e-mail as a rule.
        (FieldType::Member, Value::String(text)) => Some(value::email(text).unwrap_or_else(|| text.clone()).into()),
        (FieldType::Number, Value::String(text)) => number(text)?,
        (FieldType::Boolean, Value::String(text)) => truth(text),
        (FieldType::Date, Value::String(text)) => date(text, timezone),
        (FieldType::Datetime, Value::String(text)) => datetime(text, timezone),
        (FieldType::Uuid, Value::String(text)) => uuid(text),
        (FieldType::Phone, Value::String(text)) => phone(text),
        (FieldType::Option, Value::String(text)) => options.contains(text).then(|| value.clone()),
        (FieldType::Url, Value::String(text)) => value::web_address(text).map(Value::from),
        (FieldType::Money, value) => value::money(value),
        (FieldType::File, value) => value::file(value),
        _ => None,
    };
    coerced.ok_or_else(|| mismatch(value, kind, options))
}

fn number(text: &str) -> Result<Option<Value>, StepError> {
    match value::read_number(text.trim()) {
        Ok(number) => Ok(Some(number.into())),
        Err(NumberError::NotANumber) => Ok(None),
        Err(error @ NumberError::TooLarge) => {
            Err(StepError::new(StepCode::WrongType, format!("{error}, found {}", short(&text.into()))))
        }
    }
}

fn truth(text: &str) -> Option<Value> {
    match text.trim().to_lowercase().as_str() {
        // `on` is what a ticked checkbox of a form sends.
        "true" | "yes" | "on" | "1" => Some(true.into()),
        "false" | "no" | "off" | "0" => Some(false.into()),
        _ => None,
    }
}

/// A date as written, or the day that a point in time falls on.
fn date(text: &str, timezone: &TimeZone) -> Option<Value> {
    let text = text.trim();
    let date = match text.parse::<Timestamp>() {
        Ok(at) => at.to_zoned(timezone.clone()).date(),
        Err(_) => civil(text)?.date(),
    };
    Some(date.to_string().into())
}

/// A point in time as written, or what the clocks of the time zone show then; a date is its beginning.
fn datetime(text: &str, timezone: &TimeZone) -> Option<Value> {
    let text = text.trim();
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => civil(text)?.to_zoned(timezone.clone()).ok()?.timestamp(),
    };
    Some(at.to_string().into())
}

/// A date, or a date and time, without an offset.
fn civil(text: &str) -> Option<DateTime> {
    let whole_date = text.len() == 10 && text.parse::<Date>().is_ok();
    if whole_date || text.contains(['T', 't', ' ']) { text.parse().ok() } else { None }
}

fn uuid(text: &str) -> Option<Value> {
    let plain: String = text.trim().to_lowercase();
    let dashes = [8, 13, 18, 23];
    let fits = plain.len() == 36
        && plain.char_indices().all(|(at, c)| if dashes.contains(&at) { c == '-' } else { c.is_ascii_hexdigit() });
    fits.then(|| plain.into())
}

/// E.164: a plus sign and 7 to 15 digits; a leading `00` stands for the plus sign.
fn phone(text: &str) -> Option<Value> {
    if text.contains(char::is_alphabetic) {
        return None;
    }
    let kept: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    let kept = kept.strip_prefix("00").map_or(kept.clone(), |rest| format!("+{rest}"));
    let digits = kept.strip_prefix('+').unwrap_or(&kept);
    let fits = (7..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit());
    fits.then(|| kept.into())
}

fn mismatch(value: &Value, kind: FieldType, options: &[String]) -> StepError {
    let expected = match kind {
        FieldType::Text => "text",
        FieldType::Number => "a number",
        FieldType::Boolean => "true or false",
        FieldType::Date => "a date such as 2026-11-21",
        FieldType::Datetime => "a date and time such as 2026-11-21T09:00:00Z",
        FieldType::Uuid => "a UUID",
        FieldType::Phone => "a telephone number",
        FieldType::Email => "an e-mail address",
        FieldType::Option => {
            return StepError::new(StepCode::WrongType, format!("expected one of {options:?}, found {}", short(value)));
        }
        FieldType::Member => "the address of a member",
        FieldType::Object => "an object",
        FieldType::Url => "an address such as https://example.com/prices",
        FieldType::Money => "an amount with its currency, {amount, currency}",
        FieldType::File => "a file, {id, name, media_type, size, pages}",
    };
    StepError::new(StepCode::WrongType, format!("expected {expected}, found {}", short(value)))
}

/// A value in few words, for messages.
pub fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: Value, kind: VariableType, expected: &Value) {
        check_in("UTC", value, kind, expected);
    }

    #[track_caller]
    fn check_in(timezone: &str, value: Value, kind: VariableType, expected: &Value) {
        let timezone = TimeZone::get(timezone).expect("it is a time zone");
        assert_eq!(&variable(value, kind, false, &timezone).unwrap_or_else(|error| error.message.into()), expected);
    }

    #[test]
    fn values_take_the_type_that_is_asked_for() {
        check(json!("42"), VariableType::Number, &json!(42));
        check(json!("4.5"), VariableType::Number, &json!(4.5));
        check(json!("many"), VariableType::Number, &json!("expected a number, found \"many\""));
        check(json!(7), VariableType::Text, &json!("7"));
        check(json!(59.0), VariableType::Text, &json!("59"));
        check(json!(59.0), VariableType::Number, &json!(59));
        check(json!("18446744073709551615"), VariableType::Number, &json!(u64::MAX));
        check(json!("yes"), VariableType::Boolean, &json!(true));
        check(json!("on"), VariableType::Boolean, &json!(true));
        check(json!("2026-11-21T23:00:00-03:00"), VariableType::Date, &json!("2026-11-22"));
        check(json!("2026-11-21"), VariableType::Datetime, &json!("2026-11-21T00:00:00Z"));
        check(json!("0049 (30) 123-4567"), VariableType::Phone, &json!("+49301234567"));
        check(json!({"id": "rec_1", "name": "x"}), VariableType::Record, &json!("rec_1"));
        check(Value::Null, VariableType::Uuid, &Value::Null);
    }

    #[test]
    fn dates_and_times_are_meant_in_the_time_zone() {
        check_in("Europe/Berlin", json!("2026-03-04T23:00:00Z"), VariableType::Date, &json!("2026-03-05"));
        check_in("Asia/Tokyo", json!("2026-03-04T20:00:00Z"), VariableType::Date, &json!("2026-03-05"));
        check_in("Asia/Tokyo", json!("2026-03-04"), VariableType::Date, &json!("2026-03-04"));
        check_in("Asia/Tokyo", json!("2026-03-04T20:00:00"), VariableType::Date, &json!("2026-03-04"));
        check_in("Europe/Berlin", json!("2026-03-05"), VariableType::Datetime, &json!("2026-03-04T23:00:00Z"));
        check_in("Europe/Berlin", json!("2026-07-05T09:30"), VariableType::Datetime, &json!("2026-07-05T07:30:00Z"));
        check_in("Europe/Berlin", json!("2026-07-05T09:30Z"), VariableType::Datetime, &json!("2026-07-05T09:30:00Z"));
    }

    #[test]
    fn what_is_no_address_number_or_date_is_refused() {
        let refused = |value: &str, kind, expected: &str| {
            check(json!(value), kind, &json!(format!("expected {expected}, found {value:?}")));
        };
        refused("call 030 1234567", VariableType::Phone, "a telephone number");
        refused("12345", VariableType::Phone, "a telephone number");
        refused("202", VariableType::Date, "a date such as 2026-11-21");
        refused("2026-02-30", VariableType::Date, "a date such as 2026-11-21");
        let field =
            Field { kind: FieldType::Email, ..serde_json::from_value(json!({"type": "email"})).expect("a field") };
        assert!(super::field(json!("ada"), &field, &TimeZone::UTC).is_err());
        assert_eq!(super::field(json!(" Ada@Example.com "), &field, &TimeZone::UTC), Ok(json!("ada@example.com")));
        let beyond = "expected a whole number of at most 64 bits, or a number that a double holds; larger ones are kept \
                      as texts, found \"18446744073709551616\"";
        check(json!("18446744073709551616"), VariableType::Number, &json!(beyond));
    }

    #[test]
    fn amounts_addresses_and_files_have_one_form() {
        let field = |kind: &str, value: Value| {
            let field = serde_json::from_value(json!({"type": kind})).expect("a field");
            super::field(value, &field, &TimeZone::UTC).map_err(|error| error.message)
        };
        let euros = json!({"amount": 12.5, "currency": "EUR"});
        for written in [json!("12.50 EUR"), json!("eur 12.5"), json!({"amount": "12.50", "currency": " eur "})] {
            assert_eq!(field("money", written), Ok(euros.clone()));
        }
        for wrong in [json!(12.5), json!("12.50"), json!("12,50 EUR"), json!({"amount": 1}), json!({"currency": "EUR"})]
        {
            assert!(field("money", wrong.clone()).is_err(), "{wrong}");
        }
        assert!(field("money", json!({"amount": 1, "currency": "EUR", "cents": 3})).is_err());
        for blank in [json!(null), json!({}), json!({"amount": null, "currency": ""}), json!(" ")] {
            assert_eq!(field("money", blank), Ok(Value::Null));
        }
        assert_eq!(field("url", json!(" HTTPS://Example.com/A?b=C ")), Ok(json!("https://example.com/A?b=C")));
        assert_eq!(field("url", json!("https://example.com")), Ok(json!("https://example.com/")));
        for wrong in ["example.com", "javascript:alert(1)", "https://", "/prices"] {
            assert!(field("url", json!(wrong)).is_err(), "{wrong}");
        }
        let file = json!({"id": "f1", "name": "a.pdf", "media_type": "application/pdf", "size": 7, "pages": 1});
        assert_eq!(field("file", file.clone()), Ok(file));
        assert_eq!(
            field("file", json!({"id": "f1", "size": "7"})),
            Err("expected a file, {id, name, media_type, size, pages}, found {\"id\":\"f1\",\"size\":\"7\"}".to_owned())
        );
        assert!(field("file", json!("f1")).is_err() && field("file", json!({"name": "a.pdf"})).is_err());
    }

    #[test]
    fn what_a_visitor_left_empty_is_blank() {
        let field = |kind: &str, value: Value| {
            let field = serde_json::from_value(json!({"type": kind, "options": ["small"]})).expect("a field");
            super::field(value, &field, &TimeZone::UTC)
        };
        for kind in ["date", "datetime", "number", "boolean", "option", "uuid", "phone", "email", "member", "text"] {
            assert_eq!(field(kind, json!("")), Ok(Value::Null), "{kind}");
        }
        assert_eq!(field("number", json!(" ")), Ok(Value::Null));
        assert_eq!(field("text", json!(" ")), Ok(json!(" ")), "white space may be meant");
        check(json!(""), VariableType::Number, &Value::Null);
        check(json!(""), VariableType::Record, &Value::Null);
        check(json!(""), VariableType::Text, &json!(""));
    }

    #[test]
    fn a_list_without_elements_is_the_empty_list_of_a_variable_and_an_absent_field() {
        for blank in [Value::Null, json!(""), json!([])] {
            assert_eq!(variable(blank.clone(), VariableType::Number, true, &TimeZone::UTC), Ok(json!([])));
            let field = Field { many: true, ..Field::of(FieldType::Text) };
            assert_eq!(super::field(blank, &field, &TimeZone::UTC), Ok(Value::Null));
        }
    }

    #[test]
    fn a_single_value_becomes_a_list_where_many_are_expected() {
        assert_eq!(variable(json!("a"), VariableType::Text, true, &TimeZone::UTC), Ok(json!(["a"])));
        assert_eq!(variable(json!([1, "2"]), VariableType::Number, true, &TimeZone::UTC), Ok(json!([1, 2])));
    }
}
