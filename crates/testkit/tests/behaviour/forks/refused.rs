//! What cannot be forked, and forks that an edit or a forgotten record overtakes.

use pawl_testkit::scenario::{failed, refused};

use super::*;
use crate::erasure::{ID, PERSON, VALUE};
use crate::forget::{forget, order as forget_order};
use crate::retention::pass;

#[test]
fn a_step_in_a_loop_or_a_lane_is_refused() {
    let steps = "  - {id: each, type: for_each, items: [1, 2], do: [{id: inner, type: note, text: x},
       {id: deep, type: condition, if: 'true', yes: [{id: deeper, type: note, text: x}]}]}
  - {id: both, type: branch, lanes: {a: [{id: in-lane, type: note, text: x}]}}
  - {id: maybe, type: condition, if: 'true', yes: [{id: plain, type: note, text: x}]}";
    let story = scenario().workflow(&with("", steps)).event(manual("w")).run_until_idle();
    let whole = story.world().executions().into_iter().find(|one| one.region.is_none()).expect("it began");
    let lane = story.world().executions().into_iter().find(|one| one.region.is_some()).expect("it has a lane");
    let inside = |step: &str, around: &str| {
        format!("step {step:?} stands inside of step {around:?}, a loop or lanes: fork at {around:?}")
    };
    for (step, around) in [("inner", "each"), ("deeper", "each"), ("in-lane", "both")] {
        assert_eq!(refusal(story.world(), &whole.id, Some(step)), inside(step, around));
    }
    let part = format!(
        "it runs a part of the execution {}: fork that one, at its step \"both\" or from the beginning",
        whole.id
    );
    assert_eq!(refusal(story.world(), &lane.id, None), part);
    assert_eq!(refusal(story.world(), &lane.id, Some("in-lane")), part);
    // In a branch that has no end of its own, and at the loop itself, an execution can begin.
    for at in ["plain", "both", "each"] {
        story.world().fork(&whole.id, Some(at), Map::new()).unwrap_or_else(|error| panic!("{at}: {error}"));
    }
    let story = story.run_until_idle();
    let whole = story.world().executions().into_iter().filter(|one| one.region.is_none());
    assert_eq!(whole.map(|one| one.status).collect::<Vec<_>>(), [Status::Completed; 4]);
}

#[test]
fn a_step_that_is_not_there_is_refused() {
    let story = failed_call();
    assert_eq!(not_forked(&story, Some("nope")), "expected a step of the workflow's present revision, found \"nope\"");
    assert_eq!(not_forked(&story, Some("end")), "it has never stood before step \"end\"");
}

#[test]
fn a_step_that_an_edit_takes_away_fails_the_fork_visibly() {
    let story = failed_call();
    let original = story.last().execution.id;
    story.world().fork(&original, Some("tell"), Map::new()).expect("the step is there");
    let story = story.workflow(&with("", "  - {id: end, type: note, text: end}"));
    story.settle().expect(failed("unknown_step"));
}

/// An execution that copied the value of a person.
fn of_a_person(keys: &str) -> Scenario {
    let steps =
        "  - {id: copy, type: set_variables, values: {copy: '{{ record.email }}'}}\n  - {id: end, type: note, text: x}";
    let story = scenario().object(PERSON).workflow(&with(&format!("object: person\n{keys}"), steps));
    let story = story.record("person", ID, json!({"email": VALUE}));
    story.event(manual("w").on("person", ID)).run_until_idle().expect(completed())
}

#[test]
fn what_was_forgotten_is_not_forked() {
    let story = of_a_person("");
    let world = story.world();
    forget(&world.system, &forget_order(world, false)).expect("nothing is open");
    assert_eq!(not_forked(&story, Some("end")), format!("its values were forgotten at {}", world.now()));
    assert_eq!(not_forked(&story, None), format!("its values were forgotten at {}", world.now()));
}

#[test]
fn a_fork_does_not_begin_once_its_values_are_forgotten() {
    let story = of_a_person("");
    let original = story.last().execution.id;
    story.world().fork(&original, Some("end"), Map::new()).expect("it can be forked");
    forget(&story.world().system, &forget_order(story.world(), false)).expect("nothing is open");
    story.settle().expect(refused("record_forgotten"));
}

#[test]
fn a_fork_does_not_begin_once_its_original_is_gone() {
    let story = of_a_person("retention: 7d");
    let original = story.last().execution.id;
    story.world().clock.advance(jiff::SignedDuration::from_hours(24 * 7 - 1));
    story.world().fork(&original, Some("end"), Map::new()).expect("it can be forked");
    pass_and_expire(story.world());
    story.settle().expect(refused("no_execution"));
}

fn pass_and_expire(world: &World) {
    let held = world.store.messages(pawl_runtime::ports::QueueName::Events);
    assert_eq!(held.len(), 1);
    pass(world, jiff::SignedDuration::from_hours(2));
}
