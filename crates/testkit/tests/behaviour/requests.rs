//! `http_request`: what is sent, and what comes back. Section 5 of the language.

use jiff::SignedDuration;
use pawl_runtime::ports::{HttpError, HttpRequest};
use pawl_testkit::scenario::{Reply, Scenario, answer, completed, manual, paused, scenario};
use serde_json::json;

use crate::support::{with, workflow};

fn story(keys: &str) -> Scenario {
    let steps = format!("  - {{id: call, type: http_request, url: 'https://x.example/a', save_as: got, {keys}}}");
    let variables = "variables: [{name: list, type: text, many: true, default: [a b, ü]}, {name: none, type: text}]";
    scenario().workflow(&with(variables, &steps)).http(|_| answer(200)).event(manual("w")).run_until_idle()
}

/// The one call of a request with these keys.
#[track_caller]
fn sent(keys: &str) -> HttpRequest {
    story(keys).expect(completed()).world().http.calls().remove(0)
}

#[test]
fn by_default_it_gets_and_names_no_key() {
    let call = sent("name: plain");
    assert_eq!((call.method.as_str(), call.url.as_str(), call.body), ("GET", "https://x.example/a", None));
    assert!(call.headers.is_empty(), "{:?}", call.headers);
    assert_eq!(call.timeout, SignedDuration::from_secs(30));
}

#[test]
fn a_time_out_is_the_longest_time_of_one_attempt() {
    assert_eq!(sent("timeout: 5s").timeout, SignedDuration::from_secs(5));
    assert_eq!(sent("timeout: 1500ms").timeout, SignedDuration::from_millis(1_500));
}

#[test]
fn what_changes_something_names_a_key_unless_the_author_does() {
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let key = sent(&format!("method: {method}")).headers["idempotency-key"].clone();
        assert!(key.starts_with("exe_") && key.ends_with(":call:1"), "{key}");
    }
    let own = sent("method: POST, headers: {Idempotency-Key: mine}");
    assert_eq!(own.headers["idempotency-key"], "mine");
    assert_eq!(sent("method: HEAD").headers.get("idempotency-key"), None);
}

#[test]
fn the_query_is_encoded_lists_are_repeated_and_null_is_left_out() {
    let call = sent("query: {q: '{{ vars.list }}', n: 7, none: '{{ vars.none }}', s: 'a&b=c'}");
    assert_eq!(call.url, "https://x.example/a?n=7&q=a%20b&q=%C3%BC&s=a%26b%3Dc");
}

#[test]
fn an_object_or_list_is_sent_as_json_and_a_text_as_it_is() {
    let call = sent("method: POST, body: {a: '{{ 1 + 1 }}', b: ['{{ vars.list[0] }}']}");
    assert_eq!(call.body.as_deref(), Some(r#"{"a":2,"b":["a b"]}"#));
    assert_eq!(call.headers["content-type"], "application/json");
    let call = sent("method: POST, body: 'n={{ 1 + 1 }}'");
    assert_eq!((call.body.as_deref(), &*call.headers["content-type"]), (Some("n=2"), "text/plain; charset=utf-8"));
    let call = sent("method: POST, body: 'n=2', headers: {content-type: application/x-www-form-urlencoded}");
    assert_eq!(call.headers["content-type"], "application/x-www-form-urlencoded");
}

#[test]
fn the_output_is_status_headers_and_body() {
    let steps = "  - {id: call, type: http_request, url: 'https://x.example', save_as: got}";
    let reply = || answer(201).header("X-Id", "7").body(json!({"a": [1]}));
    let story = scenario().workflow(&workflow(steps)).http(move |_| reply()).event(manual("w")).run_until_idle();
    story.expect(completed().variable("got", json!({"status": 201, "headers": {"x-id": "7"}, "body": {"a": [1]}})));
}

#[test]
fn what_can_never_succeed_is_not_tried_again() {
    let errors = [
        (HttpError::TooLarge("more than 1 MiB".to_owned()), "http_too_large"),
        (HttpError::Refused("10.0.0.1 is private".to_owned()), "http_refused"),
        (HttpError::Invalid("no host".to_owned()), "http_invalid"),
    ];
    for (error, code) in errors {
        let steps = "  - {id: call, type: http_request, url: 'https://x.example'}";
        let story = scenario().workflow(&workflow(steps)).http(move |_| Reply::error(error.clone()));
        let story = story.event(manual("w")).run_until_idle().expect(paused().path(["call:failed"]));
        assert_eq!(story.world().http.calls().len(), 1);
        let rows = story.last().rows;
        assert_eq!(rows.iter().find_map(|row| row.error.as_ref()).map(|error| error.code.as_str()), Some(code));
    }
}

#[test]
fn history_tells_each_attempt_with_its_times() {
    let steps = "  - {id: call, type: http_request, url: 'https://x.example', on_failure: {retry: {first: 10s, jitter: false}}}";
    let mut statuses = vec![200, 503].into_iter();
    let story = scenario().workflow(&workflow(steps)).event(manual("w"));
    let story = story.http(move |_| answer(statuses.next_back().unwrap_or(200)).after_s(2)).run_until_idle();
    let rows: Vec<_> = story.last().rows.into_iter().filter(|row| row.step.is_some()).collect();
    let begun = rows[0].started_at.expect("a visit has a beginning");
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let since = |at: jiff::Timestamp| at.duration_since(begun).as_secs();
            (row.visit, row.attempt, row.started_at.map(since), since(row.at), row.due.map(since), row.error.is_some())
        })
        .collect();
    assert_eq!(told, [(Some(1), Some(1), Some(0), 2, Some(12), true), (Some(1), Some(2), Some(0), 14, None, false)]);
    assert_eq!(rows[0].input, rows[1].input, "the input stands in both");
    assert_eq!(rows[0].output["status"], 503);
}
