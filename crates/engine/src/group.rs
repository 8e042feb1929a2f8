//! Whether a record belongs to a group, outside of a step's expressions: for searches.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::{Calendar, Comparison, ExpressionError, Object, Scope};
use serde_json::Value;

use crate::context::view_of;
use crate::{GroupTest, Record, ResolvedTest, StepError};

impl GroupTest {
    /// Whether a record belongs to the group.
    ///
    /// # Errors
    /// Its expression fails on the record.
    pub fn holds(&self, record: &Record, object: Option<&Object>) -> Result<bool, StepError> {
        let view = Value::Object(view_of(record, object));
        let found = self.group.test.test(&Member { record: &view, test: self });
        found.map_err(|error| StepError::from(error).at(&format!("the group {:?}", self.group.id)))
    }

    /// The tests of fields that each of its records passes, as its expression says them: an index may answer one.
    pub fn narrowing(&self, object: &Object) -> Vec<ResolvedTest> {
        let equal = |path: Vec<String>, test: Comparison| match (path.as_slice(), test) {
            ([record, field], Comparison::Equal(value))
                if record == "record" && !value.is_null() && object.fields.contains_key(field) =>
            {
                Some(ResolvedTest { field: field.clone(), operator: "equals", value })
            }
            _ => None,
        };
        self.group.test.conjuncts().into_iter().filter_map(|part| equal(part.path, part.test)).collect()
    }
}

/// What the expression of a group sees: one record.
struct Member<'a> {
    record: &'a Value,
    test: &'a GroupTest,
}

impl Scope for Member<'_> {
    fn root(&self, name: &str) -> Option<Value> {
        self.root_ref(name).cloned()
    }

    fn root_ref(&self, name: &str) -> Option<&Value> {
        (name == "record").then_some(self.record)
    }

    fn now(&self) -> Timestamp {
        self.test.now
    }

    fn timezone(&self) -> &TimeZone {
        &self.test.timezone
    }

    fn calendar(&self) -> Result<&Calendar, ExpressionError> {
        Ok(&self.test.calendar)
    }
}
