//! Functions that turn one type into another.

use std::borrow::Cow;

use serde_json::Value;

use super::{Call, Outcome};
use crate::ExpressionError;
use crate::expression::error::shortened;
use crate::expression::secret::disarm;
use crate::expression::val::Val;
use crate::json::Bounds;
use crate::value::{Exact, number_text, read_number};

pub(super) fn to_bool<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    match call.first() {
        truth @ Val::Bool(_) => Ok(truth),
        Val::Text(text) => match &*text {
            "true" | "True" | "TRUE" | "t" | "1" => Ok(Val::Bool(true)),
            "false" | "False" | "FALSE" | "f" | "0" => Ok(Val::Bool(false)),
            other => Err(call.bad(format!("expected \"true\" or \"false\", found {:?}", shortened(other)))),
        },
        _ => Err(call.wrong(0, "text or a boolean")),
    }
}

/// `int(x)`: a number without its fraction, the seconds of a timestamp since 1970, or the number that a text says.
pub(super) fn to_int<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let number = integer(call)?;
    i64::try_from(number).map(Val::Int).map_err(|_| call.bad("the number is out of range"))
}

pub(super) fn to_uint<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let number = integer(call)?;
    u64::try_from(number).map(Val::Uint).map_err(|_| call.bad("the number is out of range"))
}

fn integer(call: &Call<'_, '_>) -> Result<i128, ExpressionError> {
    let whole = |val: &Val<'_>| val.whole_number().ok_or_else(|| call.bad("the number is out of range"));
    match call.first() {
        Val::Double(number) => whole(&Val::Double(number.trunc())),
        Val::Text(text) => {
            let digits = text.trim();
            digits.parse().map_err(|_| call.bad(format!("expected a whole number, found {:?}", shortened(digits))))
        }
        Val::Time(time) => Ok(i128::from(time.as_second())),
        number => number.whole_number().ok_or_else(|| call.wrong(0, "a number, text or a timestamp")),
    }
}

/// `double(x)`: the double nearest to a number, or to the number that a text says.
pub(super) fn to_double<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let exact = match call.first() {
        Val::Text(text) => {
            let digits = text.trim();
            let bad = |error| call.bad(format!("{error}, found {:?}", shortened(digits)));
            Exact::of(&read_number(digits).map_err(bad)?)
        }
        number => number.as_exact().ok_or_else(|| call.wrong(0, "a number or text"))?,
    };
    Ok(Val::Double(exact.nearest()))
}

pub(super) fn to_string<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let val = call.first();
    if matches!(val, Val::Text(_)) {
        return Ok(val);
    }
    if let Val::Bytes(bytes) = &val {
        let text = std::str::from_utf8(bytes).map_err(|_| call.bad("the bytes are no text in UTF-8"))?;
        call.evaluator.budget.spend_bytes(text.len())?;
        // Bytes that an author writes may hold any character.
        return Ok(Val::owned_data(disarm(Cow::Owned(Value::from(text))).into_owned()));
    }
    written(&val).map(Val::text).ok_or_else(|| call.wrong(0, "a simple value, json(…) writes lists and objects"))
}

/// A simple value as text.
pub(super) fn written(val: &Val<'_>) -> Option<String> {
    Some(match val {
        Val::Bool(truth) => truth.to_string(),
        Val::Int(_) | Val::Uint(_) | Val::Double(_) => number_text(&val.as_exact()?.number()?),
        Val::Text(text) => text.to_string(),
        Val::Time(time) => time.to_string(),
        Val::Duration(duration) => duration.to_string(),
        Val::Type(name) => (*name).to_owned(),
        _ => return None,
    })
}

pub(super) fn to_bytes<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    match call.first() {
        bytes @ Val::Bytes(_) => Ok(bytes),
        Val::Text(text) => {
            call.evaluator.budget.spend_bytes(text.len())?;
            Ok(Val::Bytes(text.as_bytes().into()))
        }
        _ => Err(call.wrong(0, "text or bytes")),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
pub(super) fn to_dyn<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(call.first())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every function")]
pub(super) fn type_of<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Val::Type(call.first().type_name()))
}

/// `json(x)`: the value as JSON text.
pub(super) fn json<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let value = call.first().into_json(&mut call.evaluator.budget)?;
    let text = value.to_string();
    call.evaluator.budget.spend_bytes(text.len())?;
    Ok(Val::text(text))
}

/// `parse_json(text)`: the value that a JSON text says.
pub(super) fn parse_json<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let text = call.text(0)?;
    call.evaluator.budget.spend_elements(text.len())?;
    let value = crate::json::parse(text.as_bytes(), &Bounds::OUTSIDE);
    let value = value.map_err(|error| call.bad(format!("expected JSON, found {error}")))?;
    Ok(Val::owned_data(disarm(Cow::Owned(value)).into_owned()))
}
