//! The end of a run: what must hold when nothing moves any more, and people who see to what waits for them.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::Take;
use pawl_engine::{Control, Execution, PauseReason, Status, TimerPurpose, Wake};
use pawl_runtime::ports::Clock;

use super::acting;
use super::hub::Hub;
use super::run::Run;

/// Whether everything that can happen before a time is that executions ask for their places in the line again.
pub(super) fn only_lines_move(run: &Run, next: Timestamp) -> bool {
    if run.has_tasks() || run.is_asking() {
        return false;
    }
    let state = run.hub.lock();
    let in_line = |head: &Execution| matches!(head.wake, Wake::Timer { purpose: TimerPurpose::Line, .. });
    let mut open = state.monitor.open().filter(|head| head.due_at().is_some()).peekable();
    // Stale messages have run out once the line has asked several times.
    let since = state.monitor.last_change;
    open.peek().is_some() && open.all(in_line) && next.duration_since(since) > SignedDuration::from_secs(1_200)
}

/// Checks a world at rest, then lets an operator act on one execution; `false` if nobody waits for a person.
pub(super) fn resolve(run: &mut Run) -> bool {
    check(&run.hub);
    if run.hub.lock().violation.is_some() {
        return false;
    }
    if run.confluent {
        return false;
    }
    let Some((id, control)) = next_act(&run.hub) else { return false };
    let process = run.any_process();
    let work = acting::operate(&run.hub, &run.processes[process].system, id, control);
    run.spawn_operator(process, work);
    true
}

/// What an operator does next.
fn next_act(hub: &Hub) -> Option<(String, Control)> {
    let state = hub.lock();
    let open: Vec<_> = state.monitor.open().collect();
    let waits = |head: &&&Execution| !matches!(head.wake, Wake::Timer { purpose: TimerPurpose::Line, .. });
    let head = open.iter().find(waits)?;
    let acts = state.monitor.rows.get(&head.id).map_or(0, |rows| rows.iter().filter(|row| row.actor.is_some()).count());
    let control = match (&head.pause, head.killed.is_some()) {
        (_, true) => Control::Lift,
        _ if acts > 12 => Control::Cancel,
        (Some(pause), _) if pause.reason == PauseReason::Failure && acts.is_multiple_of(2) => Control::Retry,
        (Some(pause), _) if pause.reason == PauseReason::Failure => Control::Skip { take: Some(Take::Yes) },
        (Some(_), _) => Control::Resume,
        (None, _) => Control::Cancel,
    };
    Some((head.id.clone(), control))
}

fn check(hub: &Hub) {
    let mut broken = Vec::new();
    for head in hub.lock().monitor.open() {
        if let Some(why) = stuck(hub, head) {
            broken.push((3, format!("{}: {why}", head.id)));
        }
    }
    for (number, text) in broken {
        hub.violate(number, text);
    }
}

/// Why an execution that does not move any more should.
fn stuck(hub: &Hub, head: &Execution) -> Option<String> {
    if head.killed.is_some() || head.status == Status::Paused {
        return None;
    }
    match &head.wake {
        Wake::Signal { until: None } => None,
        Wake::Timer { purpose: TimerPurpose::Line, .. } => None,
        wake => Some(format!("is {} since {} and should have woken by {wake:?} before {}", head.status, head.updated_at, hub.clock.now())),
    }
}
