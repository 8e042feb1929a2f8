//! Bounds at the entrance: every route, met with what is too long, too deep or of another shape.

use http::Method;
use serde_json::{Value, json};

use crate::shop::{INTAKE, ORDER, REPORT};
use crate::surface::{Surface, surface};

/// One operation of the description: its method, its path with placeholders, and its parameters in the query.
struct Operation {
    method: Method,
    path: String,
    query: Vec<String>,
    takes_json: bool,
}

fn operations() -> Vec<Operation> {
    let description: Value = serde_json::from_str(pawl_api::description()).expect("a description is JSON");
    let paths = description["paths"].as_object().expect("paths are an object");
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let method = method.to_uppercase();
            let Ok(method) = method.parse::<Method>() else { continue };
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_query = parameters.filter(|parameter| parameter["in"] == "query");
            let query = in_query.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect();
            let takes_json = operation["requestBody"]["content"].get("application/json").is_some();
            operations.push(Operation { method, path: path.clone(), query, takes_json });
        }
    }
    assert!(operations.len() > 30, "the description names the operations");
    operations
}

/// The path with this in the place of each placeholder.
fn filled(path: &str, part: &str) -> String {
    let parts = path.split('/').map(|own| if own.starts_with('{') { part } else { own });
    parts.collect::<Vec<_>>().join("/")
}

fn shop() -> Surface {
    surface().object(ORDER).workflow(INTAKE).workflow(REPORT)
}

/// Storage takes no key of more than 1,024 bytes: an id beyond that was a fault of the server, without authentication.
#[test]
fn ids_that_are_too_long_are_refused_by_every_route() {
    let surface = shop();
    for operation in operations().iter().filter(|operation| operation.path.contains('{')) {
        for part in ["x".repeat(257), "x".repeat(1_011), "é".repeat(600), "%C3%A9".repeat(600), "%00".repeat(2_000)] {
            let call = surface.call(operation.method.clone(), &filled(&operation.path, &encoded(&part)));
            let answer = call.json(&json!({})).send();
            let (method, path) = (&operation.method, &operation.path);
            assert!(answer.status.is_client_error(), "{method} {path}: {} {}", answer.status, answer.text);
        }
    }
}

fn encoded(part: &str) -> String {
    part.replace('é', "%C3%A9")
}

#[test]
fn parameters_that_are_too_long_are_refused_by_every_route() {
    let surface = shop();
    for operation in operations().iter().filter(|operation| operation.method == Method::GET) {
        for name in &operation.query {
            for value in ["x".repeat(1_011), format!("x/{}", "x".repeat(1_100)), "[".repeat(3_000), "x".repeat(40_000)]
            {
                let path = filled(&operation.path, "report").replace("objects/report", "objects/order");
                let answer = surface.get(&format!("{path}?{name}={value}")).send();
                assert!(answer.status.is_client_error(), "{path} {name}: {} {}", answer.status, answer.text);
            }
        }
    }
}

/// `[null,null]` was read as a request without reason and actor, and killed everything.
#[test]
fn a_list_is_no_request() {
    let surface = shop();
    for operation in
        operations().iter().filter(|operation| operation.takes_json && !operation.path.starts_with("/hooks"))
    {
        let path = filled(&operation.path, "report").replace("objects/report", "objects/order");
        for body in ["[]", "[null,null]", "[null,null,null,null]", "[{}]", "null", "true", "0", "\"\""] {
            let call = surface.call(operation.method.clone(), &path).header("content-type", "application/json");
            call.text(body).send().problem(422, "body_malformed");
        }
    }
    assert_eq!(surface.get("/v1/installation").send().expect(200).get("killed"), None);
}

#[test]
fn bodies_meet_the_same_bounds_everywhere() {
    let surface = shop();
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let many = format!("[{}0]", "0,".repeat(250_001));
    for (value, code) in
        [(&deep, "value_too_deep"), (&many, "value_too_large"), (&"1".repeat(30), "number_out_of_range")]
    {
        for (path, body) in [
            ("/hooks/intake/open", format!("{{\"a\": {value}}}")),
            ("/hooks/intake/open", format!(r#"{{"type": "url_verification", "challenge": "x", "a": {value}}}"#)),
            ("/v1/workflows/report/start", format!("{{\"values\": {{\"divisor\": {value}}}}}")),
            ("/v1/objects/order/records", format!("{{\"fields\": {{\"tags\": {value}}}}}")),
            ("/v1/objects/order/records/find", format!("{{\"where\": {{\"tags\": {value}}}}}")),
            ("/v1/installation/kill", format!("{{\"reason\": {value}}}")),
        ] {
            let call = surface.post(path).header("content-type", "application/json");
            call.text(&body).send().problem(422, code);
        }
    }
}

#[test]
fn reasons_are_bounded() {
    let surface = shop();
    let why = json!({"reason": "x".repeat(400_000)});
    for path in ["/v1/installation/kill", "/v1/workflows/report/kill"] {
        surface.post(path).json(&why).send().problem(422, "body_malformed");
    }
    let id = crate::workflows::start(&surface, "report", &Value::Object(serde_json::Map::default()));
    surface.post(&format!("/v1/executions/{id}/kill")).json(&why).send().problem(422, "body_malformed");
}

/// The id of a record that a delivery names is data of strangers.
#[test]
fn the_id_that_a_delivery_names_may_be_of_any_length() {
    let by_id = r"
workflow: by-id
owner: shop@example.com
object: order
active: true
triggers:
  - {id: known, type: webhook, verify: none, record: {match: {id: trigger.body.id}}}
  - {id: any, type: webhook, verify: none, record: {match: {id: trigger.body.id}, create: true}}
  - {id: number, type: webhook, verify: none, record: {match: {number: trigger.body.id}, create: true}}
steps:
  - {id: take, type: note, text: taken}
";
    let surface = surface().object(ORDER).workflow(by_id);
    for length in [257, 1_011, 100_000] {
        let body = json!({"id": "x".repeat(length)});
        for trigger in ["known", "any", "number"] {
            let answer = surface.post(&format!("/hooks/by-id/{trigger}")).json(&body).send();
            assert!(!answer.status.is_server_error(), "{trigger} {length}: {}", answer.text);
        }
        let start = json!({"record": {"object": "order", "id": "x".repeat(length)}});
        surface.post("/v1/workflows/by-id/start").json(&start).send().problem(404, "no_record");
        let new = json!({"id": "x".repeat(length)});
        surface.post("/v1/objects/order/records").json(&new).send().problem(422, "invalid_record");
    }
    surface.settle();
}
