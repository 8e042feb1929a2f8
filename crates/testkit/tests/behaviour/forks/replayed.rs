//! Events that were refused, and begin an execution after all.

use pawl_runtime::items::refusal::Refusal;
use pawl_testkit::scenario::refused;

use super::*;
use crate::erasure::{ID, PERSON, VALUE};
use crate::forget::{forget, order as forget_order};
use crate::retention::pass;

/// The last refusal of the workflow is replayed, and everything that is due is done.
#[track_caller]
fn replayed(story: Scenario) -> Scenario {
    story.world().replay(&last(&story)).expect("its event is kept");
    story.run_until_idle()
}

#[track_caller]
fn last(story: &Scenario) -> Refusal {
    story.world().refusals("w").pop().expect("there is a refusal")
}

const HOOK: &str = "triggers: [{id: hook, type: webhook, verify: none, filter: 'trigger.body.n > 1'}]
variables: [{name: n, type: number, from: [trigger.body.n]}, {name: size, type: number, from: ['size(trigger.body.text)']}]";

#[test]
fn a_guard_that_refused_it_does_not_hold_it_back() {
    let story = scenario()
        .object(TICKET)
        .workflow(&on_tickets_with("limits: {cooldown: 1h}", "  - {id: n, type: note, text: x}"));
    let story = story.record("ticket", "t1", json!({"title": "one"}));
    let story = story.event(manual("w").on("ticket", "t1")).run_until_idle().expect(completed());
    let story = story.event(manual("w").on("ticket", "t1")).run_until_idle().expect(refused("cooldown"));
    let refusal = last(&story);
    let story = replayed(story).expect(completed());
    let execution = story.last().execution;
    let fork = execution.fork.expect("it says so");
    assert_eq!((fork.refused.as_deref(), fork.seq), (Some("cooldown"), 0));
    assert_eq!(pawl_runtime::items::refusal::id_of(&fork.execution), refusal.id());
    assert_eq!(story.last().rows[0].note.as_deref(), Some("replay of an event that was refused with cooldown"));
    assert_eq!(story.world().refusals("w"), [refusal], "the refusal stays");
}

#[test]
fn its_trigger_decides_anew_by_the_workflow_as_it_is() {
    let workflow = |filter: &str| with(&HOOK.replace("n > 1", filter), "  - {id: n, type: note, text: '{{ vars.n }}'}");
    let story = scenario().workflow(&workflow("n > 1"));
    let story = story.event(webhook("w", "hook").body(json!({"n": 1}))).run_until_idle().expect(refused("filtered"));
    let story = replayed(story);
    assert_eq!(story.world().refusals("w").len(), 2, "the filter refuses it again, visibly");
    let first = story.world().refusals("w").into_iter().find(|refusal| refusal.has_event).expect("the first one");
    let story = story.workflow(&workflow("n > 0"));
    story.world().replay(&first).expect("its event is kept");
    let story = story.run_until_idle().expect(completed());
    assert_eq!(story.last().execution.variables["n"], json!(1));
    assert!(story.world().refusals("w").iter().any(|refusal| !refusal.has_event), "a replay can be asked for again");
}

#[test]
fn the_record_that_it_was_to_make_is_made() {
    let hook = "object: ticket\ntriggers: [{id: hook, type: webhook, verify: none, filter: 'record.title != \"no\"',
  record: {match: {key: trigger.body.key}, create: true}, values: {key: trigger.body.key, title: trigger.body.title}}]";
    let object = "object: ticket\nfields: {key: {type: text, unique: true}, title: {type: text}}";
    let story = scenario().object(object).workflow(&with(hook, "  - {id: n, type: note, text: '{{ record.title }}'}"));
    let story = story.event(webhook("w", "hook").body(json!({"key": "a", "title": "no"}))).run_until_idle();
    let story = story.expect(refused("filtered"));
    assert_eq!(story.world().records("ticket").len(), 0);
    let story = story
        .workflow(&with(&hook.replace("\"no\"", "\"never\""), "  - {id: n, type: note, text: '{{ record.title }}'}"));
    let story = replayed(story).expect(completed());
    assert_eq!(story.world().records("ticket").len(), 1);
}

#[test]
fn large_events_are_kept_beside_it_and_go_with_it() {
    let body = json!({"n": 1, "text": "x".repeat(100_000)});
    let story = scenario().workflow(&with(HOOK, "  - {id: n, type: note, text: x}"));
    let story = story.event(webhook("w", "hook").body(body)).run_until_idle().expect(refused("filtered"));
    let refusal = last(&story);
    let instead_of = pawl_engine::ids::execution_id(&refusal.event_id, "w");
    let is_of = |world: &World| {
        let owner = pawl_runtime::ports::BlobOwner::execution(&instead_of);
        world.store.blob_keys().iter().filter(|key| key.is_of(&owner)).count()
    };
    assert_eq!(is_of(story.world()), 1);
    let story = story.workflow(&with(&HOOK.replace("n > 1", "n > 0"), "  - {id: n, type: note, text: x}"));
    let story = replayed(story).expect(completed());
    assert_eq!(story.last().execution.variables["size"], json!(100_000));
    pass(story.world(), jiff::SignedDuration::from_hours(24 * 31));
    assert_eq!((is_of(story.world()), story.world().replay(&refusal)), (0, None));
}

#[test]
fn values_that_were_forgotten_do_not_come_back() {
    let hook = "object: person\ntriggers: [{type: record_created, filter: 'false'}]\nlimits: {cooldown: 1h}";
    let story = scenario().object(PERSON).workflow(&with(hook, "  - {id: n, type: note, text: x}"));
    let story = story.record("person", ID, json!({"email": VALUE}));
    let story = story.event(manual("w").on("person", ID)).run_until_idle().expect(completed());
    let story = story.event(manual("w").on("person", ID)).run_until_idle().expect(refused("cooldown"));
    let kept = last(&story);
    forget(&story.world().system, &forget_order(story.world(), true)).expect("nothing is open");
    let story = replayed(story);
    let again = story.world().refusals("w").into_iter().find(|refusal| refusal.event_id != kept.event_id);
    let again = again.expect("it is refused");
    assert_eq!((again.code.as_str(), again.has_event), ("record_forgotten", false));
}
