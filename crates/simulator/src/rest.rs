//! The end of a run: people who see to what waits for them, until nobody does.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::Take;
use pawl_engine::{Control, Execution, Hold, PauseReason};
use pawl_runtime::ports::QueueName;

use super::hub::Hub;
use super::run::Run;
use super::{acting, verdict};

/// Whether everything that can happen before a time is that executions ask for their places in the line again.
pub(super) fn only_lines_move(run: &Run, next: Timestamp) -> bool {
    let events = run.hub.store.messages(QueueName::Events);
    if run.has_tasks() || run.is_asking() || !events.is_empty() || !run.hub.lock().unreadable.is_empty() {
        return false;
    }
    let state = run.hub.lock();
    if !state.monitor.operations.is_empty() {
        return false;
    }
    let wakes = |head: &&Execution| head.due_at().is_some() && !state.monitor.is_held(head);
    let mut open = state.monitor.open().filter(wakes).peekable();
    // Stale messages have run out once the line has asked several times.
    let since = state.monitor.last_change;
    (open.peek().is_some() || state.monitor.schedules.only_wait())
        && open.all(Execution::is_in_line)
        && next.duration_since(since) > SignedDuration::from_secs(3_600)
}

/// Checks a world at rest, then lets an operator act on one execution; `false` if nobody waits for a person.
pub(super) fn resolve(run: &mut Run) -> bool {
    verdict::check(&run.hub, &run.accepted);
    if run.hub.lock().violation.is_some() {
        return false;
    }
    if is_stalled(&run.hub) {
        run.hub.count("redrives");
        let process = run.any_process();
        let work = acting::redrive(&run.hub, &run.processes[process].system);
        run.spawn_operator(process, work);
        return true;
    }
    if run.confluent {
        return false;
    }
    let Some((id, control)) = next_act(&run.hub) else { return run.go_on_later() };
    let process = run.any_process();
    let work = acting::operate(&run.hub, &run.processes[process].system, id, control);
    run.spawn_operator(process, work);
    true
}

/// Whether something waits for a redrive.
fn is_stalled(hub: &Hub) -> bool {
    let state = hub.lock();
    let monitor = &state.monitor;
    // One whose parent is held goes on with the parent.
    let is_held = |head: &Execution| matches!(Hold::of(head, &monitor.heads), Hold::Held(_));
    monitor
        .open()
        .any(|head| head.stalled && head.killed.is_none() && !monitor.is_killed(&head.workflow) && !is_held(head))
}

/// What an operator does next.
fn next_act(hub: &Hub) -> Option<(String, Control)> {
    let state = hub.lock();
    let open: Vec<_> = state.monitor.open().collect();
    let head = open.into_iter().find(|head| !head.is_in_line())?;
    let acts = state.monitor.rows.get(&head.id).map_or(0, |rows| rows.iter().filter(|row| row.actor.is_some()).count());
    Some((head.id.clone(), control(head, acts)))
}

/// What is done with the step that an execution stopped before: it is carried out or skipped, and at the end it runs on.
fn step(acts: usize) -> Control {
    match acts {
        0..=8 if acts % 4 == 3 => Control::Skip { take: Some(Take::Yes) },
        0..=8 => Control::Step,
        _ => Control::Run,
    }
}

/// `acts`: how often somebody has acted on it.
fn control(head: &Execution, acts: usize) -> Control {
    let reason = head.pause.as_ref().map(|pause| pause.reason);
    let failed = reason.map(|reason| reason == PauseReason::Failure);
    match (head.killed.is_some(), failed) {
        (true, _) => Control::Lift,
        (false, _) if reason == Some(PauseReason::Debug) => step(acts),
        (false, Some(_)) if acts > 12 => Control::Cancel,
        (false, Some(true)) if acts.is_multiple_of(2) => Control::Retry,
        (false, Some(true)) => Control::Skip { take: Some(Take::Yes) },
        (false, Some(false)) => Control::Resume,
        (false, None) => Control::Cancel,
    }
}
