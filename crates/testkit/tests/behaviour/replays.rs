//! Rows suffice to decide again: each keeps what its decision observed outside the head, and nothing twice.
//!
//! Every story of this suite is decided again from its rows whenever it comes to rest (`Scenario`); here is what the rows
//! keep for that, and what of it stands nowhere.

use futures::FutureExt;
use pawl_definition::FieldType;
use pawl_engine::{Act, Control, ReplayError, Row, Subject};
use pawl_runtime::ports::{Durability, Expect, Transaction, Write};
use pawl_runtime::{Catalog, Recorded, items};
use pawl_testkit::scenario::{
    Scenario, TABLES, answer, completed, dies, machine_succeeds, manual, paused, scenario, updated, waiting,
};
use serde_json::{Value, json};

use crate::support::{CUSTOMER, TICKET, on_tickets, with, workflow};

/// A ticket of a customer, on which a workflow with these steps runs.
fn story(steps: &str) -> Scenario {
    let ticket = json!({"title": "Printer", "priority": 3, "customer": "c1"});
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets(steps));
    let story = story.record("customer", "c1", json!({"name": "Ada", "plan": "paid"})).record("ticket", "t1", ticket);
    story.event(manual("w").on("ticket", "t1"))
}

/// What the rows of a step keep, oldest first.
fn observed(story: &Scenario, step: &str) -> Vec<Value> {
    let of_step = |row: &&Row| row.step.as_deref() == Some(step);
    story.last().rows.iter().filter(of_step).map(|row| row.observed.clone()).collect()
}

fn recorded(story: &Scenario) -> Recorded {
    let system = &story.world().system;
    let catalog = Catalog::new(story.world().store.tables(), system.unreadable.clone());
    let found = Recorded::read(&catalog, &system.history, &story.last().execution.id).now_or_never();
    found.expect("memory answers at once").expect("all of it is readable").expect("the execution was made")
}

#[track_caller]
fn stands_nowhere(story: &Scenario, text: &str) {
    for row in &story.last().rows {
        let row = serde_json::to_string(row).expect("a row is JSON");
        assert!(!row.contains(text), "a row holds {text}: {row}");
    }
}

#[test]
fn a_decision_keeps_the_fields_that_it_may_read_and_no_others() {
    let story = story("  - {id: urgent, type: condition, if: record.priority > 2}").settle().expect(completed());
    assert_eq!(observed(&story, "urgent"), [json!([{"obj": 2, "rec": {"v": 1, "f": {"priority": 3}}}])]);
}

#[test]
fn a_field_that_is_empty_is_absent() {
    let story = story("  - {id: due, type: condition, if: 'record.due == null'}").settle().expect(completed());
    assert_eq!(observed(&story, "due"), [json!([{"obj": 2, "rec": {"v": 1}}])]);
}

#[test]
fn of_related_records_the_fields_are_kept_that_are_read() {
    let paid = "  - {id: paid, type: condition, if: 'record.customer.plan == \"paid\"'}";
    let story = story(paid).settle().expect(completed().path(["paid:yes"]));
    let own = json!({"v": 1, "f": {"customer": "c1"}});
    let related = json!({"customer": [{"o": "customer", "i": "c1", "v": 1, "f": {"plan": "paid"}}]});
    assert_eq!(observed(&story, "paid"), [json!([{"obj": 2, "rec": own, "rel": related}])]);
}

#[test]
fn a_step_that_changes_its_record_reads_all_of_it() {
    let story = story("  - {id: set, type: set_fields, fields: {priority: {add: 1}}}").settle().expect(completed());
    let kept = observed(&story, "set").remove(0)[0]["rec"]["f"].clone();
    assert_eq!(kept, json!({"title": "Printer", "priority": 3, "status": "new", "customer": "c1"}));
}

#[test]
fn a_step_that_reads_nothing_keeps_nothing() {
    let steps = "  - {id: set, type: set_variables, values: {n: 1}}\n  - {id: nap, type: delay, for: 1h}";
    let story = scenario().workflow(&workflow(steps)).event(manual("w")).run_until_idle().expect(completed());
    assert!(story.last().rows.iter().all(|row| row.observed.is_null()), "{:?}", story.last().rows);
}

#[test]
fn an_answer_that_the_row_shows_is_not_kept_twice() {
    let steps = "  - {id: call, type: http_request, url: 'https://x.example/{{ record.title }}'}";
    let story = story(steps).http(|_| answer(200).body("fine")).settle().expect(completed());
    let claim = json!({"obj": 2, "rec": {"v": 1, "f": {"title": "Printer"}}});
    assert_eq!(observed(&story, "call"), [json!([claim, {"in": {"performed": {}}}])]);
}

