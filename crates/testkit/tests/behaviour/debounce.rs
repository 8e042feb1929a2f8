//! `limits.debounce`: one start for a burst of events.

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_engine::{Event, Status};
use pawl_runtime::items::debounce;
use pawl_runtime::ports::QueueName;
use pawl_testkit::scenario::{Scenario, World, completed, created, manual, refused, scenario, updated, webhook};
use serde_json::{Value, json};

use crate::support::{TICKET, on_tickets_with, with};

const COUNT: &str = "  - {id: count, type: set_variables, values: {n: '{{ size(trigger.events) }}'}}";

/// The workflow `w` that a webhook starts.
fn collects(limits: &str) -> String {
    with(&format!("triggers: [{{id: hook, type: webhook}}]\nlimits: {{{limits}}}"), COUNT)
}

fn delivery(n: u32, color: &str) -> pawl_testkit::scenario::Delivered {
    webhook("w", "hook").body(json!({"n": n, "color": color}))
}

fn event_of(world: &World, execution: &str) -> Event {
    world
        .system
        .history
        .event(execution)
        .now_or_never()
        .expect("memory answers")
        .expect("it is read")
        .expect("it is there")
}

/// The numbers of the events that each execution started by, in the order in which they were made.
fn bursts(world: &World) -> Vec<Vec<Value>> {
    let of = |id: &str| {
        let events = event_of(world, id).data["events"].as_array().expect("it has events").clone();
        events.into_iter().map(|event| event["body"]["n"].clone()).collect()
    };
    world.executions().iter().map(|one| of(&one.id)).collect()
}

fn windows(world: &World) -> usize {
    world.store.items(debounce::TABLE).iter().filter(|item| item.key.partition.starts_with("debounce#")).count()
}

#[test]
fn a_burst_starts_once_by_its_last_event_and_has_all_of_them() {
    let story = scenario().workflow(&collects("debounce: {for: 30s, at_most: 5m}"));
    let story = story.event(delivery(1, "red")).run_for("20s").event(delivery(2, "red")).run_for("20s");
    let story = story.event(delivery(3, "red")).run_for("29s");
    assert!(story.world().executions().is_empty(), "a window closes when no event has come for its time");
    let story = story.run_for("1s").expect(completed().of("w").variable("n", 3));
    let world = story.world();
    assert_eq!(bursts(world), [[1, 2, 3]]);
    let event = event_of(world, &world.executions()[0].id);
    assert_eq!((&event.data["body"]["n"], windows(world)), (&json!(3), 0));
    // The next one begins another burst.
    let story = story.event(delivery(4, "red")).run_until_idle();
    assert_eq!(bursts(story.world()), [vec![json!(1), json!(2), json!(3)], vec![json!(4)]]);
    assert_eq!(story.world().replayed(), [""; 0]);
}

#[test]
fn a_burst_that_does_not_end_starts_after_the_longest_time() {
    let story = scenario().workflow(&collects("debounce: {for: 30s, at_most: 1m}"));
    let story = (0..8).fold(story, |story, n| story.event(delivery(n, "red")).run_for("20s"));
    let bursts = bursts(story.run_until_idle().world());
    assert_eq!(bursts.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 2]);
}

#[test]
fn keys_are_collected_apart() {
    let story = scenario().workflow(&collects("debounce: {for: 30s, per: trigger.body.color}"));
    let story = [(1, "red"), (2, "blue"), (3, "red")]
        .into_iter()
        .fold(story, |story, (n, color)| story.event(delivery(n, color)).settle());
    let story = story.event(webhook("w", "hook").body(json!({"n": 4}))).run_until_idle();
    let mut bursts = bursts(story.world());
    bursts.sort_by_key(|burst| burst[0].as_u64());
    assert_eq!(bursts, [vec![json!(1), json!(3)], vec![json!(2)], vec![json!(4)]]);
}

#[test]
fn the_record_is_a_part_of_the_key() {
    let workflow = on_tickets_with(
        "triggers: [{id: changed, type: field_updated, field: title}]\nlimits: {debounce: {for: 1m}}",
        COUNT,
    );
    let story = scenario().object(TICKET).object("object: customer").workflow(&workflow);
    let story =
        story.event(created("ticket", "1", json!({"title": "a"}))).event(created("ticket", "2", json!({"title": "a"})));
    let change = |story: Scenario, id: &str, title: &str| {
        story.event(updated("ticket", id, json!({"title": title}))).run_for("10s")
    };
    let story = [("1", "b"), ("2", "b"), ("1", "c"), ("1", "d")]
        .into_iter()
        .fold(story, |story, (id, title)| change(story, id, title));
    let story = story.run_until_idle();
    let mut started: Vec<_> = (story.world().executions().into_iter())
        .map(|one| (one.record.expect("it has one").id, one.variables["n"].clone()))
        .collect();
    started.sort_by_key(|(id, _)| id.clone());
    assert_eq!(started, [("1".to_owned(), json!(3)), ("2".to_owned(), json!(1))]);
}

/// Guards are asked once, when the burst is over.
#[test]
fn a_guard_refuses_the_whole_burst() {
    let workflow = on_tickets_with("limits: {debounce: {for: 1m}, cooldown: 1h}", COUNT);
    let story = scenario().object(TICKET).object("object: customer").workflow(&workflow);
    let story = story.record("ticket", "1", json!({}));
    let start = |story: Scenario| story.event(manual("w").on("ticket", "1")).settle();
    let story = start(start(story)).run_until_idle().expect(completed().of("w").variable("n", 2));
    let story = start(start(story)).run_until_idle().expect(refused("cooldown"));
    assert_eq!((story.world().refusals("w").len(), windows(story.world())), (1, 0));
}

/// The message that closes the window is lost with its process, and the next sweep comes after any time.
#[test]
fn the_sweeper_closes_a_window_whose_message_is_lost() {
    for minutes in [5, 8, 187] {
        let story = scenario().workflow(&collects("debounce: {for: 30s}"));
        let story = story.event(delivery(1, "red")).settle();
        let world = story.world();
        world.store.lose_messages(QueueName::Events);
        world.clock.advance(SignedDuration::from_mins(minutes));
        world.system.sweeper.sweep(None).now_or_never().expect("memory answers").expect("it sweeps");
        world.run(None).expect("it comes to rest");
        let made: Vec<_> = world.executions().iter().map(|one| one.status).collect();
        assert_eq!(made, [Status::Completed], "after {minutes} minutes");
    }
}

#[test]
fn a_thousand_events_close_the_window() {
    let story = scenario().workflow(&collects("debounce: {for: 1h}"));
    let story = (0..1_001).fold(story, |story, n| story.event(delivery(n, "red")).settle());
    assert_eq!(bursts(story.world()).iter().map(Vec::len).collect::<Vec<_>>(), [1_000]);
    let story = story.run_until_idle();
    assert_eq!(bursts(story.world()).iter().map(Vec::len).collect::<Vec<_>>(), [1_000, 1]);
}
