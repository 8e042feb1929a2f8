//! Functions of texts, and `size`.

use regex::{Regex, RegexBuilder};

use super::{Call, Outcome};
use crate::ExpressionError;
use crate::expression::val::Val;

/// Largest compiled pattern in bytes. Patterns run in time linear in the text, whatever they are.
const MOST_PATTERN: usize = 256 * 1024;

/// What a part costs that a text is split into, in units of work: each is a text of its own.
const PART: usize = 4;

/// What it costs to compile a pattern that is not written down, in units of work.
const COMPILE: u64 = 20_000;

/// Compiles a pattern in the syntax of RE2; the error is for the author.
pub(in crate::expression) fn compile(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(MOST_PATTERN).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!("matches(): the pattern {pattern:?} is too large"),
        other => {
            let reason = other.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("matches(): {pattern:?} is no regular expression: {reason}")
        }
    })
}

pub(super) fn matches<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, pattern) = (call.text(0)?, call.text(1)?);
    call.evaluator.budget.spend(COMPILE)?;
    call.evaluator.budget.spend_elements(text.len())?;
    let regex = compile(&pattern).map_err(ExpressionError::value)?;
    Ok(Val::Bool(regex.is_match(&text)))
}

pub(super) fn contains<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    if call.arguments[0].kind() == "list" {
        return Err(call.wrong(0, "text, a list is searched with `x in list`"));
    }
    compare(call, |text, sought| text.contains(sought))
}

pub(super) fn starts_with<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    compare(call, |text, sought| text.starts_with(sought))
}

pub(super) fn ends_with<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    compare(call, |text, sought| text.ends_with(sought))
}

fn compare<'a>(call: &mut Call<'_, 'a>, holds: impl Fn(&str, &str) -> bool) -> Outcome<'a> {
    let (text, sought) = (call.text(0)?, call.text(1)?);
    call.evaluator.budget.spend_bytes(text.len())?;
    Ok(Val::Bool(holds(&text, &sought)))
}

/// `size(x)`: characters of a text, bytes, or elements.
pub(super) fn size<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let val = call.first();
    let length = match &val {
        Val::Text(text) => {
            call.evaluator.budget.spend_bytes(text.len())?;
            Some(text.chars().count())
        }
        Val::Bytes(bytes) => Some(bytes.len()),
        other => other.length(),
    };
    let length = length.and_then(|length| i64::try_from(length).ok());
    length.map(Val::Int).ok_or_else(|| call.wrong(0, "text, a list or an object"))
}

pub(super) fn lower<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    change(call, str::to_lowercase)
}

pub(super) fn upper<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    change(call, str::to_uppercase)
}

/// `trim(text)`: without white space at both ends.
pub(super) fn trim<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    change(call, |text| text.trim().to_owned())
}

fn change<'a>(call: &mut Call<'_, 'a>, change: impl Fn(&str) -> String) -> Outcome<'a> {
    let text = call.text(0)?;
    call.evaluator.budget.spend_bytes(text.len())?;
    Ok(Val::text(change(&text)))
}

/// `replace(text, from, to)`: every occurrence.
pub(super) fn replace<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, from, to) = (call.text(0)?, call.text(1)?, call.text(2)?);
    if from.is_empty() {
        return Err(call.bad("the text to replace is empty"));
    }
    let added = text.matches(&*from).count().saturating_mul(to.len());
    call.evaluator.budget.spend_bytes(text.len().saturating_add(added))?;
    Ok(Val::text(text.replace(&*from, &to)))
}

/// `split(text, separator)`; an empty separator gives the characters.
pub(super) fn split<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, separator) = (call.text(0)?, call.text(1)?);
    call.evaluator.budget.spend_elements(text.len())?;
    let parts = if separator.is_empty() { text.chars().count() } else { text.matches(&*separator).count() };
    call.evaluator.budget.spend_elements(parts.saturating_mul(PART))?;
    let parts = if separator.is_empty() {
        text.chars().map(|c| Val::text(c.to_string())).collect()
    } else {
        text.split(&*separator).map(Val::text).collect()
    };
    Ok(Val::list(parts))
}

/// `join(list, separator)`: of texts; numbers and booleans are written out, null is nothing.
pub(super) fn join<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let list = call.first();
    if list.kind() != "list" {
        return Err(call.wrong(0, "a list"));
    }
    let separator = if call.arguments.len() == 2 { call.text(1)?.to_string() } else { String::new() };
    call.evaluator.budget.spend_elements(list.length().unwrap_or(0))?;
    let mut joined = String::new();
    for (place, element) in list.elements().into_iter().flatten().enumerate() {
        let text = match element {
            Val::Null => String::new(),
            other => super::convert::written(&other).ok_or_else(|| {
                ExpressionError::wrong_type(format!("join() expects a list of texts, found {} in it", other.kind()))
            })?,
        };
        call.evaluator.budget.spend_bytes(separator.len().saturating_add(text.len()))?;
        if place > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&text);
    }
    Ok(Val::text(joined))
}
