//! Workflows: save, show, switch, start and check.

use serde_json::{Value, json};

use crate::shop::{ORDER, REMIND, REPORT};
use crate::surface::surface;

#[test]
fn a_workflow_is_saved_listed_and_shown() {
    let surface = surface();
    let saved = surface.post("/v1/workflows").text(REPORT).header("x-pawl-actor", "ada@example.com").send();
    assert_eq!(saved.header("etag"), Some("\"1\""));
    let saved = saved.expect(201);
    assert_eq!((&saved["id"], &saved["revision"], &saved["active"]), (&json!("report"), &json!(1), &json!(true)));

    let listed = surface.get("/v1/workflows").send().expect(200);
    assert_eq!(listed["items"][0]["id"], "report");
    assert_eq!(listed.get("next"), None);

    let shown = surface.get("/v1/workflows/report").send();
    assert_eq!(shown.header("etag"), Some("\"1\""));
    let shown = shown.expect(200);
    assert_eq!((&shown["edits"], &shown["source"]["steps"][0]["id"]), (&json!("live"), &json!("divide")));

    let revisions = surface.get("/v1/workflows/report/revisions").send().expect(200);
    assert_eq!(revisions["items"][0]["saved_by"], "ada@example.com");
    let revision = surface.get("/v1/workflows/report/revisions/1").send().expect(200);
    assert_eq!(revision["source"]["workflow"], "report");
    surface.get("/v1/workflows/report/revisions/2").send().problem(404, "no_revision");
}

#[test]
fn what_is_not_there_is_said_not_to_be_there() {
    let surface = surface();
    for path in ["", "/revisions", "/graph", "/description", "/refusals"] {
        surface.get(&format!("/v1/workflows/none{path}")).send().problem(404, "no_workflow");
    }
    for path in ["activate", "deactivate", "close-breaker", "kill", "lift", "start"] {
        surface.post(&format!("/v1/workflows/none/{path}")).send().problem(404, "no_workflow");
    }
    surface.get("/v1/nothing").send().problem(404, "unknown_route");
    surface.get("/v1/workflows/report/revisions/one").send().problem(400, "bad_path");
    let answer = surface.put("/v1/workflows").send();
    assert!(answer.header("allow").is_some_and(|allow| allow.contains("POST")), "{answer:?}");
    answer.problem(405, "method_not_allowed");
}

#[test]
fn a_stale_save_changes_nothing() {
    let surface = surface().workflow(REPORT);
    let second = REPORT.replace("12 /", "24 /");
    let third = REPORT.replace("12 /", "36 /");

    surface.put("/v1/workflows/report").text(&second).header("if-match", "\"1\"").send().expect(200);
    let stale = surface.put("/v1/workflows/report").text(&third).header("if-match", "\"1\"").send();
    assert_eq!(stale.problem(412, "stale_revision")["present"], 2);
    let stale = surface.post("/v1/workflows").text(&third).header("if-none-match", "*").send();
    stale.problem(412, "stale_revision");

    let shown = surface.get("/v1/workflows/report").send().expect(200);
    assert_eq!(shown["revision"], 2);
    assert_eq!(shown["source"]["steps"][0]["values"]["share"], "{{ 24 / int(vars.divisor) }}");

    let same = surface.put("/v1/workflows/report").text(&second).header("if-match", "\"2\"").send().expect(200);
    assert_eq!((&same["unchanged"], &same["revision"]), (&json!(true), &json!(2)));
    surface.put("/v1/workflows/report").text(&third).header("if-match", "2").send().problem(400, "bad_header");
    surface.put("/v1/workflows/report").text(&third).header("if-match", "\"2\"").send().expect(200);
}

#[test]
fn a_workflow_with_mistakes_is_refused_with_all_of_them() {
    let surface = surface();
    let wrong =
        "workflow: wrong\nowner: a@example.com\nsteps:\n  - {id: a, type: nap}\n  - {id: a, type: note, text: x}\n";
    let refused = surface.post("/v1/workflows?file=wrong.yaml").text(wrong).send().problem(422, "invalid_workflow");
    let problems = refused["problems"].as_array().expect("mistakes are listed");
    let codes: Vec<_> = problems.iter().filter_map(|problem| problem["code"].as_str()).collect();
    assert!(codes.contains(&"unknown_type") && codes.contains(&"duplicate_id"), "{codes:?}");
    assert_eq!(problems[0]["line"], 4);
    assert_eq!(problems[0]["help"], format!("docs/errors/{}.md", codes[0]));
    surface.get("/v1/workflows/wrong").send().problem(404, "no_workflow");

    surface.post("/v1/workflows").text("workflow: [").send().problem(422, "invalid_workflow");
    surface.post("/v1/workflows").body(vec![0xFF_u8]).send().problem(415, "charset_unsupported");
    surface.post("/v1/workflows").body(vec![b' '; 1024 * 1024 + 1]).send().problem(413, "body_too_large");
    surface.put("/v1/workflows/other").text(REPORT).send().problem(422, "id_mismatch");
    surface.post("/v1/workflows?name=x").text(REPORT).send().problem(400, "bad_query");
}

