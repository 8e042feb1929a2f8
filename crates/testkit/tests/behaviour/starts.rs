//! Starts: who hears an event, what is refused, delayed, or put in line. Sections 3 and 7 of the language.

use pawl_engine::{Control, Status};
use pawl_testkit::scenario::{
    Happening, Scenario, World, completed, created, manual, nothing_began, refused, scenario, updated, waiting, webhook,
};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with, with};

const DAY: &str = "  - {id: wait, type: delay, for: 1d}";
const NOTE: &str = "  - {id: end, type: note, text: end}";

/// The story of a ticket `t1` and the workflow `w`.
fn tickets(workflow: &str) -> Scenario {
    scenario().object(CUSTOMER).object(TICKET).workflow(workflow).record("ticket", "t1", json!({}))
}

fn start() -> Happening {
    manual("w").on("ticket", "t1").into()
}

fn statuses(world: &World) -> Vec<Status> {
    world.executions().iter().map(|execution| execution.status).collect()
}

fn seconds_of_starts(story: &Scenario) -> Vec<i64> {
    let begin = story.world().executions()[0].created_at;
    let started = story.world().executions().into_iter().map(|one| one.started_at.expect("it started"));
    started.map(|at| at.duration_since(begin).as_secs()).collect()
}

#[test]
fn one_event_starts_a_workflow_once_even_if_several_triggers_hear_it() {
    let triggers = "triggers:
  - {id: a, type: field_updated, field: priority}
  - {id: b, type: field_updated, fields: [priority, title]}";
    let story = tickets(&on_tickets_with(triggers, NOTE));
    let story = story.event(updated("ticket", "t1", json!({"priority": 1, "title": "x"}))).run_until_idle();
    assert_eq!(statuses(story.world()), [Status::Completed]);
}

#[test]
fn a_created_record_starts_and_its_fields_count_as_changes_only_if_asked_for() {
    let triggers =
        |on_create| format!("triggers: [{{id: a, type: field_updated, field: priority, on_create: {on_create}}}]");
    let story = |on_create| {
        let story = tickets(&on_tickets_with(&triggers(on_create), NOTE));
        story.event(created("ticket", "t2", json!({"priority": 1}))).run_until_idle()
    };
    story(true).expect(completed());
    story(false).expect(nothing_began());
}

#[test]
fn a_record_that_is_created_without_a_field_counts_as_blank_if_asked_for() {
    let triggers =
        |to: &str| format!("triggers: [{{id: a, type: field_updated, field: priority, to: {to}, on_create: true}}]");
    let story = |to: &str, fields| {
        tickets(&on_tickets_with(&triggers(to), NOTE)).event(created("ticket", "t2", fields)).run_until_idle()
    };
    story("blank", json!({"title": "x"})).expect(completed());
    story("blank", json!({"priority": null})).expect(completed());
    story("blank", json!({"priority": 1})).expect(nothing_began());
    story("any", json!({"title": "x"})).expect(nothing_began());
    let story = tickets(&on_tickets_with("triggers: [{id: a, type: field_updated, field: priority, to: blank}]", NOTE));
    story.event(created("ticket", "t2", json!({"title": "x"}))).run_until_idle().expect(nothing_began());
}

#[test]
fn a_field_must_really_change() {
    let story = tickets(&on_tickets_with("triggers: [{id: a, type: field_updated, field: priority}]", NOTE));
    let story = story.event(updated("ticket", "t1", json!({"priority": 1}))).run_until_idle().expect(completed());
    let story = story.event(updated("ticket", "t1", json!({"priority": 1}))).run_until_idle();
    let story = story.event(updated("ticket", "t1", json!({"title": "x"}))).run_until_idle();
    assert_eq!(story.world().executions().len(), 1);
}

#[test]
fn from_and_to_test_the_values_of_a_change() {
    let starts = |test: &str, from: serde_json::Value, to: serde_json::Value| {
        let triggers = format!("triggers: [{{id: a, type: field_updated, field: priority, {test}}}]");
        let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets_with(&triggers, NOTE));
        let story = story.record("ticket", "t1", json!({"priority": from}));
        story.event(updated("ticket", "t1", json!({"priority": to}))).run_until_idle().world().executions().len()
    };
    assert_eq!(starts("to: {equals: 5}", json!(1), json!(5)), 1);
    assert_eq!(starts("to: {equals: 5}", json!(1), json!(6)), 0);
    assert_eq!(starts("from: blank", json!(null), json!(6)), 1);
    assert_eq!(starts("from: blank", json!(3), json!(6)), 0);
    assert_eq!(starts("to: {in: [1, 2]}", json!(3), json!(2)), 1);
    assert_eq!(starts("to: {between: [1, 3]}", json!(9), json!(2)), 1);
    assert_eq!(starts("to: {between: [1, 3]}", json!(2), json!(9)), 0);
    assert_eq!(starts("from: not_blank, to: blank", json!(2), json!(null)), 1);
}

