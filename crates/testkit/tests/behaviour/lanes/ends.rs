//! How lanes end each other, and what a control of the whole does to them.

use futures::FutureExt;
use pawl_engine::{Control, Status, StepStatus};
use pawl_testkit::scenario::{canceled, completed, failed, manual, paused, scenario, waiting};
use serde_json::json;

use super::{BAD, NAP, forks, lane, output, whole};

#[test]
fn a_lane_that_fails_cancels_the_others_with_one_notice() {
    let story =
        scenario().workflow(&forks("", &[("bad", BAD), ("slow", NAP)])).event(manual("w")).settle().expect(paused());
    assert_eq!(lane(story.world(), "slow").status, Status::Canceled);
    assert_eq!(lane(story.world(), "bad").status, Status::Failed);
    let failed = whole(story.world());
    let error = failed.steps["fork"].error.clone().expect("a lane failed");
    assert!(error.message.starts_with("the lane bad failed: "), "{}", error.message);
    assert!(failed.failed_steps.contains("broken") && failed.failed_steps.contains("fork"));
    assert_eq!(story.world().notices().len(), 1);
}

#[test]
fn lanes_go_on_if_the_author_says_so() {
    let keys = "    lane_failed: continue\n";
    let good = "{id: ok, type: set_variables, values: {x: 1}}";
    let lanes = [("bad", BAD.replace("{x:", "{y:")), ("slow", format!("{NAP}, {good}"))];
    let lanes: Vec<_> = lanes.iter().map(|(name, steps)| (*name, steps.as_str())).collect();
    let story = scenario().workflow(&forks(keys, &lanes)).event(manual("w")).run_until_idle();
    let story = story.expect(completed().variable("x", 1).path(["fork", "after"]));
    assert_eq!(whole(story.world()).steps["fork"].status, StepStatus::Partial);
    assert_eq!(output(&story)["bad"]["status"], "failed");
    let story = scenario().workflow(&forks(keys, &[("bad", BAD)])).event(manual("w")).settle();
    story.expect(paused());
}

#[test]
fn a_stop_in_a_lane_ends_the_whole_and_the_other_lanes() {
    for (word, expected) in
        [("completed", completed()), ("canceled", canceled()), ("failed", failed("stopped_as_failed"))]
    {
        let stop = format!("{{id: end, type: stop, as: {word}, reason: enough}}");
        let inner =
            format!("{{id: inner, type: branch, lanes: {{deep: [{stop}], idle: [{{id: n2, type: delay, for: 1d}}]}}}}");
        let story = scenario()
            .workflow(&forks("", &[("stops", &inner), ("slow", NAP)]))
            .event(manual("w"))
            .settle()
            .expect(expected);
        assert_eq!(whole(story.world()).reason.as_deref(), Some("enough"), "{word}");
        assert_eq!(lane(story.world(), "slow").status, Status::Canceled, "{word}");
        let open = story.world().executions().into_iter().filter(|execution| !execution.status.is_ended()).count();
        assert_eq!(open, 0, "{word}");
    }
}

#[test]
fn a_stop_of_a_lane_ends_that_lane_only() {
    let stops = "{id: end, type: stop, as: lane, reason: enough}, {id: never, type: note, text: never}";
    let story = scenario()
        .workflow(&forks("", &[("a", stops), ("slow", NAP)]))
        .event(manual("w"))
        .run_for("1h")
        .expect(waiting())
        .run_until_idle()
        .expect(completed().path(["fork", "after"]));
    assert_eq!(
        output(&story)["a"],
        json!({"status": "completed", "output": {"as": "lane", "notify": null, "severity": null}, "error": null})
    );
}

