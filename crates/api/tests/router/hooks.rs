//! Webhooks: every answer of section 3 of the language.

use axum::body::Body;
use base64::Engine as _;
use futures::stream;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::shop::{INTAKE, ORDER};
use crate::surface::{Answer, Surface, surface};

fn shop() -> Surface {
    surface().object(ORDER).workflow(INTAKE).secret("shop", "s3cret")
}

fn deliver(surface: &Surface, trigger: &str, body: &Value) -> Answer {
    surface.post(&format!("/hooks/intake/{trigger}")).json(body).send()
}

/// The codes of the rejected deliveries and refused starts, newest first.
fn refused(surface: &Surface) -> Vec<String> {
    let listed = surface.get("/v1/workflows/intake/refusals").send().expect(200);
    let items = listed["items"].as_array().expect("a listing has items").iter();
    items.map(|item| item["code"].as_str().expect("a refusal has a code").to_owned()).collect()
}

#[test]
fn a_delivery_is_accepted_and_starts_an_execution() {
    let surface = shop();
    let call = surface.post("/hooks/intake/open?page=2").json(&json!({"hello": "world"}));
    let accepted = call.header("x-source", "till").header("cookie", "session=1").send().expect(202);
    let id = accepted["execution_id"].as_str().expect("a delivery names its execution");
    surface.settle();
    let shown = surface.get(&format!("/v1/executions/{id}")).send().expect(200);
    assert_eq!((&shown["status"], &shown["event_id"]), (&json!("completed"), &accepted["event_id"]));

    let event = surface.get(&format!("/v1/executions/{id}/event")).send().expect(200);
    assert_eq!((&event["type"], &event["trigger"]), (&json!("webhook"), &json!("open")));
    let headers = json!({"content-type": "application/json", "cookie": "[redacted]", "x-source": "till"});
    assert_eq!(event["data"], json!({"body": {"hello": "world"}, "query": {"page": "2"}, "headers": headers}));
}

#[test]
fn a_get_delivers_its_query() {
    let surface = shop();
    surface.get("/hooks/intake/open?order=7").send().expect(202);
    let refused = surface.get("/hooks/intake/known").send();
    assert_eq!(refused.header("allow"), Some("POST"));
    refused.problem(405, "method_not_allowed");
    surface.call(Method::DELETE, "/hooks/intake/open").send().problem(405, "method_not_allowed");
}

#[test]
fn an_unknown_hook_is_not_found_and_leaves_nothing() {
    let surface = shop();
    for path in ["/hooks/none/open", "/hooks/intake/none", "/hooks/intake/manual"] {
        surface.post(path).send().problem(404, "unknown_hook");
    }
    assert_eq!(refused(&surface), [""; 0]);
}

#[test]
fn an_inactive_hook_says_so() {
    let surface = shop();
    deliver(&surface, "off", &json!({})).problem(409, "inactive");
    surface.post("/v1/workflows/intake/deactivate").send().expect(200);
    deliver(&surface, "open", &json!({})).problem(409, "inactive");
    assert_eq!(refused(&surface), ["inactive", "inactive"]);
    surface.post("/v1/workflows/intake/activate").send().expect(200);
    deliver(&surface, "open", &json!({})).expect(202);
}

