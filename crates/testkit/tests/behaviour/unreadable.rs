//! One stored item that cannot be read is a fault of that item, and of no other.

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_engine::{Control, Execution, Status};
use pawl_runtime::items::operation::State;
use pawl_runtime::items::{self, Unreadable};
use pawl_runtime::ports::{DeadLetter, Durability, Expect, Key, QueueName, Table, TableError, Transaction, Write};
use pawl_runtime::{ControlError, Error, Filter, Job, ListScope, StatePartition, offload};
use pawl_testkit::scenario::{Scenario, answer, completed, manual, scenario, waiting};
use serde_json::{Value, json};

use crate::heads::break_event;
use crate::support::{CUSTOMER, TICKET, on_tickets, with, workflow};

const WAITING: &str = "
  - {id: wait, type: delay, for: 1d}
  - {id: end, type: note, text: end}";

fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

/// Writes another body over a stored item, as a fault of storage or of another version does.
fn corrupt(story: &Scenario, table: Table, key: &Key, body: &str) {
    story.world().store.damage(table, key, body);
}

/// JSON that the parser takes, and that is too deep with a little more around it.
fn deep() -> String {
    format!("{}{}", "[".repeat(127), "]".repeat(127))
}

/// Two executions that wait; the first of them cannot be read any more.
fn one_of_two(body: &str) -> (Scenario, Execution, Execution) {
    let story = scenario().workflow(&workflow(WAITING)).event(manual("w")).run_for("1m").event(manual("w"));
    let story = story.run_for("1h").expect(waiting());
    let executions = story.world().executions();
    let [broken, sound] = <[_; 2]>::try_from(executions).expect("two began");
    corrupt(&story, items::execution::TABLE, &items::execution::key(&broken.id), body);
    (story, broken, sound)
}

/// The ids that a listing shows, and the keys that it passes over.
fn listed(story: &Scenario, scope: &ListScope) -> (Vec<String>, Vec<String>) {
    let history = &story.world().system.history;
    let page = at_once(history.executions(scope, &Filter::default(), 50, None)).expect("the listing is not broken");
    let ids = page.items.into_iter().map(|execution| execution.id).collect();
    (ids, page.unreadable.into_iter().map(|Unreadable { key, .. }| key).collect())
}

