//! Activities about records: made, listed, logged and canceled.

use serde_json::json;

use crate::shop::ORDER;
use crate::surface::{Surface, surface};

fn shop() -> Surface {
    let surface = surface().object(ORDER).record("order", "o1", json!({"number": "1"}));
    let call = "activity: call\nobjects: [order]\nfields: {topic: {type: text}}";
    surface.put("/v1/activity-types/call").text(call).send().expect(201);
    surface
}

#[test]
fn an_activity_is_made_listed_logged_and_shown() {
    let surface = shop();
    let new = json!({
        "id": "a-1", "activity": "call", "records": {"order": "o1"}, "due": "2d", "assignee": "ada",
        "fields": {"topic": "price"}, "actor": "bob",
    });
    let made = surface.post("/v1/activities").json(&new).send();
    assert_eq!(made.header("location"), Some("/v1/activities/a-1"));
    let made = made.expect(201);
    assert_eq!(
        (&made["status"], &made["created_by"], &made["records"]),
        (&json!("open"), &json!("bob"), &json!({"order": "o1"}))
    );
    surface.post("/v1/activities").json(&new).send().problem(409, "duplicate_activity");
    for query in ["record=order/o1", "assignee=ada&status=open", "activity=call", "status=open"] {
        let listed = surface.get(&format!("/v1/activities?{query}")).send().expect(200);
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{query}");
    }
    assert_eq!(surface.get("/v1/activities?record=order/o1&status=logged").send().expect(200)["items"], json!([]));
    let log = json!({"note": "done", "fields": {"topic": "discount"}});
    let moved = surface.post("/v1/activities/a-1/reschedule").json(&json!({"due": "2030-01-01"})).send().expect(200);
    assert_eq!(moved["due"], "2030-01-01T23:59:59Z");
    let logged = surface.post("/v1/activities/a-1/log").header("x-pawl-actor", "ada").json(&log).send().expect(200);
    assert_eq!(
        (&logged["status"], &logged["ended_by"], &logged["fields"]["topic"]),
        (&json!("logged"), &json!("ada"), &json!("discount"))
    );
    assert_eq!(
        surface.post("/v1/activities/a-1/log").json(&json!({})).send().expect(200),
        logged,
        "a repeat changes nothing"
    );
    surface.post("/v1/activities/a-1/cancel").json(&json!({})).send().problem(409, "activity_ended");
    surface.post("/v1/activities/a-1/reschedule").json(&json!({"due": "1d"})).send().problem(409, "activity_ended");
    assert_eq!(surface.get("/v1/activities/a-1").send().expect(200), logged);
}

#[test]
fn a_listing_goes_on_at_its_cursor_and_refuses_that_of_another_filter() {
    let surface = shop();
    for number in 0..3 {
        let new =
            json!({"id": format!("a-{number}"), "activity": "call", "records": {"order": "o1"}, "logged": number == 2});
        surface.post("/v1/activities").json(&new).send().expect(201);
    }
    let first = surface.get("/v1/activities?record=order/o1&limit=2").send().expect(200);
    let cursor = first["next"].as_str().expect("there is more").to_owned();
    let rest = surface.get(&format!("/v1/activities?record=order/o1&limit=2&cursor={cursor}")).send().expect(200);
    assert_eq!(
        (&rest["items"][0]["id"], &rest["items"][0]["status"]),
        (&json!("a-2"), &json!("logged")),
        "open ones come first"
    );
    surface.get(&format!("/v1/activities?assignee=ada&limit=2&cursor={cursor}")).send().problem(400, "bad_cursor");
}
