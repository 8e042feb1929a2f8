//! `follow`: an answer that comes in pages.

use pawl_engine::Address;
use pawl_runtime::ports::HttpRequest;
use pawl_testkit::scenario::{Reply, Scenario, answer, completed, dies, manual, paused, scenario};
use serde_json::{Value, json};

use crate::support::workflow;

/// A list that is read so, with these keys of the step.
fn story(keys: &str, script: impl FnMut(&HttpRequest) -> Reply + Send + 'static) -> Scenario {
    let steps = format!(
        "  - id: list\n    type: http_request\n    url: 'https://x.example/items'\n    save_as: got\n    {keys}"
    );
    let story = scenario().workflow(&workflow(&steps)).secret("token", "t/0ken").http(script).event(manual("w"));
    story.run_until_idle()
}

fn urls(story: &Scenario) -> Vec<String> {
    story.world().http.calls().into_iter().map(|call| call.url).collect()
}

fn got(story: &Scenario) -> Value {
    story.last().execution.variables["got"].clone()
}

fn failure(story: &Scenario) -> String {
    story
        .last()
        .rows
        .into_iter()
        .find_map(|row| row.error)
        .map(|error| error.code.as_str().to_owned())
        .unwrap_or_default()
}

/// Three pages of two items, each with the link to the next one in its body.
fn three(call: &HttpRequest) -> Reply {
    let page = call.url.split_once("page=").map_or(1, |(_, page)| page.parse::<u32>().unwrap_or(1));
    let mut body = json!({"data": [page * 10, page * 10 + 1]});
    if page < 3 {
        body["next"] = json!(format!("/items?page={}", page + 1));
    }
    answer(200).body(body)
}

const NEXT: &str = "follow: {next: answer.body.next, items: answer.body.data}";

#[test]
fn the_items_of_all_pages_are_one_list() {
    let story = story(NEXT, three).expect(completed());
    assert_eq!(
        urls(&story),
        ["https://x.example/items", "https://x.example/items?page=2", "https://x.example/items?page=3"]
    );
    let expected =
        json!({"status": 200, "headers": {}, "body": [10, 11, 20, 21, 30, 31], "pages": 3, "complete": true});
    assert_eq!(got(&story), expected);
    let rows = story.last().rows;
    let rows = rows.iter().filter(|row| row.step.as_deref() == Some("list"));
    let addresses: Vec<_> = rows.map(|row| row.address.as_ref().map(Address::as_str)).collect();
    assert_eq!(addresses, [None, Some("list.2"), Some("list.3")]);
}

#[test]
fn a_bound_leaves_the_rest_and_says_so() {
    let story = story("follow: {next: answer.body.next, items: answer.body.data, most: 2}", three).expect(completed());
    assert_eq!(urls(&story).len(), 2);
    assert_eq!((&got(&story)["pages"], &got(&story)["complete"]), (&json!(2), &json!(false)));
    assert_eq!(got(&story)["body"], json!([10, 11, 20, 21]));
}