/// Bug: 250 bytes made every listing and redrive of an installation fail.
#[test]
fn a_listing_passes_over_an_execution_that_cannot_be_read_and_says_so() {
    for body in ["no JSON", &format!(r#"{{"execution":{}}}"#, deep()), r#"{"execution":{"id":"x"}}"#] {
        let (story, broken, sound) = one_of_two(body);
        let key = format!("execution#{}/head", broken.id);
        for scope in [ListScope::Workflow("w".to_owned()), ListScope::Partition(StatePartition::At(Status::Waiting))] {
            assert_eq!(listed(&story, &scope), (vec![sound.id.clone()], vec![key.clone()]));
        }
        assert!(story.world().system.metrics.snapshot()["items_unreadable"] >= 2);
    }
}

#[test]
fn the_others_are_swept_redriven_canceled_and_killed() {
    let (story, broken, sound) = one_of_two("no JSON");
    let sweeper = &story.world().system.sweeper;
    story.world().clock.advance(SignedDuration::from_hours(25));
    let gone: Vec<_> = story.world().store.messages(QueueName::Jobs);
    assert_eq!(gone.len(), 0, "the timers are not moved yet");
    assert_eq!(at_once(sweeper.sweep(None)).expect("the sweep is not broken"), 1);
    let world = story.world();
    let redriven = at_once(world.system.installations.redrive(&world.act())).expect("the redrive is not broken");
    let lifted = at_once(world.system.installations.set_killed(false, &world.act())).expect("it is lifted").1;
    for id in [redriven.operation, lifted.expect("what waits is looked at")] {
        let message = json!({"operation": id}).to_string();
        at_once(world.system.evaluator.handle(&message, None)).expect("it is not broken");
        let operation = at_once(world.system.operations.read(&id)).expect("it is readable").expect("it is there");
        assert_eq!(operation.state, State::Completed, "{operation:?}");
    }
    let control = |id: &str, control| story.world().control(id, &control);
    control(&sound.id, Control::Kill).expect("it can be killed");
    assert_eq!(control(&sound.id, Control::Cancel).expect("it can be canceled").status, Status::Canceled);
    let refused = control(&broken.id, Control::Cancel).expect_err("nobody knows what it is");
    assert!(matches!(&refused, ControlError::Failed(error) if error.code() == "unreadable_item"), "{refused}");
}

/// Bug: the mark of a dead letter failed on the head that nobody could read, and the letter came again without an end.
#[test]
fn a_dead_letter_of_an_execution_that_cannot_be_read_ends() {
    let (story, broken, _) = one_of_two("no JSON");
    let body = serde_json::to_string(&Job::of(&broken)).expect("a job is JSON");
    let handled = at_once(story.world().system.handle(QueueName::Jobs, &body, None));
    assert!(matches!(handled, Err(Error::Unreadable(_))), "{handled:?}");
    let letter = DeadLetter::new(QueueName::Jobs, body);
    at_once(story.world().system.sweeper.mark_dead_letter(&letter, "given up")).expect("it is seen to");
}

/// An execution of which something else than its head cannot be read is stalled, and can be canceled.
#[test]
fn what_cannot_go_on_is_stalled_and_can_be_canceled() {
    for corrupted in ["event", "event of its own", "workflow"] {
        let is_large = corrupted == "event of its own";
        let variable = "variables: [{name: text, type: text, default: '0'}]";
        let text = "x".repeat(if is_large { items::execution::EVENT_MOST } else { 1 });
        let event = manual("w").values(json!({"text": text}));
        let story = scenario().workflow(&with(variable, WAITING)).event(event).run_for("1h").expect(waiting());
        let id = story.last().execution.id;
        match corrupted {
            "event" => break_event(story.world(), &id),
            "event of its own" => corrupt(&story, items::event::TABLE, &items::event::key(&id), "no JSON"),
            _ => corrupt(&story, items::workflow::TABLE, &items::workflow::head_key("w"), "no JSON"),
        }
        story.world().clock.advance(SignedDuration::from_hours(25));
        let body = serde_json::to_string(&Job::of(&story.last().execution)).expect("a job is JSON");
        assert!(at_once(story.world().system.handle(QueueName::Jobs, &body, None)).is_err());
        let letter = DeadLetter::new(QueueName::Jobs, body);
        at_once(story.world().system.sweeper.mark_dead_letter(&letter, "given up")).expect("it is marked");
        assert_eq!(story.last().state(), "waiting, stalled", "{corrupted}");
        let resumed = story.world().control(&id, &Control::Resume).map(|execution| execution.status);
        assert!(matches!(resumed, Err(ControlError::Failed(Error::Unreadable(_)))), "{corrupted}: {resumed:?}");
        let canceled = story.world().control(&id, &Control::Cancel).expect("it can be canceled");
        assert_eq!(canceled.status, Status::Canceled, "{corrupted}");
    }
}

/// Bug: JSON near the parser's depth was accepted, and vanished in an envelope after its 202.
#[test]
fn an_event_that_is_too_deep_in_its_envelope_is_refused_by_its_ids() {
    let story = scenario().workflow(&workflow(WAITING)).event(manual("w"));
    let mut body: Value =
        serde_json::from_str(&story.world().store.messages(QueueName::Events).remove(0).body).expect("it is JSON");
    body["event"]["data"]["values"] = json!("deep");
    let body = body.to_string().replace("\"deep\"", &deep());
    let handled = at_once(story.world().system.handle(QueueName::Events, &body, None));
    assert!(matches!(handled, Err(Error::Poison(_))), "{handled:?}");
    let letter = DeadLetter::new(QueueName::Events, body);
    for _ in 0..2 {
        at_once(story.world().system.sweeper.mark_dead_letter(&letter, "given up")).expect("it is refused");
    }
    let refusals = story.world().refusals("w");
    assert_eq!(refusals.iter().map(|refusal| refusal.code.as_str()).collect::<Vec<_>>(), ["dead_letter"]);
    assert!(refusals[0].message.contains("not readable"), "{}", refusals[0].message);
}

#[test]
fn a_message_that_is_nothing_at_all_is_refused_by_its_digest() {
    let story = scenario().workflow(&workflow(WAITING));
    for queue in [QueueName::Events, QueueName::Jobs] {
        let letter = DeadLetter::new(queue, "no JSON".to_owned());
        at_once(story.world().system.sweeper.mark_dead_letter(&letter, "given up")).expect("it is refused");
    }
    let refusals = story.world().refusals("unknown");
    assert_eq!(refusals.len(), 1, "the same text is one refusal");
    assert!(refusals[0].event_id.starts_with("unreadable_"), "{}", refusals[0].event_id);
}

/// Bounds keep values far from that; if one of them fails, a write is refused and nothing is lost.
#[test]
fn what_could_never_be_read_again_is_written_nowhere() {
    let story = scenario().workflow(&workflow(WAITING)).event(manual("w")).run_for("1h").expect(waiting());
    let mut row = story.last().rows.remove(0);
    let with_variable = |value: Value| {
        let mut execution = story.last().execution;
        execution.version += 1;
        execution.variables.insert("deep".to_owned(), value);
        let item = items::execution::item(&execution, &[]);
        let writes = vec![Write::Put { table: items::execution::TABLE, item, expect: Expect::Any }];
        let transaction = Transaction { writes, durability: Durability::Durable };
        at_once(story.world().system.ports.tables.transact(transaction)).map_err(Error::from)
    };
    // A variable stands three levels deep in the body.
    assert_eq!(with_variable(nested(124)), Ok(()));
    assert_eq!(story.last().execution.variables["deep"], nested(124), "it can be read");
    let refused = with_variable(nested(125)).expect_err("it could not be read");
    assert!(matches!(&refused, Error::Table(TableError::TooDeep(_))), "{refused}");
    assert_eq!(refused.code(), "value_too_deep");

    row.output = json!({"text": "x".repeat(40_000), "deep": nested(200)});
    let spilled = at_once(offload::row(&*story.world().system.ports.blobs, "exe_1", row)).map_err(|error| error.code());
    assert_eq!(spilled.map(|_| ()), Err("value_too_deep"), "a value in a store of its own is read by the same parser");
}

/// A list in a list, so many times.
fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Null, |inner, _| json!([inner]))
}

