//! What an expression sees.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{ExpressionError, Meter};
use crate::{Calendar, Group};

/// The world of one evaluation: variables, the present time, and the calendar.
pub trait Scope {
    /// The value of a variable such as `record`, `vars` or `trigger`; `None` if it does not exist here.
    ///
    /// Asked at most once an evaluation, and only for variables that the expression names.
    fn root(&self, name: &str) -> Option<Value>;

    /// The same, of variables that the scope holds ready: they are then read in place and not copied. Asked before
    /// [`Scope::root`], which must know these variables too.
    fn root_ref(&self, name: &str) -> Option<&Value> {
        let _ = name;
        None
    }

    /// Whether anything has given `root.name` a value; if not, `has` is false though it reads as null.
    fn is_set(&self, root: &str, name: &str) -> bool {
        let _ = (root, name);
        true
    }

    /// Whether `root.name` stands for another record. If there is none it is null, and so is each of its fields.
    fn is_relationship(&self, root: &str, name: &str) -> bool {
        let _ = (root, name);
        false
    }

    /// The step's time, which `now` gives.
    fn now(&self) -> Timestamp;

    /// The time zone in which dates and calendar days are meant.
    fn timezone(&self) -> &TimeZone;

    /// The business days.
    ///
    /// # Errors
    /// The calendar that is named is not there.
    fn calendar(&self) -> Result<&Calendar, ExpressionError> {
        Ok(Calendar::standard())
    }

    /// A group that `in_group` names, if it is there.
    fn group(&self, id: &str) -> Option<&Group> {
        let _ = id;
        None
    }

    /// The record that `lookup` names by the value of a unique field; null if the value is blank, or no record has it.
    ///
    /// # Errors
    /// There is no such object, the field is not unique, the value is none of its type, or nothing is looked up here.
    fn lookup(&self, object: &str, field: &str, value: Value) -> Result<Value, ExpressionError> {
        let _ = (object, field, value);
        Err(ExpressionError::Value { message: "lookup(): no record can be looked up here".to_owned() })
    }

    /// What bounds all evaluations over this scope together.
    fn meter(&self) -> Option<&Meter> {
        None
    }

    /// Whether `secret("name")` may be used; it gives a placeholder, never the secret.
    fn secrets(&self) -> bool {
        false
    }
}
