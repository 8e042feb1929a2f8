//! Loops over many executions: each run is bounded, the next one goes on where it stopped, and nobody starves.

pub(crate) mod crowd;

use std::collections::BTreeSet;

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_engine::Status;
use pawl_runtime::items::operation::{Operation, State};
use pawl_runtime::ports::{QueueName, QueueSource, Received};
use pawl_runtime::{Job, LoopLimits, System};
use pawl_testkit::scenario::{Scenario, World, manual, scenario, updated, waiting};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET, on_tickets, workflow};
use crowd::{Mortal, clones, status_of};

const DELAYED: &str = "
  - {id: wait, type: delay, for: 1d}
  - {id: end, type: note, text: end}";

const GOAL: &str = "
  - {id: wait, type: goal, until: 'record.status == \"resolved\"', timeout: 30d}
  - {id: end, type: note, text: end}";

fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

/// Runs are of so many pages, and messages of so many waiters.
const LIMITS: LoopLimits = LoopLimits { page: 100, pages: 7, waiters: 50, at_once: 8 };

/// The same, so few that small crowds reach them.
const FEW: LoopLimits = LoopLimits { page: 3, pages: 2, waiters: 4, at_once: 2 };

/// So many executions whose delay is over, and whose timers are lost.
fn overdue(count: usize) -> (Scenario, BTreeSet<String>) {
    let story = scenario().loops(LIMITS).workflow(&workflow(DELAYED)).event(manual("w")).run_for("1h");
    let story = story.expect(waiting());
    let first = story.last().execution.id;
    let mut ids = clones(story.world(), 1..count, None);
    ids.insert(first);
    story.world().clock.advance(SignedDuration::from_hours(24));
    (story, ids)
}

/// The executions whose jobs are on the queue.
fn woken(world: &World) -> BTreeSet<String> {
    let jobs = world.store.messages(QueueName::Jobs);
    jobs.iter().map(|job| Job::parse(&job.body).expect("it is a job").execution_id).collect()
}

fn sweep(system: &System) -> usize {
    at_once(system.sweeper.sweep(None)).expect("memory is writable")
}

#[test]
fn ten_thousand_overdue_executions_are_woken_in_bounded_runs() {
    let (story, ids) = overdue(10_000);
    let system = &story.world().system;
    let mut sum = 0;
    for run in 1..=15 {
        let woken = sweep(system);
        assert!(woken <= 700, "a run wakes {woken}");
        sum += woken;
        assert_eq!(sum == 10_000, run == 15, "{sum} after {run} runs");
        // More becomes overdue than a run looks at: those that were there come first all the same.
        clones(story.world(), run * 100_000..run * 100_000 + 800, Some(story.world().now()));
        story.world().clock.advance(SignedDuration::from_mins(1));
    }
    assert!(woken(story.world()).is_superset(&ids));
    assert_eq!(system.metrics.snapshot()["runs_cut_short"], 14);
    // The next runs come to those that came meanwhile.
    assert_eq!(sweep(system), 700);
}

#[test]
fn a_sweep_stops_at_its_deadline() {
    let (story, _) = overdue(300);
    let world = story.world();
    // Each page takes a minute.
    let slow = Mortal::slow(world, LIMITS, SignedDuration::from_mins(1));
    let deadline = world.now() + SignedDuration::from_secs(60);
    assert_eq!(at_once(slow.system.sweeper.sweep(Some(deadline))).expect("memory is writable"), 100);
    assert_eq!(slow.system.metrics.snapshot()["runs_cut_short"], 1);
    assert_eq!(sweep(&world.system), 200);
    assert_eq!(world.system.metrics.snapshot()["runs_cut_short"], 0);
}

/// A page that kills its process is passed over, so that those behind it go on, and is met again in the next round.
#[test]
fn nobody_starves_behind_a_page_that_kills_its_process() {
    let (story, ids) = overdue(500);
    let world = story.world();
    let mortal = Mortal::that_dies_at_send(world, LIMITS, 3);
    assert_eq!(mortal.system.sweeper.sweep(None).now_or_never(), None, "it dies in its third page");
    assert_eq!(woken(world).len(), 200);
    assert_eq!(sweep(&world.system), 200, "the next one goes on behind it");
    world.clock.advance(SignedDuration::from_mins(1));
    sweep(&world.system);
    assert!(woken(world) == ids, "{} of them", woken(world).len());
}