#[test]
fn records_rows_refusals_notices_and_workflows_are_listed_without_what_cannot_be_read() {
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets(WAITING));
    let story = story.record("ticket", "t1", json!({})).record("ticket", "t2", json!({}));
    let subject = pawl_engine::Subject { object: "ticket".to_owned(), id: "t1".to_owned() };
    corrupt(&story, items::record::TABLE, &items::record::key(&subject), "no JSON");
    let system = &story.world().system;
    let records = at_once(system.records.list("ticket", 50, None)).expect("the listing is not broken");
    assert_eq!((records.items.len(), records.unreadable.len()), (1, 1));
    let query = pawl_engine::RecordQuery::new("ticket", Vec::new(), 10);
    assert_eq!(at_once(system.records.find(&query)).expect("the search is not broken").len(), 1);

    corrupt(&story, items::workflow::TABLE, &items::workflow::head_key("w"), "no JSON");
    let story = story.workflow(&with("", WAITING).replace("workflow: w", "workflow: v"));
    let workflows = at_once(story.world().system.workflows.list(50, None)).expect("the listing is not broken");
    assert_eq!((workflows.items.len(), workflows.unreadable.len()), (1, 1));
}

/// One workflow that cannot be read keeps no other from hearing what happens.
#[test]
fn the_other_workflows_hear_an_event() {
    let on = |id: &str| {
        let keys = "object: ticket\ntriggers: [{id: new, type: record_created}]";
        with(keys, "  - {id: end, type: note, text: end}").replace("workflow: w", &format!("workflow: {id}"))
    };
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on("a")).workflow(&on("b")).http(|_| answer(200));
    corrupt(&story, items::workflow::TABLE, &items::workflow::head_key("a"), "no JSON");
    let system = story.world().system.clone();
    let subject = pawl_engine::Subject { object: "ticket".to_owned(), id: "t1".to_owned() };
    at_once(system.records.create("ticket", Some(subject.id.clone()), serde_json::Map::new(), "api"))
        .expect("it is made");
    let body = story.world().store.messages(QueueName::Events).remove(0).body;
    assert!(at_once(system.handle(QueueName::Events, &body, None)).is_err(), "the first failure is told");
    let begun: Vec<_> = story.world().executions().into_iter().map(|execution| execution.workflow).collect();
    assert_eq!(begun, ["b"]);
}

#[test]
fn a_page_of_rows_goes_on_behind_one_that_cannot_be_read() {
    let steps: Vec<_> = (0..80).map(|at| format!("\n  - {{id: n{at}, type: note, text: '{at:0>200}'}}")).collect();
    let story = scenario().workflow(&workflow(&steps.concat())).event(manual("w")).run_until_idle().expect(completed());
    let (id, seq) = (story.last().execution.id, story.last().execution.seq);
    let packs: Vec<_> = story.world().store.items(items::history::TABLE);
    let packs: Vec<_> = packs.into_iter().filter(|item| item.key.sort.starts_with(items::history::PREFIX)).collect();
    assert!(packs.len() > 2, "the rows moved out in {} items", packs.len());
    let lost = items::history::parse(&packs[0]).expect("it can be read yet").len();
    corrupt(&story, items::history::TABLE, &packs[0].key, "no JSON");
    let (mut seen, mut unreadable, mut after) = (0, 0, None);
    loop {
        let page = at_once(story.world().system.history.rows(&id, 3, after)).expect("the history is not broken");
        seen += page.items.len();
        unreadable += page.unreadable.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen + lost, usize::try_from(seq + 1).expect("it is small"));
    assert!(unreadable >= 1);
}
