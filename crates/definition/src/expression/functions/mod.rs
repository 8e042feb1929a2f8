//! Functions of the language. Each may be called as `f(x, …)` or as `x.f(…)`.
//!
//! Beside them the parser's tree knows `has`, `blank`, `coalesce` and the loops, whose arguments are not evaluated
//! before they are called.

mod convert;
mod encode;
mod group;
mod lookup;
mod number;
mod text;
mod time;

use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::ExpressionError;
use super::evaluate::{Evaluator, Outcome, described};
use super::node::Node;
use super::secret::{placeholders, secret_placeholder};
use super::val::{Text, Val};
use crate::types::Kinds;

pub(super) use text::compile;

/// One function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// How many arguments it takes.
    pub(super) arguments: RangeInclusive<usize>,
    /// Units of work of a call, beside what it says itself.
    pub(super) cost: u64,
    pub(super) run: Run,
    /// The kinds that each argument may be of; any for those that are not listed.
    pub(super) takes: &'static [Kinds],
    /// The kinds of what it gives.
    pub(super) gives: Kinds,
}

/// What it costs to ask a calendar, in units of work: time zones are looked up and their rules applied.
pub(super) const CALENDAR: u64 = 50;

type Run = for<'c, 'a> fn(&mut Call<'c, 'a>) -> Outcome<'a>;

const fn function(name: &'static str, arguments: RangeInclusive<usize>, run: Run) -> Function {
    Function { name, arguments, cost: 1, run, takes: &[], gives: Kinds::ANY }
}

/// A function that asks a calendar, or makes a record of data.
const fn calendar(name: &'static str, arguments: RangeInclusive<usize>, run: Run) -> Function {
    Function { name, arguments, cost: CALENDAR, run, takes: &[], gives: Kinds::ANY }
}

impl Function {
    /// What it takes and gives, as far as that is known before it runs.
    const fn typed(self, takes: &'static [Kinds], gives: Kinds) -> Self {
        Self { takes, gives, ..self }
    }
}

const TEXT: Kinds = Kinds::TEXT;
const NUMBER: Kinds = Kinds::NUMBER;
const BOOLEAN: Kinds = Kinds::BOOLEAN;
/// A time, or a text that says one.
const MOMENT: Kinds = Kinds::TIME.or(TEXT);
/// A time, a text that says one, or a length of time.
const CLOCK: Kinds = MOMENT.or(Kinds::DURATION);
/// What can be written as text.
const SIMPLE: Kinds = TEXT.or(NUMBER).or(BOOLEAN).or(Kinds::BYTES).or(Kinds::TIME).or(Kinds::DURATION).or(Kinds::TYPE);

