//! Records that are put into the archive and taken out: the steps, the triggers, and what an archived record takes part in.

use pawl_testkit::scenario::{
    Scenario, archived, completed, created, manual, paused, scenario, unarchived, updated, waiting, webhook,
};
use serde_json::{Value, json};

use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with, with};

fn world(workflow: &str) -> Scenario {
    scenario().object(CUSTOMER).object(TICKET).workflow(workflow).record("ticket", "t1", json!({"title": "Alpha"}))
}

/// A workflow on tickets that another trigger starts.
fn hears(id: &str, trigger: &str) -> String {
    let note = "  - {id: end, type: note, text: end}";
    on_tickets_with(&format!("triggers: [{trigger}]"), note).replace("workflow: w", &format!("workflow: {id}"))
}

fn began(story: &Scenario) -> Vec<String> {
    story.world().executions().into_iter().map(|one| one.workflow).collect()
}

#[test]
fn a_step_puts_records_into_the_archive_and_takes_them_out() {
    let steps = "
  - {id: put, type: archive_record}
  - {id: again, type: archive_record}
  - {id: seen, type: set_variables, values: {at: '{{ record.archived_at }}'}}
  - {id: other, type: archive_record, target: record.customer}
  - {id: find, type: find_records, object: customer}
  - {id: asked, type: find_records, object: customer, where: {archived_at: {blank: false}}}
  - {id: back, type: unarchive_record, target: '{{ steps.asked.output }}'}
  - {id: found, type: find_records, object: customer}";
    let story = world(&on_tickets(steps))
        .record("customer", "c1", json!({"name": "Ada"}))
        .event(updated("ticket", "t1", json!({"customer": "c1"})))
        .event(manual("w").on("ticket", "t1"))
        .run_until_idle()
        .expect(completed())
        .expect(completed().records("ticket", [json!({"archived_at": "*"})]))
        .expect(completed().records("customer", [json!({"archived_at": null})]));
    let steps = story.last().execution.steps;
    let at = steps["seen"].output["at"].clone();
    assert_eq!(steps["put"].output, json!({"changes": {"archived_at": {"from": null, "to": at}}}));
    assert_eq!(steps["again"].output, json!({"changes": {}}));
    assert_eq!(steps["find"].output, json!([]));
    assert_eq!(steps["asked"].output[0]["id"], "c1");
    assert_eq!(steps["found"].output[0]["archived_at"], Value::Null);
    let back = &steps["back"].output["records"][0];
    assert_eq!((&back["id"], &back["changes"]["archived_at"]["to"]), (&json!("c1"), &Value::Null));
}

#[test]
fn the_archive_is_told_once_and_an_archived_record_starts_nothing() {
    let story = world(&hears("w", "{type: record_archived}"))
        .workflow(&hears("back", "{type: record_created, include: [unarchived]}"))
        .workflow(&hears("new", "{type: record_created}"))
        .workflow(&hears("changed", "{type: field_updated, field: title, on_create: true}"))
        .workflow(&hears("tagged", "{type: tag_changed}"))
        .event(archived("ticket", "t1"))
        .event(archived("ticket", "t1"))
        .event(updated("ticket", "t1", json!({"title": "Beta", "tags": ["x"]})))
        .run_until_idle();
    assert_eq!(began(&story), ["w"]);
    let story = story.event(unarchived("ticket", "t1")).event(unarchived("ticket", "t1")).run_until_idle();
    assert_eq!(began(&story), ["w", "back"]);
    story.expect(completed().of("back").records("ticket", [json!({"title": "Beta", "archived_at": null})]));
}

#[test]
fn the_event_of_the_archive_tells_the_time() {
    let steps = "  - {id: told, type: set_variables, values: {to: '{{ trigger.changes.archived_at.to }}', type: '{{ trigger.type }}'}}";
    world(&on_tickets_with("triggers: [{type: record_archived, filter: 'record.title == \"Alpha\"'}]", steps))
        .event(archived("ticket", "t1"))
        .run_until_idle()
        .expect(completed().variable("type", "record_archived").variable("to", "2026-01-01T00:00:00Z"));
}

#[test]
fn an_execution_on_an_archived_record_goes_on_and_hears_of_its_changes() {
    let steps = "  - {id: wait, type: goal, until: 'record.status == \"closed\"', timeout: never}
  - {id: write, type: set_fields, fields: {priority: 1}}";
    let story = world(&on_tickets(steps))
        .event(manual("w").on("ticket", "t1"))
        .event(archived("ticket", "t1"))
        .run_until_idle()
        .expect(waiting());
    story
        .event(updated("ticket", "t1", json!({"status": "closed"})))
        .run_until_idle()
        .expect(completed().records("ticket", [json!({"status": "closed", "priority": 1, "archived_at": "*"})]));
}

#[test]
fn a_goal_waits_for_the_archive_and_for_the_way_back() {
    let steps = "
  - {id: put, type: goal, until: record.archived_at != null, timeout: never}
  - {id: back, type: goal, until: record.archived_at == null, timeout: never}
  - {id: third, type: goal, on: [{type: record_archived}], timeout: never}";
    let story = world(&on_tickets(steps)).event(manual("w").on("ticket", "t1")).run_until_idle().expect(waiting());
    let story = story.event(archived("ticket", "t1")).run_until_idle().expect(waiting().path(["put:met"]));
    let story =
        story.event(unarchived("ticket", "t1")).run_until_idle().expect(waiting().path(["put:met", "back:met"]));
    story.event(archived("ticket", "t1")).run_until_idle().expect(completed());
}

#[test]
fn a_webhook_makes_no_record_beside_an_archived_one() {
    let hook =
        "object: customer\ntriggers: [{type: webhook, record: {match: {name: trigger.body.name}, create: CREATE}}]";
    let told = |create: &str| {
        let story = scenario()
            .object(CUSTOMER)
            .workflow(&with(&hook.replace("CREATE", create), "  - {id: end, type: note, text: end}"))
            .record("customer", "c1", json!({"name": "Ada"}))
            .event(archived("customer", "c1"))
            .run_until_idle();
        let delivery = webhook("w", "webhook").body(json!({"name": "Ada"}));
        let error = story.world().happen(delivery.into()).expect_err("it is refused");
        assert_eq!(story.world().records("customer").len(), 1);
        error.code
    };
    assert_eq!(told("true"), "record_archived");
    assert_eq!(told("false"), "no_record");
}

#[test]
fn a_person_starts_a_workflow_on_an_archived_record() {
    world(&on_tickets("  - {id: write, type: set_fields, fields: {priority: 2}}"))
        .event(archived("ticket", "t1"))
        .event(manual("w").on("ticket", "t1"))
        .run_until_idle()
        .expect(completed().records("ticket", [json!({"priority": 2, "archived_at": "*"})]));
}

#[test]
fn a_new_record_is_not_brought_back() {
    let story = world(&hears("w", "{type: record_created, include: [unarchived]}"))
        .event(created("ticket", "t2", json!({"title": "Gamma"})))
        .run_until_idle();
    assert_eq!(began(&story), Vec::<String>::new());
}

#[test]
fn a_record_that_is_not_there_fails_the_step() {
    let steps = "  - {id: put, type: archive_record, target: nobody, object: customer}";
    let steps = steps.replace("nobody", "'{{ \"nobody\" }}'");
    let story = world(&on_tickets(&steps)).event(manual("w").on("ticket", "t1")).run_until_idle().expect(paused());
    let error = story.last().execution.steps["put"].error.clone().expect("it failed");
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("no_record", "`target`: there is no record customer/nobody")
    );
}