#[test]
fn a_check_saves_nothing_and_holds_against_the_launch_checklist() {
    let surface = surface().object(ORDER);
    let checked = surface.post("/v1/check?has_cases=true").text(REMIND).send().expect(200);
    assert_eq!((&checked["valid"], &checked["problems"]), (&json!(true), &json!([])));
    let items = checked["checklist"].as_array().expect("the checklist is a list");
    assert!(items.iter().any(|item| item["status"] == "pass"), "{items:?}");

    let wrong = surface.post("/v1/check").text(&REMIND.replace("object: order", "object: ordre")).send().expect(200);
    assert_eq!((&wrong["valid"], &wrong["checklist"]), (&json!(false), &json!([])));
    assert_eq!(wrong["problems"][0]["code"], "unknown_object");
    assert_eq!(surface.post("/v1/check").text("a: [").send().expect(200)["problems"][0]["code"], "syntax");
    surface.get("/v1/workflows/remind").send().problem(404, "no_workflow");
}

#[test]
fn a_workflow_is_drawn() {
    let answer = surface().workflow(REPORT).get("/v1/workflows/report/graph").send();
    assert_eq!(answer.header("content-type"), Some("text/vnd.mermaid; charset=utf-8"));
    assert!(answer.text.starts_with("flowchart TD\n") && answer.text.contains("divide"), "{}", answer.text);
}

#[test]
fn a_workflow_is_told_in_sentences() {
    let told = surface().workflow(REPORT).get("/v1/workflows/report/description").send().expect(200);
    assert_eq!((&told["id"], &told["revision"]), (&json!("report"), &json!(1)));
    assert!(told["text"].as_str().is_some_and(|text| text.contains("**divide** sets the variables")), "{told}");
}

#[test]
fn a_workflow_is_switched_and_killed() {
    let surface = surface().workflow(REPORT);
    let switch = |path: &str| surface.post(&format!("/v1/workflows/report/{path}")).send().expect(200);
    assert_eq!(switch("deactivate")["active"], false);
    assert_eq!(switch("deactivate")["active"], false);
    assert_eq!(switch("activate")["active"], true);

    let why = json!({"reason": "it mails too much", "actor": "ada@example.com"});
    let killed = surface.post("/v1/workflows/report/kill").json(&why).send().expect(200);
    let expected = json!({"actor": "ada@example.com", "reason": "it mails too much", "at": crate::surface::NOW});
    assert_eq!(killed["killed"], expected);
    let id = start(&surface, "report", &json!({}));
    surface.settle();
    assert_eq!(surface.get(&format!("/v1/executions/{id}")).send().expect(200)["status"], "queued");

    let lifted = surface.post("/v1/workflows/report/lift").send().expect(202);
    assert_eq!((lifted.get("killed"), &lifted["id"]), (None, &json!("report")));
    surface.settle();
    assert_eq!(surface.get(&format!("/v1/executions/{id}")).send().expect(200)["status"], "completed");
}

/// Starts a workflow and says which execution that is.
pub(crate) fn start(surface: &crate::surface::Surface, workflow: &str, body: &Value) -> String {
    let started = surface.post(&format!("/v1/workflows/{workflow}/start")).json(body).send().expect(202);
    started["execution_id"].as_str().expect("a start names its execution").to_owned()
}

#[test]
fn a_start_takes_values_of_the_variables_types() {
    let surface = surface().workflow(REPORT);
    let id = start(&surface, "report", &json!({"values": {"divisor": "2"}}));
    surface.settle();
    let shown = surface.get(&format!("/v1/executions/{id}")).send().expect(200);
    assert_eq!((&shown["status"], &shown["variables"]), (&json!("completed"), &json!({"divisor": 2, "share": 6})));
    let event = surface.get(&format!("/v1/executions/{id}/event")).send().expect(200);
    assert_eq!((&event["type"], &event["data"]["values"]), (&json!("manual"), &json!({"divisor": 2})));

    let try_start = |body: Value| surface.post("/v1/workflows/report/start").json(&body).send();
    let wrong = try_start(json!({"values": {"divisor": "many"}})).problem(422, "value_failed");
    assert_eq!(wrong["path"], "values.divisor");
    assert_eq!(try_start(json!({"values": {"x": 1}})).problem(422, "unknown_variable")["path"], "values.x");
    try_start(json!({"record": {"object": "order", "id": "1"}})).problem(422, "record_not_expected");
    try_start(json!({"value": {}})).problem(422, "body_malformed");
    surface.post("/v1/workflows/report/start").text("{}").send().problem(415, "content_type_unsupported");
    surface
        .post("/v1/workflows/report/start")
        .json(&json!({}))
        .header("idempotency-key", "")
        .send()
        .problem(400, "bad_header");
}