#[test]
fn a_link_of_the_header_is_followed_and_the_body_is_the_list() {
    let story = story("follow: {link: true}", |call| {
        let reply = answer(200).body(json!([call.url.len()]));
        if call.url.contains("page=2") {
            reply
        } else {
            reply.header("Link", r#"<?page=2>; rel="next", <?page=2>; rel="last""#)
        }
    });
    let story = story.expect(completed());
    assert_eq!(urls(&story)[1], "https://x.example/items?page=2");
    assert_eq!(got(&story)["body"], json!([23, 30]));
}

/// A crash in the second call repeats the second call alone.
#[test]
fn a_page_that_was_read_is_not_read_again() {
    let mut crashed = false;
    let story = story(NEXT, move |call| {
        if call.url.ends_with("page=2") && !crashed {
            crashed = true;
            return dies();
        }
        three(call)
    });
    let story = story.expect(completed());
    let paths: Vec<_> = urls(&story).into_iter().map(|url| url["https://x.example/items".len()..].to_owned()).collect();
    assert_eq!(paths, ["", "?page=2", "?page=2", "?page=3"]);
    assert_eq!(got(&story)["body"], json!([10, 11, 20, 21, 30, 31]));
}

/// A failed page is retried as any call is, and the pages before it stay.
#[test]
fn a_page_that_fails_is_retried_alone() {
    let mut failures = 1;
    let story = story(NEXT, move |call| {
        if call.url.ends_with("page=3") && failures > 0 {
            failures -= 1;
            return answer(503);
        }
        three(call)
    });
    let story = story.expect(completed());
    assert_eq!(urls(&story).len(), 4);
    assert_eq!(got(&story)["body"], json!([10, 11, 20, 21, 30, 31]));
}

#[test]
fn another_host_gets_no_header_that_may_hold_a_secret() {
    let keys = "headers: {authorization: 'Bearer {{ secret(\"token\") }}', accept: application/json}\n    follow: {next: answer.body.next, items: '[answer.body.seen]'}";
    let story = story(keys, |call| {
        let seen = call.headers.keys().cloned().collect::<Vec<_>>().join(" ");
        let next = match call.url.as_str() {
            "https://x.example/items" => json!("https://y.example/items?page=2"),
            "https://y.example/items?page=2" => json!("/items?page=3"),
            "https://y.example/items?page=3" => json!("https://x.example/items?page=4"),
            _ => Value::Null,
        };
        answer(200).body(json!({"seen": seen, "next": next}))
    });
    let story = story.expect(completed());
    let expected = json!(["accept authorization", "accept", "accept", "accept authorization"]);
    assert_eq!(got(&story)["body"], expected, "the third page is relative to the second");
}

/// A service repeats the query in its links. History has a mark in the place of the secret, and the service gets the secret.
#[test]
fn a_secret_in_a_link_goes_back_to_its_own_host_only() {
    let keys = "query: {token: '{{ secret(\"token\") }}'}\n    follow: {next: answer.body.next, items: '[]'}";
    let story = story(keys, |call| {
        let next = match call.url.as_str() {
            "https://x.example/items?token=t%2F0ken" => json!(format!("{}&page=2", call.url)),
            "https://x.example/items?token=t%2F0ken&page=2" => json!("https://y.example/?token=t%2F0ken"),
            _ => Value::Null,
        };
        answer(200).body(json!({"next": next}))
    });
    let story = story.expect(completed());
    assert_eq!(
        urls(&story),
        [
            "https://x.example/items?token=t%2F0ken",
            "https://x.example/items?token=t%2F0ken&page=2",
            "https://y.example/?token=[secret:token]",
        ]
    );
    let told = serde_json::to_string(&story.last().rows).expect("rows are JSON");
    assert!(!told.contains("t/0ken") && !told.contains("t%2F0ken"), "{told}");
}

#[test]
fn what_is_no_page_fails_the_step() {
    let with = |keys: &str, body: Value| {
        let story = story(keys, move |_| answer(200).body(body.clone())).expect(paused().path(["list:failed"]));
        failure(&story)
    };
    assert_eq!(with("follow: {link: true}", json!({"data": []})), "wrong_type");
    assert_eq!(with(NEXT, json!({"data": [], "next": 7})), "wrong_type");
    assert_eq!(with(NEXT, json!({"data": [], "next": "http://["})), "http_invalid");
    assert_eq!(with(NEXT, json!({"data": [], "next": "file:///etc/passwd"})), "http_invalid");
}

/// The sum of all pages is bounded as one answer is.
#[test]
fn all_pages_together_are_bounded() {
    let story = story("follow: {next: '\"/more\"', items: answer.body, most: 100}", |_| {
        answer(200).body(json!(["x".repeat(300_000)]))
    });
    let story = story.expect(paused().path(["list:failed"]));
    assert_eq!((failure(&story).as_str(), urls(&story).len()), ("http_too_large", 4));
}
