//! What depends on a stored item that cannot be read waits until it is restored: nothing is decided without it.

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_definition::Source;
use pawl_engine::{Status, Subject};
use pawl_runtime::items::guard::Guard;
use pawl_runtime::ports::{
    DeadLetter, Durability, Expect, Item, Key, Notice, QueueName, QueueSource, Table, Transaction, Write,
};
use pawl_runtime::{Error, Filter, Job, ListScope, items};
use pawl_testkit::scenario::{DriveError, Scenario, completed, failed, manual, scenario, waiting};
use serde_json::{Map, json};

use crate::heads::break_event;
use crate::support::{CUSTOMER, TICKET, on_tickets, with, workflow};

fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

fn put(story: &Scenario, table: Table, item: Item) {
    let write = Write::Put { table, item, expect: Expect::Any };
    let transaction = Transaction { writes: vec![write], durability: Durability::Durable };
    at_once(story.world().store.tables().transact(transaction)).expect("memory is writable");
    if table == items::record::TABLE {
        drop(changes(story));
    }
}

/// Takes the messages about changed records out of the queue.
fn changes(story: &Scenario) -> Vec<String> {
    let memory = &story.world().store;
    let mut changes = Vec::new();
    for message in at_once(memory.receive(QueueName::Events, 100, SignedDuration::ZERO)).expect("it is in memory") {
        if message.body.starts_with("{\"stream\"") {
            at_once(memory.delete(QueueName::Events, &message.receipt)).expect("it is in memory");
            changes.push(message.body);
        }
    }
    changes
}

/// Breaks the body of an item, and nothing else of it; returns the item as it was.
fn breaks(story: &Scenario, table: Table, key: &Key, body: &str) -> Item {
    let whole = story.world().store.items(table).into_iter().find(|item| item.key == *key).expect("the item is there");
    put(story, table, Item { body: body.to_owned(), ..whole.clone() });
    whole
}

/// Requires that what is due now cannot go on, for an item that cannot be read.
#[track_caller]
fn stops_at(story: &Scenario, key: &Key) {
    let expected = format!("{}/{}", key.partition, key.sort);
    match story.world().settle() {
        Err(DriveError::Handler { error: Error::Unreadable(error), .. }) => assert_eq!(error.key, expected),
        other => panic!("expected a stop at {expected}, found {other:?}"),
    }
}

fn customer(id: &str) -> Key {
    items::record::key(&Subject { object: "customer".to_owned(), id: id.to_owned() })
}

const WAITS: &str = "  - {id: wait, type: delay, for: 1d}\n  - {id: end, type: note, text: end}";

/// Bug: a head without its fields was taken for no head at all: its jobs were dropped, and its event began it anew.
#[test]
fn what_stands_in_the_place_of_a_head_and_is_nothing_is_not_taken_for_nothing() {
    let story = scenario().workflow(&workflow(WAITS)).event(manual("w"));
    let event = story.world().store.messages(QueueName::Events).remove(0).body;
    let story = story.run_for("1h").expect(waiting());
    let execution = story.last().execution;
    let key = items::execution::key(&execution.id);
    let whole = breaks(&story, items::execution::TABLE, &key, "{}");
    let system = &story.world().system;
    let job = serde_json::to_string(&Job::of(&execution)).expect("a job is JSON");
    for (queue, body) in [(QueueName::Events, &event), (QueueName::Jobs, &job)] {
        let handled = at_once(system.handle(queue, body, None));
        assert!(matches!(&handled, Err(Error::Unreadable(error)) if error.reason.contains("neither")), "{handled:?}");
    }
    put(&story, items::execution::TABLE, whole);
    let story = story.run_until_idle().expect(completed().path(["wait", "end"]));
    assert_eq!(story.world().executions().len(), 1);
}

