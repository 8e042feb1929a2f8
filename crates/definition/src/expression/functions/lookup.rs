//! `lookup("object", {"field": value})`: the record that has a value in a unique field.

use super::{Call, Outcome};
use crate::expression::secret::placeholders;
use crate::expression::val::Val;
use crate::json;

/// `lookup("object", {"field": value})`; null if the value is blank, or no record has it. That both names are written down and not
/// computed is checked when the expression is read.
pub(super) fn lookup<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let object = call.text(0)?;
    let by = call.arguments.get(1).cloned().unwrap_or(Val::Null);
    let Some(field) = by.first_keys(1).into_iter().next() else { return Err(call.wrong(1, "a unique field")) };
    let value = by.field(&field).unwrap_or(Val::Null);
    let scope = call.evaluator.scope();
    if matches!(&value, Val::Text(text) if scope.secrets() && placeholders(text).next().is_some()) {
        return Err(call.bad("no record is looked up by a secret"));
    }
    let value = value.into_json(&mut call.evaluator.budget)?;
    let found = scope.lookup(&object, &field, value)?;
    call.evaluator.budget.spend_bytes(json::bytes(&found))?;
    Ok(Val::owned_data(found))
}