#[test]
fn a_start_runs_on_a_record_of_the_workflows_object() {
    let surface = surface().object(ORDER).workflow(REMIND).record("order", "o1", json!({"number": "1"}));
    let try_start = |body: Value| surface.post("/v1/workflows/remind/start").json(&body).send();
    try_start(json!({})).problem(422, "record_required");
    try_start(json!({"record": {"object": "person", "id": "o1"}})).problem(422, "record_not_expected");
    try_start(json!({"record": {"object": "order", "id": "o2"}})).problem(404, "no_record");

    let id = start(&surface, "remind", &json!({"record": {"object": "order", "id": "o1"}}));
    surface.settle();
    let shown = surface.get(&format!("/v1/executions/{id}")).send().expect(200);
    assert_eq!((&shown["status"], &shown["record"]), (&json!("waiting"), &json!({"object": "order", "id": "o1"})));
}

#[test]
fn a_repeated_start_is_answered_as_the_first_and_starts_nothing() {
    let surface = surface().workflow(REPORT);
    let start =
        || surface.post("/v1/workflows/report/start").json(&json!({})).header("idempotency-key", "monday").send();
    let (first, second) = (start(), start());
    assert_eq!((first.header("idempotent-replayed"), second.header("idempotent-replayed")), (None, Some("true")));
    assert_eq!(first.text, second.text);
    surface.settle();
    assert_eq!(surface.world.executions().len(), 1);
    start();
    surface.settle();
    assert_eq!(surface.world.executions().len(), 1);
}

/// Bug: `Idempotency-Key` with another body repeated the first answer.
#[test]
fn a_start_under_the_key_of_another_one_is_refused() {
    let surface = surface().workflow(REPORT);
    let start = |actor: &str, record: Value| {
        let body = json!({"actor": actor, "record": record});
        surface.post("/v1/workflows/report/start").json(&body).header("idempotency-key", "monday").send()
    };
    assert_eq!(start("ada", Value::Null).status, 202);
    start("ada", json!({"object": "order", "id": "o1"})).problem(409, "idempotency_key_reused");
    assert_eq!(start("bob", Value::Null).header("idempotent-replayed"), Some("true"), "who asks is no part of it");
}

#[test]
fn revisions_are_paged_newest_first() {
    let surface = surface();
    for share in 12..17 {
        surface.post("/v1/workflows").text(&REPORT.replace("12 /", &format!("{share} /"))).send();
    }
    let page = |query: &str| surface.get(&format!("/v1/workflows/report/revisions?limit=2{query}")).send().expect(200);
    let numbers = |page: &Value| {
        let items = page["items"].as_array().expect("a page has items").iter();
        items.map(|item| item["revision"].as_u64().expect("a revision has a number")).collect::<Vec<_>>()
    };
    let first = page("");
    let second = page(&format!("&cursor={}", first["next"].as_str().expect("more follow")));
    assert_eq!((numbers(&first), numbers(&second)), (vec![5, 4], vec![3, 2]));

    let foreign = format!("/v1/workflows?cursor={}", first["next"].as_str().expect("more follow"));
    surface.get(&foreign).send().problem(400, "bad_cursor");
    surface.get("/v1/workflows?cursor=x").send().problem(400, "bad_cursor");
    surface.get("/v1/workflows?limit=0").send().problem(400, "bad_query");
    surface.get("/v1/workflows?limit=201").send().problem(400, "bad_query");
}

#[test]
fn bug_an_object_lost_a_field_that_an_active_workflow_reads_and_nobody_was_told() {
    let object = "object: parcel\nfields: {state: {type: option, options: [new, sent]}, weight: {type: number}}\n";
    let ship = |active: bool| {
        format!(
            "workflow: ship\nowner: a@example.com\nobject: parcel\nactive: {active}\nsteps:\n  \
             - {{id: heavy, type: condition, if: record.weight > 30, yes: []}}\n"
        )
    };
    let surface = surface().object(object).workflow(&ship(true));
    let save = |text: &str| surface.put("/v1/objects/parcel").text(text).send().expect(200);

    assert_eq!(save(&object.replace("[new, sent]", "[new, sent, back]")).get("warnings"), None, "nothing reads it");
    let lost = save("object: parcel\nfields: {state: {type: text}}\n");
    assert_eq!(lost["object"], "parcel", "it is saved all the same");
    let warnings = lost["warnings"].as_array().expect("there are warnings");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!((&warnings[0]["path"], &warnings[0]["severity"]), (&json!("steps[0].if"), &json!("warning")));
    let message = warnings[0]["message"].as_str().unwrap_or_default();
    assert!(
        message.starts_with("the active workflow \"ship\" has a mistake now: object \"parcel\" has no field"),
        "{message}"
    );

    save(object);
    let retyped = save("object: parcel\nfields: {weight: {type: text}}\n");
    assert_eq!(retyped["warnings"][0]["code"], "expression_type");

    save(object);
    surface.post("/v1/workflows/ship/deactivate").send().expect(200);
    assert_eq!(save("object: parcel\nfields: {state: {type: text}}\n").get("warnings"), None, "it is inactive");
}
