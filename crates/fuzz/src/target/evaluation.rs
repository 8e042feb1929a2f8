//! Expressions and templates. The first part of an input is the text; the second is what it is evaluated over.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::json::{self, Bounds};
use pawl_definition::{Expression, ExpressionError, Scope, Template};
use serde_json::Value;

use super::{PART, parts};
use crate::Random;
use crate::make::{expression, json as values};

pub(super) fn make(random: &mut Random) -> Vec<u8> {
    let text = expression::expression(random, 4);
    [text.as_bytes(), PART, data(random).as_bytes()].concat()
}

pub(super) fn make_text(random: &mut Random) -> Vec<u8> {
    expression::expression(random, 6).into_bytes()
}

pub(super) fn make_template(random: &mut Random) -> Vec<u8> {
    let text = expression::template(random);
    [text.as_bytes(), PART, data(random).as_bytes()].concat()
}

/// Data to evaluate over: small, or wide enough that loops over it are costly.
fn data(random: &mut Random) -> String {
    let lines: Vec<Value> = (0..random.size(20_000)).map(|at| format!("sku-{at:06}-x").into()).collect();
    let prices = (0..random.size(20_000)).map(|at| (format!("sku-{at:06}"), at.into())).collect();
    let mut body = values::object(random, 3);
    body.insert("lines".to_owned(), lines.into());
    body.insert("prices".to_owned(), Value::Object(prices));
    let x = values::value(random, 4);
    serde_json::json!({"trigger": {"body": body}, "vars": {"x": x}, "record": {"email": "ada@example.com"}}).to_string()
}

/// What an input is evaluated over.
struct World {
    roots: Value,
    zone: TimeZone,
}

impl World {
    fn read(text: &[u8]) -> Self {
        let roots = json::parse(text, &Bounds::OUTSIDE).unwrap_or_default();
        Self { roots, zone: TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC) }
    }
}

impl Scope for World {
    fn root(&self, name: &str) -> Option<Value> {
        self.roots.get(name).cloned()
    }
    fn root_ref(&self, name: &str) -> Option<&Value> {
        self.roots.get(name)
    }
    fn now(&self) -> Timestamp {
        Timestamp::constant(1_795_249_800, 0)
    }
    fn timezone(&self) -> &TimeZone {
        &self.zone
    }
}

/// A text is an expression or is refused, in bounded words.
pub(super) fn parse(input: &[u8]) {
    if let Err(error) = Expression::parse(&String::from_utf8_lossy(input)) {
        assert!(error.to_string().len() < 20_000, "an error repeats little");
    }
}

fn judge(made: Result<Value, ExpressionError>) {
    match made {
        Ok(value) => json::check(&value, &Bounds::MADE).expect("what is made is within bounds"),
        Err(error) => assert!(error.to_string().len() < 20_000, "an error repeats little"),
    }
}

/// A value that is made is within bounds.
pub(super) fn evaluate(input: &[u8]) {
    let (text, data) = parts(input);
    let Ok(expression) = Expression::parse(&String::from_utf8_lossy(text)) else { return };
    judge(expression.evaluate(&World::read(data)));
}

/// The same of a template.
pub(super) fn template(input: &[u8]) {
    let (text, data) = parts(input);
    let Ok(template) = Template::parse(&Value::from(String::from_utf8_lossy(text))) else { return };
    if template.literal().is_none() {
        judge(template.resolve(&World::read(data)));
    }
}
