//! What a pause, a kill and a cancel of a parent do to the children that it waits for.

use pawl_engine::{Control, Status, StepStatus};
use pawl_testkit::scenario::{Scenario, canceled, completed, manual, scenario, waiting};

use super::{NAP, child, of, one, parent};

/// `w` waits for `middle`, which waits for `child`, which naps for two hours.
fn three_deep() -> Scenario {
    let middle = parent("workflow: child, wait: true").replace("workflow: w", "workflow: middle");
    scenario()
        .workflow(&child("child", NAP))
        .workflow(&middle)
        .workflow(&parent("workflow: middle, wait: true"))
        .event(manual("w"))
        .settle()
}

fn act(story: &Scenario, workflow: &str, control: &Control) {
    let id = one(story.world(), workflow).id;
    story.world().control(&id, control).expect("it is open");
}

#[test]
fn a_cancel_reaches_children_that_wait() {
    let story = three_deep();
    act(&story, "w", &Control::Cancel);
    let story = story.settle().expect(canceled().of("middle")).expect(canceled().of("child"));
    let row = story.world().trace(&one(story.world(), "child").id).rows.pop().expect("it has rows");
    assert_eq!(row.actor, Some(one(story.world(), "middle").id));
    assert_eq!(row.note.as_deref(), Some("cancel: its parent was canceled"));
    assert_eq!(one(story.world(), "w").to_tell, [""; 0]);
}

#[test]
fn a_child_that_nobody_waits_for_lives_on() {
    let story = scenario()
        .workflow(&child("child", NAP))
        .workflow(&super::workflow(
            "  - {id: go, type: start_workflow, workflow: child}\n  - {id: nap, type: delay, for: 1d}",
        ))
        .event(manual("w"))
        .settle();
    act(&story, "w", &Control::Cancel);
    story.settle().expect(waiting().of("child")).run_until_idle().expect(completed().of("child"));
}

#[test]
fn a_pause_holds_the_children_until_the_resume() {
    let story = three_deep();
    act(&story, "w", &Control::Pause);
    let story = story.run_for("3h").expect(waiting().of("child"));
    let before = one(story.world(), "child").seq;
    act(&story, "w", &Control::Resume);
    let story = story.run_until_idle();
    assert!(one(story.world(), "child").seq > before);
    for workflow in ["child", "middle", "w"] {
        assert_eq!(one(story.world(), workflow).status, Status::Completed, "{workflow}");
    }
}

#[test]
fn a_kill_holds_the_children_until_it_is_lifted() {
    let story = three_deep();
    act(&story, "middle", &Control::Kill);
    let story = story.run_for("3h").expect(waiting().of("child"));
    act(&story, "middle", &Control::Lift);
    story.run_until_idle().expect(completed().of("child")).expect(completed().of("w"));
}

#[test]
fn a_child_that_ends_while_its_parent_is_paused_is_not_missed() {
    let story = three_deep();
    act(&story, "middle", &Control::Pause);
    act(&story, "child", &Control::Cancel);
    let story = story.run_for("1h");
    assert_eq!(one(story.world(), "middle").status, Status::Paused);
    act(&story, "middle", &Control::Resume);
    let story = story.settle();
    let error = one(story.world(), "middle").steps["go"].error.clone().expect("its only child was canceled");
    assert_eq!(error.code, "child_failed");
}

#[test]
fn a_parent_that_moved_on_holds_its_former_children_no_more() {
    let story = scenario()
        .workflow(&child("child", NAP))
        .workflow(&super::workflow(
            "  - {id: go, type: start_workflow, workflow: child, wait: true, timeout: 1m, on_failure: {then: continue}}\n\
             \x20 - {id: nap, type: delay, for: 1d}",
        ))
        .event(manual("w"))
        .run_for("5m");
    act(&story, "w", &Control::Cancel);
    let story = story.settle().expect(waiting().of("child"));
    story.run_until_idle().expect(completed().of("child"));
}

#[test]
fn a_parent_that_is_paused_because_it_waited_too_long_holds_its_former_children_no_more() {
    let story = scenario()
        .workflow(&child("child", NAP))
        .workflow(&parent("workflow: child, wait: true, timeout: 1m"))
        .event(manual("w"))
        .run_until_idle();
    assert_eq!(one(story.world(), "w").status, Status::Paused);
    story.expect(completed().of("child"));
}

#[test]
fn a_cancel_of_a_parent_that_had_waited_too_long_leaves_its_former_children_alone() {
    let story = scenario()
        .workflow(&child("child", NAP))
        .workflow(&parent("workflow: child, wait: true, timeout: 1m"))
        .event(manual("w"))
        .run_for("5m");
    act(&story, "w", &Control::Cancel);
    let story = story.settle().expect(canceled().of("w")).expect(waiting().of("child"));
    assert_eq!(one(story.world(), "w").steps["go"].status, StepStatus::Failed);
    story.run_until_idle().expect(completed().of("child"));
}

#[test]
fn an_edit_that_takes_the_step_away_lets_parent_and_child_go_their_ways() {
    let story = three_deep();
    let story = story.workflow(&super::workflow("  - {id: after, type: note, text: after}"));
    let story = story.settle().expect(completed().of("w").path(["go:moved", "after"]));
    assert_eq!(of(story.world(), "middle")[0].status, Status::Waiting);
    story.run_until_idle().expect(completed().of("middle"));
}
