//! `http_request`: what is sent, and what comes back. Section 5 of the language.

mod pages;
mod signed;

use jiff::SignedDuration;
use pawl_runtime::ports::{HttpError, HttpRequest};
use pawl_testkit::scenario::{Reply, Scenario, answer, completed, manual, paused, scenario, webhook};
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

/// The one call of a step with this URL, in which `vars.x` is a text of a stranger.
fn url_sent(url: &str, x: &str) -> Scenario {
    let steps = format!("  - {{id: call, type: http_request, url: '{url}'}}");
    let keys = "triggers: [{id: in, type: webhook, verify: {token: {in: {header: x-token}, secret: token}}, values: {x: trigger.body.x}}]\nvariables: [{name: x, type: text}]";
    let story = scenario().workflow(&with(keys, &steps)).secret("token", "t0ken").secret("api", "https://x.example/v1");
    let delivery = webhook("w", "in").header("x-token", "t0ken").body(json!({"x": x}));
    story.http(|_| answer(200)).event(delivery).run_until_idle()
}

/// Once it left its segment, with the author's credentials.
#[test]
fn text_of_a_stranger_stays_one_segment_of_the_path() {
    let hostile = "../../admin?all=1#";
    for (url, expected) in [
        ("https://x.example/c/{{ vars.x }}", "https://x.example/c/..%2F..%2Fadmin%3Fall%3D1%23"),
        ("https://x.example/c?q={{ vars.x }}", "https://x.example/c?q=..%2F..%2Fadmin%3Fall%3D1%23"),
        (r#"{{ secret("api") }}/c/{{ vars.x }}"#, "https://x.example/v1/c/..%2F..%2Fadmin%3Fall%3D1%23"),
    ] {
        let story = url_sent(url, hostile).expect(completed());
        assert_eq!(story.world().http.calls()[0].url, expected);
    }
    for (url, x) in [
        ("https://x.example/c/{{ vars.x }}", ".."),
        ("https://{{ vars.x }}.example/c", "evil.example/"),
        ("https://x.example{{ vars.x }}", "@evil.example"),
    ] {
        let story = url_sent(url, x).expect(paused().path(["call:failed"]).calls([]));
        let error = story.last().rows.into_iter().find_map(|row| row.error).expect("the step failed");
        assert_eq!(error.code, "http_invalid");
        assert!(!error.message.contains("evil"), "{}", error.message);
    }
}

#[test]
fn a_form_is_encoded_whichever_way_it_is_written() {
    let expected = "grant_type=refresh_token&scope=a+b&scope=%C3%BC%26";
    for keys in [
        "method: POST, form: {grant_type: refresh_token, scope: ['a b', 'ü&'], left_out: '{{ vars.none }}'}",
        "method: POST, headers: {Content-Type: application/x-www-form-urlencoded}, body: {grant_type: refresh_token, scope: ['a b', 'ü&'], left_out: '{{ vars.none }}'}",
        "method: POST, form: {grant_type: refresh_token, scope: ['a b', 'ü&']}, headers: {content-type: application/x-www-form-urlencoded}",
    ] {
        let call = sent(keys);
        assert_eq!(call.body.as_deref(), Some(expected), "{keys}");
        assert_eq!(call.headers["content-type"], "application/x-www-form-urlencoded");
    }
    let once = sent("method: POST, form: {a: '{{ urlencode(\"a b\") }}'}, query: {b: '{{ urlencode(\"a/b\") }}'}");
    assert_eq!((once.body.as_deref(), once.url.as_str()), (Some("a=a%20b"), "https://x.example/a?b=a%2Fb"));
    story("method: POST, form: {a: {b: 1}}").expect(paused().path(["call:failed"]).calls([]));
}

#[test]
fn a_header_is_one_line() {
    let call = sent("headers: {x-note: \"  padded \\n\"}");
    assert_eq!(call.headers["x-note"], "padded");
    let story = story("headers: {x-note: '{{ \"a\" + \"\\r\\n\" + \"x-evil: 1\" }}'}").expect(paused().calls([]));
    let error = story.last().rows.into_iter().find_map(|row| row.error).expect("the step failed");
    let expected = "expected one line without control characters in the header `x-note`, found a line break";
    assert_eq!((error.code.as_str(), error.message.as_str()), ("http_invalid", expected));
}

/// A call that uses two secrets in these keys, and its answer.
fn with_secrets(keys: &str, reply: fn() -> Reply) -> Scenario {
    let steps =
        format!("  - {{id: call, type: http_request, method: POST, url: 'https://x.example/a', save_as: got, {keys}}}");
    let story = scenario().workflow(&workflow(&steps)).secret("user", "me").secret("pw", "pa\"ss&w/rd");
    story.http(move |_| reply()).event(manual("w")).run_until_idle().expect(completed())
}

#[test]
fn a_secret_is_encoded_for_its_place_and_may_be_encoded_and_signed_with() {
    let request = |keys| with_secrets(keys, || answer(200)).world().http.calls().remove(0);
    assert_eq!(request("query: {k: '{{ secret(\"pw\") }}'}").url, "https://x.example/a?k=pa%22ss%26w%2Frd");
    assert_eq!(request("form: {k: '{{ secret(\"pw\") }}'}").body.as_deref(), Some("k=pa%22ss%26w%2Frd"));
    assert_eq!(request("body: {k: '{{ secret(\"pw\") }}'}").body.as_deref(), Some(r#"{"k":"pa\"ss&w/rd"}"#));
    let basic = request("headers: {authorization: 'Basic {{ base64(secret(\"user\") + \":\" + secret(\"pw\")) }}'}");
    assert_eq!(basic.headers["authorization"], "Basic bWU6cGEic3Mmdy9yZA==");
    let signed = request("headers: {x-signature: '{{ hmac_sha256(secret(\"user\"), \"text\") }}'}");
    assert_eq!(signed.headers["x-signature"], "77ea0456b4158a2dcfd544bd07146818fac1264522d261ae55a2cd78ec4274f1");
}

#[test]
fn an_echo_in_another_form_does_not_put_a_secret_into_history() {
    let echo = || {
        answer(200).header("x-basic", "Basic bWU6cGEic3Mmdy9yZA==").body(json!({
            "json": r#"{"k":"pa\"ss&w/rd"}"#,
            "query": "?k=pa%22ss%26w%2frd",
            "html": "<b>pa&quot;ss&amp;w/rd</b>",
            "hex": "706122737326772f7264",
        }))
    };
    let story =
        with_secrets("headers: {authorization: 'Basic {{ base64(secret(\"user\") + \":\" + secret(\"pw\")) }}'}", echo);
    let got = &story.last().execution.variables["got"];
    assert_eq!(got["headers"]["x-basic"], "Basic [secret:pw]");
    assert_eq!(got["body"]["json"], r#"{"k":"[secret:pw]"}"#);
    assert_eq!(got["body"]["query"], "?k=[secret:pw]");
    assert_eq!(got["body"]["html"], "<b>[secret:pw]</b>");
    let rows = serde_json::to_string(&story.last().rows).expect("rows are JSON");
    assert!(!rows.contains("bWU6c") && rows.contains("Basic [secret:pw][secret:user]"), "{rows}");
}

#[test]
fn cookies_are_a_list() {
    let reply = || answer(200).header("set-cookie", "a=1").header("set-cookie", "b=2; Expires=Wed, 21 Oct 2026");
    let story = with_secrets("name: plain", reply);
    let got = &story.last().execution.variables["got"];
    assert_eq!(got["headers"]["set-cookie"], json!(["a=1", "b=2; Expires=Wed, 21 Oct 2026"]));
}

#[test]
fn a_scripted_redirect_is_followed_as_a_real_one() {
    let steps = "  - {id: call, type: http_request, url: 'https://x.example/a', headers: {x-key: k}, save_as: got}";
    let story = scenario().workflow(&workflow(steps)).event(manual("w"));
    let story = story.http(|call| match call.url.as_str() {
        "https://x.example/a" => answer(302).header("location", "https://y.example/b"),
        _ => answer(200).body(json!(call.headers)),
    });
    let story = story.run_until_idle().expect(completed());
    assert_eq!(story.last().execution.variables["got"]["body"], json!({}), "the key does not travel");
    assert_eq!(story.world().http.calls()[1].url, "https://y.example/b");
}

#[test]
fn an_answer_that_cannot_be_read_is_an_error_of_its_own() {
    let steps = "  - {id: call, type: http_request, url: 'https://x.example'}";
    let error = || Reply::error(HttpError::Undecodable("its body is no text in UTF-8".to_owned()));
    let story = scenario().workflow(&workflow(steps)).http(move |_| error()).event(manual("w")).run_until_idle();
    let story = story.expect(paused().path(["call:failed"]));
    assert_eq!(story.world().http.calls().len(), 1, "the effect has happened: it is not tried again");
    let error = story.last().rows.into_iter().find_map(|row| row.error).expect("the step failed");
    assert_eq!(error.code, "http_undecodable");
}
