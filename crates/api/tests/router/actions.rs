//! Tracked actions: begin, preview, run, pause, cancel, and what came of them.

use serde_json::{Value, json};

use crate::shop::{ORDER, REMIND, REPORT};
use crate::surface::{Surface, surface};
use crate::workflows::start;

/// So many paused executions of `report`.
fn broken(count: usize) -> Surface {
    let surface = surface().object(ORDER).workflow(REMIND).workflow(REPORT);
    for _ in 0..count {
        start(&surface, "report", &json!({"values": {"divisor": 0}}));
    }
    surface.settle();
    surface
}

fn begin(surface: &Surface, body: &Value) -> Value {
    surface.post("/v1/operations").json(body).send().expect(202)
}

fn path(operation: &Value) -> String {
    format!("/v1/operations/{}", operation["id"].as_str().expect("it has an id"))
}

#[test]
fn an_action_is_previewed_run_and_told_in_the_audit() {
    let surface = broken(12);
    let filter = json!({"workflow": "report", "code": "expression_value"});
    let why = "the rate is right now";
    let ready =
        begin(&surface, &json!({"action": "cancel", "filter": filter, "reason": why, "actor": "ada", "preview": true}));
    assert_eq!((&ready["state"], &ready["kind"]), (&json!("ready"), &json!("action")));
    let preview = &ready["action"]["preview"];
    assert_eq!((&preview["finished"], &preview["count"], &preview["refused"]), (&json!(true), &json!(12), &json!(0)));
    assert_eq!(preview["examples"].as_array().map(Vec::len), Some(10));
    assert_eq!(
        preview["failures"],
        json!([{"workflow": "report", "step": "divide", "code": "expression_value", "count": 12}])
    );
    assert_eq!(ready["action"]["filter"], filter);
    surface.settle();
    assert_eq!(surface.get(&path(&ready)).send().expect(200)["state"], "ready");

    surface.post(&format!("{}/run", path(&ready))).json(&json!({"actor": "bob"})).send().expect(200);
    surface.settle();
    let done = surface.get(&path(&ready)).send().expect(200);
    assert_eq!((&done["state"], &done["executions"]), (&json!("completed"), &json!(12)));
    assert_eq!(
        done["action"]["counts"],
        json!({"selected": 12, "done": 12, "refused": 0, "failed": 0, "unchanged": 0})
    );
    let listed = surface.get("/v1/executions?status=paused").send().expect(200);
    assert_eq!(listed["items"], json!([]));
    let audit = surface.get("/v1/audit").send().expect(200)["items"].clone();
    let told: Vec<_> = audit.as_array().expect("it is a list").iter().map(|entry| &entry["action"]["stage"]).collect();
    assert_eq!(told, ["completed", "begun"]);
    assert_eq!(
        (&audit[1]["actor"], &audit[0]["actor"], &audit[0]["reason"]),
        (&json!("bob"), &json!("ada"), &json!(why))
    );
    assert_eq!(audit[0]["action"]["filter"], filter);
    assert_eq!(audit[0]["action"]["counts"]["done"], 12);
}

