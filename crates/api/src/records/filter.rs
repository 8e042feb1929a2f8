//! Typed filters: tests of fields, their operands brought to the types of the fields.

use jiff::tz::TimeZone;
use pawl_definition::Object;
use pawl_engine::{RecordQuery, ResolvedTest, fields};
use serde_json::{Map, Value};

use crate::{Code, Problem};

/// The operators.
const OPERATORS: [&str; 9] = ["equals", "not", "in", "gt", "gte", "lt", "lte", "contains", "blank"];

/// Makes a query of an object. `tests` is `{field: value}` or `{field: {operator: value, …}}`; all must hold.
pub(super) fn query(
    object: &Object,
    tests: &Map<String, Value>,
    order: Option<&str>,
    limit: usize,
) -> Result<RecordQuery, Problem> {
    let mut resolved = Vec::new();
    for (field, written) in tests {
        let tests = known(object, field).and_then(|()| of_field(object, field, written));
        resolved.extend(tests.map_err(|problem| problem.at(format!("where.{field}")))?);
    }
    let order = order.map(|order| match order.strip_prefix('-') {
        Some(field) => (field, true),
        None => (order, false),
    });
    if let Some((field, _)) = order {
        known(object, field).map_err(|problem| problem.at("order"))?;
    }
    let order = order.map(|(field, descending)| (field.to_owned(), descending));
    Ok(RecordQuery { order, ..RecordQuery::new(&object.id, resolved, limit) })
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(Code::BadFilter, detail)
}

fn known(object: &Object, field: &str) -> Result<(), Problem> {
    let names = object.names();
    if names.contains(&field) && field != "object" {
        return Ok(());
    }
    Err(bad(format!("expected a field of {:?} ({}), found {field:?}", object.id, names.join(", "))))
}

fn of_field(object: &Object, field: &str, written: &Value) -> Result<Vec<ResolvedTest>, Problem> {
    let test = |operator, operand: &Value| {
        let value = fields::operand(object, field, operator, operand.clone(), &TimeZone::UTC);
        let value = value.map_err(|error| bad(error.message))?;
        Ok(ResolvedTest { field: field.to_owned(), operator, value })
    };
    match written.as_object().filter(|keys| !keys.is_empty()) {
        None => Ok(vec![test("equals", written)?]),
        Some(keys) => keys
            .iter()
            .map(|(word, operand)| {
                let operator = OPERATORS.into_iter().find(|operator| operator == word);
                let expected = || bad(format!("expected an operator ({}), found {word:?}", OPERATORS.join(", ")));
                test(operator.ok_or_else(expected)?, operand)
            })
            .collect(),
    }
}
