//! Actions that control executions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pawl_engine::{Control, Status};
use pawl_runtime::items::operation::State;
use pawl_runtime::ports::Table;
use pawl_runtime::{ActionError, Counts, FailureGroup, Handling, Indicator, NewAction, Selection, Verb, items};
use pawl_testkit::scenario::{answer, manual, scenario};

use super::{
    FEW, action, all_done, asked, at_once, begin, called, control, drain, handle, in_state, operation, results, state,
    touches, with_code,
};
use crate::loops::crowd::Mortal;
use crate::support::{with, workflow};

#[test]
fn two_hundred_executions_that_failed_for_one_code_are_retried_at_once() {
    let is_back = Arc::new(AtomicBool::new(false));
    let answers = is_back.clone();
    let story = called(200, move || answer(if answers.load(Ordering::SeqCst) { 200 } else { 400 }));
    assert_eq!(in_state(story.world(), Status::Paused), 200);
    is_back.store(true, Ordering::SeqCst);
    let id = begin(&story, asked(control(Verb::Retry, with_code("http_status")), &story)).id;
    let story = story.run_until_idle();
    let world = story.world();
    assert_eq!(state(world, &id), all_done(200));
    assert_eq!(in_state(world, Status::Completed), 200);
    assert!(world.executions().iter().all(|execution| touches(world, execution, &id) == 1));
    let trace = story.last();
    let row = trace.rows.iter().find(|row| row.actor.is_some()).expect("a person has acted");
    assert_eq!(row.note, Some(format!("retry: the service is back (action {id})")));
    assert_eq!(results(world, &id), []);
}

#[test]
fn a_preview_counts_and_touches_nothing_until_a_person_lets_it_run() {
    let story = called(25, || answer(400)).event(manual("w")).run_until_idle();
    let stays = story.last().execution.id;
    story.world().control(&stays, &Control::Cancel).expect("it is paused");
    let selection = Selection {
        workflow: Some("w".to_owned()),
        states: [Status::Paused, Status::Canceled].into(),
        ..Selection::default()
    };
    let new = NewAction { awaits_run: true, ..asked(control(Verb::Retry, selection), &story) };
    let begun = begin(&story, new);
    assert_eq!(begun.state, State::Ready);
    let preview = begun.action.expect("it is an action").preview;
    assert_eq!((preview.count, preview.examples.len(), preview.refused), (26, 10, 1));
    let failure = |step: &str, count| FailureGroup {
        workflow: "w".to_owned(),
        step: Some(step.to_owned()),
        code: "http_status".to_owned(),
        count,
    };
    assert_eq!(preview.failures, [failure("call", 25)]);
    let why = &preview.reasons[0].reason;
    assert_eq!(
        (why.code.as_str(), why.message.as_str()),
        ("illegal_transition", "cannot retry an execution that is canceled: it has ended")
    );
    let story = story.run_until_idle();
    assert_eq!(in_state(story.world(), Status::Paused), 25);
    assert_eq!(operation(story.world(), &begun.id).state, State::Ready);

    handle(&story, &begun.id, Handling::Run);
    let story = story.run_until_idle();
    let counts = Counts { selected: 26, done: 25, refused: 1, ..Counts::default() };
    assert_eq!(state(story.world(), &begun.id), (State::Completed, counts));
    assert_eq!(results(story.world(), &begun.id), [(stays, "illegal_transition".to_owned())]);
}

/// Each retried execution fails again and is paused again: it is touched once all the same.
#[test]
fn what_fails_again_is_not_retried_again_by_the_same_action() {
    let story = called(60, || answer(400));
    let id = begin(&story, asked(control(Verb::Retry, with_code("http_status")), &story)).id;
    let story = story.run_until_idle();
    let world = story.world();
    assert_eq!(state(world, &id), all_done(60));
    assert!(world.executions().iter().all(|execution| touches(world, execution, &id) == 1));
    assert_eq!(in_state(world, Status::Paused), 60);
    // A second action touches them once more.
    let second = begin(&story, asked(control(Verb::Retry, with_code("http_status")), &story)).id;
    let story = story.run_until_idle();
    assert_eq!(state(story.world(), &second), all_done(60));
}