#[test]
fn who_does_not_prove_who_they_are_is_not_believed() {
    let surface = shop();
    let token = |token: &str| surface.post("/hooks/intake/token").json(&json!({})).header("x-token", token).send();
    token("s3cret").expect(202);
    token("other").problem(401, "token_mismatch");
    deliver(&surface, "token", &json!({})).problem(401, "token_missing");
    let basic = deliver(&surface, "basic", &json!({}));
    assert!(basic.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Basic ")));
    basic.problem(401, "credentials_missing");
    let credentials = base64::engine::general_purpose::STANDARD.encode("shop:s3cret");
    let call =
        surface.post("/hooks/intake/basic").json(&json!({})).header("authorization", &format!("Basic {credentials}"));
    call.send().expect(202);

    let unready = surface.post("/hooks/intake/unset").json(&json!({})).header("x-token", "any").send();
    assert_eq!(unready.header("retry-after"), Some("60"));
    let unready = unready.problem(503, "secret_missing");
    assert!(!unready["detail"].to_string().contains("never-set"), "the sender is not told which");
    let listed = surface.get("/v1/workflows/intake/refusals").send().expect(200);
    let shown: Vec<_> =
        listed["items"].as_array().into_iter().flatten().filter(|item| item["code"] == "secret_missing").collect();
    assert!(shown[0]["message"].to_string().contains("never-set"), "the operator is");
    assert_eq!(shown[0]["help"], "docs/errors/secret_missing.md");
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_repeat_is_answered_as_the_first_and_starts_nothing() {
    let surface = shop();
    let send = || surface.post("/hooks/intake/open").json(&json!({})).header("idempotency-key", "k1").send();
    let first = send();
    let repeat = send();
    assert_eq!((first.header("idempotent-replayed"), repeat.header("idempotent-replayed")), (None, Some("true")));
    assert_eq!((repeat.status, &repeat.text), (first.status, &first.text));
    surface.settle();
    assert_eq!(surface.world.executions().len(), 1);
    let other = surface.post("/hooks/intake/token").json(&json!({})).header("idempotency-key", "k1");
    let other = other.header("x-token", "s3cret").send();
    assert_eq!(other.header("idempotent-replayed"), None, "another trigger has keys of its own");
}

#[test]
fn a_delivery_that_was_rejected_may_be_sent_again() {
    let surface = shop();
    let send = || {
        let call = surface.post("/hooks/intake/known").json(&json!({"email": "ada@example.com", "amount": 1}));
        call.header("idempotency-key", "k1").send()
    };
    send().problem(404, "no_record");
    let surface = &surface;
    surface
        .world
        .put_record("order", "o1", json!({"email": "ada@example.com"}).as_object().cloned().unwrap_or_default())
        .expect("the record fits");
    assert_eq!(send().header("idempotent-replayed"), None);
    assert_eq!(send().header("idempotent-replayed"), Some("true"));
}

#[test]
fn the_record_is_found_by_a_field() {
    let surface = shop()
        .record("order", "o1", json!({"number": "1", "email": "ada@example.com"}))
        .record("order", "o2", json!({"number": "2", "email": "grace@example.com"}))
        .record("order", "o3", json!({"number": "3", "email": "grace@example.com"}));
    let found = deliver(&surface, "known", &json!({"email": "ada@example.com", "amount": "12"})).expect(202);
    surface.settle();
    let id = found["execution_id"].as_str().expect("a delivery names its execution");
    let shown = surface.get(&format!("/v1/executions/{id}")).send().expect(200);
    assert_eq!((&shown["record"]["id"], &shown["variables"]), (&json!("o1"), &json!({"amount": 12})));

    let check = |body: Value, status: u16, code: &str, path: &str| {
        assert_eq!(deliver(&surface, "known", &body).problem(status, code)["path"], path, "{body}");
    };
    check(json!({"email": "alan@example.com", "amount": 1}), 404, "no_record", "record.match.email");
    check(json!({"email": "grace@example.com", "amount": 1}), 409, "ambiguous_record", "record.match.email");
    check(json!({"email": " ", "amount": 1}), 422, "blank_match", "record.match.email");
    check(json!({"email": ["a"], "amount": 1}), 422, "value_failed", "record.match.email");
    check(json!({"email": "ada@example.com", "amount": "much"}), 422, "value_failed", "values.amount");
    // What a delivery does not have is blank, as it is to a source of a variable.
    let bare = deliver(&surface, "known", &json!({"email": "ADA@Example.com "})).expect(202);
    surface.settle();
    let id = bare["execution_id"].as_str().expect("a delivery names its execution");
    let shown = surface.get(&format!("/v1/executions/{id}")).send().expect(200);
    assert_eq!((&shown["record"]["id"], &shown["variables"]), (&json!("o1"), &json!({"amount": null})));
    let mut shown = refused(&surface);
    shown.sort();
    assert_eq!(shown, ["ambiguous_record", "blank_match", "no_record", "value_failed"]);
}

#[test]
fn fifty_forged_deliveries_are_one_row_that_counts_them() {
    let surface = shop();
    for _ in 0..50 {
        surface.world.clock.advance(jiff::SignedDuration::from_millis(1_500));
        surface.post("/hooks/intake/token").json(&json!({})).header("x-token", "wrong").send().expect(401);
    }
    let listed = surface.get("/v1/workflows/intake/refusals").send().expect(200);
    let [row] = listed["items"].as_array().expect("a listing has items").as_slice() else { panic!("{listed}") };
    assert_eq!((&row["code"], &row["count"], &row["at_least"]), (&json!("token_mismatch"), &json!(50), &json!(false)));
    let times = (&row["first_at"], &row["last_at"]);
    assert_eq!(times, (&json!("2026-11-21T09:00:01.5Z"), &json!("2026-11-21T09:01:15Z")), "exact, not to the minute");
}

#[test]
fn the_record_is_made_if_there_is_none() {
    let surface = shop();
    let body = json!({"number": 7, "amount": 70, "priority": "high"});
    let (first, second) = (deliver(&surface, "any", &body).expect(202), deliver(&surface, "any", &body).expect(202));
    assert_ne!(first["event_id"], second["event_id"]);
    surface.settle();
    let records = surface.world.records("order");
    assert_eq!(records.len(), 1, "two deliveries at once make one record");
    let expected = json!({"number": "7", "amount": 70, "priority": "high", "stage": "new"});
    assert_eq!(Value::Object(records[0].fields.clone()), expected);
    assert_eq!(surface.world.executions().len(), 2);

    let wrong = deliver(&surface, "any", &json!({"number": 8, "amount": 1, "priority": "urgent"}));
    assert_eq!(wrong.problem(422, "invalid_record")["problems"][0]["code"], "wrong_type");
}

#[test]
fn bodies_are_read_by_their_type() {
    let surface = shop();
    let send = |kind: &str, body: &'static [u8]| {
        let accepted = surface.post("/hooks/intake/open").header("content-type", kind).body(body).send().expect(202);
        surface.settle();
        let id = accepted["execution_id"].as_str().expect("a delivery names its execution").to_owned();
        surface.get(&format!("/v1/executions/{id}/event")).send().expect(200)["data"]["body"].clone()
    };
    assert_eq!(send("application/x-www-form-urlencoded", b"a=1&b=two+words"), json!({"a": "1", "b": "two words"}));
    assert_eq!(send("text/plain", b"hello"), "hello");
    assert_eq!(send("application/xml", b"<a/>"), "<a/>");
    assert_eq!(send("text/csv", b"a,b\n"), "a,b\n");
    assert_eq!(send("application/json; charset=iso-8859-1", b"{\"name\": \"Zo\xeb\"}"), json!({"name": "Zoë"}));
    assert_eq!(send("text/plain; charset=utf-16", b"\xff\xfea\0"), "a");

    let refuse = |kind: &str, body: &'static [u8]| {
        surface.post("/hooks/intake/open").header("content-type", kind).body(body).send()
    };
    refuse("application/octet-stream", b"x").problem(415, "content_type_unsupported");
    refuse("text/plain; charset=klingon", b"x").problem(415, "charset_unsupported");
    refuse("application/json", b"{").problem(422, "body_malformed");
    surface.post("/hooks/intake/open").text("x").send().problem(415, "content_type_missing");
    let compressed = surface.post("/hooks/intake/open").header("content-encoding", "br").body("x").send();
    compressed.problem(415, "content_encoding_unsupported");
    assert_eq!(refused(&surface).len(), 5);
}

