//! Tracked actions: what a person does to many executions or records at once.

mod controls;
mod handling;
mod lagging;
mod starts;

use futures::FutureExt;
use pawl_engine::{Act, Execution, RowKind, Status};
use pawl_runtime::items::operation::{Operation, State};
use pawl_runtime::items::operation_result::OperationResult;
use pawl_runtime::ports::{QueueName, QueueSource, Received};
use pawl_runtime::{
    Action, ActionLimits, Controls, Counts, Handling, LoopLimits, NewAction, Selection, System, Task, Verb,
};
use pawl_testkit::scenario::{Reply, Scenario, World, manual, scenario};

use crate::support::workflow;

/// A workflow whose first step calls a service.
const CALL: &str = "
  - {id: call, type: http_request, url: 'https://x.example'}
  - {id: end, type: note, text: end}";

fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

/// So many executions at a service that answers like this.
fn called(count: usize, reply: impl Fn() -> Reply + Send + 'static) -> Scenario {
    let story = scenario().workflow(&workflow(CALL)).http(move |_| reply());
    (0..count).fold(story, |story, _| story.event(manual("w"))).run_until_idle()
}

/// What a person asks for: it runs without a preview.
fn asked(task: Task, story: &Scenario) -> NewAction {
    let by = Act { reason: Some("the service is back".to_owned()), ..story.world().act() };
    NewAction { task, listed: Vec::new(), by, limits: ActionLimits::default(), awaits_run: false, key: None }
}

fn control(verb: Verb, selection: Selection) -> Task {
    Task::Control(Controls { verb, selection })
}

/// Executions that failed with a code.
fn with_code(code: &str) -> Selection {
    Selection { code: Some(code.to_owned()), ..Selection::default() }
}

fn begin(story: &Scenario, new: NewAction) -> Operation {
    at_once(story.world().system.operations.begin_action(new)).expect("it is begun")
}

fn handle(story: &Scenario, id: &str, handling: Handling) -> Operation {
    let act = story.world().act();
    at_once(story.world().system.operations.handle_action(id, handling, &act)).expect("it fits the state")
}

fn operation(world: &World, id: &str) -> Operation {
    at_once(world.system.operations.read(id)).expect("it is readable").expect("it is there")
}

fn action(world: &World, id: &str) -> Action {
    *operation(world, id).action.expect("it is an action")
}

/// The state of an action, and what came of it.
fn state(world: &World, id: &str) -> (State, Counts) {
    let operation = operation(world, id);
    (operation.state, operation.action.expect("it is an action").counts)
}

/// So many were carried out, and nothing else came of it.
fn all_done(count: u64) -> (State, Counts) {
    (State::Completed, Counts { selected: count, done: count, ..Counts::default() })
}

/// The targets that were refused or failed, and with which codes.
fn results(world: &World, id: &str) -> Vec<(String, String)> {
    let page = at_once(world.system.operations.results(id, 1_000, None)).expect("it is readable");
    page.items.into_iter().map(|OperationResult { target, reason, .. }| (target, reason.code)).collect()
}

/// How often an action touched an execution, by its history.
fn touches(world: &World, execution: &Execution, action: &str) -> usize {
    let own = |note: &Option<String>| note.as_ref().is_some_and(|note| note.contains(action));
    let rows = world.trace(&execution.id).rows;
    rows.iter().filter(|row| row.kind == RowKind::Control && own(&row.note)).count()
}

/// How many executions are in a state.
fn in_state(world: &World, status: Status) -> usize {
    world.executions().iter().filter(|execution| execution.status == status).count()
}

/// A message of the event queue, if one is visible.
fn received(world: &World) -> Option<Received> {
    let received = world.store.receive(QueueName::Events, 1, jiff::SignedDuration::from_secs(60)).now_or_never()?;
    received.expect("memory is readable").pop()
}

/// Handles the messages of the event queue that are visible, with a process that dies after each of its writes in turn and
/// another one that has the message after it.
fn drain(world: &World, mortal: &System) {
    while let Some(message) = received(world) {
        if mortal.handle(QueueName::Events, &message.body, None).now_or_never().is_none() {
            at_once(world.system.handle(QueueName::Events, &message.body, None)).expect("memory is writable");
        }
        at_once(world.store.delete(QueueName::Events, &message.receipt)).expect("memory is writable");
    }
}

/// Pages so small that few executions make many.
const FEW: LoopLimits = LoopLimits { page: 3, pages: 2, waiters: 4, at_once: 2 };
