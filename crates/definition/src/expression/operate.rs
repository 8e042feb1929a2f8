//! Operators between two values.

use std::cmp::Ordering;

use super::budget::Budget;
use super::calendar::add_business_days;
use super::evaluate::Evaluator;
use super::node::Operator;
use super::val::{Key, Val};
use super::{Duration, ExpressionError};
use crate::value::Exact;

/// Why two values do not go together.
pub(super) enum Misfit {
    /// The operator does not take their types.
    Types,
    Error(ExpressionError),
}

impl From<ExpressionError> for Misfit {
    fn from(error: ExpressionError) -> Self {
        Self::Error(error)
    }
}

type Operated<'a> = Result<Val<'a>, Misfit>;

/// Applies an operator.
pub(super) fn operate<'a>(
    evaluator: &mut Evaluator<'a>,
    operator: Operator,
    left: &Val<'a>,
    right: &Val<'a>,
) -> Operated<'a> {
    match operator {
        Operator::Equal => same(&mut evaluator.budget, left, right).map(Val::Bool),
        Operator::NotEqual => same(&mut evaluator.budget, left, right).map(|same| Val::Bool(!same)),
        Operator::Less => order(&mut evaluator.budget, left, right).map(|order| Val::Bool(order.is_lt())),
        Operator::LessOrEqual => order(&mut evaluator.budget, left, right).map(|order| Val::Bool(order.is_le())),
        Operator::Greater => order(&mut evaluator.budget, left, right).map(|order| Val::Bool(order.is_gt())),
        Operator::GreaterOrEqual => order(&mut evaluator.budget, left, right).map(|order| Val::Bool(order.is_ge())),
        Operator::In => contains(&mut evaluator.budget, right, left).map(Val::Bool),
        Operator::Add => add(evaluator, left, right),
        Operator::Subtract => subtract(evaluator, left, right),
        Operator::Multiply | Operator::Divide | Operator::Modulo => arithmetic(operator, left, right),
    }
}

/// What an author may have meant, to follow a message about types.
pub(super) fn hint(operator: Operator, left: &Val<'_>, right: &Val<'_>) -> &'static str {
    let either = |kind: &str| left.kind() == kind || right.kind() == kind;
    match operator {
        _ if either("null") => ": guard it with blank(…) or coalesce(…)",
        Operator::In if right.kind() == "text" => ": a text is searched with text.contains(…)",
        Operator::Add if either("text") => ": write string(…) around what is no text",
        _ if either("timestamp") && either("number") => ": write days(…) or duration(\"…\") around the number",
        _ if either("timestamp") && either("text") => ": write timestamp(…) or date(…) around the text",
        _ if either("duration") && either("text") => ": write duration(…) around the text",
        _ if either("duration") => ": months have no fixed length, and business days only a calendar",
        _ if either("number") && either("text") => ": write double(…) around the text, or string(…) around the number",
        Operator::Modulo if either("number") => ": it takes whole numbers, write int(…)",
        _ => "",
    }
}

/// `==`. Null equals only null; other types must agree, so that a filter never says a silent no.
fn same(budget: &mut Budget, left: &Val<'_>, right: &Val<'_>) -> Result<bool, Misfit> {
    match (left, right) {
        (Val::Null, _) | (_, Val::Null) => Ok(left.kind() == right.kind()),
        _ if left.kind() != right.kind() => Err(Misfit::Types),
        _ => Ok(equal(budget, left, right)?),
    }
}

/// Whether two values are equal, at any depth; values of different types are not.
pub(super) fn equal(budget: &mut Budget, left: &Val<'_>, right: &Val<'_>) -> Result<bool, ExpressionError> {
    budget.spend(1)?;
    Ok(match (left, right) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(left), Val::Bool(right)) => left == right,
        (Val::Text(left), Val::Text(right)) => {
            budget.spend_bytes(left.len().min(right.len()))?;
            **left == **right
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            budget.spend_bytes(left.len().min(right.len()))?;
            left == right
        }
        (Val::Time(left), Val::Time(right)) => left == right,
        (Val::Duration(left), Val::Duration(right)) => match (left.fixed(), right.fixed()) {
            (Some(left), Some(right)) => left == right,
            _ => left == right,
        },
        (Val::BusinessDays(left), Val::BusinessDays(right)) => left == right,
        (Val::Type(left), Val::Type(right)) => left == right,
        _ if left.kind() != right.kind() => false,
        _ => match left.kind() {
            "number" => left.as_exact() == right.as_exact(),
            "list" => equal_lists(budget, left, right)?,
            _ => equal_objects(budget, left, right)?,
        },
    })
}