#[test]
fn a_body_is_read_as_far_as_the_limit() {
    let surface = shop();
    let chunks = |count: usize| {
        let chunk = || Ok::<_, std::io::Error>(vec![b'a'; 64 * 1024]);
        Body::from_stream(stream::iter((0..count).map(move |_| chunk())))
    };
    let send = |body: Body| surface.post("/hooks/intake/open").header("content-type", "text/plain").body(body).send();
    send(chunks(16)).expect(202);
    send(chunks(17)).problem(413, "body_too_large");
    let announced = surface.post("/hooks/intake/open").header("content-length", "1048577").body("").send();
    announced.problem(413, "body_too_large");
    // The same rejection within a minute is one row.
    assert_eq!(refused(&surface), ["body_too_large"]);

    let broken = stream::iter([Ok(vec![b'a']), Err(std::io::Error::other("reset"))]);
    send(Body::from_stream(broken)).problem(400, "body_incomplete");
    assert_eq!(surface.codes().last().map(String::as_str), Some("body_incomplete"));
}

#[test]
fn a_large_body_arrives_whole() {
    let surface = shop();
    let text = "x".repeat(500_000);
    let accepted = deliver(&surface, "open", &json!({"text": text})).expect(202);
    surface.settle();
    let id = accepted["execution_id"].as_str().expect("a delivery names its execution");
    let event = surface.get(&format!("/v1/executions/{id}/event")).send().expect(200);
    assert_eq!(event["data"]["body"]["text"], text);
}

/// A workflow that hears only new issues, and waits for a sign from outside.
const ISSUES: &str = r#"
workflow: intake
owner: shop@example.com
object: order
active: true
triggers:
  - id: issues
    type: webhook
    verify: none
    filter: trigger.body.action == "opened"
    record: {match: {number: "string(trigger.body.issue)"}, create: true}
