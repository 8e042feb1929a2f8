//! Calls that a case expects and answers.

use super::*;

/// `pawl test` passed what every call refused.
#[test]
fn what_cannot_be_sent_fails_a_case_as_it_fails_a_call() {
    let cases = "
http: [{answer: {status: 200}}]
cases:
  - {name: a header of two lines, event: {webhook: {body: {x: \"a\\r\\nb: c\"}}}, expect: {status: completed}}
";
    let step = "  - {id: call, type: http_request, url: 'https://x.example/', headers: {x-note: '{{ trigger.body.x }}'}, on_failure: {then: fail}}";
    let report = run_calls(step, cases);
    let difference = report.cases[0].difference.as_deref().unwrap_or_default();
    assert!(
        difference.contains("http_invalid: expected one line without control characters in the header `x-note`"),
        "{difference}"
    );
    let step = "  - {id: call, type: http_request, method: POST, url: 'https://x.example/', headers: {bad header: x}}";
    let report = run_calls(step, cases);
    let problem = report.problems.first().expect("the check knows it already");
    assert_eq!(problem.message, "expected a name of a header such as content-type, found \"bad header\"");
}

#[test]
fn calls_are_expected_as_they_are_sent() {
    let step = "  - {id: get, type: http_request, url: 'https://api.example.com/v1/customers/{{ trigger.body.id }}', headers: {authorization: 'Bearer {{ secret(\"api\") }}'}}";
    let report = run_calls(
        step,
        "
secrets: {api: k-1}
http: [{when: {url: 'https://api.example.com/*'}, answer: {status: 200, body: {}}}]
cases:
  - name: text of a stranger stays one segment of the path
    event: {webhook: {body: {id: '../../admin/keys?all=1#'}}}
    expect:
      calls: [{url: 'https://api.example.com/v1/customers/..%2F..%2Fadmin%2Fkeys%3Fall%3D1%23'}]
",
    );
    assert!(report.passed(), "{report}");
}

#[test]
fn a_call_that_nothing_answers_tells_what_is_near() {
    let step =
        "  - {id: get, type: http_request, url: 'https://a.example/items', query: {page: 2}, on_failure: {then: fail}}";
    let report = run_calls(
        step,
        "
http: [{when: {url: 'https://a.example/items?page=1'}, answer: {}}]
cases:
  - {name: another page, event: {webhook: {body: {}}}, expect: {status: failed}}
",
    );
    let difference = report.cases[0].difference.as_deref().unwrap_or_default();
    assert_eq!(
        difference,
        "no answer is scripted for the call GET https://a.example/items?page=2; the answer for \
         https://a.example/items?page=1 is for another query"
    );
}
