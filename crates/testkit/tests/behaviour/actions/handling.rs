//! What people do to an action: its rate, pause, resume and cancel; and what the audit says.

use jiff::SignedDuration;
use pawl_engine::Status;
use pawl_runtime::items::audit::{Deed, Stage};
use pawl_runtime::items::operation::State;
use pawl_runtime::{ActionError, ActionLimits, Counts, Handling, NewAction, Verb};
use pawl_testkit::scenario::{Scenario, answer};
use serde_json::json;

use super::{
    all_done, asked, at_once, begin, called, control, handle, in_state, operation, received, state, with_code,
};

/// So many paused executions, and a retry of them at a rate.
fn slow(count: usize, rate: u32) -> (Scenario, String) {
    let story = called(count, || answer(400));
    let limits = ActionLimits { rate, concurrency: 4 };
    let new = NewAction { limits, ..asked(control(Verb::Cancel, with_code("http_status")), &story) };
    let id = begin(&story, new).id;
    (story, id)
}

fn canceled(story: &Scenario) -> usize {
    in_state(story.world(), Status::Canceled)
}

#[test]
fn the_rate_holds() {
    let (story, id) = slow(100, 10);
    let mut story = story;
    let began = story.world().now();
    for _ in 0..30 {
        let seconds = story.world().now().duration_since(began).as_secs();
        let most = usize::try_from(seconds + 1).expect("it is few") * 10;
        assert!(canceled(&story) <= most, "{} after {seconds} s", canceled(&story));
        story = story.run_for("1s");
    }
    assert_eq!(state(story.world(), &id), all_done(100));
    assert!(story.world().now().duration_since(began) < SignedDuration::from_secs(31));
}

#[test]
fn a_paused_action_touches_nobody_and_goes_on_where_it_was() {
    let (story, id) = slow(40, 10);
    let story = story.run_for("1s");
    handle(&story, &id, Handling::Pause);
    let before = canceled(&story);
    assert!((1..40).contains(&before), "{before}");
    let story = story.run_for("1h");
    assert_eq!(canceled(&story), before);
    assert_eq!(operation(story.world(), &id).state, State::Paused);
    handle(&story, &id, Handling::Resume);
    let story = story.run_until_idle();
    assert_eq!(state(story.world(), &id), all_done(40));
}

#[test]
fn a_canceled_action_stays_as_it_is_and_what_it_did_stays() {
    let (story, id) = slow(40, 10);
    let story = story.run_for("1s");
    handle(&story, &id, Handling::Cancel);
    let before = canceled(&story);
    let story = story.run_for("1h");
    assert_eq!(canceled(&story), before);
    let (state, counts) = state(story.world(), &id);
    assert_eq!((state, counts.done), (State::Canceled, before as u64));
    for handling in [Handling::Run, Handling::Pause, Handling::Resume] {
        let act = story.world().act();
        let refused = at_once(story.world().system.operations.handle_action(&id, handling, &act));
        assert!(matches!(refused, Err(ActionError::Illegal { .. })), "{handling:?}: {refused:?}");
    }
}

/// A person pauses it while a worker is at a page: what the page came to is counted.
#[test]
fn a_pause_in_the_middle_of_a_page_loses_no_count() {
    let (story, id) = slow(30, 10);
    let world = story.world();
    let message = received(world).expect("it was sent");
    // The worker counts, takes a batch in hand, and touches it; the pause comes between two of its writes.
    for _ in 0..2 {
        at_once(world.system.evaluator.handle(&message.body, Some(world.now()))).expect("memory is writable");
    }
    assert_eq!(state(world, &id).1, Counts { selected: 10, ..Counts::default() });
    let paused = crate::loops::crowd::Mortal::that_acts_between(world, {
        let (world, id) = (world.clone(), id.clone());
        move || {
            let act = world.act();
            let paused = at_once(world.system.operations.handle_action(&id, Handling::Pause, &act));
            assert_eq!(paused.expect("it runs").state, State::Paused);
        }
    });
    at_once(paused.evaluator.handle(&message.body, None)).expect("memory is writable");
    let (present, counts) = state(world, &id);
    assert_eq!((present, counts.done, counts.selected), (State::Paused, 10, 20));
    assert_eq!(canceled(&story), 10);
    handle(&story, &id, Handling::Resume);
    let story = story.run_until_idle();
    assert_eq!(state(story.world(), &id), all_done(30));
}

#[test]
fn a_request_that_is_repeated_begins_one_action() {
    let story = called(3, || answer(400));
    let new =
        |code: &str| NewAction { key: Some("k1".to_owned()), ..asked(control(Verb::Retry, with_code(code)), &story) };
    let first = begin(&story, new("http_status"));
    assert_eq!(begin(&story, new("http_status")).id, first.id);
    let other = at_once(story.world().system.operations.begin_action(new("http_timeout")));
    assert_eq!(other, Err(ActionError::OtherContent));
    let story = story.run_until_idle();
    assert_eq!(state(story.world(), &first.id), all_done(3));
}

#[test]
fn the_audit_says_who_did_what_to_whom_and_what_came_of_it() {
    let (story, id) = slow(5, 100);
    let story = story.run_until_idle();
    let page = at_once(story.world().system.history.audit(10, None)).expect("it is readable");
    let entries: Vec<_> = page.items.into_iter().filter(|entry| entry.deed == Deed::Action).collect();
    let stages: Vec<_> = entries.iter().map(|entry| entry.action.as_ref().expect("it tells of one").stage).collect();
    assert_eq!(stages, [Stage::Completed, Stage::Begun]);
    let last = entries[0].action.as_ref().expect("it tells of one");
    assert_eq!((last.id.as_str(), last.action.as_str(), last.found), (id.as_str(), "cancel", 5));
    assert_eq!(last.filter, json!({"code": "http_status"}));
    assert_eq!(last.counts["done"], 5);
    assert_eq!(entries[0].act.actor, "operator@example.com");
    assert_eq!(entries[0].act.reason.as_deref(), Some("the service is back"));
}
