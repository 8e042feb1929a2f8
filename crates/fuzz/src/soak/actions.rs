//! What is sent.

use serde_json::{Value, json};

use super::client::Request;
use crate::Random;
use crate::make::{json as values, workflow};

/// Webhooks of the installation.
const HOOKS: [&str; 8] =
    ["intake/open", "intake/known", "intake/by-id", "intake/any", "wrap/in", "lookup/in", "lookup/text", "made-1/in"];

/// Paths that are read.
const READ: [&str; 20] = [
    "/v1/executions",
    "/v1/executions?workflow=ID",
    "/v1/executions?record=order/ID",
    "/v1/executions?status=ID",
    "/v1/executions/ID",
    "/v1/executions/ID/history",
    "/v1/executions/ID/event",
    "/v1/workflows",
    "/v1/workflows/ID",
    "/v1/workflows/ID/graph",
    "/v1/workflows/ID/revisions",
    "/v1/workflows/ID/refusals",
    "/v1/workflows/intake/refusals?limit=ID",
    "/v1/objects/ID/records",
    "/v1/objects/order/records?order=ID",
    "/v1/objects/order/records?where=ID",
    "/v1/objects/order/records?cursor=ID",
    "/v1/objects/order/records/ID",
    "/v1/notices",
    "/v1/audit?cursor=ID",
];

/// Paths that take JSON. Those that would stop all the others are among them, and are taken back.
const WRITTEN: [&str; 12] = [
    "/v1/workflows/ID/start",
    "/v1/workflows/wrap/start",
    "/v1/workflows/intake/start",
    "/v1/objects/order/records",
    "/v1/objects/order/records/find",
    "/v1/executions/ID/pause",
    "/v1/executions/ID/cancel",
    "/v1/executions/ID/skip",
    "/v1/workflows/made-2/kill",
    "/v1/workflows/made-2/lift",
    "/v1/installation/redrive",
    "/v1/installation/lift",
];

/// One request.
pub(super) fn action(random: &mut Random) -> Request {
    match random.below(20) {
        0..=8 => hook(random),
        9..=12 => Request {
            method: "GET",
            target: filled(random.pick(&READ), &id(random)),
            headers: Vec::new(),
            body: Vec::new(),
        },
        13..=16 => written(random),
        17 => Request {
            method: random.pick(&["PUT", "PATCH"]),
            target: filled("/v1/objects/order/records/ID", &id(random)),
            headers: vec![json_type()],
            body: body(random),
        },
        18 => definition(random, "/v1/check"),
        _ => definition(random, "/v1/workflows"),
    }
}

fn json_type() -> (&'static str, String) {
    ("content-type", "application/json".to_owned())
}

fn hook(random: &mut Random) -> Request {
    let target = format!("/hooks/{}", random.pick(&HOOKS));
    let mut headers = vec![match random.below(12) {
        0 => ("content-type", "application/x-www-form-urlencoded".to_owned()),
        1 => ("content-type", "text/plain; charset=latin1".to_owned()),
        2 => ("content-type", "application/octet-stream".to_owned()),
        _ => json_type(),
    }];
    if random.one_in(5) {
        headers.push(("idempotency-key", format!("key-{}", random.below(50))));
    }
    if random.one_in(30) {
        headers.push(("idempotency-key", "k".repeat(random.size(4_000))));
    }
    let body = match random.below(10) {
        0 => lookups(random),
        1 => json!({"x": "x".repeat(random.size(900_000))}).to_string().into_bytes(),
        2 => json!({"id": "i".repeat(random.size(3_000)), "number": "n".repeat(random.size(3_000))}).to_string().into(),
        _ => body(random),
    };
    Request { method: "POST", target, headers, body }
}

/// Keys that are nearly those of a large object.
fn lookups(random: &mut Random) -> Vec<u8> {
    let (lines, prices) = (random.size(20_000), random.size(20_000));
    let lines: Vec<Value> = (0..lines).map(|at| format!("sku-{at:06}-x").into()).collect();
    let prices: Value = Value::Object((0..prices).map(|at| (format!("sku-{at:06}"), 1.into())).collect());
    json!({"lines": lines, "prices": prices}).to_string().into_bytes()
}

fn written(random: &mut Random) -> Request {
    let target = filled(random.pick(&WRITTEN), &id(random));
    let body = match (random.below(3), target.as_str()) {
        (0, _) => body(random),
        (_, "/v1/objects/order/records") => {
            json!({"id": id(random), "fields": values::object(random, 2)}).to_string().into()
        }
        (_, "/v1/objects/order/records/find") => json!({"where": values::object(random, 2)}).to_string().into(),
        (1, _) => json!({"values": values::object(random, 4)}).to_string().into(),
        _ => json!({"reason": values::text(random)}).to_string().into(),
    };
    Request { method: "POST", target, headers: vec![json_type()], body }
}

fn definition(random: &mut Random, target: &str) -> Request {
    let headers = vec![("content-type", "application/yaml".to_owned())];
    Request { method: "POST", target: target.to_owned(), headers, body: workflow::source(random).into_bytes() }
}

fn body(random: &mut Random) -> Vec<u8> {
    if random.one_in(2) {
        return values::hostile(random).into_bytes();
    }
    Value::Object(values::object(random, 5)).to_string().into_bytes()
}

/// An id, as it stands in a path.
fn id(random: &mut Random) -> String {
    match random.below(8) {
        0 => "x".repeat(random.size(5_000)),
        1 => "%C3%A9".repeat(random.size(400)),
        2 => random.pick(&["%00", "..", "%2e%2e%2f", "%FF", "", "%", "a%20b", "{", "0", "-1", "failed"]).to_owned(),
        3 => format!("made-{}", random.below(20)),
        4 => "intake".to_owned(),
        5 => format!("i{}", random.below(50)),
        _ => "exe_0123456789abcdef".to_owned(),
    }
}

/// A path with an id; what cannot stand in a request line is left out.
fn filled(path: &str, id: &str) -> String {
    path.replace("ID", &id.replace([' ', '\r', '\n'], ""))
}
