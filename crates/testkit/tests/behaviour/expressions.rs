//! What expressions see of a record, the event, earlier steps and the execution. Section 2 of the language.

use pawl_testkit::scenario::{
    Scenario, answer, completed, created, failed, manual, paused, scenario, updated, waiting,
};
use serde_json::{Value, json};

use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with, with, workflow};

/// A team has many customers.
const TEAM: &str =
    "object: team\nfields:\n  name: {type: text}\nrelationships:\n  customers: {object: customer, many: true}";

/// The story of `w` on a ticket of the customer Ada, who has no plan.
fn story(workflow: &str) -> Scenario {
    scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .object(TEAM)
        .workflow(workflow)
        .record("customer", "c1", json!({"name": "Ada"}))
        .record("customer", "c2", json!({"name": "Bob", "plan": "paid"}))
        .record("ticket", "t1", json!({"customer": "c1"}))
        .record("team", "m1", json!({"customers": ["c2", "c1", "gone"]}))
        .event(manual("w").on("ticket", "t1"))
}

/// The value of an expression in a step on the ticket.
#[track_caller]
fn value(expression: &str) -> Value {
    let steps = format!("  - {{id: set, type: set_variables, values: {{x: '{{{{ {expression} }}}}'}}}}");
    story(&on_tickets(&steps)).run_until_idle().expect(completed()).last().execution.variables["x"].clone()
}

#[test]
fn an_empty_field_of_the_record_or_of_a_related_one_is_null() {
    assert_eq!(value("record.title"), Value::Null);
    assert_eq!(value("record.customer.plan"), Value::Null);
    assert_eq!(value("record.customer.plan == \"paid\""), false);
}

#[test]
fn related_records_are_named_in_either_way() {
    assert_eq!(value("record.customer.name"), "Ada");
    assert_eq!(value("record[\"customer\"].name"), "Ada");
    assert_eq!(value("record.customer.id"), "c1");
}

#[test]
fn many_related_records_are_a_list_in_the_order_of_their_ids() {
    let steps = "  - {id: set, type: set_variables, values: {x: '{{ record.customers.map(c, c.name) }}', y: '{{ record.customers[1].plan }}'}}";
    let team = with("object: team", steps);
    let story = story(&team.replace("workflow: w", "workflow: m")).event(manual("m").on("team", "m1"));
    story.run_until_idle().expect(completed().of("m").variable("x", json!(["Bob", "Ada"])).variable("y", Value::Null));
}

#[test]
fn a_related_record_that_is_named_by_a_time_out_or_by_a_filter_of_a_goal_is_read() {
    let steps = "
  - id: wait
    type: goal
    on: [{id: raised, type: field_updated, field: priority, filter: 'record.customer.name == \"Ada\"'}]
    timeout: '{{ record.customer.name == \"Ada\" ? \"2d\" : \"1h\" }}'";
    let story = story(&on_tickets(steps)).run_for("1d").expect(waiting());
    story.event(updated("ticket", "t1", json!({"priority": 1}))).settle().expect(completed().path(["wait:met"]));
}

#[test]
fn what_a_step_makes_or_finds_has_every_field() {
    let steps = "
  - {id: make, type: create_record, object: customer, fields: {name: New}, save_as: made}
  - {id: find, type: find_records, object: customer, where: {name: New}, save_as: found}
  - {id: set, type: set_variables, values: {a: '{{ vars.made.plan }}', b: '{{ vars.found[0].plan }}', c: '{{ steps.make.output.name }}'}}";
    let story = story(&on_tickets(steps)).run_until_idle();
    story.expect(completed().variable("a", Value::Null).variable("b", Value::Null).variable("c", "New"));
}

#[test]
fn a_change_is_seen_as_it_was_when_it_happened() {
    let steps = "
  - {id: wait, type: delay, for: 1d}
  - {id: set, type: set_variables, values: {from: '{{ trigger.changes.title.from }}', to: '{{ trigger.changes.title.to }}', type: '{{ trigger.type }}', at: '{{ trigger.occurred_at }}', now: '{{ record.title }}'}}";
    let story = scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(&on_tickets_with("triggers: [{id: a, type: field_updated, field: title, to: {equals: b}}]", steps))
        .record("ticket", "t1", json!({"title": "a"}))
        .event(updated("ticket", "t1", json!({"title": "b"})))
        .run_for("1h")
        .event(updated("ticket", "t1", json!({"title": "c"})))
        .run_until_idle();
    let story = story.expect(completed().variable("from", "a").variable("to", "b").variable("now", "c"));
    story.expect(completed().variable("type", "field_updated").variable("at", "2026-01-01T00:00:00Z"));
}

