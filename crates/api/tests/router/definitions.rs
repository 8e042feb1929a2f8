//! Groups, calendars, people and types of activities.

use http::Method;
use serde_json::{Value, json};

use crate::shop::ORDER;
use crate::surface::surface;

const LARGE: &str = "group: large\nname: Large orders\nobject: order\nwhere: record.amount > 100\n";
const USES: &str = "workflow: w\nowner: a@example.com\nobject: order\nactive: true\nsteps:\n  \
                    - {id: ask, type: condition, if: 'in_group(record, \"large\")'}\n";

#[test]
fn a_group_is_saved_shown_listed_and_deleted() {
    let surface = surface().object(ORDER);
    let new = surface.put("/v1/groups/large").text(LARGE).header("if-none-match", "*").send();
    assert_eq!(new.header("etag"), Some("\"1\""));
    let new = new.expect(201);
    assert_eq!(
        (&new["group"], &new["where"], &new["revision"]),
        (&json!("large"), &json!("record.amount > 100"), &json!(1))
    );
    assert_eq!(surface.put("/v1/groups/large").text(LARGE).send().header("etag"), Some("\"1\""), "it is the same");
    let more = LARGE.replace("100", "200");
    surface.put("/v1/groups/large").text(&more).header("if-none-match", "*").send().problem(412, "stale_revision");
    let saved = surface.put("/v1/groups/large").text(&more).header("if-match", "\"1\"").send().expect(200);
    assert_eq!(saved["revision"], 2);
    let stale = surface.put("/v1/groups/large").text(LARGE).header("if-match", "\"1\"").send();
    assert_eq!(stale.problem(412, "stale_revision")["present"], 2);
    assert_eq!(surface.get("/v1/groups/large").send().expect(200)["where"], "record.amount > 200");
    assert_eq!(surface.get("/v1/groups").send().expect(200)["items"][0]["name"], "Large orders");

    let surface = surface.workflow(USES);
    let in_use = surface.call(Method::DELETE, "/v1/groups/large").send().problem(409, "definition_in_use");
    assert_eq!(in_use["problems"][0]["path"], "steps[0].if");
    let surface = surface.workflow(&USES.replace("in_group(record, \"large\")", "true"));
    surface.call(Method::DELETE, "/v1/groups/large").header("if-match", "\"1\"").send().problem(412, "stale_revision");
    surface.call(Method::DELETE, "/v1/groups/large").send().expect(200);
    surface.get("/v1/groups/large").send().problem(404, "no_definition");
    surface.call(Method::DELETE, "/v1/groups/large").send().problem(404, "no_definition");
    assert_eq!(surface.get("/v1/groups").send().expect(200)["items"], json!([]));
}

#[test]
fn what_is_wrong_changes_nothing() {
    let surface = surface().object(ORDER);
    let wrong = surface.put("/v1/groups/large").text(&LARGE.replace("amount", "amuont")).send();
    assert_eq!(wrong.problem(422, "invalid_definition")["problems"][0]["line"], 4);
    surface.put("/v1/groups/other").text(LARGE).send().problem(422, "id_mismatch");
    surface.put("/v1/groups/large").text("a: [").send().problem(422, "invalid_definition");
    surface.put("/v1/calendars/c").text("calendar: c\nholidays: [tomorrow]").send().problem(422, "invalid_definition");
    surface.get("/v1/groups/large").send().problem(404, "no_definition");
}

#[test]
fn a_type_of_activities_is_saved_shown_and_deleted() {
    let surface = surface().object(ORDER);
    let call = "activity: call\nobjects: [order]\nfields: {topic: {type: text, default: 1.10}}";
    surface.put("/v1/activity-types/call").text(call).send().expect(201);
    let shown = surface.get("/v1/activity-types/call").send().expect(200);
    assert_eq!((&shown["objects"], &shown["fields"]["topic"]["default"]), (&json!(["order"]), &json!("1.10")));
    let wrong = surface.put("/v1/activity-types/call").text(&call.replace("[order]", "[odrer]")).send();
    assert_eq!(wrong.problem(422, "invalid_definition")["problems"][0]["path"], "objects[0]");
    surface.put("/v1/activity-types/call").text(call).header("if-match", "\"7\"").send().problem(412, "stale_revision");
    assert_eq!(surface.get("/v1/activity-types").send().expect(200)["items"][0]["activity"], "call");
    surface.call(Method::DELETE, "/v1/activity-types/call").send().expect(200);
    surface.get("/v1/activity-types/call").send().problem(404, "no_definition");
}

#[test]
fn a_calendar_is_saved_and_shown() {
    let surface = surface();
    let calendar = "calendar: c\nweekend: [sun]\nholidays: [2026-12-25]";
    surface.put("/v1/calendars/c").text(calendar).send().expect(201);
    let shown = surface.get("/v1/calendars/c").send().expect(200);
    assert_eq!((&shown["weekend"], &shown["holidays"]), (&json!(["sun"]), &json!(["2026-12-25"])));
}

#[test]
fn a_workflow_starts_on_a_group() {
    let surface =
        surface().object(ORDER).workflow(USES.replace("if: 'in_group(record, \"large\")'", "if: 'true'").as_str());
    let start = |body: Value| surface.post("/v1/workflows/w/starts").json(&body).send();
    start(json!({"group": "large"})).problem(404, "no_definition");
    surface.put("/v1/groups/large").text(LARGE).send().expect(201);
    let begun = start(json!({"group": "large"})).expect(202);
    assert_eq!(begun["action"]["group"], "large");
    start(json!({"group": "large", "where": "true"})).problem(422, "bad_filter");
}

#[test]
fn people_are_saved_shown_and_deleted() {
    let surface = surface().object(ORDER);
    let people =
        "teams: [{team: sales}]\nmembers: [{member: ada, email: ada@example.com, teams: [sales]}, {member: bob}]";
    let new = surface.put("/v1/people/people").text(people).header("if-none-match", "*").send().expect(201);
    assert_eq!(
        (&new["people"], &new["members"][1]),
        (&json!("people"), &json!({"member": "bob", "teams": [], "active": true}))
    );
    surface.put("/v1/people/shop").text(people).send().problem(422, "id_mismatch");
    let without = people.replace(", email: ada@example.com", "");
    let saved = surface.put("/v1/people/people").text(&without).header("if-match", "\"1\"").send().expect(200);
    assert_eq!((&saved["revision"], &saved["members"][0]["email"]), (&json!(2), &Value::Null));
    surface.post("/v1/objects/order/records").json(&json!({"fields": {"owner": "ada"}})).send().expect(201);
    let refused = surface.post("/v1/objects/order/records").json(&json!({"fields": {"owner": "eve"}})).send();
    assert_eq!(refused.problem(422, "invalid_record")["problems"][0]["code"], "unknown_member");
    let wrong = surface.put("/v1/people/people").text("members: [{member: ada, teams: [sale]}]").send();
    assert_eq!(wrong.problem(422, "invalid_definition")["problems"][0]["code"], "unknown_team");
    surface.call(Method::DELETE, "/v1/people/people").send().expect(200);
    assert_eq!(surface.get("/v1/people").send().expect(200)["items"], json!([]));
}
