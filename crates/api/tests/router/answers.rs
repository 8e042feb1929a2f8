//! Answers that a function behind a gateway can give: in time, and not too long.

use std::time::Duration;

use jiff::SignedDuration;
use pawl_api::{ApiOptions, Authorizer};
use pawl_runtime::ports::QueueName;
use pawl_runtime::{ExecutorOptions, System};
use pawl_testkit::scenario::answer;
use serde_json::json;

use crate::shop::{ORDER, REPORT};
use crate::surface::{surface, surface_with};
use crate::workflows::start;

/// Bug: an end in another process was seen only once the whole wait was over.
#[test]
fn a_look_sees_an_end_in_another_process_within_a_second() {
    let surface = surface().workflow(REPORT);
    let id = start(&surface, "report", &json!({}));
    let system = &surface.world.system;
    let other = System::new(system.ports.clone(), system.outside.clone(), ExecutorOptions::default());
    let elsewhere = async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        for queue in [QueueName::Events, QueueName::Jobs] {
            let source = surface.world.store.source();
            let received = source.receive(queue, 1, SignedDuration::from_mins(1)).await.expect("memory is readable");
            other.handle(queue, &received[0].body, None).await.expect("memory is writable");
        }
    };
    let (look, took) = surface.block_on(async {
        let began = tokio::time::Instant::now();
        let path = format!("/v1/executions/{id}?wait_s=60");
        let (look, ()) = tokio::join!(surface.get(&path).sending(), elsewhere);
        (look, began.elapsed())
    });
    assert_eq!(look.expect(200)["status"], "completed");
    assert!(took <= Duration::from_secs(8), "it ended after 7 s and was seen after {took:?}");
}

/// A function ends before the wait that somebody asks for.
#[test]
fn no_look_waits_longer_than_the_server_may_answer() {
    let longest_wait = Duration::from_secs(25);
    let surface = surface_with(ApiOptions { authorizer: Authorizer::Open, longest_wait, ..ApiOptions::default() });
    let surface =
        surface.workflow("workflow: w\nowner: o@example.com\nactive: true\nsteps: [{id: wait, type: delay, for: 1d}]");
    let id = start(&surface, "w", &json!({}));
    surface.settle();
    let (look, took) = surface.block_on(async {
        let began = tokio::time::Instant::now();
        let look = surface.get(&format!("/v1/executions/{id}?wait_s=60")).sending().await;
        (look, began.elapsed())
    });
    assert_eq!(look.expect(200)["status"], "waiting");
    assert!(took >= longest_wait && took < longest_wait + Duration::from_secs(1), "{took:?}");
}

/// Bug: answers above 6 MB, which no function can give, made an execution impossible to look at.
#[test]
fn no_page_of_an_execution_is_longer_than_a_function_may_answer() {
    let calls = (0..6).map(|at| format!("  - {{id: c{at}, type: http_request, url: 'https://x.example/{at}'}}\n"));
    let text = calls.collect::<String>();
    let surface = surface().workflow(&format!("workflow: w\nowner: o@example.com\nactive: true\nsteps:\n{text}"));
    surface.world.http.script(|_| Some(answer(200).body(json!({"text": "x".repeat(900_000)}))));
    let id = start(&surface, "w", &json!({}));
    surface.settle();
    let (mut steps, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = surface.get(&format!("/v1/executions/{id}?{cursor}")).send().expect(200);
        assert!(page.to_string().len() < 4_000_000, "a page has {} bytes", page.to_string().len());
        assert_eq!(page["status"], "completed");
        let rows = page["history"]["items"].as_array().expect("there are rows").clone();
        let called =
            rows.iter().filter(|row| row["output"]["body"]["text"].as_str().is_some_and(|it| it.len() == 900_000));
        steps.extend(called.map(|row| row["step"].as_str().expect("a row of a step").to_owned()));
        pages += 1;
        let Some(next) = page["history"]["next"].as_str() else { break };
        cursor = format!("cursor={next}");
    }
    assert_eq!(steps, ["c0", "c1", "c2", "c3", "c4", "c5"]);
    assert!(pages >= 3, "{pages}");
    let whole = surface.get(&format!("/v1/executions/{id}?limit=1")).send().expect(200);
    assert_eq!(whole["steps"]["c0"]["output"]["body"]["text"].as_str().map(str::len), Some(900_000));
    assert!(whole["steps"]["c5"]["output"]["omitted_bytes"].as_u64() > Some(900_000), "{}", whole["steps"]["c5"]);
}

/// Bug: 200 records of 100 KB are 20 MB, which no function can answer.
#[test]
fn no_page_of_records_is_longer_than_a_function_may_answer() {
    let surface = surface().object(ORDER);
    for at in 0..40 {
        let fields = json!({"number": at.to_string(), "tags": ["x".repeat(90_000)]});
        surface
            .post("/v1/objects/order/records")
            .json(&json!({"id": format!("o{at}"), "fields": fields}))
            .send()
            .expect(201);
    }
    for query in ["", "&order=number"] {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = surface.get(&format!("/v1/objects/order/records?limit=200{query}{cursor}")).send().expect(200);
            assert!(page.to_string().len() < 3_000_000, "a page has {} bytes", page.to_string().len());
            let items = page["items"].as_array().expect("a page has items");
            ids.extend(items.iter().map(|item| item["id"].as_str().expect("it has an id").to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 40, "{query}");
    }
}
