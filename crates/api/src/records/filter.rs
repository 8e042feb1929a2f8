//! Typed filters: tests of fields, their operands brought to the types of the fields.

use jiff::tz::TimeZone;
use pawl_definition::{Field, Object};
use pawl_engine::{RecordQuery, ResolvedTest, coerce, fields};
use serde_json::{Map, Value};

use crate::{Code, Problem};

/// The operators.
const OPERATORS: [&str; 9] = ["equals", "not", "in", "gt", "gte", "lt", "lte", "contains", "blank"];

/// What every record has and can be tested beside its fields.
const BUILT_IN: [&str; 3] = ["id", "created_at", "updated_at"];

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
    Ok(RecordQuery { object: object.id.clone(), tests: resolved, order, limit })
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
        let value = operand_of(object, field, operator, operand)?;
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

/// Brings an operand to the type that its operator and field ask for.
fn operand_of(object: &Object, field: &str, operator: &str, operand: &Value) -> Result<Value, Problem> {
    match operator {
        "blank" if operand.is_boolean() => Ok(operand.clone()),
        "blank" => Err(bad(format!("expected true or false for blank, found {operand}"))),
        "in" => {
            let list = operand.as_array().ok_or_else(|| bad(format!("expected a list for in, found {operand}")))?;
            list.iter().map(|one| whole(object, field, one)).collect::<Result<_, _>>().map(Value::Array)
        }
        "equals" | "not" => whole(object, field, operand),
        _ if operand.is_null() => Err(bad(format!("expected a value for {operator}, found null"))),
        "contains" => part(object, field, operand),
        _ => match object.fields.get(field) {
            Some(kind) if kind.many => Err(bad(format!("expected a field with an order for {operator}, found a list"))),
            _ => whole(object, field, operand),
        },
    }
}

/// A value of the field.
fn whole(object: &Object, field: &str, value: &Value) -> Result<Value, Problem> {
    if !BUILT_IN.contains(&field) {
        return fields::coerce_field(object, field, value.clone(), &TimeZone::UTC).map_err(|error| bad(error.message));
    }
    let is_time = field != "id";
    let text = value.as_str().ok_or_else(|| bad(format!("expected a text for {field}, found {value}")))?;
    if !is_time {
        return Ok(value.clone());
    }
    let at: Result<jiff::Timestamp, _> = text.parse();
    at.map(|at| at.to_string().into()).map_err(|_| bad(format!("expected a time for {field}, found {value}")))
}

/// A part of the field: a text in a text, or one value of a list.
fn part(object: &Object, field: &str, value: &Value) -> Result<Value, Problem> {
    match object.fields.get(field) {
        Some(kind) if kind.many => coerce::field(value.clone(), &Field { many: false, ..kind.clone() }, &TimeZone::UTC)
            .map_err(|error| bad(error.message)),
        _ if value.is_string() => Ok(value.clone()),
        _ => Err(bad(format!("expected a text for contains, found {value}"))),
    }
}