steps:
  - id: sign
    type: goal
    on: [{id: signed, type: webhook, verify: none, filter: trigger.body.ok}]
    timeout: 1d
"#;

#[test]
fn an_answer_says_that_the_event_is_collected_with_others() {
    let collects = "workflow: busy\nowner: shop@example.com\nactive: true\nlimits: {debounce: {for: 1m}}\n\
                    triggers: [{id: hook, type: webhook}]\nsteps:\n  - {id: end, type: note, text: end}";
    let surface = surface().workflow(collects);
    let deliver = |key: &str| {
        surface.post("/hooks/busy/hook").header("idempotency-key", key).json(&json!({"n": key})).send().expect(202)
    };
    let first = deliver("one");
    assert_eq!((&first["debounced"], first.get("execution_id"), first.get("executions")), (&json!(true), None, None));
    assert_eq!(deliver("one"), first, "a repeat has the same answer");
    deliver("two");
    let by_hand = surface.post("/v1/workflows/busy/start").json(&json!({})).send().expect(202);
    assert_eq!(by_hand["debounced"], true);
    surface.settle();
    surface.world.run(None).expect("it comes to rest");
    let executions = surface.get("/v1/executions?workflow=busy").send().expect(200);
    let id = executions["items"][0]["id"].clone();
    assert_eq!(executions["items"].as_array().map(Vec::len), Some(1));
    let marks = surface.get("/v1/workflows/busy/refusals").send().expect(200);
    let marks = marks["items"].as_array().expect("it has items");
    assert_eq!(marks.len(), 3);
    assert!(marks.iter().all(|mark| mark["code"] == "debounced" && mark["execution_id"] == id), "{marks:#?}");
}

#[test]
fn a_delivery_that_the_filter_leaves_out_needs_no_record_and_makes_none() {
    let surface = surface().object(ORDER).workflow(ISSUES);
    surface.post("/hooks/intake/issues").json(&json!({"action": "opened"})).send().problem(422, "value_failed");
    surface.post("/hooks/intake/issues").json(&json!({"action": "closed", "issue": 7})).send().expect(202);
    surface.post("/hooks/intake/issues").json(&json!({"zen": "a ping names no issue"})).send().expect(202);
    surface.settle();
    let mut codes = refused(&surface);
    codes.sort();
    assert_eq!(codes, ["filter_error", "filtered", "value_failed"]);
    let records = surface.get("/v1/objects/order/records").send().expect(200);
    assert_eq!(records["items"], json!([]));
}

#[test]
fn a_goal_hears_its_own_webhook_and_starts_nothing_by_it() {
    let surface = surface().object(ORDER).workflow(ISSUES);
    let opened = surface.post("/hooks/intake/issues").json(&json!({"action": "opened", "issue": 7})).send().expect(202);
    let id = opened["execution_id"].as_str().expect("a delivery names its execution").to_owned();
    surface.settle();
    surface.post("/hooks/intake/signed").json(&json!({"ok": false})).send().expect(202);
    surface.settle();
    let status = || surface.get(&format!("/v1/executions/{id}")).send().expect(200)["status"].clone();
    assert_eq!(status(), "waiting");
    surface.post("/hooks/intake/signed").json(&json!({"ok": true})).send().expect(202);
    surface.settle();
    assert_eq!(status(), "completed");
    assert_eq!(
        surface.get("/v1/executions?workflow=intake").send().expect(200)["items"].as_array().map(Vec::len),
        Some(1)
    );
}

/// Bug: `Idempotency-Key` with another body repeated the first answer, as if the second request had been done.
#[test]
fn an_idempotency_key_stands_for_one_body() {
    let surface = shop();
    let send =
        |key: &str, body: Value| surface.post("/hooks/intake/open").json(&body).header("idempotency-key", key).send();
    let first = send("k1", json!({"n": 1}));
    assert_eq!(first.status, 202);
    send("k1", json!({"n": 2})).problem(409, "idempotency_key_reused");
    assert_eq!(send("k1", json!({"n": 1})).header("idempotent-replayed"), Some("true"), "the first one stands");
    assert_eq!(send("k2", json!({"n": 2})).header("idempotent-replayed"), None);
}

/// The codes of a workflow's refusals.
fn codes_of(surface: &Surface, workflow: &str) -> Vec<String> {
    surface.world.refusals(workflow).into_iter().map(|refusal| refusal.code).collect()
}

