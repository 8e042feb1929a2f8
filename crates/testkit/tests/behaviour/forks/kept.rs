//! What is stored of forks: large values, values of persons, and how long.

use pawl_runtime::items;
use pawl_runtime::ports::{BlobOwner, Table};

use super::*;
use crate::erasure::{ID, PERSON, VALUE};
use crate::forget::{DEAL, forget, order as forget_order, where_found};
use crate::retention::{pass, stored};

#[test]
fn large_and_many_values_are_taken_over() {
    let copy = |n: usize| format!("  - {{id: s{n}, type: set_variables, values: {{v{n}: '{{{{ vars.big }}}}'}}}}\n");
    let copies: String = (0..60).map(copy).collect();
    let steps = format!(
        "  - {{id: get, type: http_request, url: 'https://x.example/a', save_as: got}}\n{copies}  - {{id: end, type: note, text: '{{{{ size(vars.v59) }}}}'}}"
    );
    let keys = format!("variables: [{{name: big, type: text, default: {}}}]", "y".repeat(9_000));
    let story = scenario().workflow(&with(&keys, &steps)).http(|_| answer(200).body(json!({"t": "x".repeat(100_000)})));
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    let original = story.last().execution;
    let story = forked(story, "end", json!({})).expect(completed().path(["end"]));
    let fork = story.last().execution;
    assert_eq!((&fork.variables, &fork.steps["get"].output), (&original.variables, &original.steps["get"].output));
    let item =
        story.world().store.items(Table::Executions).into_iter().find(|item| item.key == items::event::key(&fork.id));
    assert!(item.expect("its event has an item of its own").body.len() < 50_000);
}

#[test]
fn what_belongs_to_a_fork_and_its_link_go_when_they_expire() {
    let steps = "  - {id: get, type: http_request, url: 'https://x.example/a', save_as: got}\n  - {id: end, type: note, text: x}";
    let story = scenario()
        .workflow(&with("retention: 7d", steps))
        .http(|_| answer(200).body(json!({"t": "x".repeat(100_000)})));
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    let original = story.last().execution;
    story.world().clock.advance(jiff::SignedDuration::from_hours(72));
    let story = forked(story, "end", json!({})).expect(completed());
    let (world, fork) = (story.world(), story.last().execution);
    assert!(stored(world, &original.id).contains(&format!("fork#{}", fork.id)), "{:?}", stored(world, &original.id));
    pass(world, jiff::SignedDuration::from_hours(24 * 5));
    let left = |id: &str| {
        world.store.items(Table::Executions).into_iter().filter(|item| item.key.partition.contains(id)).count()
    };
    assert_eq!(left(&original.id), 0);
    assert!(left(&fork.id) > 0, "it has its own time");
    pass(world, jiff::SignedDuration::from_hours(24 * 3));
    assert_eq!(left(&fork.id), 0);
    let blobs = world.store.blob_keys().into_iter().map(|key| key.to_string());
    let of_fork = [BlobOwner::execution(&fork.id).to_string(), BlobOwner::event(&fork.event_id).to_string()];
    assert_eq!(blobs.filter(|key| of_fork.iter().any(|owner| key.contains(owner))).count(), 0);
}

/// The original read the person by a relationship, in a lane too, and has expired when the person is forgotten.
#[test]
fn values_that_a_fork_took_over_are_forgotten_with_their_record() {
    let steps = "  - {id: copy, type: set_variables, values: {copy: '{{ record.buyer.email }}'}}\n  - {id: end, type: note, text: x}";
    let in_lane = "  - {id: both, type: branch, lanes: {a: [{id: in-lane, type: set_variables, values: {copy: '{{ record.buyer.email }}'}}]}}\n  - {id: end, type: note, text: x}";
    for steps in [steps, in_lane] {
        let story = scenario().object(PERSON).object(DEAL).workflow(&with("object: deal\nretention: 7d", steps));
        let story = story.record("person", ID, json!({"email": VALUE})).record(
            "deal",
            "d1",
            json!({"name": "one", "buyer": ID}),
        );
        let story = story.event(manual("w").on("deal", "d1")).run_until_idle();
        let original = story.world().executions().into_iter().find(|one| one.region.is_none()).expect("it began").id;
        story.world().clock.advance(jiff::SignedDuration::from_hours(24 * 7 - 1));
        let fork = story.world().fork(&original, Some("end"), Map::new()).expect("it came to the step");
        let story = story.settle();
        let world = story.world();
        pass(world, jiff::SignedDuration::from_hours(2));
        assert_eq!(world.executions().len(), 1, "the original has expired");
        assert_eq!(world.execution(&fork).variables["copy"], json!(VALUE));
        forget(&world.system, &forget_order(world, false)).expect("nothing is open on the record");
        assert_eq!(where_found(world), Vec::<String>::new());
        assert!(world.execution(&fork).forgotten.is_some());
    }
}

/// Lanes read large data of the event beside the fork, and the original is not there any more.
#[test]
fn lanes_of_a_fork_have_its_data() {
    let keys = "retention: 7d\ntriggers: [{id: hook, type: webhook, verify: none}]";
    let steps = "  - {id: go, type: note, text: x}
  - id: both
    type: branch
    lanes: {a: [{id: inner, type: branch, lanes: {b: [{id: nap, type: delay, for: 2d}, {id: say, type: note, text: '{{ size(trigger.body.text) }} {{ trigger.id }}'}]}}]}";
    let story = scenario().workflow(&with(keys, steps));
    let story = story.event(webhook("w", "hook").body(json!({"text": "x".repeat(5_000)}))).run_until_idle();
    let original = story.world().executions().into_iter().find(|one| one.region.is_none()).expect("it began");
    story.world().clock.advance(jiff::SignedDuration::from_hours(24 * 6));
    let fork = story.world().fork(&original.id, Some("both"), Map::new()).expect("it came to the step");
    let story = story.settle();
    pass(story.world(), jiff::SignedDuration::from_hours(47));
    let of_original = |one: &Execution| one.id == original.id;
    assert!(!story.world().executions().iter().any(of_original), "it has expired");
    let story = story.run_until_idle();
    assert_eq!(story.world().execution(&fork).status, Status::Completed);
    let inner = story.world().executions().into_iter().find(|one| one.steps.contains_key("say")).expect("it ran");
    let rows = story.world().trace(&inner.id).rows;
    let said = rows.iter().find(|row| row.step.as_deref() == Some("say")).expect("it was said");
    assert_eq!(said.note.as_deref(), Some(&*format!("5000 {}", original.event_id)));
}
