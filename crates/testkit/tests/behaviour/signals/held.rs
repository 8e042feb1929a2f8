//! Waiters that are paused, killed, canceled, skipped or edited.

use futures::FutureExt;
use pawl_engine::{Control, Status};
use pawl_runtime::ports::QueueName;
use pawl_testkit::scenario::{World, completed, manual, paused, scenario, signal, waiting};
use serde_json::{Value, json};

use super::{RECEIVED, each, received, story, waits};

fn kill(world: &World, killed: bool) {
    let done = world.system.workflows.set_killed("w", killed, &world.act()).now_or_never();
    done.expect("memory answers at once").expect("the workflow is there");
}

#[test]
fn a_paused_execution_receives_it_and_stays_paused() {
    let story = story("").settle();
    let id = each(story.world())[0].id.clone();
    story.world().control(&id, &Control::Pause).expect("it waits");
    let story = story.event(signal("paid", "7").payload(json!(1))).settle().expect(paused().path(["wait:received"]));
    story.world().control(&id, &Control::Resume).expect("it is paused");
    story.settle().expect(completed().path(RECEIVED));
}

#[test]
fn a_killed_execution_is_passed_over_and_looks_when_it_is_lifted() {
    let story = scenario().workflow(&waits("")).event(manual("w")).run_for("1m").event(manual("w")).run_for("1m");
    let oldest = each(story.world())[0].id.clone();
    story.world().control(&oldest, &Control::Kill).expect("it waits");
    let story = story.event(signal("paid", "7").payload(json!(1))).settle();
    assert_eq!(received(story.world()), [Value::Null, json!(1)]);
    let story = story.event(signal("paid", "7").payload(json!(2))).settle();
    assert_eq!(received(story.world()), [Value::Null, json!(1)], "the second one is kept");
    story.world().control(&oldest, &Control::Lift).expect("it is killed");
    let story = story.settle();
    assert_eq!(received(story.world()), [json!(2), json!(1)]);
}

#[test]
fn what_is_not_offered_before_the_deadline_is_left_to_a_message() {
    let story = scenario().workflow(&waits("")).event(manual("w")).run_for("1m").event(manual("w")).run_for("1m");
    kill(story.world(), true);
    let story = story.event(signal("paid", "7")).run_for("1h");
    let looks = || story.world().store.messages(QueueName::Events).len();
    let before = looks();
    let hand_over = |deadline| story.world().system.signals.hand_over("signal/paid/7", deadline).now_or_never();
    hand_over(None).expect("memory answers at once").expect("it is offered to both in vain");
    assert_eq!(looks(), before, "nothing is left");
    let now = story.world().system.ports.clock.now();
    hand_over(Some(now)).expect("memory answers at once").expect("it is offered to the first in vain");
    assert_eq!(looks(), before + 1, "the second is left");
}

#[test]
fn a_lifted_workflow_looks_for_what_was_kept() {
    let story = story("").settle();
    kill(story.world(), true);
    let story = story.event(signal("paid", "7")).run_for("1h").expect(waiting());
    kill(story.world(), false);
    story.settle().expect(completed().path(RECEIVED));
}

#[test]
fn a_canceled_execution_is_no_waiter() {
    let story = scenario().workflow(&waits("")).event(manual("w")).run_for("1m").event(manual("w")).run_for("1m");
    let oldest = each(story.world())[0].id.clone();
    story.world().control(&oldest, &Control::Cancel).expect("it waits");
    let story = story.event(signal("paid", "7").payload(json!(1))).settle();
    assert_eq!(
        each(story.world()).iter().map(|head| head.status).collect::<Vec<_>>(),
        [Status::Canceled, Status::Completed]
    );
}

#[test]
fn a_skipped_wait_takes_the_path_that_is_said() {
    for (take, path) in [("yes", "wait:received"), ("no", "wait:timed_out")] {
        let keys = format!("    skip: true\n    take: {take}");
        let story = story(&keys).settle();
        let trace = story.world().trace(&each(story.world())[0].id);
        assert_eq!(trace.path()[0], path);
    }
}

#[test]
fn after_an_edit_it_waits_for_the_other_signal_which_may_be_kept() {
    let story = story("").settle().event(signal("settled", "7").payload(json!(1))).run_for("1h").expect(waiting());
    let edited = waits("").replace("signal: paid", "signal: settled");
    let story = story.workflow(&edited).settle().expect(completed().path(RECEIVED));
    assert_eq!(received(story.world()), [json!(1)]);
}