#[test]
fn a_filter_sees_the_record_as_it_is_when_the_event_is_evaluated() {
    let triggers = "triggers: [{id: a, type: field_updated, field: priority, filter: 'record.status == \"open\"'}]";
    let story = tickets(&on_tickets_with(triggers, NOTE));
    let story = story.event(updated("ticket", "t1", json!({"priority": 1}))).run_until_idle().expect(nothing_began());
    story
        .event(updated("ticket", "t1", json!({"priority": 2})))
        .event(updated("ticket", "t1", json!({"status": "open"})))
        .run_until_idle()
        .expect(completed());
}

#[test]
fn a_filter_that_meets_a_wrong_type_is_a_visible_refusal() {
    let triggers = "triggers: [{id: a, type: field_updated, field: priority, filter: dyn(record.title) > 3}]";
    let story = tickets(&on_tickets_with(triggers, NOTE));
    story
        .event(updated("ticket", "t1", json!({"priority": 1, "title": "x"})))
        .run_until_idle()
        .expect(refused("filter_error"));
}

#[test]
fn an_inactive_workflow_starts_nothing_and_back_fills_nothing() {
    let triggers = "triggers: [{id: a, type: field_updated, field: priority}]";
    let inactive = on_tickets_with(triggers, NOTE).replace("active: true", "active: false");
    let story = tickets(&inactive).event(updated("ticket", "t1", json!({"priority": 1}))).run_until_idle();
    let story = story.expect(nothing_began());
    story.world().activate("w");
    story.run_until_idle().expect(nothing_began()).event(start()).run_until_idle().expect(completed());
}

#[test]
fn what_happened_before_the_activation_is_not_heard_after_it() {
    let triggers = "triggers: [{id: a, type: field_updated, field: priority}]";
    let inactive = on_tickets_with(triggers, NOTE).replace("active: true", "active: false");
    let story = tickets(&inactive).event(updated("ticket", "t1", json!({"priority": 1})));
    // The change is still on its way when the workflow becomes active.
    story.world().clock.advance(jiff::SignedDuration::from_secs(1));
    story.world().activate("w");
    let story = story.run_until_idle().expect(nothing_began());
    story.event(updated("ticket", "t1", json!({"priority": 2}))).run_until_idle().expect(completed());
}

#[test]
fn an_execution_in_flight_goes_on_when_its_workflow_becomes_inactive_and_its_goals_still_hear() {
    let steps = "
  - {id: wait, type: goal, on: [{id: call, type: webhook}], timeout: 9d}
  - {id: then, type: goal, until: 'record.priority == 5', timeout: 9d}";
    let story = tickets(&on_tickets_with("triggers: [{id: hook, type: webhook}]", steps)).event(start()).run_for("1h");
    let switched = futures::FutureExt::now_or_never(story.world().system.workflows.set_active("w", false));
    switched.expect("memory answers at once").expect("the workflow is there");
    let started = story.world().happen(webhook("w", "hook").body(json!({})).into());
    assert_eq!(started.expect_err("it starts nothing").code, "inactive");
    let story = story.event(webhook("w", "call").body(json!({}))).run_for("1h").expect(waiting().path(["wait:met"]));
    let story = story.event(updated("ticket", "t1", json!({"priority": 5}))).settle();
    story.expect(completed().path(["wait:met", "then:met"]));
}

#[test]
fn a_manual_start_may_have_a_filter_or_be_turned_off() {
    let manually = |keys: &str| {
        let story = tickets(&on_tickets_with(&format!("triggers: [{{type: manual, {keys}}}]"), NOTE));
        story.event(start()).run_until_idle()
    };
    manually("filter: 'record.priority == null'").expect(completed());
    manually("filter: 'record.priority == 5'").expect(refused("filtered"));
    manually("enabled: false").expect(refused("no_match"));
}

#[test]
fn a_workflow_of_high_priority_has_its_own_queue() {
    use pawl_runtime::ports::QueueName::{Jobs, JobsHigh};
    let waits = "  - {id: wait, type: delay, for: 5m}";
    for (priority, queue, other) in [("high", JobsHigh, Jobs), ("normal", Jobs, JobsHigh)] {
        let story = scenario().workflow(&with(&format!("priority: {priority}"), waits)).event(manual("w")).settle();
        let jobs = |queue| story.world().store.messages(queue).len();
        assert_eq!((jobs(queue), jobs(other)), (1, 0));
        story.run_until_idle().expect(completed());
    }
}