/// Bug: an object that could not be read was taken for one that is not there, also after it was restored, and records
/// were written without their unique values.
#[test]
fn a_step_waits_for_the_object_that_it_writes_by() {
    let make = workflow(
        "  - {id: make, type: create_record, object: customer, fields: {name: Ada}, on_failure: {then: fail}}",
    );
    let story = scenario().object(CUSTOMER).workflow(&make).object(TICKET).event(manual("w"));
    let key = items::object::key("customer");
    let whole = breaks(&story, items::object::TABLE, &key, "no JSON");
    stops_at(&story, &key);
    put(&story, items::object::TABLE, whole);
    let story = story.run_until_idle().expect(completed().path(["make"]));
    // The first one's name is taken.
    story.event(manual("w")).run_until_idle().expect(failed("duplicate_record"));
}

/// Bug: the step failed for good with `duplicate_record`, for the record that it was to use could not be read.
#[test]
fn a_record_that_cannot_be_read_is_a_duplicate_all_the_same() {
    let make =
        workflow("  - {id: make, type: create_record, object: customer, fields: {name: Ada}, on_duplicate: use}");
    for broken in ["record", "row"] {
        let story = scenario().object(CUSTOMER).workflow(&make).record("customer", "c1", json!({"name": "Ada"}));
        let story = story.event(manual("w"));
        let rows = story.world().store.items(items::record::VALUES);
        let row = rows.into_iter().find(|item| items::record::claimed(item).is_some()).expect("the name is claimed");
        let record = (items::record::TABLE, customer("c1"));
        let (table, key) = if broken == "record" { record } else { (items::record::VALUES, row.key) };
        let whole = breaks(&story, table, &key, "no JSON");
        stops_at(&story, &key);
        put(&story, table, whole);
        let story = story.run_until_idle().expect(completed().path(["make"]));
        assert_eq!(story.world().records("customer").len(), 1, "{broken}");
    }
}

/// Bug: a condition was decided as if the related record were not there.
#[test]
fn a_condition_waits_for_the_related_record_that_it_names() {
    let steps =
        "  - {id: paid, type: condition, if: 'record.customer.plan == \"paid\"', yes: [{id: y, type: note, text: y}]}";
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets(steps));
    let story = story.record("customer", "c1", json!({"name": "Ada", "plan": "paid"}));
    let story = story.record("ticket", "t1", json!({"customer": "c1"})).event(manual("w").on("ticket", "t1"));
    let whole = breaks(&story, items::record::TABLE, &customer("c1"), "no JSON");
    stops_at(&story, &customer("c1"));
    put(&story, items::record::TABLE, whole);
    story.run_until_idle().expect(completed().path(["paid:yes", "y"]));
}

/// Bug: a counter that could not be read was 0, and its limit was passed.
#[test]
fn a_counter_that_cannot_be_read_is_not_zero() {
    let workflow = with("limits: {concurrency: 1}", WAITS);
    let story = scenario().workflow(&workflow).event(manual("w")).run_for("1m").expect(waiting()).event(manual("w"));
    let key = items::guard::key("w", Guard::ConcurrencySlots(0));
    let whole = breaks(&story, items::guard::TABLE, &key, "no JSON");
    stops_at(&story, &key);
    put(&story, items::guard::TABLE, whole.clone());
    let story = story.run_for("1h");
    let statuses: Vec<_> = story.world().executions().into_iter().map(|execution| execution.status).collect();
    assert_eq!(statuses, [Status::Waiting, Status::Queued]);
    story.run_until_idle().expect(completed());
    let broken = Item { body: "{}".to_owned(), ..whole };
    assert!(items::usage::parse(&[Some(broken), None]).is_err(), "nor is what was spent");
}

/// Bug: a hundred notices that could not be read kept all others from being handed on.
#[test]
fn notices_that_cannot_be_read_keep_no_other_back() {
    let story = scenario();
    let notice = |at: i64| Notice {
        id: format!("notice-{at:03}"),
        to: "owner@example.com".to_owned(),
        severity: "error".to_owned(),
        subject: format!("notice {at}"),
        text: String::new(),
        at: story.world().now() + SignedDuration::from_secs(at),
    };
    for at in 0..150 {
        let item = items::notice::item(&notice(at), false);
        put(&story, items::notice::TABLE, Item { body: "no JSON".to_owned(), ..item });
    }
    put(&story, items::notice::TABLE, items::notice::item(&notice(150), false));
    at_once(story.world().system.sweeper.sweep(None)).expect("the sweep is not broken");
    let told: Vec<_> = story.world().notices().into_iter().map(|notice| notice.subject).collect();
    assert_eq!(told, ["notice 150"]);
}