#[test]
fn a_created_record_has_changes_from_nothing() {
    let steps = "  - {id: set, type: set_variables, values: {x: '{{ trigger.changes.title }}'}}";
    let story = scenario().object(CUSTOMER).object(TICKET);
    let story = story.workflow(&on_tickets_with("triggers: [{type: record_created}]", steps));
    let story = story.event(created("ticket", "t1", json!({"title": "a"}))).run_until_idle();
    story.expect(completed().variable("x", json!({"from": null, "to": "a"})));
}

#[test]
fn later_steps_see_the_status_the_answer_and_the_failure_of_earlier_ones() {
    let steps = "
  - {id: call, type: http_request, url: 'https://x.example', on_failure: {then: continue}}
  - {id: skipped, type: note, text: never, skip: true}
  - id: set
    type: set_variables
    values:
      status: '{{ steps.call.status }}'
      code: '{{ steps.call.error.code }}'
      answer: '{{ steps.call.output.body.why }}'
      skipped: '{{ steps.skipped.status }}'
      missing: '{{ has(steps.later.output) }}'
  - {id: later, type: note, text: later}";
    let story =
        scenario().workflow(&workflow(steps)).http(|_| answer(404).body(json!({"why": "gone"}))).event(manual("w"));
    let story = story.run_until_idle().expect(completed().variable("status", "failed").variable("code", "http_status"));
    story.expect(completed().variable("answer", "gone").variable("skipped", "skipped").variable("missing", false));
}

#[test]
fn a_step_that_succeeds_at_last_has_no_failure() {
    let steps = "
  - {id: call, type: http_request, url: 'https://x.example'}
  - {id: set, type: set_variables, values: {error: '{{ steps.call.error }}', status: '{{ steps.call.status }}'}}";
    let mut statuses = vec![200, 503].into_iter();
    let story = scenario().workflow(&workflow(steps)).http(move |_| answer(statuses.next_back().unwrap_or(200)));
    let story = story.event(manual("w")).run_until_idle();
    story.expect(completed().variable("error", Value::Null).variable("status", "completed"));
}

#[test]
fn the_attempt_of_a_step_counts_its_retries() {
    let steps = "  - {id: call, type: http_request, url: 'https://x.example/{{ execution.attempt }}'}";
    let mut statuses = vec![200, 503, 503].into_iter();
    let story = scenario().workflow(&workflow(steps)).http(move |_| answer(statuses.next_back().unwrap_or(200)));
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    let urls: Vec<_> = story.world().http.calls().into_iter().map(|call| call.url).collect();
    assert_eq!(urls, ["https://x.example/1", "https://x.example/2", "https://x.example/3"]);
}

#[test]
fn the_execution_and_the_workflow_are_known() {
    let story = story(&on_tickets(
        "  - {id: set, type: set_variables, values: {x: '{{ [execution.id, execution.started_at, workflow.id, workflow.owner, string(workflow.revision)] }}', now: '{{ now }}'}}",
    ));
    let trace = story.run_until_idle().expect(completed().variable("now", "2026-01-01T00:00:00Z")).last();
    let at = "2026-01-01T00:00:00Z";
    assert_eq!(trace.execution.variables["x"], json!([trace.execution.id, at, "w", "owner@example.com", "1"]));
}

const SOURCES: &str = "  - {id: end, type: note, text: end}";

#[test]
fn a_source_that_is_missing_in_the_event_is_blank() {
    let keys = "triggers: [{id: hook, type: webhook}]\nvariables: [{name: who, type: text, from: [trigger.body.user.name, trigger.body.name], default: nobody}]";
    let who = |body: Value| {
        let story = scenario().workflow(&with(keys, SOURCES));
        let story = story.event(pawl_testkit::scenario::webhook("w", "hook").body(body)).run_until_idle();
        story.expect(completed()).last().execution.variables["who"].clone()
    };
    assert_eq!(who(json!({"user": {"name": "Ada"}, "name": "x"})), "Ada");
    assert_eq!(who(json!({"name": "Bob"})), "Bob");
    assert_eq!(who(json!({"user": null})), "nobody");
}

#[test]
fn a_source_that_meets_a_wrong_type_is_an_error() {
    let keys = "variables: [{name: n, type: number, from: ['dyn(1) + \"x\"'], default: 3}]";
    let story = scenario().workflow(&with(keys, SOURCES)).event(manual("w")).run_until_idle();
    story.expect(failed("expression_type"));
}

#[test]
fn a_key_that_is_missing_in_a_step_fails_it_with_the_path() {
    let steps = "  - {id: set, type: set_variables, values: {x: '{{ trigger.body.a.b }}'}}";
    let story = scenario().workflow(&with("triggers: [{id: hook, type: webhook}]", steps));
    let story = story.event(manual("w")).run_until_idle();
    let row = story.expect(paused().path(["set:failed"])).last().rows.into_iter().find_map(|row| row.error);
    let error = row.expect("the step failed");
    assert_eq!((error.code.as_str(), error.message.contains("trigger.body")), ("expression_missing_key", true));
}