#[test]
fn each_is_touched_once_and_none_is_forgotten_wherever_a_process_dies() {
    let mut deaths = 0;
    for dies_at in 0.. {
        let story = called(8, || answer(400));
        let world = story.world();
        let id = begin(&story, asked(control(Verb::Cancel, with_code("http_status")), &story)).id;
        let mortal = Mortal::that_dies_at_write(world, FEW, dies_at);
        drain(world, &mortal.system);
        let story = story.run_until_idle();
        let world = story.world();
        assert_eq!(state(world, &id), all_done(8), "dies at write {dies_at}");
        for execution in world.executions() {
            assert_eq!((touches(world, &execution, &id), execution.status), (1, Status::Canceled), "at {dies_at}");
        }
        if !mortal.is_dead() {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 15, "{deaths} writes");
}

#[test]
fn an_empty_filter_means_nothing_and_not_everything() {
    let story = called(2, || answer(400));
    for verb in [Verb::Retry, Verb::Cancel, Verb::Redrive] {
        let new = asked(control(verb, Selection::default()), &story);
        let refused = at_once(story.world().system.operations.begin_action(new));
        assert_eq!(refused, Err(ActionError::EmptyFilter));
    }
    assert_eq!(in_state(story.world(), Status::Paused), 2);
}

#[test]
fn executions_can_be_named_one_by_one() {
    let story = called(4, || answer(400));
    let all: Vec<_> = story.world().executions().into_iter().map(|execution| execution.id).collect();
    let ids = vec![all[0].clone(), all[2].clone(), "exe_0".to_owned()];
    let id = begin(&story, asked(control(Verb::Cancel, Selection { ids, ..Selection::default() }), &story)).id;
    let story = story.run_until_idle();
    let world = story.world();
    assert_eq!(state(world, &id).1, Counts { selected: 3, done: 2, failed: 1, ..Counts::default() });
    assert_eq!(results(world, &id), [("exe_0".to_owned(), "no_execution".to_owned())]);
    let canceled = world.executions().into_iter().filter(|execution| execution.status == Status::Canceled);
    assert_eq!(canceled.map(|execution| execution.id).collect::<Vec<_>>(), [all[0].clone(), all[2].clone()]);
}

#[test]
fn what_was_made_after_the_action_began_is_not_meant() {
    let story = called(3, || answer(400));
    let new = NewAction { awaits_run: true, ..asked(control(Verb::Cancel, with_code("http_status")), &story) };
    let id = begin(&story, new).id;
    let story = story.run_for("1m").event(manual("w")).run_until_idle();
    assert_eq!(in_state(story.world(), Status::Paused), 4);
    handle(&story, &id, Handling::Run);
    let story = story.run_until_idle();
    assert_eq!(state(story.world(), &id), all_done(3));
    assert_eq!((in_state(story.world(), Status::Canceled), in_state(story.world(), Status::Paused)), (3, 1));
}

#[test]
fn what_waits_and_what_runs_is_canceled() {
    let steps = "
  - {id: wait, type: delay, for: 1d}
  - {id: end, type: note, text: end}";
    let story = scenario().workflow(&workflow(steps)).event(manual("w")).event(manual("w")).run_for("1h");
    let story = story.event(manual("w"));
    let workflow = Some("w".to_owned());
    let id = begin(&story, asked(control(Verb::Cancel, Selection { workflow, ..Selection::default() }), &story)).id;
    let story = story.run_for("1m");
    let done = state(story.world(), &id).1;
    // The third one was made in the moment in which the action began, or after it.
    assert!((2..=3).contains(&done.done) && done.refused + done.failed == 0, "{done:?}");
}

#[test]
fn stalled_executions_of_a_filter_are_redriven() {
    let steps = "
  - {id: wait, type: delay, for: 1d}
  - {id: end, type: note, text: end}";
    let story = scenario().workflow(&with("", steps)).event(manual("w")).event(manual("w")).run_for("1h");
    let first = story.world().executions()[0].id.clone();
    story.world().control(&first, &Control::Stall).expect("it waits");
    let selection = Selection { indicator: Some(Indicator::Stalled), ..Selection::default() };
    let id = begin(&story, asked(control(Verb::Redrive, selection), &story)).id;
    let story = story.run_for("1m");
    assert_eq!(state(story.world(), &id), all_done(1));
    assert!(!story.world().execution(&first).stalled);
}

#[test]
fn an_execution_that_cannot_be_read_is_told_as_failed() {
    let story = called(3, || answer(400));
    let broken = story.world().executions()[1].id.clone();
    story.world().store.damage(Table::Executions, &items::execution::key(&broken), "no JSON");
    let id = begin(&story, asked(control(Verb::Cancel, with_code("http_status")), &story)).id;
    let done = story.world().run(None);
    done.expect("it comes to rest");
    assert_eq!(state(story.world(), &id).1, Counts { selected: 3, done: 2, failed: 1, ..Counts::default() });
    assert_eq!(results(story.world(), &id), [(broken, "unreadable_item".to_owned())]);
    assert_eq!(action(story.world(), &id).preview.refused, 1);
}