fn equal_lists(budget: &mut Budget, left: &Val<'_>, right: &Val<'_>) -> Result<bool, ExpressionError> {
    if left.length() != right.length() {
        return Ok(false);
    }
    budget.spend_elements(left.elements_cost().saturating_add(right.elements_cost()))?;
    let pairs = left.elements().into_iter().flatten().zip(right.elements().into_iter().flatten());
    for (left, right) in pairs {
        if !equal(budget, &left, &right)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_objects(budget: &mut Budget, left: &Val<'_>, right: &Val<'_>) -> Result<bool, ExpressionError> {
    if left.length() != right.length() {
        return Ok(false);
    }
    budget.spend_elements(left.elements_cost())?;
    for key in left.elements().into_iter().flatten() {
        let (Some(left), Some(right)) = (left.element(&key), right.element(&key)) else { return Ok(false) };
        if !equal(budget, &left, &right)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `in`: among the elements of a list, or the keys of an object.
fn contains(budget: &mut Budget, holder: &Val<'_>, sought: &Val<'_>) -> Result<bool, Misfit> {
    budget.spend_elements(holder.elements_cost())?;
    match holder.kind() {
        "list" => {
            for element in holder.elements().into_iter().flatten() {
                if equal(budget, &element, sought)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        "object" if Key::of(sought).is_some() => Ok(holder.element(sought).is_some()),
        _ => Err(Misfit::Types),
    }
}

/// The order of two values.
fn order(budget: &mut Budget, left: &Val<'_>, right: &Val<'_>) -> Result<Ordering, Misfit> {
    Ok(match (left, right) {
        (Val::Bool(left), Val::Bool(right)) => left.cmp(right),
        (Val::Text(left), Val::Text(right)) => {
            budget.spend_bytes(left.len().min(right.len()))?;
            (**left).cmp(&**right)
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            budget.spend_bytes(left.len().min(right.len()))?;
            left.cmp(right)
        }
        (Val::Time(left), Val::Time(right)) => left.cmp(right),
        (Val::Duration(left), Val::Duration(right)) => match (left.fixed(), right.fixed()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => return Err(Misfit::Types),
        },
        _ => match (left.as_exact(), right.as_exact()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => return Err(Misfit::Types),
        },
    })
}

fn out_of_range() -> Misfit {
    ExpressionError::value("the duration is out of range").into()
}

fn add<'a>(evaluator: &mut Evaluator<'a>, left: &Val<'a>, right: &Val<'a>) -> Operated<'a> {
    match (left, right) {
        (Val::Text(left), Val::Text(right)) => {
            evaluator.budget.spend_bytes(left.len().saturating_add(right.len()))?;
            Ok(Val::text([&**left, &**right].concat()))
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            evaluator.budget.spend_bytes(left.len().saturating_add(right.len()))?;
            Ok(Val::Bytes([&**left, &**right].concat().into()))
        }
        (Val::Duration(left), Val::Duration(right)) => {
            left.checked_add(*right).map(Val::Duration).ok_or_else(out_of_range)
        }
        (Val::BusinessDays(left), Val::BusinessDays(right)) => Ok(Val::BusinessDays(left.saturating_add(*right))),
        (Val::Time(time), length) | (length, Val::Time(time)) => move_time(evaluator, *time, length, false),
        _ if left.kind() == "list" && right.kind() == "list" => {
            let length = left.length().unwrap_or(0) + right.length().unwrap_or(0);
            evaluator.budget.spend_elements(length)?;
            let elements = [left, right].into_iter().filter_map(Val::elements).flatten();
            Ok(Val::list(elements.collect()))
        }
        _ => arithmetic(Operator::Add, left, right),
    }
}

fn subtract<'a>(evaluator: &mut Evaluator<'a>, left: &Val<'a>, right: &Val<'a>) -> Operated<'a> {
    match (left, right) {
        (Val::Time(left), Val::Time(right)) => {
            Duration::from_time(left.duration_since(*right)).map(Val::Duration).ok_or_else(out_of_range)
        }
        (Val::Time(time), length) => move_time(evaluator, *time, length, true),
        (Val::Duration(_), Val::Duration(right)) => add(evaluator, left, &Val::Duration(right.negated())),
        (Val::BusinessDays(_), Val::BusinessDays(right)) => add(evaluator, left, &Val::BusinessDays(-right)),
        _ => arithmetic(Operator::Subtract, left, right),
    }
}

fn move_time<'a>(evaluator: &mut Evaluator<'a>, time: jiff::Timestamp, length: &Val<'a>, back: bool) -> Operated<'a> {
    let scope = evaluator.scope();
    evaluator.budget.spend(super::functions::CALENDAR)?;
    match length {
        Val::Duration(length) => {
            let length = if back { length.negated() } else { *length };
            Ok(Val::Time(length.after(time, scope.timezone())?))
        }
        Val::BusinessDays(days) => {
            evaluator.budget.spend(days.unsigned_abs())?;
            let days = if back { -days } else { *days };
            Ok(Val::Time(add_business_days(time, days, scope.timezone(), scope.calendar()?)?))
        }
        _ => Err(Misfit::Types),
    }
}

/// `+ - * / %` of numbers: exact between whole numbers, however they are written; in doubles as soon as one has a
/// fraction, or the quotient has.
fn arithmetic<'a>(operator: Operator, left: &Val<'a>, right: &Val<'a>) -> Operated<'a> {
    let (Some(a), Some(b)) = (left.as_exact(), right.as_exact()) else { return Err(Misfit::Types) };
    if matches!(operator, Operator::Divide | Operator::Modulo) && b == Exact::Whole(0) {
        return Err(ExpressionError::value("division by zero").into());
    }
    let result = match (a, b) {
        (Exact::Whole(a), Exact::Whole(b)) => whole(operator, a, b)?,
        _ => None,
    };
    let unsigned = matches!((left, right), (Val::Uint(_), Val::Uint(_)));
    let fits = |number: &i128| !unsigned || *number >= 0;
    // Doubles that are whole, and too large together, are doubles still.
    let in_doubles = [left, right].iter().any(|val| matches!(val, Val::Double(_)));
    let val = match result {
        Some(number) => match Val::integer(number).filter(|_| fits(&number)) {
            None if in_doubles => doubles(operator, a.nearest(), b.nearest())?,
            val => val,
        },
        None => doubles(operator, a.nearest(), b.nearest())?,
    };
    val.ok_or_else(|| ExpressionError::value(format!("the result of `{}` is out of range", operator.symbol())).into())
}

/// Of two whole numbers of 64 bits; `None` if the quotient has a fraction.
fn whole(operator: Operator, a: i128, b: i128) -> Result<Option<i128>, Misfit> {
    Ok(match operator {
        Operator::Add => Some(a + b),
        Operator::Subtract => Some(a - b),
        // Beyond 128 bits it is beyond 64.
        Operator::Multiply => Some(a.saturating_mul(b)),
        Operator::Divide => (a % b == 0).then(|| a / b),
        Operator::Modulo => Some(a % b),
        _ => return Err(Misfit::Types),
    })
}

/// In doubles; `None` if the result is none.
fn doubles<'a>(operator: Operator, left: f64, right: f64) -> Result<Option<Val<'a>>, Misfit> {
    let number = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        _ => return Err(Misfit::Types),
    };
    Ok(Some(Val::Double(number)).filter(|_| number.is_finite()))
}

/// A number as a double, rounded if it is a very large integer.
pub(super) fn double(val: &Val<'_>) -> Option<f64> {
    val.as_exact().map(Exact::nearest)
}