#[test]
fn a_disabled_trigger_starts_nothing() {
    let story =
        tickets(&on_tickets_with("triggers: [{id: a, type: field_updated, field: priority, enabled: false}]", NOTE));
    story.event(updated("ticket", "t1", json!({"priority": 1}))).run_until_idle().expect(nothing_began());
}

#[test]
fn every_event_starts_by_default() {
    let story = tickets(&on_tickets(DAY)).event(start()).event(start()).run_until_idle();
    assert_eq!(statuses(story.world()), [Status::Completed, Status::Completed]);
}

#[test]
fn one_active_per_record_refuses_until_the_open_one_ends() {
    let workflow = on_tickets_with("limits: {reentry: one_active_per_record}", DAY);
    let story = tickets(&workflow).record("ticket", "t2", json!({})).event(start()).run_for("1h");
    let story = story.event(start()).settle().expect(refused("reentry"));
    let story = story.event(manual("w").on("ticket", "t2")).settle();
    assert_eq!(story.world().executions().len(), 2, "another record is free");
    let story = story.run_for("1d").event(start()).settle();
    assert_eq!(story.world().executions().len(), 3, "the first one has ended");
}

#[test]
fn a_canceled_execution_frees_its_record() {
    let workflow = on_tickets_with("limits: {reentry: one_active_per_record}", DAY);
    let story = tickets(&workflow).event(start()).run_for("1h").control(Control::Cancel).event(start()).settle();
    assert_eq!(statuses(story.world()), [Status::Canceled, Status::Waiting]);
}

#[test]
fn once_per_record_refuses_for_ever() {
    let workflow = on_tickets_with("limits: {reentry: once_per_record}", NOTE);
    let story = tickets(&workflow).event(start()).run_until_idle().expect(completed()).run_for("400d");
    story.event(start()).settle().expect(refused("reentry"));
}

#[test]
fn a_cooldown_refuses_for_a_while() {
    let workflow = on_tickets_with("limits: {cooldown: 2h}", NOTE);
    let story = tickets(&workflow).event(start()).run_for("119m").event(start()).settle().expect(refused("cooldown"));
    let story = story.run_for("1m").event(start()).settle();
    assert_eq!(story.world().executions().len(), 2);
}

#[test]
fn starts_are_spaced_and_none_is_dropped() {
    let mut story = scenario().workflow(&with("limits: {starts: {per: 1m, at_most: 2}}", NOTE));
    for _ in 0..6 {
        story = story.event(manual("w"));
    }
    let story = story.settle();
    let waiting: Vec<_> =
        story.world().executions().into_iter().filter(|one| one.indicators() == ["throttled"]).collect();
    assert_eq!(waiting.len(), 4);
    assert!(waiting.iter().all(|one| one.due_at().is_some()), "each knows when it starts");
    let story = story.run_until_idle();
    assert_eq!(statuses(story.world()), [Status::Completed; 6]);
    assert_eq!(seconds_of_starts(&story), [0, 0, 60, 60, 120, 120]);
}

#[test]
fn only_so_many_run_at_once_and_the_others_wait_in_line() {
    let mut story = scenario().workflow(&with("limits: {concurrency: 2}", "  - {id: wait, type: delay, for: 10m}"));
    for _ in 0..5 {
        story = story.event(manual("w"));
    }
    let story = story.run_for("5m");
    let running = statuses(story.world()).iter().filter(|status| **status == Status::Waiting).count();
    assert_eq!(running, 2);
    let story = story.run_until_idle();
    assert_eq!(statuses(story.world()), [Status::Completed; 5]);
    let mut starts = seconds_of_starts(&story);
    starts.sort_unstable();
    assert_eq!(starts, [0, 0, 600, 600, 1200]);
}

#[test]
fn a_workflow_that_sets_itself_off_is_stopped() {
    let workflow = on_tickets_with(
        "triggers: [{id: a, type: field_updated, field: priority}]",
        "  - {id: more, type: set_fields, fields: {priority: {add: 1}}}",
    );
    let story = tickets(&workflow).event(updated("ticket", "t1", json!({"priority": 1}))).run_until_idle();
    let story = story.expect(refused("self_limit"));
    assert_eq!(statuses(story.world()), [Status::Completed; 3]);
}