/// So many executions that wait until one ticket is resolved.
fn waiting_for_a_ticket(count: usize, limits: LoopLimits) -> (Scenario, BTreeSet<String>) {
    let story = scenario().loops(limits).object(CUSTOMER).object(TICKET).workflow(&on_tickets(GOAL));
    let story = story.record("ticket", "t1", json!({"status": "new"})).event(manual("w").on("ticket", "t1"));
    let story = story.run_for("1m").expect(waiting());
    let first = story.last().execution.id;
    let mut ids = clones(story.world(), 1..count, None);
    ids.insert(first);
    (story, ids)
}

/// A message of the event queue, if there is one.
fn received(world: &World) -> Option<Received> {
    let received = world.store.receive(QueueName::Events, 1, SignedDuration::from_secs(60)).now_or_never()?;
    received.expect("memory is readable").pop()
}

/// Handles the messages of the event queue, each until it is done; how many there were.
fn drain(world: &World, system: &System) -> usize {
    let mut count = 0;
    while let Some(message) = received(world) {
        at_once(system.handle(QueueName::Events, &message.body, None)).expect("memory is writable");
        at_once(world.store.delete(QueueName::Events, &message.receipt)).expect("memory is writable");
        count += 1;
    }
    count
}

fn are_past_their_goal(world: &World, ids: &BTreeSet<String>) -> bool {
    ids.iter().all(|id| status_of(world, id) == Status::Running)
}

#[test]
fn five_thousand_waiters_of_one_event_are_told_in_messages_of_a_bounded_number() {
    let (story, ids) = waiting_for_a_ticket(5_000, LIMITS);
    let story = story.event(updated("ticket", "t1", json!({"status": "resolved"})));
    let world = story.world();
    // The event itself, two messages that split (of seven pages of 500 each), and the parts.
    assert_eq!(drain(world, &world.system), 1 + 2 + 100);
    assert!(are_past_their_goal(world, &ids));
    assert_eq!(world.system.metrics.snapshot()["runs_cut_short"], 1);
}

#[test]
fn few_waiters_are_told_at_once() {
    let (story, ids) = waiting_for_a_ticket(50, LIMITS);
    let story = story.event(updated("ticket", "t1", json!({"status": "resolved"})));
    assert_eq!(drain(story.world(), &story.world().system), 1);
    assert!(are_past_their_goal(story.world(), &ids));
}

/// A process dies after each write in turn; the message that it had comes again.
#[test]
fn waiters_are_told_although_processes_die() {
    for dies_at in 0..12 {
        let (story, ids) = waiting_for_a_ticket(30, FEW);
        let story = story.event(updated("ticket", "t1", json!({"status": "resolved"})));
        let world = story.world();
        let mortal = Mortal::that_dies_at_write(world, FEW, dies_at);
        // Each message has one process that dies.
        while let Some(message) = received(world) {
            mortal.begins_anew();
            if mortal.system.handle(QueueName::Events, &message.body, None).now_or_never().is_none() {
                at_once(world.system.handle(QueueName::Events, &message.body, None)).expect("memory is writable");
            }
            at_once(world.store.delete(QueueName::Events, &message.receipt)).expect("memory is writable");
        }
        assert!(are_past_their_goal(world, &ids), "dies at write {dies_at}");
        let trace = story.world().trace(ids.first().expect("there are some"));
        assert_eq!(trace.rows.iter().filter(|row| row.step.as_deref() == Some("wait")).count(), 2, "told once");
    }
}

fn operation(world: &World, id: &str) -> Operation {
    at_once(world.system.operations.read(id)).expect("it is readable").expect("it is there")
}

/// A killed workflow with so many goals that were met under the kill; the lift of it.
fn lifted(count: usize, limits: LoopLimits) -> (Scenario, BTreeSet<String>, String) {
    let (story, ids) = waiting_for_a_ticket(count, limits);
    let kill = |story: &Scenario, killed| {
        let switched = at_once(story.world().system.workflows.set_killed("w", killed, &story.world().act()));
        switched.expect("the workflow is there").operation
    };
    assert_eq!(kill(&story, true), None);
    let story = story.event(updated("ticket", "t1", json!({"status": "resolved"})));
    drain(story.world(), &story.world().system);
    assert_eq!(status_of(story.world(), ids.first().expect("there are some")), Status::Waiting);
    let operation = kill(&story, false).expect("a lift is an operation");
    (story, ids, operation)
}