#[test]
fn found_records_that_the_output_shows_are_not_kept_twice() {
    let steps = "  - {id: find, type: find_records, object: customer, where: {plan: {equals: paid}}}";
    let story = story(steps).settle().expect(completed());
    assert_eq!(observed(&story, "find"), [json!([{"obj": 2, "in": {"found": {}}}])]);
}

#[test]
fn a_record_that_is_gone_was_seen_to_be_gone() {
    let steps = "  - {id: nap, type: delay, for: 1d}\n  - {id: set, type: set_fields, fields: {priority: 1}}";
    let story = story(steps).run_for("1h");
    let subject = Subject { object: "ticket".to_owned(), id: "t1".to_owned() };
    let (table, key) = (items::record::TABLE, items::record::key(&subject));
    let writes = vec![Write::Delete { table, key, expect: Expect::Any }];
    let deleted = Transaction { writes, durability: Durability::Durable };
    let tables = story.world().store.tables();
    tables.transact(deleted).now_or_never().expect("memory answers at once").expect("nothing is expected of it");
    let story = story.run_until_idle().expect(paused());
    assert_eq!(observed(&story, "set"), [json!([{"obj": 2, "rec": {"v": 0}}])]);
}

#[test]
fn attempts_that_were_cut_off_are_in_the_row_that_follows_them() {
    let call = "  - {id: call, type: http_request, url: 'https://x.example/{{ record.title }}'}";
    let mut replies = vec![dies(), dies(), answer(200)].into_iter();
    let story = story(call).http(move |_| replies.next().expect("it is called three times"));
    let story = story.run_until_idle().expect(completed());
    let kept = observed(&story, "call").remove(0);
    let leases: Vec<_> = kept.as_array().expect("a list").iter().map(|observed| observed["lease"].clone()).collect();
    assert_eq!(leases, [json!(null), json!("over"), json!("over"), json!(null)]);
    assert_eq!(story.last().execution.steps["call"].interrupted, 2);
}

#[test]
fn what_an_edit_of_an_object_changes_later_does_not_change_what_was_decided() {
    let steps = "
  - {id: set, type: set_fields, fields: {priority: '7'}}
  - {id: nap, type: delay, for: 1d}
  - {id: again, type: set_fields, fields: {priority: '8'}}";
    let story = story(steps).run_for("1h").expect(waiting());
    let story = story.object(&TICKET.replace("priority: {type: number}", "priority: {type: text}"));
    let story = story.run_until_idle().expect(completed());
    let written = |step: &str| observed(&story, step)[0][0]["obj"].clone();
    assert_eq!((written("set"), written("again")), (json!(2), json!(3)));
    assert_eq!(recorded(&story).check(), Ok(()));
}

/// A decision that began with one revision and read an object of the next one could not be made again.
#[test]
fn objects_are_read_as_of_the_revision_that_was_asked_for() {
    let edited = TICKET.replace("priority: {type: number}", "priority: {type: text}");
    let story = scenario().object(CUSTOMER).object(TICKET).object(&edited);
    let of_priority = |revision: u64| {
        let catalog = Catalog::new(story.world().store.tables(), story.world().system.unreadable.clone());
        let objects = catalog.objects(revision).now_or_never().expect("memory answers at once");
        let objects = objects.expect("all of them are readable");
        (objects.len(), objects.get("ticket").map(|ticket| ticket.fields["priority"].kind))
    };
    assert_eq!(of_priority(1), (1, None), "the ticket came later");
    assert_eq!(of_priority(2), (2, Some(FieldType::Number)));
    assert_eq!(of_priority(3), (2, Some(FieldType::Text)));
}

#[test]
fn an_event_that_met_a_goal_is_kept() {
    let goal = "  - {id: wait, type: goal, on: [{id: up, type: field_updated, field: priority}]}";
    let story = story(goal).settle().expect(waiting());
    let story = story.event(updated("ticket", "t1", json!({"priority": 9}))).settle().expect(completed());
    let met = observed(&story, "wait").remove(1);
    assert_eq!(met[0]["in"]["event"]["data"]["changes"]["priority"]["to"], json!(9));
}

#[test]
fn a_control_keeps_what_its_row_does_not_say() {
    let story = story("  - {id: nap, type: delay, for: 1d}").settle().control(Control::Pause).expect(paused());
    let rows = story.last().rows;
    assert_eq!(rows.last().map(|row| row.observed.clone()), Some(json!([{"in": {"control": {"do": "pause"}}}])));
    let act = Act { reason: Some("x".repeat(9_000)), ..story.world().act() };
    let system = &story.world().system;
    let killed = system.transitions.control(&story.last().execution.id, &Control::Kill, &act).now_or_never();
    killed.expect("memory answers at once").expect("it can be killed");
    assert_eq!(recorded(&story).check(), Ok(()), "a reason that is cut in the row is kept whole");
}