#[test]
fn a_chain_of_workflows_is_only_so_deep() {
    let mut story = tickets(&on_tickets(NOTE));
    for n in 0..12 {
        let workflow = on_tickets_with(
            &format!("triggers: [{{id: a, type: field_updated, field: priority, to: {{equals: {n}}}}}]"),
            "  - {id: more, type: set_fields, fields: {priority: {add: 1}}}",
        );
        story = story.workflow(&workflow.replace("workflow: w", &format!("workflow: w{n}")));
    }
    let story = story.event(updated("ticket", "t1", json!({"priority": 0}))).run_until_idle();
    assert_eq!(story.world().executions().len(), 10);
    story.expect(refused("depth_limit").of("w10"));
}

const HOOK: &str = "
triggers:
  - id: hook
    type: webhook
    record: {match: {title: trigger.body.title}, create: true}
    values: {priority: trigger.body.priority}
variables: [{name: priority, type: number}]";

#[test]
fn a_delivery_makes_its_record_and_a_second_one_finds_it() {
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets_with(HOOK, NOTE));
    let delivery = |priority| webhook("w", "hook").body(json!({"title": "a", "priority": priority}));
    let story = story.event(delivery(1)).run_until_idle();
    let story =
        story.expect(completed().variable("priority", 1).records("ticket", [json!({"title": "a", "priority": 1})]));
    let story = story.event(delivery(2)).run_until_idle();
    let story =
        story.expect(completed().variable("priority", 2).records("ticket", [json!({"title": "a", "priority": 1})]));
    assert_eq!(story.world().executions().len(), 2);
}

#[test]
fn a_record_that_several_deliveries_make_at_once_is_made_once() {
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets_with(HOOK, NOTE));
    let delivery = |priority| webhook("w", "hook").body(json!({"title": "a", "priority": priority}));
    let story = story.event(delivery(1)).event(delivery(2)).run_until_idle();
    assert_eq!(statuses(story.world()), [Status::Completed; 2]);
    assert_eq!(story.world().records("ticket").len(), 1);
}

#[test]
fn a_delivery_that_is_filtered_out_makes_no_record() {
    let keys = HOOK.replace("    type: webhook", "    type: webhook\n    filter: trigger.body.priority > 5");
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets_with(&keys, NOTE));
    let story = story.event(webhook("w", "hook").body(json!({"title": "a", "priority": 1}))).run_until_idle();
    story.expect(refused("filtered").records("ticket", []));
}

#[test]
fn a_delivery_that_matches_several_records_is_rejected() {
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets_with(HOOK, NOTE));
    let story = story.record("ticket", "t1", json!({"title": "a"})).record("ticket", "t2", json!({"title": "a"}));
    let rejected = story.world().happen(webhook("w", "hook").body(json!({"title": "a", "priority": 1})).into());
    assert_eq!(rejected.expect_err("it is ambiguous").code, "ambiguous_record");
    story.expect(refused("ambiguous_record"));
}

#[test]
fn a_repeated_delivery_gets_the_first_answer_and_starts_nothing() {
    let text = with("triggers: [{id: hook, type: webhook}]", NOTE);
    let story = scenario().workflow(&text);
    let delivery = webhook("w", "hook").body(json!({"n": 1})).key("k1");
    let first = story.world().deliver(&delivery);
    let story = story.run_until_idle();
    assert_eq!(story.world().deliver(&delivery), first);
    let story = story.run_until_idle();
    assert_eq!(story.world().executions().len(), 1);
    let id = first.1["execution_id"].as_str().expect("an execution is named").to_owned();
    assert_eq!(story.last().execution.id, id);
}

#[test]
fn an_event_that_the_queue_delivers_twice_starts_once() {
    use pawl_runtime::EventMessage;
    use pawl_runtime::ports::QueueName;
    let story = scenario().workflow(&with("", DAY)).event(manual("w"));
    let body = story.world().store.messages(QueueName::Events)[0].body.clone();
    let EventMessage::Event(event) = serde_json::from_str(&body).expect("it is an event") else {
        panic!("it is an event")
    };
    let story = story.run_for("1h").event(*event).run_for("1h").expect(waiting());
    assert_eq!(story.world().executions().len(), 1);
}

#[test]
fn a_delivery_whose_new_record_would_take_a_unique_value_of_another_is_refused() {
    let keys = "object: customer
triggers:
  - id: hook
    type: webhook
    record: {match: {email: trigger.body.email}, create: true}
    values: {name: trigger.body.name}";
    let object = CUSTOMER.replace("fields:", "fields:\n  email: {type: email, unique: true}");
    let story = scenario().object(&object).workflow(&with(keys, NOTE));
    let story = story.record("customer", "c1", json!({"name": "Ada", "email": "ada@example.com"}));
    let delivery = webhook("w", "hook").body(json!({"email": "other@example.com", "name": "Ada"}));
    story.event(delivery).run_until_idle().expect(refused("duplicate_record"));
}