/// What GitHub signs a body with.
fn github_signature(secret: &str, body: &str) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("any length is a key");
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().fold("sha256=".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Bug: a captured delivery counted as new under another key, which the signature does not cover.
#[test]
fn what_was_signed_is_not_new_under_another_key() {
    let workflow = "
workflow: repo
owner: owner@example.com
active: true
triggers: [{id: push, type: webhook, verify: {github: {secret: shop}}}]
steps: [{id: end, type: note, text: end}]";
    let surface = surface().workflow(workflow).secret("shop", "s3cret");
    let send = |body: &str, (name, key): (&'static str, &str)| {
        let signature = github_signature("s3cret", body);
        let call = surface.post("/hooks/repo/push").header("content-type", "application/json");
        call.header("x-hub-signature-256", &signature).header(name, key).body(body.to_owned()).send()
    };
    let first = send(r#"{"after":"1"}"#, ("x-github-delivery", "d1"));
    assert_eq!((first.status.as_u16(), first.header("idempotent-replayed")), (202, None));
    for key in [("x-github-delivery", "d2"), ("idempotency-key", "mine"), ("x-other", "none")] {
        let captured = send(r#"{"after":"1"}"#, key);
        assert_eq!((captured.header("idempotent-replayed"), &captured.text), (Some("true"), &first.text), "{key:?}");
    }
    assert_eq!(codes_of(&surface, "repo"), ["repeated_signature"], "people see it, once a minute");
    let again = send(r#"{"after":"1"}"#, ("x-github-delivery", "d1"));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let other = send(r#"{"after":"2"}"#, ("x-github-delivery", "d3"));
    assert_eq!(other.header("idempotent-replayed"), None);
    surface.settle();
    assert_eq!(surface.world.executions().len(), 2);
}

/// A sender who gives no keys may send the same again.
#[test]
fn without_keys_each_signed_delivery_is_new() {
    let workflow = "
workflow: door
owner: owner@example.com
active: true
triggers: [{id: opened, type: webhook, verify: {hmac: {header: x-signature, prefix: 'sha256=', secret: shop}}}]
steps: [{id: end, type: note, text: end}]";
    let surface = surface().workflow(workflow).secret("shop", "s3cret");
    for _ in 0..2 {
        let call = surface.post("/hooks/door/opened").header("content-type", "application/json");
        let call = call.header("x-signature", &github_signature("s3cret", "{}")).body("{}");
        assert_eq!(call.send().header("idempotent-replayed"), None);
    }
    surface.settle();
    assert_eq!(surface.world.executions().len(), 2);
}

/// Waits for a webhook of its own.
const PAID: &str = "
workflow: pay
owner: shop@example.com
active: true
triggers: [{id: in, type: webhook}]
steps:
  - id: wait
    type: goal
    on: [{id: paid, type: webhook, verify: {token: {in: {header: x-token}, secret: shop}}}]
    timeout: 1d
    met: [{id: y, type: note, text: paid}]
";

/// Its 202 named an execution that never was, and nothing told its address.
#[test]
fn the_webhook_of_a_goal_is_listed_and_starts_nothing() {
    let surface = crate::surface::surface().workflow(PAID).secret("shop", "s3cret");
    let hooks = surface.get("/v1/workflows/pay").send().expect(200)["hooks"].clone();
    assert_eq!((&hooks[0]["path"], hooks[0].get("goal")), (&json!("/hooks/pay/in"), None));
    assert_eq!((&hooks[1]["path"], &hooks[1]["goal"]), (&json!("/hooks/pay/paid"), &json!("wait")));

    let started = surface.post("/hooks/pay/in").json(&json!({})).send().expect(202);
    let id = started["execution_id"].as_str().expect("a delivery names its execution").to_owned();
    surface.settle();
    let waiting = surface.get("/v1/executions?status=waiting").send().expect(200)["items"][0].clone();
    assert_eq!(waiting["waits_for"], json!([{"kind": "webhook", "text": "/hooks/pay/paid"}]));

    let paid =
        || surface.post("/hooks/pay/paid").json(&json!({})).header("x-token", "s3cret").header("idempotency-key", "k");
    let answer = paid().send().expect(202);
    assert!(answer["event_id"].is_string() && answer.get("execution_id").is_none(), "{answer}");
    assert_eq!(answer["executions"], "decided_later");
    assert!(started.get("executions").is_none(), "{started}");
    assert_eq!(paid().send().expect(202), answer, "a repeat is answered as the first was");
    surface.settle();
    assert_eq!(surface.get(&format!("/v1/executions/{id}")).send().expect(200)["status"], "completed");
    assert_eq!(surface.world.executions().len(), 1);
}