#[test]
fn cancel_pause_and_kill_of_the_whole_reach_its_lanes() {
    let story = || scenario().workflow(&forks("", &[("a", NAP), ("b", NAP_B)])).event(manual("w")).settle();
    let begun = story();
    let id = whole(begun.world()).id;
    begun.world().control(&id, &Control::Cancel).expect("it waits");
    let ended = begun.settle().expect(canceled());
    for name in ["a", "b"] {
        assert_eq!(lane(ended.world(), name).status, Status::Canceled, "{name}");
    }
    for (hold, lift) in [(Control::Pause, Control::Resume), (Control::Kill, Control::Lift)] {
        let begun = story();
        let id = whole(begun.world()).id;
        begun.world().control(&id, &hold).expect("it waits");
        let held = begun.run_for("3h");
        assert_eq!(lane(held.world(), "a").status, Status::Waiting, "{hold:?} holds it beyond its time");
        held.world().control(&id, &lift).expect("it is held");
        held.run_until_idle().expect(completed().path(["fork", "after"]));
    }
}

/// A second nap with an id of its own.
const NAP_B: &str = "{id: nap-b, type: delay, for: 2h}";

#[test]
fn a_lane_that_was_canceled_while_it_was_killed_ends_when_the_kill_is_lifted() {
    let story = scenario().workflow(&forks("", &[("a", NAP), ("b", NAP_B)])).event(manual("w")).settle();
    let killed = lane(story.world(), "a").id;
    story.world().control(&killed, &Control::Kill).expect("it waits");
    story.world().control(&whole(story.world()).id, &Control::Cancel).expect("it waits");
    let story = story.run_for("3h");
    assert_eq!(lane(story.world(), "a").status, Status::Waiting);
    story.world().control(&killed, &Control::Lift).expect("it is killed");
    assert_eq!(lane(story.world(), "a").status, Status::Canceled);
}

/// Bug: what was paused was not told when the kill was lifted, and stayed paused for ever.
#[test]
fn bug_a_paused_lane_whose_whole_was_canceled_under_a_kill_ends_when_the_kill_is_lifted() {
    let stops = "{id: stop, type: stop, as: paused}";
    let story = scenario().workflow(&forks("", &[("a", stops), ("b", NAP_B)])).event(manual("w")).settle();
    assert_eq!(lane(story.world(), "a").status, Status::Paused);
    let switch = |killed| {
        let world = story.world();
        let switched = world.system.installations.set_killed(killed, &world.act()).now_or_never();
        switched.expect("memory answers at once").expect("memory is writable");
        world.settle().expect("it settles");
    };
    switch(true);
    story.world().control(&whole(story.world()).id, &Control::Cancel).expect("it waits");
    story.world().settle().expect("it settles");
    assert_eq!(lane(story.world(), "a").status, Status::Paused);
    switch(false);
    assert_eq!(lane(story.world(), "a").status, Status::Canceled);
}

#[test]
fn a_person_cancels_one_lane() {
    let story = scenario().workflow(&forks("", &[("a", NAP), ("b", NAP_B)])).event(manual("w")).settle();
    story.world().control(&lane(story.world(), "a").id, &Control::Cancel).expect("it waits");
    let story = story.settle().expect(paused());
    let error = whole(story.world()).steps["fork"].error.clone().expect("a lane is lost");
    assert_eq!(error.message, "the lane a was canceled");
}

#[test]
fn an_edit_that_takes_the_branch_away_cancels_its_lanes() {
    let story = scenario().workflow(&forks("", &[("a", NAP), ("b", NAP_B)])).event(manual("w")).settle();
    let story = story.workflow(&crate::support::workflow("  - {id: after, type: note, text: after}"));
    let story = story.settle().expect(completed().path(["fork:moved", "after"]));
    let open: Vec<_> =
        story.world().executions().into_iter().filter(|execution| !execution.status.is_ended()).collect();
    assert_eq!(open.len(), 0, "no lane goes on");
}

#[test]
fn an_edit_of_a_lane_reaches_the_lane_in_flight() {
    let story = scenario().workflow(&forks("", &[("a", NAP)])).event(manual("w")).settle();
    let edited = format!("{NAP}, {{id: more, type: set_variables, values: {{seen: 1}}}}");
    let story = story.workflow(&forks("", &[("a", &edited)])).run_until_idle();
    story.expect(completed().variable("seen", 1));
}
