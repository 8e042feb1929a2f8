//! Calls that are made again because a process died: they control nothing twice.

use futures::FutureExt;
use pawl_engine::{Control, Execution, Status};
use pawl_runtime::ports::{Durability, Expect, Item, QueueName, Transaction, Write};
use pawl_runtime::{Job, items};
use pawl_testkit::scenario::{Scenario, World, answer, completed, manual, scenario};

use super::{acts, global, of, said};
use crate::support::workflow;

fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

/// Hands the job that an execution needs to a worker.
fn work(world: &World, execution: &Execution) {
    let job = serde_json::to_string(&Job::of(execution)).expect("a job is JSON");
    at_once(world.system.handle(QueueName::Jobs, &job, None)).expect("it is handled");
}

fn head(world: &World, id: &str) -> Item {
    let mut stored = world.store.items(items::execution::TABLE).into_iter();
    stored.find(|item| item.key == items::execution::key(id)).expect("it is there")
}

fn put(world: &World, item: Item) {
    let put = Write::Put { table: items::execution::TABLE, item, expect: Expect::Any };
    let transaction = Transaction { writes: vec![put], durability: Durability::Ordered };
    at_once(world.store.tables().transact(transaction)).expect("memory takes it");
}

/// Two executions of `alone` nap, and the step of `w` has done this to them; its process died before it told.
fn died(keys: &str, before: impl Fn(&World)) -> Scenario {
    let story = scenario().max_steps_per_invocation(0).workflow(&global("alone"));
    let story = story.event(manual("alone")).event(manual("alone")).run_for("1m");
    before(story.world());
    let story = story.workflow(&workflow(&acts(keys))).event(manual("w"));
    let world = story.world();
    let event = world.store.messages(QueueName::Events).pop().expect("it was sent").body;
    at_once(world.system.handle(QueueName::Events, &event, None)).expect("it begins");
    // The search is over, and what it found is kept.
    while !has_found(&of(world, "w")[0]) {
        work(world, &of(world, "w")[0]);
    }
    let found = head(world, &of(world, "w")[0].id);
    work(world, &of(world, "w")[0]);
    assert_eq!(said(world).len(), 2);
    put(world, found);
    story
}

/// Whether the search is over.
fn has_found(execution: &Execution) -> bool {
    let state = execution.steps.get("act");
    state.is_some_and(|state| state.checkpoint["found"].as_array().is_some_and(|found| !found.is_empty()))
}

fn states(world: &World) -> Vec<Status> {
    of(world, "alone").iter().map(|one| one.status).collect()
}

fn rows(world: &World) -> usize {
    of(world, "alone").iter().map(|one| world.trace(&one.id).rows.len()).sum()
}

#[test]
fn a_person_who_resumed_one_meanwhile_is_not_overruled() {
    let story = died("workflows: [alone], do: pause", |_| {});
    let world = story.world();
    assert_eq!(states(world), [Status::Paused, Status::Paused]);
    world.control(&of(world, "alone")[0].id, &Control::Resume).expect("it is paused");
    let before = rows(world);
    work(world, &of(world, "w")[0]);
    assert_eq!(states(world), [Status::Waiting, Status::Paused]);
    assert_eq!(rows(world), before, "nothing is controlled again");
    assert_eq!(said(world).len(), 2, "the output tells what the first call did");
    story.settle().expect(completed().of("w"));
}

#[test]
fn what_was_canceled_or_resumed_is_told_again_and_not_done_again() {
    let pause = |world: &World| {
        for one in of(world, "alone") {
            world.control(&one.id, &Control::Pause).expect("it naps");
        }
    };
    for (word, status) in [("resume", Status::Waiting), ("cancel", Status::Canceled)] {
        let story = died(&format!("workflows: [alone], do: {word}"), pause);
        let world = story.world();
        let before = rows(world);
        work(world, &of(world, "w")[0]);
        assert_eq!((rows(world), states(world)), (before, vec![status; 2]));
        assert_eq!(said(world).len(), 2, "the output tells what the first call did");
    }
}

#[test]
fn one_in_the_middle_of_a_call_is_paused_after_it() {
    let calls = "workflow: alone\nowner: owner@example.com\nsteps:\n  - {id: call, type: http_request, url: 'https://x.example'}\n  - {id: end, type: note, text: end}";
    let story = scenario().workflow(calls).workflow(&workflow(&acts("workflows: [alone], do: pause")));
    let world = story.world().clone();
    let pauses = move || {
        let event = world.store.messages(QueueName::Events).pop().expect("it was sent").body;
        at_once(world.system.handle(QueueName::Events, &event, None)).expect("it begins");
        work(&world, &of(&world, "w")[0]);
    };
    let mut pauses = Some(pauses);
    let story = story.http(move |_| answer(200).meanwhile(pauses.take().expect("it is called once")));
    let story = story.event(manual("alone"));
    let world = story.world();
    let event = world.store.messages(QueueName::Events).pop().expect("it was sent").body;
    at_once(world.system.handle(QueueName::Events, &event, None)).expect("it begins");
    world.store.lose_messages(QueueName::Events);
    let story = story.event(manual("w"));
    work(story.world(), &of(story.world(), "alone")[0]);
    let alone = of(story.world(), "alone").remove(0);
    assert_eq!((alone.status, alone.steps_done), (Status::Paused, 1));
    assert_eq!(said(story.world()), [(alone.id, "paused".to_owned())]);
}
