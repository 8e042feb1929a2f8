//! Bad input: each line of `tests/corpus` is refused by its documented error, at its place, and changes nothing.
//!
//! A line is `<errors> | <input>`. `UPDATE=1` writes the errors that are told; read them before they are committed.

use std::path::Path;

use http::Method;
use pawl_runtime::ports::{Item, Table};
use serde_json::{Value, json};

use crate::shop::{INTAKE, ORDER, REMIND, REPORT};
use crate::surface::{Answer, Call, Surface, surface};

/// An object with a field of every type.
const THING: &str = "
object: thing
fields:
  number: {type: text, unique: true}
  email: {type: email}
  amount: {type: number}
  priority: {type: option, options: [low, high]}
  due: {type: datetime}
  day: {type: date}
  phone: {type: phone}
  site: {type: url}
  price: {type: money}
  paper: {type: file}
  key: {type: uuid}
  paid: {type: boolean}
  labels: {type: text, many: true}
relationships:
  buyer: {object: order}
  parts: {object: order, many: true}
stages: [new, done]
";

/// A type of activities.
const CALL: &str = "
activity: call
objects: [order]
fields: {topic: {type: text, required: true}, minutes: {type: number}}
";

/// In the place of errors, if there are none.
const ACCEPTED: &str = "accepted";

/// An order can be written to.
fn order() -> String {
    format!("{ORDER}contact: {{email: email}}\n")
}

fn shop() -> Surface {
    let surface = surface().object(&order()).object(THING).workflow(REMIND).workflow(REPORT).workflow(INTAKE);
    let surface = surface.secret("shop", "hunter2").record("order", "o1", json!({"number": "1"}));
    surface.put("/v1/activity-types/call").text(CALL).send().expect(201);
    surface
}

/// Refuses each line of a file.
fn refuses(file: &str, call: impl for<'a> Fn(&'a Surface, &str) -> Call<'a>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(file);
    let corpus = std::fs::read_to_string(&path).expect("the corpus is there");
    let mut surface = shop();
    let before = stored(&surface, file);
    let mut lines = Vec::new();
    for line in corpus.lines() {
        let (_, input) = line.split_once(" | ").expect("a line is `<errors> | <input>`");
        let errors = errors(&call(&surface, input).send());
        lines.push(format!("{errors} | {input}\n"));
        if errors == ACCEPTED {
            surface = shop();
        }
        assert!(stored(&surface, file) == before, "{file}: something changed by {input}");
    }
    let told = lines.concat();
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        std::fs::write(&path, &told).expect("the corpus can be written");
    }
    let differing: Vec<_> = corpus.lines().zip(told.lines()).filter(|(expected, told)| expected != told).collect();
    assert!(differing.is_empty(), "{file}: {differing:#?}");
    assert!(!told.contains(ACCEPTED), "{file}: what is accepted is no bad input");
}

/// The error of an answer; of a file, those of its places. Each has its page.
fn errors(answer: &Answer) -> String {
    if answer.status.is_success() {
        return ACCEPTED.to_owned();
    }
    assert_ne!(answer.status, 500, "{}", answer.text);
    let code = |problem: &Value| {
        let code = problem["code"].as_str().expect("a problem has a code").to_owned();
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/errors/{code}.md"));
        assert!(page.exists(), "{code} has no page");
        code
    };
    let places: Vec<_> = answer.body["problems"].as_array().into_iter().flatten().collect();
    let places = places.iter().filter(|problem| problem["severity"] == "error");
    let places: Vec<_> =
        places.map(|problem| format!("{} {}", code(problem), problem["path"].as_str().unwrap_or("-"))).collect();
    let whole = code(&answer.body);
    if places.is_empty() { whole } else { places.join(", ") }
}

/// What is stored. Refusals of deliveries are kept for people, and are no change.
fn stored(surface: &Surface, file: &str) -> Vec<Item> {
    let tables = [Table::Workflows, Table::Records, Table::Executions, Table::Keys];
    let tables = &tables[..if file == "hooks.txt" { 2 } else { 4 }];
    tables.iter().flat_map(|table| surface.world.store.items(*table)).collect()
}

/// `GET /v1/workflows {…}`: method, path and body.
fn written<'a>(surface: &'a Surface, input: &str) -> Call<'a> {
    let mut parts = input.splitn(3, ' ');
    let method: Method = parts.next().and_then(|method| method.parse().ok()).expect("a line begins with a method");
    let call = surface.call(method, parts.next().expect("a path follows"));
    match parts.next() {
        Some(body) => call.header("content-type", "application/json").text(body),
        None => call,
    }
}

fn json_body<'a>(call: Call<'a>, body: &str) -> Call<'a> {
    call.header("content-type", "application/json").text(body)
}

#[test]
fn workflows_are_refused() {
    refuses("workflows.txt", |surface, input| surface.post("/v1/workflows").text(input));
}

#[test]
fn steps_are_refused() {
    refuses("steps.txt", |surface, step| {
        let text = format!("workflow: w\nowner: a@example.com\nobject: order\nsteps:\n  - {step}\n");
        surface.post("/v1/workflows").text(&text)
    });
}

#[test]
fn triggers_are_refused() {
    refuses("triggers.txt", |surface, trigger| {
        let head = "workflow: w\nowner: a@example.com\nobject: order";
        let text = format!("{head}\ntriggers:\n  - {trigger}\nsteps:\n  - {{id: end, type: note, text: end}}\n");
        surface.post("/v1/workflows").text(&text)
    });
}

#[test]
fn objects_are_refused() {
    refuses("objects.txt", |surface, input| surface.post("/v1/objects").text(input));
}

#[test]
fn groups_and_calendars_are_refused() {
    refuses("definitions.txt", |surface, input| {
        let (kind, text) = input.split_once(' ').expect("a line begins with the kind");
        surface.put(&format!("/v1/{kind}/x")).text(text)
    });
}

#[test]
fn records_are_refused() {
    refuses("records.txt", |surface, body| json_body(surface.post("/v1/objects/thing/records"), body));
}

#[test]
fn searches_are_refused() {
    refuses("finds.txt", |surface, body| json_body(surface.post("/v1/objects/thing/records/find"), body));
}

#[test]
fn calls_are_refused() {
    refuses("calls.txt", written);
}

#[test]
fn deliveries_are_refused() {
    refuses("hooks.txt", written);
}