#[test]
fn a_place_in_the_line_is_kept_once_however_long_it_lasts() {
    let keys = "object: ticket\nlimits: {concurrency: 1}";
    let first = "  - {id: nap, type: delay, for: 2d}";
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&with(keys, first));
    let story = story.record("ticket", "t1", json!({})).event(manual("w").on("ticket", "t1")).settle();
    let story = story.event(manual("w").on("ticket", "t1")).run_for("1d");
    let since = story.last().execution.since;
    assert_eq!(since.as_array().map(Vec::len), Some(1), "{since}");
    assert_eq!(since[0]["no_place"], json!(true));
}

/// A machine that runs for a day, in a workflow that waits for its callback too.
fn machine() -> Scenario {
    let steps = "
  - id: settle
    type: run_state_machine
    state_machine: 'arn:aws:states:eu-central-1:123456789012:stateMachine:Settle'
    wait: true
    callback: true
    timeout: 2d";
    let reply = || machine_succeeds(json!({"you_sent": "s3cr3t-token"})).after("20h").without_event();
    let story = scenario().workflow(&workflow(steps)).state_machine(move |_| reply());
    story.event(manual("w"))
}

#[test]
fn looks_that_find_the_same_are_kept_once() {
    let story = machine().run_for("19h").expect(waiting());
    assert!(story.world().state_machines.looks() > 50);
    let since = story.last().execution.since;
    assert_eq!(since.as_array().map(Vec::len), Some(2), "{since}");
}

#[test]
fn the_token_of_a_callback_stands_in_no_row() {
    let story = machine().run_for("1h").expect(waiting());
    let start = story.world().state_machines.starts().pop().expect("a machine was started");
    let token = start.input["pawl"]["token"].as_str().expect("it got a token").to_owned();
    stands_nowhere(&story, &token);
    let callback = observed(&story, "settle")[0][0]["callback"].as_str().map(str::to_owned);
    assert!(callback.is_some_and(|topic| topic.starts_with("callback/")), "its topic does");
    let story = story.run_until_idle().expect(completed());
    stands_nowhere(&story, &token);
}

/// The output of a row is made of what the machine said, and both stand in the row.
#[test]
fn a_secret_that_comes_back_is_in_nothing_that_is_kept() {
    let steps = "
  - id: call
    type: http_request
    url: 'https://x.example'
    headers: {authorization: '{{ secret(\"token\") }}'}
  - id: settle
    type: run_state_machine
    state_machine: 'arn:aws:states:eu-central-1:123456789012:stateMachine:Settle'
    wait: true";
    let story = scenario().workflow(&workflow(steps)).secret("token", "s3cr3t-token");
    let story = story.http(|request| answer(200).body(format!("{:?}", request.headers)));
    let story = story.state_machine(|_| machine_succeeds(json!({"echo": "s3cr3t-token"})).without_event());
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    let said = observed(&story, "settle").remove(0)[1]["in"]["performed"]["output"].clone();
    assert_eq!(said["output"]["echo"], json!("[secret:token]"), "{said}");
    for table in TABLES {
        let items = story.world().store.items(table);
        assert!(items.iter().all(|item| !item.body.contains("s3cr3t-token")), "an item of {table:?} holds it");
    }
}

#[test]
fn a_large_value_that_was_read_is_offloaded_and_brought_back() {
    let steps = "  - {id: long, type: condition, if: size(record.title) > 40000}";
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets(steps));
    let story = story.record("ticket", "t1", json!({"title": "x".repeat(50_000)}));
    let story = story.event(manual("w").on("ticket", "t1")).settle().expect(completed().path(["long:yes"]));
    let items = story.world().store.items(items::history::TABLE);
    assert!(items.iter().all(|item| item.body.len() < 10_000), "the value stands in no item of the execution");
    assert_eq!(observed(&story, "long")[0][0]["rec"]["f"]["title"].as_str().map(str::len), Some(50_000));
}

#[test]
fn a_row_without_what_it_was_decided_on_is_told_by_its_number() {
    let story = story("  - {id: urgent, type: condition, if: record.priority > 2}").settle();
    let mut recorded = recorded(&story);
    assert_eq!(recorded.check(), Ok(()));
    recorded.rows[2].observed = Value::Null;
    assert!(matches!(recorded.check(), Err(ReplayError::Differs { seq: 2, .. })), "{:?}", recorded.check());
    recorded.rows[2].observed = json!({"$pawl_blob": "gone", "bytes": 1});
    assert!(matches!(recorded.check(), Err(ReplayError::Unreadable { seq: 2, .. })), "{:?}", recorded.check());
    recorded.rows.remove(2);
    assert!(matches!(recorded.check(), Err(ReplayError::Differs { .. })), "its head has one transition more");
    recorded.rows.remove(0);
    assert_eq!(recorded.check(), Err(ReplayError::Rows { expected: 0, found: Some(1) }));
}
