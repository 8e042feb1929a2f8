//! `sign`: what one Pawl signs, another one verifies.

use pawl_runtime::ports::HttpRequest;
use pawl_testkit::scenario::answer;
use pawl_testkit::scenario::{Scenario, completed, manual, paused, scenario, webhook};
use serde_json::json;

use crate::support::workflow;

const STANDARD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A call that is signed so, with a secret in its body.
fn story(sign: &str, secret: &str) -> Scenario {
    let steps = format!(
        "  - id: call\n    type: http_request\n    method: POST\n    url: 'https://x.example/in'\n    sign: {sign}
    body: {{name: 'ü', key: '{{{{ secret(\"inner\") }}}}'}}"
    );
    let story = scenario().workflow(&workflow(&steps)).secret("partner", secret).secret("inner", "a\"b");
    story.http(|_| answer(200)).event(manual("w")).run_until_idle()
}

fn sent(sign: &str, secret: &str) -> HttpRequest {
    story(sign, secret).expect(completed()).world().http.calls().remove(0)
}

/// The call, delivered to another installation that verifies so.
fn delivered(call: &HttpRequest, verify: &str, secret: &str) -> u16 {
    let receiver = format!(
        "workflow: in\nowner: ada@example.com\nactive: true\ntriggers: [{{id: hook, type: webhook, verify: {verify}}}]
steps: [{{id: end, type: note, text: end}}]"
    );
    let story = scenario().workflow(&receiver).secret("partner", secret);
    let mut delivery = webhook("in", "hook").raw(call.body.as_deref().unwrap_or_default());
    for (name, value) in &call.headers {
        delivery = delivery.header(name, value);
    }
    story.world().deliver(&delivery).0.as_u16()
}

#[test]
fn what_one_signs_another_verifies() {
    let hmac = |more: &str| format!("{{hmac: {{secret: partner, header: X-Signature{more}}}}}");
    for (shape, secret) in [
        ("{standard-webhooks: {secret: partner}}".to_owned(), STANDARD),
        (hmac(""), "key"),
        (hmac(", algorithm: sha512, encoding: base64, prefix: 'v1='"), "key"),
        (hmac(", algorithm: sha1, timestamp_header: X-Time"), "key"),
    ] {
        let call = sent(&shape, secret);
        assert_eq!(call.body.as_deref(), Some(r#"{"key":"a\"b","name":"ü"}"#), "the secret is in its place");
        assert_eq!(delivered(&call, &shape, secret), 202, "{shape}");
        assert_eq!(delivered(&call, &shape, "whsec_b3RoZXI="), 401, "{shape}, with another secret");
        let changed = HttpRequest { body: call.body.clone().map(|body| format!("{body} ")), ..call };
        assert_eq!(delivered(&changed, &shape, secret), 401, "{shape}, over another body");
    }
}

#[test]
fn a_repeated_call_is_the_same_message() {
    let steps = "  - {id: call, type: http_request, method: POST, url: 'https://x.example', body: {n: 1}, sign: {standard-webhooks: {secret: partner}}, on_failure: {retry: {first: 10s, jitter: false}}}";
    let mut statuses = vec![200, 503].into_iter();
    let story = scenario().workflow(&workflow(steps)).secret("partner", STANDARD).event(manual("w"));
    let story = story.http(move |_| answer(statuses.next_back().unwrap_or(200))).run_until_idle().expect(completed());
    let calls = story.world().http.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].headers["webhook-id"], calls[1].headers["webhook-id"]);
    assert_eq!(calls[0].headers["webhook-id"], calls[0].headers["idempotency-key"]);
    assert_ne!(calls[0].headers["webhook-timestamp"], calls[1].headers["webhook-timestamp"], "it is signed anew");
}

#[test]
fn the_key_is_nowhere_to_be_read() {
    let story = story("{hmac: {secret: partner, header: x-sig}}", "a-long-key").expect(completed());
    let told = serde_json::to_string(&story.last().rows).expect("rows are JSON");
    assert!(!told.contains("a-long-key"), "{told}");
}

#[test]
fn a_secret_that_is_no_key_sends_nothing() {
    for (sign, secret, expected) in [
        (
            "{standard-webhooks: {secret: partner}}",
            "no base64",
            "the secret partner is not `whsec_` and a key in base64",
        ),
        ("{hmac: {secret: partner, header: x-sig}}", "", "the secret partner is empty"),
    ] {
        let story = story(sign, secret).expect(paused().calls([]));
        let error = story.last().rows.into_iter().find_map(|row| row.error).expect("the step failed");
        assert_eq!(error.code, "http_invalid");
        assert!(error.message.starts_with(expected), "{}", error.message);
    }
}

#[test]
fn another_origin_gets_no_signature() {
    let steps = "  - {id: call, type: http_request, url: 'https://x.example', save_as: got, sign: {hmac: {secret: partner, header: x-sig}}}";
    let story = scenario().workflow(&workflow(steps)).secret("partner", "key").event(manual("w"));
    let story = story.http(|call| match call.url.as_str() {
        "https://x.example/" => answer(302).header("location", "https://y.example/b"),
        _ => answer(200).body(json!(call.headers)),
    });
    let story = story.run_until_idle().expect(completed());
    assert_eq!(story.last().execution.variables["got"]["body"], json!({}));
}
