//! Messages between parents and children that are lost, and calls that are made again.

use futures::FutureExt;
use pawl_engine::{Control, Execution, Status};
use pawl_runtime::ports::QueueName;
use pawl_runtime::{Job, items};
use pawl_testkit::scenario::{Scenario, World, completed, manual, scenario};

use super::{NAP, child, of, one, parent};

fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

fn story(steps: &str) -> Scenario {
    scenario().workflow(&child("child", steps)).workflow(&parent("workflow: child, wait: true")).event(manual("w"))
}

/// Hands the job that an execution needs to a worker, and whatever it asks for at once.
fn work(world: &World, execution: &Execution) {
    let job = serde_json::to_string(&Job::of(execution)).expect("a job is JSON");
    at_once(world.system.handle(QueueName::Jobs, &job, None)).expect("it is handled");
}

/// Takes all messages of the jobs away, as if they had been lost.
fn lose_jobs(world: &World) -> usize {
    let messages = world.store.messages(QueueName::Jobs).len();
    world.store.lose_messages(QueueName::Jobs);
    messages
}

#[test]
fn an_end_that_nobody_was_told_of_is_told_by_the_sweeper() {
    let story = story(NAP).settle();
    let world = story.world();
    let child = one(world, "child");
    world.clock.advance_to(child.due_at().expect("it naps"));
    // The process dies after the commit of the end, and before it tells.
    let before = world.store.checkpoint();
    work(world, &child);
    let ended = world.store.items(items::execution::TABLE);
    world.store.restore(&before);
    let head = ended.into_iter().find(|item| item.key == items::execution::key(&child.id)).expect("it is there");
    let (mut execution, rows) = items::execution::parse_whole(&head).expect("it has its shape").expect("it is a head");
    assert_eq!(execution.status, Status::Completed);
    execution.to_tell = vec![one(world, "w").id];
    let put = pawl_runtime::ports::Write::Put {
        table: items::execution::TABLE,
        item: items::execution::changed(&head, &execution, &rows).expect("it is readable"),
        expect: pawl_runtime::ports::Expect::Any,
    };
    let transaction =
        pawl_runtime::ports::Transaction { writes: vec![put], durability: pawl_runtime::ports::Durability::Ordered };
    at_once(world.store.tables().transact(transaction)).expect("memory takes it");
    lose_jobs(world);
    world.clock.advance(jiff::SignedDuration::from_mins(2));
    at_once(world.system.sweeper.sweep(None)).expect("it sweeps");
    story.run_until_idle().expect(completed().of("w"));
}

#[test]
fn the_end_of_a_child_that_is_told_twice_joins_once() {
    let story = story(NAP).settle();
    let world = story.world();
    let parent = one(world, "w");
    let child = one(world, "child");
    world.clock.advance_to(child.due_at().expect("it naps"));
    work(world, &child);
    let news = world.store.messages(QueueName::Jobs).into_iter().find(|message| message.body.contains("child_ended"));
    let news = news.expect("the parent is told").body;
    for _ in 0..2 {
        at_once(world.system.handle(QueueName::Jobs, &news, None)).expect("it is handled");
    }
    let joins = world.trace(&parent.id).rows.into_iter().filter(|row| row.step.as_deref() == Some("go")).count();
    assert_eq!(joins, 2, "it waits, and it joins");
}

#[test]
fn a_call_that_died_is_made_again_and_starts_nothing_twice() {
    let story = story(NAP);
    let world = story.world();
    let event = world.store.messages(QueueName::Events).pop().expect("it was sent").body;
    at_once(world.system.handle(QueueName::Events, &event, None)).expect("it begins");
    let queued = one(world, "w");
    // It starts the child, and dies before it commits that: the claim stands, and so does the child.
    let before = world.store.items(items::execution::TABLE);
    work(world, &queued);
    let started = one(world, "child");
    let waiting = one(world, "w");
    assert_eq!(waiting.status, Status::Waiting);
    let claim = before.into_iter().find(|item| item.key == items::execution::key(&queued.id)).expect("it is there");
    let put = pawl_runtime::ports::Write::Put {
        table: items::execution::TABLE,
        item: claim,
        expect: pawl_runtime::ports::Expect::Any,
    };
    let transaction =
        pawl_runtime::ports::Transaction { writes: vec![put], durability: pawl_runtime::ports::Durability::Ordered };
    at_once(world.store.tables().transact(transaction)).expect("memory takes it");
    work(world, &queued);
    assert_eq!(of(world, "child").into_iter().map(|one| one.id).collect::<Vec<_>>(), [started.id]);
    story.run_until_idle().expect(completed().of("w"));
}

#[test]
fn a_cancel_that_nobody_was_told_of_is_seen_before_the_next_step() {
    let story = story(NAP).settle();
    let world = story.world();
    let parent = one(world, "w");
    world.control(&parent.id, &Control::Cancel).expect("it is open");
    lose_jobs(world);
    let story = story.run_until_idle();
    // Its own timer was lost as well: the job of the nap's end comes by the sweeper.
    let world = story.world();
    let child = one(world, "child");
    world.clock.advance(jiff::SignedDuration::from_hours(3));
    work(world, &child);
    let child = one(world, "child");
    assert_eq!((child.status, child.steps_done), (Status::Canceled, 0));
}

#[test]
fn a_call_that_is_made_again_after_what_it_started_has_expired_starts_it_no_second_time() {
    let kept = |id: &str| child(id, NAP).replace("active: true", "active: true\nretention: 7d");
    let keys = "workflows: [{workflow: child}, {workflow: other}], \
                on_failure: {retry: {attempts: 1, first: 8d, max: 8d, jitter: false, on: [any]}}";
    let story = scenario().workflow(&kept("child")).workflow(&kept("other")).workflow(&parent(keys)).settle();
    let world = story.world();
    let (table, key) = (items::workflow::TABLE, items::workflow::head_key("other"));
    let head = world.store.items(table).into_iter().find(|item| item.key == key).expect("it is there");
    world.store.damage(table, &key, "no JSON");
    let story = story.event(manual("w")).run_for("7d 4h");
    let world = story.world();
    assert_eq!((of(world, "child").len(), of(world, "other").len()), (0, 0), "the child has ended and expired");
    world.store.damage(table, &key, &head.body);
    let story = story.run_until_idle().expect(completed().of("w"));
    assert_eq!((of(story.world(), "child").len(), of(story.world(), "other").len()), (0, 0), "neither begins");
    let output = &one(story.world(), "w").steps["go"].output;
    assert_eq!([&output[0]["status"], &output[0]["error"]["code"]], ["refused", "too_old"], "{output}");
}
