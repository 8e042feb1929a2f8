//! A record is forgotten: its values go, in it and in what read it; what happened stays.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use pawl_engine::{Control, Status, Subject};
use pawl_runtime::forget::{Forget, ForgetError, Forgotten, Stage};
use pawl_runtime::items::audit::Deed;
use pawl_runtime::ports::{
    BlobError, BlobKey, BlobOwner, Blobs, Consistency, Item, Key, Page, Ports, Query, QueueName, Table, TableError,
    Tables, Transaction,
};
use pawl_runtime::{Core, ExecutorOptions, RecordError, System};
use pawl_testkit::scenario::{Scenario, TABLES, World, answer, completed, manual, refused, scenario, updated, waiting};
use serde_json::{Map, json};

use crate::erasure::{self, ID, VALUE};
use crate::heads::break_event;
use crate::outages::at_once;
use crate::support::with;

pub(crate) const DEAL: &str = "
object: deal
fields:
  name: {type: text}
relationships:
  buyer: {object: person}
";

fn person() -> Subject {
    Subject { object: "person".to_owned(), id: ID.to_owned() }
}

pub(crate) fn order(world: &World, cancel: bool) -> Forget {
    Forget { record: person(), cancel, everywhere: false, act: world.act() }
}

/// Asks until all is done; what the calls did together.
pub(crate) fn forget(core: &Core, order: &Forget) -> Result<Forgotten, ForgetError> {
    let mut all = Forgotten::default();
    let mut stage: Option<Stage> = None;
    loop {
        let done = at_once(core.forgetting.forget(order, stage))?;
        all.executions += done.executions;
        all.open.extend(done.open);
        all.unreadable.extend(done.unreadable);
        all.canceling = done.canceling;
        if done.next.is_none() || !all.canceling.is_empty() {
            return Ok(Forgotten { next: done.next, ..all });
        }
        stage = done.next;
    }
}

