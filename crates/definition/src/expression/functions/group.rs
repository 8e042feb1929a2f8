//! `in_group(record, "id")`: whether a record belongs to a group of the installation.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Call, Outcome};
use crate::expression::Scope;
use crate::expression::val::Val;
use crate::{Calendar, ExpressionError};

/// `in_group(record, "id")`. No record belongs to no group; a record of another object is a mistake.
pub(super) fn in_group<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let record = call.first();
    if matches!(record, Val::Null) {
        return Ok(Val::Bool(false));
    }
    let id = call.text(1)?;
    let scope = call.evaluator.scope();
    let group = scope.group(&id).ok_or_else(|| call.bad(format!("the group {:?} is not there", &*id)))?;
    let record = match record {
        record if record.kind() == "object" => record.into_json(&mut call.evaluator.budget)?,
        _ => return Err(call.wrong(0, "a record")),
    };
    let object = record.get("object").and_then(Value::as_str);
    if object != Some(&group.object) {
        let found = object.map_or_else(|| "no record".to_owned(), |found| format!("one of {found:?}"));
        return Err(call.bad(format!("the group {:?} is one of {:?}, found {found}", &*id, group.object)));
    }
    let member = Member { record: &record, around: scope };
    let belongs = group.test.test_within(&member, &mut call.evaluator.budget);
    belongs.map(Val::Bool).map_err(|error| match error {
        costly @ ExpressionError::TooCostly { .. } => costly,
        // A key that the record lacks is a mistake of the group, and not blank where it is asked for.
        other => call.bad(format!("the group {:?}: {other}", &*id)),
    })
}

/// What the expression of a group sees: one record.
struct Member<'a> {
    record: &'a Value,
    around: &'a dyn Scope,
}

impl Scope for Member<'_> {
    fn root(&self, name: &str) -> Option<Value> {
        self.root_ref(name).cloned()
    }

    fn root_ref(&self, name: &str) -> Option<&Value> {
        (name == "record").then_some(self.record)
    }

    fn now(&self) -> Timestamp {
        self.around.now()
    }

    fn timezone(&self) -> &TimeZone {
        self.around.timezone()
    }

    fn calendar(&self) -> Result<&Calendar, ExpressionError> {
        self.around.calendar()
    }
}