static FUNCTIONS: &[Function] = &[
    function("base64", 1..=1, encode::base64).typed(&[SIMPLE], TEXT),
    function("base64_decode", 1..=1, encode::base64_decode).typed(&[TEXT], TEXT),
    function("bool", 1..=1, convert::to_bool).typed(&[TEXT.or(BOOLEAN)], BOOLEAN),
    calendar("business_days", 1..=1, time::business_days).typed(&[NUMBER], Kinds::BUSINESS_DAYS),
    function("bytes", 1..=1, convert::to_bytes).typed(&[TEXT.or(Kinds::BYTES)], Kinds::BYTES),
    function("contains", 2..=2, text::contains).typed(&[TEXT, TEXT], BOOLEAN),
    calendar("date", 1..=1, time::date).typed(&[MOMENT], Kinds::TIME),
    calendar("days", 1..=1, time::days).typed(&[NUMBER], Kinds::DURATION),
    function("double", 1..=1, convert::to_double).typed(&[NUMBER.or(TEXT)], NUMBER),
    calendar("duration", 1..=1, time::duration)
        .typed(&[TEXT.or(Kinds::DURATION).or(Kinds::BUSINESS_DAYS)], Kinds::DURATION.or(Kinds::BUSINESS_DAYS)),
    function("dyn", 1..=1, convert::to_dyn),
    function("endsWith", 2..=2, text::ends_with).typed(&[TEXT, TEXT], BOOLEAN),
    calendar("getDate", 1..=2, time::get).typed(&[MOMENT, TEXT], NUMBER),
    calendar("getDayOfMonth", 1..=2, time::get).typed(&[MOMENT, TEXT], NUMBER),
    calendar("getDayOfWeek", 1..=2, time::get).typed(&[MOMENT, TEXT], NUMBER),
    calendar("getDayOfYear", 1..=2, time::get).typed(&[MOMENT, TEXT], NUMBER),
    calendar("getFullYear", 1..=2, time::get).typed(&[MOMENT, TEXT], NUMBER),
    calendar("getHours", 1..=2, time::get).typed(&[CLOCK, TEXT], NUMBER),
    calendar("getMilliseconds", 1..=2, time::get).typed(&[CLOCK, TEXT], NUMBER),
    calendar("getMinutes", 1..=2, time::get).typed(&[CLOCK, TEXT], NUMBER),
    calendar("getMonth", 1..=2, time::get).typed(&[MOMENT, TEXT], NUMBER),
    calendar("getSeconds", 1..=2, time::get).typed(&[CLOCK, TEXT], NUMBER),
    function("hmac_sha256", 2..=3, encode::hmac_sha256).typed(&[SIMPLE, SIMPLE, TEXT], TEXT),
    function("in_group", 2..=2, group::in_group).typed(&[Kinds::OBJECT, TEXT], BOOLEAN),
    calendar("in_zone", 2..=2, time::in_zone).typed(&[MOMENT, TEXT], Kinds::OBJECT),
    function("int", 1..=1, convert::to_int).typed(&[NUMBER.or(TEXT).or(Kinds::TIME)], NUMBER),
    function("join", 1..=2, text::join).typed(&[Kinds::LIST, TEXT], TEXT),
    function("json", 1..=1, convert::json).typed(&[], TEXT),
    calendar("lookup", 2..=2, lookup::lookup).typed(&[TEXT, Kinds::OBJECT], Kinds::OBJECT.or(Kinds::NULL)),
    function("lower", 1..=1, text::lower).typed(&[TEXT], TEXT),
    function("matches", 2..=2, text::matches).typed(&[TEXT, TEXT], BOOLEAN),
    calendar("months", 1..=1, time::months).typed(&[NUMBER], Kinds::DURATION),
    function("parse_json", 1..=1, convert::parse_json).typed(&[TEXT], Kinds::ANY),
    function("replace", 3..=3, text::replace).typed(&[TEXT, TEXT, TEXT], TEXT),
    function("round", 1..=2, number::round).typed(&[NUMBER, NUMBER], NUMBER),
    function("secret", 1..=1, secret).typed(&[TEXT], TEXT),
    function("sha256", 1..=2, encode::sha256).typed(&[SIMPLE, TEXT], TEXT),
    function("size", 1..=1, text::size).typed(&[TEXT.or(Kinds::BYTES).or(Kinds::LIST).or(Kinds::OBJECT)], NUMBER),
    function("split", 2..=2, text::split).typed(&[TEXT, TEXT], Kinds::LIST),
    function("startsWith", 2..=2, text::starts_with).typed(&[TEXT, TEXT], BOOLEAN),
    function("string", 1..=1, convert::to_string).typed(&[SIMPLE], TEXT),
    calendar("timestamp", 1..=1, time::timestamp).typed(&[MOMENT.or(NUMBER)], Kinds::TIME),
    function("trim", 1..=1, text::trim).typed(&[TEXT], TEXT),
    function("type", 1..=1, convert::type_of).typed(&[], Kinds::TYPE),
    function("uint", 1..=1, convert::to_uint).typed(&[NUMBER.or(TEXT).or(Kinds::TIME)], NUMBER),
    function("upper", 1..=1, text::upper).typed(&[TEXT], TEXT),
    function("urlencode", 1..=1, encode::urlencode).typed(&[SIMPLE], TEXT),
];

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// Every name.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// Every name, in words, with those that the parser's tree knows.
pub(crate) fn all_names() -> String {
    let special = ["blank", "coalesce", "has", "all", "exists", "exists_one", "map", "filter"];
    names().chain(special).collect::<Vec<_>>().join(", ")
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

    /// The text at a place. A function that looks at it, or changes it, would find a placeholder in a secret's place, and
    /// could make that of another secret of it.
    fn text(&self, place: usize) -> Result<Text<'a>, ExpressionError> {
        match self.arguments.get(place) {
            Some(Val::Text(text)) if placeholders(text).next().is_some() && self.evaluator.scope().secrets() => {
                Err(self.bad("nothing can be computed from a secret but by base64, urlencode, sha256 and hmac_sha256"))
            }
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

/// Whether a group may have this id.
pub(super) fn is_group_id(id: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    (1..=64).contains(&id.len()) && id.chars().all(fits)
}

/// Whether a secret may have this name: it then needs no escape in a placeholder.
pub(super) fn is_secret_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    (1..=128).contains(&name.len()) && name.chars().all(fits)
}