/// Where a value of the person is still found: tables by the kind of the item, and blobs.
pub(crate) fn where_found(world: &World) -> Vec<String> {
    let mut found: Vec<String> = erasure::stored(world)
        .iter()
        .filter(|(_, item)| serde_json::to_string(item).expect("an item is JSON").contains(VALUE))
        .map(|(_, item)| erasure::kind(item))
        .collect();
    for key in world.store.blob_keys() {
        let blob = at_once(world.store.blobs().get(&key)).expect("it is there");
        if String::from_utf8_lossy(&blob).contains(VALUE) {
            found.push(format!("blob {key}"));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// A person with executions that copy values into variables, outputs, many rows and blobs.
fn story() -> Scenario {
    let copy =
        |n: usize| format!("  - {{id: s{n}, type: set_variables, values: {{copy: '{{{{ record.email }}}}'}}}}\n");
    let copies: String = (0..30).map(copy).collect();
    let call = "  - {id: call, type: http_request, url: 'https://x.example/{{ record.email }}'}\n";
    let fails = "  - {id: wrong, type: set_fields, fields: {age: '{{ record.email }}'}, on_failure: {then: continue}}";
    let large = json!({"text": VALUE.repeat(5_000)});
    let fields = json!({"email": VALUE, "former": VALUE, "city": "Oslo"});
    let story = scenario().object(erasure::PERSON).workflow(&with("object: person", &format!("{copies}{call}{fails}")));
    let story = story.record("person", ID, fields).http(move |_| answer(200).body(large.clone()));
    let story = story.event(manual("w").on("person", ID)).run_until_idle().expect(completed());
    story.event(manual("w").on("person", ID)).run_until_idle().expect(completed())
}

#[test]
fn no_value_is_left_but_in_what_expires_and_what_happened_stays() {
    let story = story();
    let world = story.world();
    let before = world.executions();
    let rows_before = story.last().rows;
    assert!(where_found(world).iter().any(|found| found.starts_with("blob execution/")), "{:?}", where_found(world));

    let done = forget(&world.system, &order(world, false)).expect("nothing is open");
    assert_eq!(done, Forgotten { executions: 2, ..Forgotten::default() });
    assert_eq!(where_found(world), ["notices"], "they go when they expire");

    let at = world.now();
    for (before, after) in before.iter().zip(world.executions()) {
        assert_eq!((after.seq, after.status, after.ended_at), (before.seq, before.status, before.ended_at));
        assert_eq!((after.forgotten, &after.variables["copy"]), (Some(at), &json!({"forgotten": at})));
    }
    let rows = story.last().rows;
    let kept = |rows: &[pawl_engine::Row]| {
        let part = |row: &pawl_engine::Row| (row.seq, row.at, row.step.clone(), row.status, row.execution);
        rows.iter().map(part).collect::<Vec<_>>()
    };
    assert_eq!(kept(&rows), kept(&rows_before));
    assert_eq!(world.replayed(), Vec::<String>::new(), "what was forgotten on purpose is no fault");

    let record = world.records("person").remove(0);
    assert_eq!(
        (record.is_archived(), record.forgotten, &record.fields["email"]),
        (true, Some(at), &json!({"forgotten": at}))
    );
    let audit = at_once(world.system.history.audit(10, None)).expect("memory is readable").items;
    assert_eq!((audit[0].deed, audit[0].record.clone()), (Deed::Forget, Some(person())));
}

#[test]
fn every_kind_of_item_lets_go_of_the_values_or_expires() {
    let story = erasure::story();
    let world = story.world();
    forget(&world.system, &order(world, true)).expect("what is open is canceled");
    assert_eq!(where_found(world), ["delivery", "notices", "refusal", "signal", "signals"], "they go when they expire");
}

#[test]
fn an_open_execution_refuses_and_is_named_and_can_be_canceled() {
    let steps = "  - {id: wait, type: goal, until: record.city == 'Rome', timeout: never}";
    let story = scenario().object(erasure::PERSON).workflow(&with("object: person", steps));
    let story = story.record("person", ID, json!({"email": VALUE, "city": "Oslo"}));
    let story = story.event(manual("w").on("person", ID)).run_for("1h").expect(waiting());
    let (world, id) = (story.world(), story.last().execution.id);
    let before = erasure::stored(world);
    let refused = forget(&world.system, &order(world, false)).expect_err("one is open");
    assert_eq!(refused.to_string(), format!("executions on the record are open: {id}"));
    assert_eq!(erasure::stored(world), before, "nothing has changed");

    forget(&world.system, &order(world, true)).expect("it is canceled");
    assert_eq!(world.execution(&id).status, pawl_engine::Status::Canceled);
    assert_eq!(where_found(world), Vec::<String>::new());
}

#[test]
fn a_forgotten_record_takes_no_events_and_no_values() {
    let steps = "  - {id: n, type: note, text: hi}";
    let keys = "object: person\ntriggers: [{id: city, type: field_updated, field: city}]";
    let story = scenario().object(erasure::PERSON).workflow(&with(keys, steps));
    let story = story.record("person", ID, json!({"email": VALUE, "city": "Oslo"}));
    // It is changed, and the change is on its way.
    let story = story.event(updated("person", ID, json!({"city": "Rome"})));
    let world = story.world().clone();
    forget(&world.system, &order(&world, false)).expect("nothing is open");
    let story = story.settle().expect(refused("record_forgotten"));
    let story = story.event(manual("w").on("person", ID)).settle().expect(refused("record_forgotten"));

    let records = &story.world().system.records;
    let forgotten = |error: RecordError| matches!(error, RecordError::Forgotten(..));
    let fields = || Map::from_iter([("city".to_owned(), json!("Bonn"))]);
    assert!(forgotten(at_once(records.create("person", Some(ID.to_owned()), fields(), "api")).expect_err("it was")));
    assert!(forgotten(at_once(records.update(&person(), &fields(), None, "api")).expect_err("it was")));
    assert!(forgotten(at_once(records.get(&person())).expect_err("it was")));
    assert_eq!(at_once(records.list("person", 10, None)).expect("memory is readable").items, []);
    let other = at_once(records.create("person", None, Map::from_iter([("email".to_owned(), json!(VALUE))]), "api"));
    assert!(other.is_ok(), "a unique value that was forgotten is free for another record");

    let again = forget(&world.system, &order(&world, false)).expect("it may be asked again");
    assert_eq!((again.executions, again.open), (0, BTreeSet::new()));
}

/// Two deals of the person: one execution has ended, the other waits.
fn deals() -> Scenario {
    let reads = "  - {id: say, type: note, text: 'for {{ record.buyer.email }}'}\n";
    let waits = "  - {id: wait, type: goal, until: record.name == 'done', timeout: never}";
    let ends = with("object: deal", reads).replacen("workflow: w", "workflow: ends", 1);
    let stays = with("object: deal", &format!("{reads}{waits}")).replacen("workflow: w", "workflow: stays", 1);
    let story = scenario().object(erasure::PERSON).object(DEAL).workflow(&ends).workflow(&stays);
    let story = story.record("person", ID, json!({"email": VALUE}));
    let story = story.record("person", "another", json!({"email": "b@example.com"}));
    let story = story.record("deal", "d1", json!({"name": "one", "buyer": ID}));
    let story = story.record("deal", "d2", json!({"name": "two", "buyer": "another"}));
    let story = story.event(manual("ends").on("deal", "d1")).run_until_idle().expect(completed());
    let story = story.event(manual("ends").on("deal", "d2")).run_until_idle().expect(completed());
    story.event(manual("stays").on("deal", "d1")).run_for("1h").expect(waiting())
}

#[test]
fn executions_on_other_records_that_read_it_are_found_by_their_rows() {
    let story = deals();
    let world = story.world();
    let [read, other, open] = <[_; 3]>::try_from(world.executions()).expect("three began");
    let done = forget(&world.system, &order(world, false)).expect("none is open on the record itself");
    assert_eq!((done.executions, done.open), (1, BTreeSet::from([open.id.clone()])));
    assert!(world.execution(&read.id).forgotten.is_some());
    assert_eq!(world.execution(&other.id), other, "it read another person");

    world.control(&open.id, &Control::Cancel).expect("it is open");
    let done = forget(&world.system, &order(world, false)).expect("it may be asked again");
    assert_eq!((done.executions, done.open), (1, BTreeSet::new()));
    assert_eq!(where_found(world), Vec::<String>::new());
}

/// Bug: only executions whose own record names the forgotten one were looked through, and no chain of relationships.
#[test]
fn executions_that_read_it_by_a_chain_are_found() {
    let order_of = "object: order\nfields: {name: {type: text}}\nrelationships: {deal: {object: deal}}";
    let reads = "  - {id: say, type: note, text: 'for {{ record.deal.buyer.email }}'}\n";
    let story =
        scenario().object(erasure::PERSON).object(DEAL).object(order_of).workflow(&with("object: order", reads));
    let story = story.record("person", ID, json!({"email": VALUE})).record("deal", "d1", json!({"buyer": ID}));
    let story = story.record("order", "o1", json!({"deal": "d1"})).event(manual("w").on("order", "o1"));
    let story = story.run_until_idle().expect(completed());
    let done = forget(&story.world().system, &order(story.world(), false)).expect("nothing is open");
    assert_eq!((done.executions, where_found(story.world())), (1, Vec::new()));
}

#[test]
fn a_call_that_was_decided_on_it_and_is_out_keeps_its_execution_open() {
    let story = deals();
    let waits = "  - {id: wait, type: goal, until: record.name == 'done', timeout: never}";
    let story = story.workflow(&with("object: deal", waits).replacen("workflow: w", "workflow: calls", 1));
    let story = story.event(manual("calls").on("deal", "d2")).run_for("1h").expect(waiting());
    let (world, mut calling) = (story.world(), story.last().execution);
    // As a claim leaves it: the row of the call comes with its result.
    calling.since = json!([{"related": {"buyer": [{"o": "person", "i": ID, "v": 1}]}}]);
    let (head, rows) = (pawl_runtime::items::execution::key(&calling.id), story.last().rows);
    world.store.damage(Table::Executions, &head, &pawl_runtime::items::execution::item(&calling, &rows).body);
    let done = forget(&world.system, &order(world, false)).expect("none is open on the record itself");
    assert!(done.open.contains(&calling.id), "{done:?}");
}

/// Bug: a message that was delivered twice came again without an end, for the large values of its event were gone.
#[test]
fn a_repeat_of_an_event_whose_values_are_gone_comes_to_nothing() {
    let keys = "object: person\nvariables: [{name: text, type: text, default: '0'}]";
    let story = scenario().object(erasure::PERSON).workflow(&with(keys, "  - {id: n, type: note, text: hi}"));
    let event = manual("w").on("person", ID).values(json!({"text": "x".repeat(40_000)}));
    let story = story.record("person", ID, json!({"email": VALUE})).event(event);
    let message = story.world().store.messages(QueueName::Events).remove(0).body;
    let story = story.run_until_idle().expect(completed());
    let world = story.world();
    forget(&world.system, &order(world, false)).expect("nothing is open");
    let before = world.executions();
    at_once(world.system.handle(QueueName::Events, &message, None)).expect("nothing is to come of it");
    assert_eq!(world.executions(), before);
}

#[test]
fn an_execution_that_cannot_be_read_is_named_and_holds_up_no_other() {
    let story = story();
    let world = story.world();
    let [damaged, other] = <[_; 2]>::try_from(world.executions()).expect("two began");
    break_event(world, &damaged.id);
    let done = forget(&world.system, &order(world, false)).expect("nothing is open");
    assert_eq!((done.executions, done.unreadable), (1, BTreeSet::from([format!("execution#{}/head", damaged.id)])));
    assert!(world.execution(&other.id).forgotten.is_some());
    assert!(world.execution(&damaged.id).forgotten.is_none(), "it is asked for again once it is restored");
}

/// Storage that fails at one write.
struct Failing {
    ports: Ports,
    left: AtomicUsize,
}

impl Failing {
    fn fails(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) == Ok(1)
    }
}

#[async_trait]
impl Tables for Failing {
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        self.ports.tables.get(table, key, consistency).await
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        self.ports.tables.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        self.ports.tables.query(query).await
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        if self.fails() {
            return Err(TableError::Unavailable("an outage".to_owned()));
        }
        self.ports.tables.transact(transaction).await
    }
}

#[async_trait]
impl Blobs for Failing {
    async fn put(&self, key: &BlobKey, bytes: Bytes) -> Result<(), BlobError> {
        self.ports.blobs.put(key, bytes).await
    }

    async fn get(&self, key: &BlobKey) -> Result<Bytes, BlobError> {
        self.ports.blobs.get(key).await
    }

    async fn remove(&self, owner: &BlobOwner) -> Result<bool, BlobError> {
        if self.fails() {
            return Err(BlobError::Unavailable("an outage".to_owned()));
        }
        self.ports.blobs.remove(owner).await
    }
}

/// Forgets the person once for each write at which a process may die, and again after it; how many writes there are.
fn failures(story: &Scenario, left: &[&str]) -> usize {
    let world = story.world();
    let items = || TABLES.map(|table| world.store.items(table));
    let checkpoint = world.store.checkpoint();
    forget(&world.system, &order(world, false)).expect("nothing is open");
    let undisturbed = items();

    let mut failures = 0;
    for at in 1.. {
        world.store.restore(&checkpoint);
        let failing = Arc::new(Failing { ports: world.system.ports.clone(), left: AtomicUsize::new(at) });
        let ports = Ports { tables: failing.clone(), blobs: failing, ..world.system.ports.clone() };
        let core = Core::new(ports, ExecutorOptions::default());
        if forget(&core, &order(world, false)).is_ok() {
            break;
        }
        failures += 1;
        forget(&world.system, &order(world, false)).expect("nothing is open");
        assert_eq!(items(), undisturbed, "after a failure at write {at}");
        assert_eq!(where_found(world), left, "after a failure at write {at}");
    }
    failures
}

#[test]
fn what_a_crash_cut_off_is_finished_when_it_is_asked_again() {
    let failures = failures(&story(), &["notices"]);
    assert!(failures >= 8, "the record, and rows, event, head and blobs of each of two: found {failures}");
}

/// Bug: rows that had left the head lost their values first, and after a crash nothing told any more that they had shown the
/// person.
#[test]
fn bug_what_a_crash_cut_off_of_an_execution_on_another_record_is_finished_too() {
    let copy = "  - {id: copy, type: set_variables, values: {copy: '{{ record.buyer.email }}'}}\n";
    let note = |n: usize| format!("  - {{id: n{n}, type: note, text: '{}'}}\n", "x".repeat(300));
    let notes: String = (0..40).map(note).collect();
    let story =
        scenario().object(erasure::PERSON).object(DEAL).workflow(&with("object: deal", &format!("{copy}{notes}")));
    let story = story.record("person", ID, json!({"email": VALUE}));
    let story = story.record("deal", "d1", json!({"name": "one", "buyer": ID}));
    let story = story.event(manual("w").on("deal", "d1")).run_until_idle().expect(completed());
    assert!(failures(&story, &[]) >= 3, "the record, and rows and head");
}

#[test]
fn a_record_that_never_was_is_not_forgotten() {
    let world = scenario().object(erasure::PERSON).world().clone();
    let none = forget(&world.system, &order(&world, false)).expect_err("it never was");
    assert!(matches!(none, ForgetError::NotFound(record) if record == person()));
    assert_eq!(world.store.messages(QueueName::Events).len(), 0);
}

/// Bug: a lane was not found that a call had begun before it failed, if the execution was canceled before it was retried.
#[test]
fn bug_a_lane_of_a_start_that_failed_is_forgotten_too() {
    let copy = "  - {id: copy, type: set_variables, values: {copy: '{{ record.buyer.email }}'}}\n";
    let lanes =
        "  - {id: fork, type: branch, lanes: {a: [{id: n, type: note, text: a}], b: [{id: m, type: note, text: b}]}}";
    let mut alone = 0;
    for at in 1..16 {
        let story = scenario().object(erasure::PERSON).object(DEAL);
        let story = story.workflow(&with("object: deal", &format!("{copy}{lanes}")));
        let story = story.record("person", ID, json!({"email": VALUE}));
        let story = story.record("deal", "d1", json!({"name": "one", "buyer": ID}));
        let world = story.world();
        let failing = Arc::new(Failing { ports: world.system.ports.clone(), left: AtomicUsize::new(at) });
        let ports = Ports { tables: failing.clone(), blobs: failing, ..world.system.ports.clone() };
        let mut broken = world.clone();
        broken.system = System::new(ports, world.system.outside.clone(), ExecutorOptions::default());
        // The event itself may be what is not written.
        if broken.happen(manual("w").on("deal", "d1").into()).is_err() {
            continue;
        }
        drop(broken.settle());
        let (lanes, wholes): (Vec<_>, Vec<_>) = world.executions().into_iter().partition(|one| one.region.is_some());
        let Some(whole) = wholes.first().filter(|whole| !whole.status.is_ended()) else { continue };
        world.control(&whole.id, &Control::Cancel).expect("it is open");
        world.run(None).expect("storage works again");
        alone += usize::from(lanes.len() == 1);
        forget(&world.system, &order(world, true)).expect("nothing is open");
        assert_eq!(world.execution(&whole.id).status, Status::Canceled);
        assert_eq!(where_found(world), Vec::<String>::new(), "after a failure at write {at}");
    }
    assert!(alone > 0, "one lane began without the other");
}

/// Bug: a part that had ended lost its values although the whole had not taken its results yet.
#[test]
fn bug_parts_of_an_open_execution_keep_what_it_is_to_take() {
    let lanes = "  - {id: fork, type: branch, lanes: {a: [{id: copy, type: set_variables, \
                 values: {copy: '{{ record.buyer.email }}'}}], b: [{id: nap, type: delay, for: 2h}]}}\n";
    let says = "  - {id: say, type: note, text: '{{ vars.copy }}'}";
    let story = scenario().object(erasure::PERSON).object(DEAL);
    let story = story.workflow(&with("object: deal", &format!("{lanes}{says}")));
    let story = story.record("person", ID, json!({"email": VALUE}));
    let story = story.record("deal", "d1", json!({"name": "one", "buyer": ID}));
    let story = story.event(manual("w").on("deal", "d1")).run_for("1h");
    let world = story.world();
    let whole = world.executions().into_iter().find(|one| one.region.is_none()).expect("it began").id;
    let done = forget(&world.system, &order(world, false)).expect("none is open on the record itself");
    assert!(done.open.contains(&whole), "{done:?}");

    let story = story.run_for("2h");
    let world = story.world();
    assert_eq!(
        (world.execution(&whole).status, &world.execution(&whole).variables["copy"]),
        (Status::Completed, &json!(VALUE))
    );
    let done = forget(&world.system, &order(world, false)).expect("nothing is open");
    assert_eq!(done.open, BTreeSet::new());
    assert_eq!(where_found(world), Vec::<String>::new());
}
