//! Functions of the language. Each may be called as `f(x, …)` or as `x.f(…)`.
//!
//! Beside them the parser's tree knows `has`, `blank`, `coalesce` and the loops, whose arguments are not evaluated
//! before they are called.

mod convert;
mod number;
mod text;
mod time;

use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::ExpressionError;
use super::evaluate::{Evaluator, Outcome, described};
use super::node::Node;
use super::secret::secret_placeholder;
use super::val::{Text, Val};

pub(super) use text::compile;

/// One function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// How many arguments it takes.
    pub(super) arguments: RangeInclusive<usize>,
    pub(super) run: Run,
}

type Run = for<'c, 'a> fn(&mut Call<'c, 'a>) -> Outcome<'a>;

const fn function(name: &'static str, arguments: RangeInclusive<usize>, run: Run) -> Function {
    Function { name, arguments, run }
}

static FUNCTIONS: &[Function] = &[
    function("bool", 1..=1, convert::to_bool),
    function("business_days", 1..=1, time::business_days),
    function("bytes", 1..=1, convert::to_bytes),
    function("contains", 2..=2, text::contains),
    function("date", 1..=1, time::date),
    function("days", 1..=1, time::days),
    function("double", 1..=1, convert::to_double),
    function("duration", 1..=1, time::duration),
    function("dyn", 1..=1, convert::to_dyn),
    function("endsWith", 2..=2, text::ends_with),
    function("getDate", 1..=2, time::get),
    function("getDayOfMonth", 1..=2, time::get),
    function("getDayOfWeek", 1..=2, time::get),
    function("getDayOfYear", 1..=2, time::get),
    function("getFullYear", 1..=2, time::get),
    function("getHours", 1..=2, time::get),
    function("getMilliseconds", 1..=2, time::get),
    function("getMinutes", 1..=2, time::get),
    function("getMonth", 1..=2, time::get),
    function("getSeconds", 1..=2, time::get),
    function("in_zone", 2..=2, time::in_zone),
    function("int", 1..=1, convert::to_int),
    function("join", 1..=2, text::join),
    function("json", 1..=1, convert::json),
    function("lower", 1..=1, text::lower),
    function("matches", 2..=2, text::matches),
    function("months", 1..=1, time::months),
    function("parse_json", 1..=1, convert::parse_json),
    function("replace", 3..=3, text::replace),
    function("round", 1..=2, number::round),
    function("secret", 1..=1, secret),
    function("size", 1..=1, text::size),
    function("split", 2..=2, text::split),
    function("startsWith", 2..=2, text::starts_with),
    function("string", 1..=1, convert::to_string),
    function("timestamp", 1..=1, time::timestamp),
    function("trim", 1..=1, text::trim),
    function("type", 1..=1, convert::type_of),
    function("uint", 1..=1, convert::to_uint),
    function("upper", 1..=1, text::upper),
];

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// Every name.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// A call under way.
pub(super) struct Call<'c, 'a> {
    pub(super) name: &'static str,
    pub(super) nodes: &'a [Node],
    pub(super) arguments: &'c [Val<'a>],
    pub(super) evaluator: &'c mut Evaluator<'a>,
}

impl<'a> Call<'_, 'a> {
    fn first(&self) -> Val<'a> {
        self.arguments.first().cloned().unwrap_or(Val::Null)
    }

    /// The text at a place.
    fn text(&self, place: usize) -> Result<Text<'a>, ExpressionError> {
        match self.arguments.get(place) {
            Some(Val::Text(text)) => Ok(text.clone()),
            _ => Err(self.wrong(place, "text")),
        }
    }

    /// The whole number at a place.
    fn integer(&self, place: usize) -> Result<i64, ExpressionError> {
        let number = self.arguments.get(place).and_then(Val::whole_number);
        number.and_then(|number| i64::try_from(number).ok()).ok_or_else(|| self.wrong(place, "a whole number"))
    }

    /// The time at a place, which may also be a text in RFC 3339.
    fn time(&self, place: usize) -> Result<Timestamp, ExpressionError> {
        match self.arguments.get(place) {
            Some(Val::Time(time)) => Ok(*time),
            Some(Val::Text(text)) => time::parse_timestamp(text),
            _ => Err(self.wrong(place, "a timestamp, or text such as \"2026-11-21T09:00:00Z\"")),
        }
    }

    fn wrong(&self, place: usize, expected: &str) -> ExpressionError {
        let name = self.name;
        let found = self.arguments.get(place).map_or("nothing".to_owned(), |val| described(self.nodes.get(place), val));
        ExpressionError::wrong_type(format!("{name}() expects {expected}, found {found}"))
    }

    fn bad(&self, message: impl std::fmt::Display) -> ExpressionError {
        ExpressionError::value(format!("{}(): {message}", self.name))
    }
}

/// `secret("name")`. That the name is written down and not computed is checked when the expression is read: no data may
/// choose a secret.
fn secret<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let name = call.text(0)?;
    if !call.evaluator.scope().secrets() {
        return Err(ExpressionError::Secret { name: name.to_string() });
    }
    Ok(Val::text(secret_placeholder(&name)))
}

/// Whether a secret may have this name: it then needs no escape in a placeholder.
pub(super) fn is_secret_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    (1..=128).contains(&name.len()) && name.chars().all(fits)
}
