//! The types of the check and the rules of a running expression agree, over every operator and function.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::{Expression, Scope, Source, check_object, check_workflow};
use serde_json::{Value, json};

/// One value of each kind, of the record as far as a record holds it.
const OPERANDS: [&str; 14] = [
    "record.total",
    "record.note",
    "record.rush",
    "record.labels",
    "record.extra",
    "now",
    "duration('1h')",
    "business_days(2)",
    "7",
    "'t'",
    "b'x'",
    "[1]",
    "{'a': 1}",
    "string",
];

const OPERATORS: [&str; 14] = ["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "in", "&&", "||"];

/// Functions with what follows their first argument.
const CALLS: [(&str, &str); 37] = [
    ("bool", ""),
    ("business_days", ""),
    ("bytes", ""),
    ("contains", ", 'a'"),
    ("date", ""),
    ("days", ""),
    ("double", ""),
    ("duration", ""),
    ("dyn", ""),
    ("endsWith", ", 'a'"),
    ("getDate", ""),
    ("getDayOfMonth", ""),
    ("getDayOfWeek", ""),
    ("getDayOfYear", ""),
    ("getFullYear", ""),
    ("getHours", ""),
    ("getMilliseconds", ""),
    ("getMinutes", ""),
    ("getMonth", ""),
    ("getSeconds", ""),
    ("in_zone", ", 'UTC'"),
    ("int", ""),
    ("join", ""),
    ("lower", ""),
    ("matches", ", 'a'"),
    ("months", ""),
    ("parse_json", ""),
    ("replace", ", 'a', 'b'"),
    ("round", ""),
    ("size", ""),
    ("split", ", 'a'"),
    ("startsWith", ", 'a'"),
    ("string", ""),
    ("timestamp", ""),
    ("trim", ""),
    ("uint", ""),
    ("upper", ""),
];

/// A record with a value in every field.
struct Filled;

impl Scope for Filled {
    fn root(&self, name: &str) -> Option<Value> {
        let record = json!({"total": 5, "note": "x", "rush": true, "labels": ["a"], "extra": {"k": 1}});
        (name == "record").then_some(record)
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn timezone(&self) -> &TimeZone {
        static UTC: TimeZone = TimeZone::UTC;
        &UTC
    }
}

/// Which of these expressions, each in a step of its own, the check says never to fit their types.
fn told(expressions: &[String]) -> BTreeSet<usize> {
    let object = "object: o\nfields: {total: {type: number}, note: {type: text}, rush: {type: boolean}, labels: {type: text, many: true}, extra: {type: object}}";
    let object = check_object(&Source::parse("o.yaml", object).expect("it is YAML")).0.expect("it is right");
    let step = |(at, cel): (usize, &String)| json!({"id": format!("s{at}"), "type": "condition", "if": cel, "yes": []});
    let steps: Vec<_> = expressions.iter().enumerate().map(step).collect();
    let file = json!({"workflow": "w", "owner": "a@example.com", "object": "o", "steps": steps});
    let objects = BTreeMap::from([("o".to_owned(), object)]);
    let (_, problems) = check_workflow(&Source::from_value("w.yaml", file), &objects);
    let place = |path: &str| path.strip_prefix("steps[")?.split(']').next()?.parse().ok();
    problems
        .iter()
        .filter(|problem| problem.code == "expression_type")
        .filter_map(|problem| place(&problem.path))
        .collect()
}

/// Whether an expression fails by its types on a record that has every value.
fn fails(cel: &str) -> bool {
    let run = Expression::parse(cel).expect("it is CEL").evaluate(&Filled);
    run.is_err_and(|error| error.code() == "expression_type")
}

/// How many expressions are checked in one file: not all of more mistakes would be told.
const A_FILE: usize = 50;

#[track_caller]
fn agree(expressions: &[String]) {
    let mut differing = Vec::new();
    for expressions in expressions.chunks(A_FILE) {
        let told = told(expressions);
        let differs = expressions.iter().enumerate().filter(|(at, cel)| told.contains(at) != fails(cel));
        let verdict = |at| if told.contains(&at) { "told, and runs" } else { "fails untold" };
        differing.extend(differs.map(|(at, cel)| format!("{cel}: {}", verdict(at))));
    }
    assert_eq!(differing, [""; 0]);
}

#[test]
fn every_operator_between_every_two_kinds() {
    let mut expressions = Vec::new();
    for operator in OPERATORS {
        for left in OPERANDS {
            // The right side is looked at whatever the left side says.
            expressions.extend(OPERANDS.map(|right| match operator {
                "&&" => format!("blank({left} == {left} && {right})"),
                "||" => format!("blank({left} != {left} || {right})"),
                _ => format!("blank({left} {operator} {right})"),
            }));
        }
    }
    agree(&expressions);
}

#[test]
fn every_function_of_every_kind() {
    let calls = CALLS.iter().flat_map(|(name, rest)| OPERANDS.map(|operand| format!("blank({name}({operand}{rest}))")));
    let loops = ["all", "exists", "exists_one", "map", "filter"]
        .into_iter()
        .flat_map(|name| OPERANDS.map(|operand| format!("blank({operand}.{name}(x, true))")));
    let others = OPERANDS.iter().flat_map(|operand| {
        [format!("blank(!{operand})"), format!("blank(-{operand})"), format!("blank({operand} ? 1 : 2)")]
    });
    agree(&calls.chain(loops).chain(others).collect::<Vec<_>>());
}