/// Bug: what a goal waited for happened while its execution could not be read, and nobody ever told it.
#[test]
fn a_redrive_lets_goals_look_again_that_could_not_be_read() {
    let steps = "  - {id: goal, type: goal, until: 'record.status == \"resolved\"', timeout: never, met: [{id: y, type: note, text: y}]}";
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets(steps));
    let story =
        story.record("ticket", "t1", json!({})).event(manual("w").on("ticket", "t1")).settle().expect(waiting());
    let key = items::execution::key(&story.last().execution.id);
    let whole = breaks(&story, items::execution::TABLE, &key, "no JSON");
    let (world, system) = (story.world(), &story.world().system);
    let ticket = Subject { object: "ticket".to_owned(), id: "t1".to_owned() };
    let resolved = Map::from_iter([("status".to_owned(), json!("resolved"))]);
    at_once(system.records.update(&ticket, &resolved, None, "api")).expect("the ticket can be read");
    for message in
        at_once(world.store.receive(QueueName::Events, 10, SignedDuration::from_secs(60))).expect("it is there")
    {
        let _ = at_once(system.handle(QueueName::Events, &message.body, None));
        let letter = DeadLetter::new(QueueName::Events, message.body);
        at_once(system.sweeper.mark_dead_letter(&letter, "given up")).expect("it is seen to");
        at_once(world.store.delete(QueueName::Events, &message.receipt)).expect("it is deleted");
    }
    put(&story, items::execution::TABLE, whole);
    let story = story.run_for("1h").expect(waiting());
    let act = story.world().act();
    at_once(story.world().system.installations.redrive(&act)).expect("the redrive is not broken");
    story.run_until_idle().expect(completed().path(["goal:met", "y"]));
}

/// Bug: a save was answered as a failure although it was done, for an execution of the workflow could not be read.
#[test]
fn a_save_is_done_although_an_execution_cannot_be_read() {
    let story = scenario().workflow(&workflow(WAITS)).event(manual("w")).run_for("1h").expect(waiting());
    let id = story.last().execution.id;
    break_event(story.world(), &id);
    let edited = workflow("  - {id: end, type: note, text: end}");
    let source = Source::parse("w.workflow.yaml", &edited).expect("it is YAML");
    let saved = at_once(story.world().system.workflows.save(&source, None, "author"));
    assert_eq!(saved.expect("it is saved").head.revision, 2);
}

/// Bug: the message about the restored record went to the dead letters, for its former state could not be read.
#[test]
fn a_record_that_is_restored_is_no_change() {
    let keys = "object: customer\ntriggers: [{id: changed, type: field_updated, field: plan}]";
    let workflow = with(keys, "  - {id: end, type: note, text: end}");
    let story = scenario().object(CUSTOMER).workflow(&workflow);
    let story = story.record("customer", "c1", json!({"name": "Ada", "plan": "free"}));
    let whole = story.world().store.items(items::record::TABLE).remove(0);
    let restored = Item { body: whole.body.replace("free", "paid"), version: 2, ..whole.clone() };
    let change = |old: &Item, new: &Item| serde_json::json!({"stream": {"old": old, "new": new}}).to_string();
    let broken = Item { body: "no JSON".to_owned(), ..whole.clone() };
    let handle = |body: String| at_once(story.world().system.handle(QueueName::Events, &body, None));
    assert!(matches!(handle(change(&whole, &broken)), Err(Error::Unreadable(_))));
    handle(change(&broken, &restored)).expect("it is handled");
    assert!(story.world().executions().is_empty());
    handle(change(&whole, &restored)).expect("it is handled");
    assert_eq!(
        at_once(story.world().system.history.executions(
            &ListScope::Workflow("w".to_owned()),
            &Filter::default(),
            9,
            None
        ))
        .expect("they are listed")
        .items
        .len(),
        1
    );
}