#[test]
fn a_lift_reaches_five_thousand_waiting_executions_in_bounded_runs() {
    let (story, ids, id) = lifted(5_000, LIMITS);
    let world = story.world();
    assert_eq!(operation(world, &id).state, State::Running);
    // A page for what is due, one for what moves, fifty for what waits and one for what is paused: four a message.
    assert_eq!(drain(world, &world.system), 14);
    assert!(are_past_their_goal(world, &ids));
    let operation = operation(world, &id);
    assert_eq!((operation.state, operation.executions), (State::Completed, 5_000));
    // The event that they were not told of was split, too.
    assert_eq!(world.system.metrics.snapshot()["runs_cut_short"], 1);
}

#[test]
fn an_operation_goes_on_although_processes_die() {
    for dies_at in 0..12 {
        let (story, ids, id) = lifted(20, FEW);
        let world = story.world();
        let mortal = Mortal::that_dies_at_write(world, FEW, dies_at);
        while let Some(message) = received(world) {
            mortal.begins_anew();
            if mortal.system.handle(QueueName::Events, &message.body, None).now_or_never().is_none() {
                at_once(world.system.handle(QueueName::Events, &message.body, None)).expect("memory is writable");
            }
            at_once(world.store.delete(QueueName::Events, &message.receipt)).expect("memory is writable");
        }
        assert_eq!(operation(world, &id).state, State::Completed, "dies at write {dies_at}");
        assert!(are_past_their_goal(world, &ids), "dies at write {dies_at}");
    }
}

/// The process died between the transaction of the lift and its message, or the message was lost.
#[test]
fn an_operation_whose_message_was_lost_is_resumed_by_the_sweeper() {
    let (story, ids, id) = lifted(20, LIMITS);
    let world = story.world();
    let lost = received(world).expect("it was sent");
    at_once(world.store.delete(QueueName::Events, &lost.receipt)).expect("memory is writable");
    sweep(&world.system);
    assert_eq!(drain(world, &world.system), 0, "it may still be on its way");
    world.clock.advance(SignedDuration::from_mins(2));
    sweep(&world.system);
    sweep(&world.system);
    assert_eq!(drain(world, &world.system), 1, "it is sent once");
    assert_eq!(operation(world, &id).state, State::Completed);
    assert!(are_past_their_goal(world, &ids));
}

#[test]
fn an_operation_whose_message_is_given_up_says_so_and_goes_on_when_it_comes_again() {
    let (story, ids, id) = lifted(3, LIMITS);
    let world = story.world();
    let message = world.store.messages(QueueName::Events).remove(0).body;
    let letter = pawl_runtime::ports::DeadLetter::new(QueueName::Events, message);
    at_once(world.system.sweeper.mark_dead_letter(&letter, "it failed")).expect("it is marked");
    let failed = operation(world, &id);
    assert_eq!((failed.state, failed.error.as_deref()), (State::Failed, Some("it failed")));
    drain(world, &world.system);
    assert_eq!(operation(world, &id).state, State::Completed);
    assert!(are_past_their_goal(world, &ids));
}

/// Letters that are left after the answer of a redrive are put back by the sweeper, which reaches them.
#[test]
fn a_redrive_of_many_dead_letters_goes_on_after_its_answer() {
    let story = scenario().workflow(&workflow(DELAYED));
    let world = story.world();
    for _ in 0..450 {
        world.store.give_up(QueueName::Jobs, "no JSON", 0);
    }
    let redriven = at_once(world.system.installations.redrive(&world.act())).expect("memory is writable");
    assert_eq!(redriven.messages, 300);
    drain(world, &world.system);
    assert_eq!(operation(world, &redriven.operation).state, State::Running);
    for (state, messages) in [(State::Running, 400), (State::Completed, 450)] {
        sweep(&world.system);
        let operation = operation(world, &redriven.operation);
        assert_eq!((operation.state, operation.messages), (state, messages));
    }
}