#[test]
fn an_empty_filter_is_refused() {
    let surface = broken(1);
    for (filter, at) in [
        (Value::Null, "filter"),
        (json!({}), "filter"),
        (json!({"workflow": null}), "filter"),
        (json!({"ids": []}), "filter.ids"),
        (json!({"ids": [], "workflow": "report"}), "filter.ids"),
    ] {
        let body = json!({"action": "cancel", "filter": filter});
        let problem = surface.post("/v1/operations").json(&body).send().problem(422, "empty_filter");
        assert_eq!(problem["path"], at, "{filter}");
    }
    surface.post("/v1/operations").json(&json!({"action": "cancel"})).send().problem(422, "empty_filter");
    for body in [json!({}), json!({"records": []}), json!({"where": null})] {
        surface.post("/v1/workflows/remind/starts").json(&body).send().problem(422, "empty_filter");
    }
    surface.settle();
    assert_eq!(
        surface.get("/v1/executions?status=paused").send().expect(200)["items"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn what_is_wrong_with_a_request_is_said_with_its_place() {
    let surface = broken(1);
    let told = |body: &Value, status, code| {
        surface.post("/v1/operations").json(body).send().problem(status, code)["detail"].as_str().map(str::to_owned)
    };
    let filter = json!({"workflow": "report"});
    let unknown = told(&json!({"action": "restart", "filter": filter}), 422, "body_malformed");
    assert!(unknown.is_some_and(|detail| detail.contains("one of retry, resume, cancel, skip, redrive")));
    told(&json!({"action": "retry", "filter": {"workflow": "reports"}}), 404, "no_workflow");
    told(&json!({"action": "retry", "filter": {"status": "broken"}}), 422, "bad_filter");
    told(&json!({"action": "retry", "filter": {"older_than": "long"}}), 422, "bad_filter");
    told(&json!({"action": "retry", "filter": {"ids": ["1"]}}), 422, "bad_filter");
    told(&json!({"action": "retry", "filter": {"colour": "red"}}), 422, "body_malformed");
    told(&json!({"action": "retry", "filter": filter, "colour": "red"}), 422, "body_malformed");
    told(&json!({"action": "retry", "filter": filter, "rate": 0}), 422, "body_malformed");
    told(&json!({"action": "retry", "filter": filter, "concurrency": 51}), 422, "body_malformed");
    told(&json!({"action": "retry", "filter": filter, "take": "yes"}), 422, "body_malformed");
    surface.get("/v1/operations/retry.1/results").send().problem(404, "no_operation");
    surface.post("/v1/operations/retry.1/run").send().problem(404, "no_operation");
}

#[test]
fn an_action_is_paused_resumed_and_canceled() {
    let surface = broken(3);
    let filter = json!({"status": "paused"});
    let begun = begin(&surface, &json!({"action": "cancel", "filter": filter, "preview": true}));
    let post = |word: &str| surface.post(&format!("{}/{word}", path(&begun))).send();
    post("pause").problem(409, "illegal_transition");
    assert_eq!(post("run").expect(200)["state"], "running");
    assert_eq!(post("run").expect(200)["state"], "running");
    assert_eq!(post("pause").expect(200)["state"], "paused");
    surface.settle();
    assert_eq!(
        surface.get("/v1/executions?status=paused").send().expect(200)["items"].as_array().map(Vec::len),
        Some(3)
    );
    assert_eq!(post("resume").expect(200)["state"], "running");
    surface.settle();
    assert_eq!(surface.get(&path(&begun)).send().expect(200)["state"], "completed");
    post("cancel").problem(409, "illegal_transition");

    let other = begin(&surface, &json!({"action": "cancel", "filter": {"status": "canceled"}, "preview": true}));
    let canceled = surface.post(&format!("{}/cancel", path(&other))).send().expect(200);
    assert_eq!(canceled["state"], "canceled");
}

#[test]
fn those_that_were_refused_are_listed_page_by_page() {
    let surface = broken(5);
    let begun = begin(&surface, &json!({"action": "resume", "filter": {"workflow": "report"}}));
    surface.settle();
    let counts = surface.get(&path(&begun)).send().expect(200)["action"]["counts"].clone();
    assert_eq!((&counts["done"], &counts["refused"]), (&json!(0), &json!(5)));
    let first = surface.get(&format!("{}/results?limit=3", path(&begun))).send().expect(200);
    let next = first["next"].as_str().expect("more follow");
    let second = surface.get(&format!("{}/results?limit=3&cursor={next}", path(&begun))).send().expect(200);
    let items = |page: &Value| page["items"].as_array().map(Vec::len);
    assert_eq!((items(&first), items(&second)), (Some(3), Some(2)));
    let result = &first["items"][0];
    assert_eq!((&result["verdict"], &result["code"]), (&json!("refused"), &json!("illegal_transition")));
    let told = "cannot resume an execution that is paused: a step failed: retry or skip it, or cancel";
    assert_eq!(result["message"], told);
}

#[test]
fn a_workflow_starts_on_records_of_a_filter_and_on_listed_ones() {
    let surface = surface().object(ORDER).workflow(REMIND).workflow(REPORT);
    let surface = (1..=6).fold(surface, |surface, number| {
        surface.record("order", &format!("o{number}"), json!({"number": number.to_string(), "amount": number}))
    });
    let path_of = "/v1/workflows/remind/starts";
    let body = json!({"where": "record.amount > 2 && record.amount < 6", "values": {"days": 3}});
    let begun = surface.post(path_of).json(&body).send().expect(202);
    assert_eq!((&begun["workflow"], &begun["action"]["action"]), (&json!("remind"), &json!("start")));
    assert_eq!(begun["action"]["where"], body["where"]);
    surface.settle();
    assert_eq!(surface.get(&path(&begun)).send().expect(200)["action"]["counts"]["done"], 3);
    let listed = surface.get("/v1/executions?workflow=remind").send().expect(200);
    let records: std::collections::BTreeSet<_> = listed["items"]
        .as_array()
        .expect("it is a list")
        .iter()
        .map(|item| item["record"]["id"].clone().to_string())
        .collect();
    assert_eq!(records, ["\"o3\"", "\"o4\"", "\"o5\""].map(str::to_owned).into());
    let id = listed["items"][0]["id"].as_str().expect("it has an id");
    assert_eq!(surface.get(&format!("/v1/executions/{id}")).send().expect(200)["variables"]["days"], 3);

    let listed = surface.post(path_of).json(&json!({"records": ["o1", "o1", "o9"]})).send().expect(202);
    surface.settle();
    let done = surface.get(&path(&listed)).send().expect(200);
    assert_eq!(done["action"]["records"], 2, "each once");
    let counts = &done["action"]["counts"];
    assert_eq!((&counts["done"], &counts["refused"]), (&json!(1), &json!(1)));
    let results = surface.get(&format!("{}/results", path(&listed))).send().expect(200);
    assert_eq!((&results["items"][0]["target"], &results["items"][0]["code"]), (&json!("o9"), &json!("no_record")));

    let wrong = surface.post(path_of).json(&json!({"where": "record.amuont > 2"})).send().problem(422, "bad_filter");
    assert_eq!(wrong["path"], "where");
    surface.post(path_of).json(&json!({"where": "true", "records": ["o1"]})).send().problem(422, "bad_filter");
    let keyed = |id: &str| surface.post(path_of).header("idempotency-key", "k").json(&json!({"records": [id]})).send();
    assert_eq!(keyed("o1").expect(202)["id"], keyed("o1").expect(202)["id"]);
    keyed("o2").problem(409, "idempotency_key_reused");
    surface
        .post("/v1/workflows/report/starts")
        .json(&json!({"where": "true"}))
        .send()
        .problem(422, "record_not_expected");
    surface.post("/v1/workflows/none/starts").json(&json!({"where": "true"})).send().problem(404, "no_workflow");
    let values = json!({"where": "true", "values": {"hours": 1}});
    surface.post(path_of).json(&values).send().problem(422, "unknown_variable");
}

#[test]
fn a_repeat_with_the_same_key_begins_nothing() {
    let surface = broken(2);
    let body = json!({"action": "retry", "filter": {"workflow": "report"}, "preview": true});
    let send = |body: &Value| surface.post("/v1/operations").header("idempotency-key", "k1").json(body).send();
    let first = send(&body).expect(202);
    assert_eq!(send(&body).expect(202)["id"], first["id"]);
    let other = json!({"action": "retry", "filter": {"status": "paused"}, "preview": true});
    send(&other).problem(409, "idempotency_key_reused");
}

#[test]
fn executions_are_listed_by_their_age() {
    let surface = broken(1);
    let old = surface.get("/v1/executions?older_than=1h").send().expect(200);
    assert_eq!(old["items"], json!([]));
    surface.world.clock.advance(jiff::SignedDuration::from_hours(2));
    start(&surface, "report", &json!({}));
    surface.settle();
    let old = surface.get("/v1/executions?older_than=1h").send().expect(200);
    assert_eq!(old["items"].as_array().map(Vec::len), Some(1));
    surface.get("/v1/executions?older_than=soon").send().problem(400, "bad_query");
}

#[test]
fn operations_are_listed_newest_first_in_pages() {
    let surface = broken(2);
    let none = surface.get("/v1/operations").send().expect(200);
    assert_eq!((&none["items"], &none["next"]), (&json!([]), &Value::Null));
    let mut ids = Vec::new();
    for word in ["retry", "cancel"] {
        let body = json!({"action": word, "filter": {"workflow": "report"}, "preview": true});
        ids.push(begin(&surface, &body)["id"].clone());
        surface.world.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    surface.post("/v1/workflows/report/kill").send().expect(200);
    let lift = surface.post("/v1/workflows/report/lift").send().expect(202);
    ids.push(lift["operation"].clone());
    surface.settle();
    ids.reverse();

    let mut listed = Vec::new();
    let mut path = "/v1/operations?limit=2".to_owned();
    loop {
        let page = surface.get(&path).send().expect(200);
        listed.extend(page["items"].as_array().expect("it is a list").clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/operations?limit=2&cursor={next}");
    }
    assert_eq!(listed.iter().map(|operation| operation["id"].clone()).collect::<Vec<_>>(), ids);
    let told: Vec<_> = listed.iter().map(|operation| [&operation["kind"], &operation["state"]]).collect();
    assert_eq!(told, [["lift", "completed"], ["action", "ready"], ["action", "ready"]]);
    assert_eq!(
        listed[1],
        surface.get(&format!("/v1/operations/{}", ids[1].as_str().expect("a text"))).send().expect(200)
    );
    surface.get("/v1/operations?cursor=forged").send().problem(400, "bad_cursor");
}

/// An action on listed ids has them in its filter.
#[test]
fn a_page_of_large_operations_is_shorter() {
    let surface = broken(0);
    let ids: Vec<_> = (0..1_000).map(|number| format!("exe_{number:032x}")).collect();
    for _ in 0..70 {
        begin(&surface, &json!({"action": "cancel", "filter": {"ids": ids}, "preview": true}));
        surface.world.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    let first = surface.get("/v1/operations?limit=200").send().expect(200);
    let count = first["items"].as_array().map_or(0, Vec::len);
    assert!((2..70).contains(&count), "{count}");
    let next = first["next"].as_str().expect("there are more");
    let rest = surface.get(&format!("/v1/operations?limit=200&cursor={next}")).send().expect(200);
    assert_eq!(count + rest["items"].as_array().map_or(0, Vec::len), 70);
}
