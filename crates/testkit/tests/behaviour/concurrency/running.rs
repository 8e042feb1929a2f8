//! `hold: running`: a slot is given back for a wait or a pause, and asked for again before the execution goes on.

use pawl_engine::{Control, RowKind, Status};
use pawl_runtime::items::slot;
use pawl_runtime::ports::StateMachineError;
use pawl_testkit::scenario::{Scenario, World, answer, machine_succeeds, manual, scenario, signal};

use crate::support::with;

const AROUND_A_WAIT: &str = "
  - {id: before, type: note, text: before}
  - {id: wait, type: delay, for: 1h}
  - {id: call, type: http_request, method: POST, url: https://example.com/}
  - {id: after, type: note, text: after}";

fn limited(limit: &str, steps: &str) -> String {
    with(&format!("limits: {{concurrency: {limit}}}"), steps)
}

const ONE: &str = "{at_most: 1, hold: running}";
const ONE_OF_KEY: &str = "{at_most: 1, per: trigger.type, hold: running}";

fn status(world: &World) -> Vec<Status> {
    world.executions().iter().map(|one| one.status).collect()
}

fn holders(world: &World) -> Vec<usize> {
    let made = world.executions();
    made.iter().enumerate().filter(|(_, one)| one.holds_slot.is_some()).map(|(at, _)| at).collect()
}

fn started(limit: &str, steps: &str, many: usize) -> Scenario {
    let story = scenario().workflow(&limited(limit, steps)).http(|_| answer(200));
    (0..many).fold(story, |story, _| story.event(manual("w")).run_for("1s"))
}

#[test]
fn those_that_wait_hold_no_slot() {
    for limit in [ONE, ONE_OF_KEY] {
        let story = started(limit, AROUND_A_WAIT, 3);
        assert_eq!(status(story.world()), [Status::Waiting; 3], "{limit}");
        assert_eq!(holders(story.world()), [0; 0]);
        let story = story.run_until_idle();
        assert_eq!(status(story.world()), [Status::Completed; 3]);
        let rows = story.last().rows;
        let goes_on = rows.iter().position(|row| row.kind == RowKind::Slot).expect("history says so");
        assert_eq!((rows[goes_on].step.as_deref(), rows[goes_on + 1].step.as_deref()), (Some("call"), Some("call")));
        assert_eq!(story.world().replayed(), [""; 0]);
        assert!(story.world().store.items(slot::TABLE).iter().all(|item| !item.key.partition.starts_with("slots#")));
    }
}

/// While one stands at a call that fails and is tried again, the others wait in line before their next step.
#[test]
fn who_goes_on_asks_for_a_slot_and_stands_in_line() {
    for limit in [ONE, ONE_OF_KEY] {
        let mut calls = 0;
        let story = scenario().workflow(&limited(limit, AROUND_A_WAIT)).http(move |_| {
            calls += 1;
            if calls < 3 { answer(503) } else { answer(200) }
        });
        let story = story.event(manual("w")).event(manual("w")).run_for("1h").run_for("1s");
        let world = story.world();
        let (holds, waits) = (holders(world), world.executions().into_iter().find(pawl_engine::Execution::is_in_line));
        let waits = waits.expect("one waits");
        assert_eq!(holds.len(), 1, "a retry is no wait: {limit}");
        assert_eq!((waits.status, waits.cursor.as_deref()), (Status::Running, Some("call")));
        let story = story.run_until_idle();
        assert_eq!(status(story.world()), [Status::Completed; 2]);
        assert_eq!(story.world().replayed(), [""; 0]);
    }
}

#[test]
fn who_is_paused_gives_its_slot_to_the_next_and_asks_for_one_when_it_is_resumed() {
    for limit in [ONE, ONE_OF_KEY] {
        let steps = "  - {id: fail, type: stop, as: paused}\n  - {id: after, type: note, text: after}";
        let story = started(limit, steps, 2);
        assert_eq!(status(story.world()), [Status::Paused; 2], "the second began when the first was paused");
        assert_eq!(holders(story.world()), [0; 0]);
        for one in story.world().executions() {
            story.world().control(&one.id, &Control::Resume).expect("it is paused");
        }
        let story = story.run_until_idle();
        assert_eq!(status(story.world()), [Status::Completed; 2]);
        assert_eq!(story.world().replayed(), [""; 0]);
    }
}

/// The end of a wait needs no slot: a signal is received although all are held.
#[test]
fn a_signal_is_received_without_a_slot() {
    let steps = "
  - {id: wait, type: wait_for_signal, signal: go, key: '{{ execution.id }}', timeout: 1d}
  - {id: call, type: http_request, method: POST, url: https://example.com/}";
    let story = scenario().workflow(&limited(ONE, steps)).http(|_| answer(503)).event(manual("w")).settle();
    let story = story.event(manual("w")).settle();
    let ids: Vec<_> = story.world().executions().into_iter().map(|one| one.id).collect();
    let story = ids.iter().fold(story, |story, id| story.event(signal("go", id)).settle());
    let world = story.world();
    assert_eq!(holders(world), [0]);
    let second = world.execution(&ids[1]);
    assert!(second.is_in_line() && second.steps["wait"].status == pawl_engine::StepStatus::Completed);
    // One that is canceled in the line leaves it.
    world.control(&ids[1], &Control::Cancel).expect("it waits for a slot");
    world.control(&ids[0], &Control::Cancel).expect("it is tried again");
    let story = story.run_until_idle();
    assert_eq!(status(story.world()), [Status::Canceled; 2]);
}

/// A process that dies while it looks at a machine leaves an execution that asks for a slot. The end of the machine comes while
/// it stands in line, and is kept.
#[test]
fn an_end_that_comes_in_the_line_is_kept_while_it_stands_there() {
    let steps = "
  - id: settle
    type: run_state_machine
    state_machine: arn:aws:states:eu-central-1:123456789012:stateMachine:Settle
    wait: true
    timeout: 1d
  - {id: call, type: http_request, method: POST, url: https://example.com/, on_failure: {retry: {attempts: 3, first: 1h, max: 1h, jitter: false}}}";
    for limit in [ONE, ONE_OF_KEY] {
        let mut calls = 0;
        let story = scenario().workflow(&limited(limit, steps)).http(move |_| {
            calls += 1;
            if calls < 3 { answer(503) } else { answer(200) }
        });
        let mut machines = 0;
        let story = story.state_machine(move |_| {
            machines += 1;
            let gone = StateMachineError::Network("gone".to_owned());
            let second = || machine_succeeds(2).after("20m").look_fails(gone).look_dies();
            if machines == 1 { machine_succeeds(1).after("10s") } else { second() }
        });
        let story = story.event(manual("w")).settle().event(manual("w")).run_for("10m");
        assert_eq!(holders(story.world()), [0], "{limit}");
        assert!(story.last().execution.is_in_line(), "{limit}");
        let story = story.run_for("30m");
        let waits = story.last().execution;
        assert!(waits.is_in_line() && waits.steps["settle"].checkpoint["end"]["status"] == "SUCCEEDED");
        let story = story.run_until_idle();
        assert_eq!(status(story.world()), [Status::Completed; 2]);
        assert_eq!(story.world().replayed(), [""; 0]);
    }
}

#[test]
fn an_edit_of_hold_counts_from_the_next_slot_on() {
    let story = started("{at_most: 1}", AROUND_A_WAIT, 2);
    assert_eq!(status(story.world()), [Status::Waiting, Status::Queued]);
    let story = story.workflow(&limited(ONE, AROUND_A_WAIT)).run_for("5m");
    assert_eq!(holders(story.world()), [0], "it holds its slot as it took it");
    let story = story.run_for("1h");
    assert_eq!(status(story.world()), [Status::Completed, Status::Waiting]);
    assert_eq!(holders(story.world()), [0; 0]);
    // Without a limit nobody needs a slot.
    let story = story.workflow(&limited("null", AROUND_A_WAIT)).run_until_idle();
    assert_eq!(status(story.world()), [Status::Completed; 2]);
    assert!(story.last().rows.iter().all(|row| row.kind != RowKind::Slot));
    assert_eq!(story.world().replayed(), [""; 0]);
}
