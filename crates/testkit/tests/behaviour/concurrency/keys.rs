//! `limits.concurrency` by key: who counts for whom, and what an edit changes.

use pawl_engine::{Control, Execution, Status};
use pawl_runtime::items::{line, slot};
use pawl_testkit::scenario::{Scenario, World, manual, queued, refused, scenario, waiting, webhook};
use serde_json::{Value, json};

use crate::support::{TICKET, on_tickets_with, with};

const HOUR: &str = "  - {id: wait, type: delay, for: 1h}";

/// The workflow `w` that a webhook starts, so many of each key at once.
fn limited(limit: &str) -> String {
    with(&format!("triggers: [{{id: hook, type: webhook}}]\nlimits: {{concurrency: {limit}}}"), HOUR)
}

fn delivery(color: &str) -> pawl_testkit::scenario::Delivered {
    webhook("w", "hook").body(json!({"color": color}))
}

/// Deliveries of these colors, one a second.
fn delivered(story: Scenario, colors: &[&str]) -> Scenario {
    colors.iter().fold(story, |story, color| story.event(delivery(color)).run_for("1s"))
}

fn keys_of(world: &World, status: Status) -> Vec<String> {
    let of = world.executions().into_iter().filter(|one| one.status == status);
    of.map(|one| one.slot_key.unwrap_or_else(|| "none".to_owned())).collect()
}

fn in_line(world: &World, key: &str) -> Vec<String> {
    let entries = world.store.items(line::TABLE).into_iter();
    let own = entries.filter(|item| item.key.partition == line::partition("w", Some(key)));
    own.map(|item| line::parse(&item).to_owned()).collect()
}

fn held(world: &World, key: &str) -> Vec<String> {
    let taken = world.store.items(slot::TABLE).into_iter();
    let own = taken.filter(|item| item.key.partition == slot::partition("w", key));
    own.map(|item| slot::holder(&item).expect("it is a slot")).collect()
}

fn ids(executions: &[Execution]) -> Vec<String> {
    executions.iter().map(|one| one.id.clone()).collect()
}

#[test]
fn each_key_has_its_own_slots_and_its_own_line() {
    let story = scenario().workflow(&limited("{at_most: 2, per: trigger.body.color}"));
    let story = delivered(story, &["red", "red", "red", "blue", "red"]);
    let world = story.world();
    assert_eq!(keys_of(world, Status::Waiting), ["red", "red", "blue"]);
    let made = ids(&world.executions());
    assert_eq!(in_line(world, "red"), [made[2].clone(), made[4].clone()]);
    assert_eq!(in_line(world, "blue"), [""; 0]);
    let mut red = held(world, "red");
    red.sort();
    let mut first = made[..2].to_vec();
    first.sort();
    assert_eq!((red, held(world, "blue")), (first, vec![made[3].clone()]));
    let story = story.run_until_idle();
    let world = story.world();
    assert!(world.executions().iter().all(|one| one.status == Status::Completed));
    assert_eq!((held(world, "red"), held(world, "blue")), (vec![], vec![]), "nothing is left of a key");
    assert_eq!(world.replayed(), [""; 0]);
}

#[test]
fn blank_is_a_key_of_its_own_and_a_number_is_its_text() {
    let story = scenario().workflow(&limited("{at_most: 1, per: trigger.body.color}"));
    let without = |story: Scenario, body: Value| story.event(webhook("w", "hook").body(body)).settle();
    let story = [json!({}), json!({"color": null}), json!({"color": "  "}), json!({"color": 7}), json!({"color": "7"})]
        .into_iter()
        .fold(story, without);
    assert_eq!(keys_of(story.world(), Status::Waiting), ["", "7"]);
    assert_eq!(keys_of(story.world(), Status::Queued), ["", "", "7"]);
}

#[test]
fn a_long_key_is_told_by_its_digest() {
    let story = scenario().workflow(&limited("{at_most: 1, per: trigger.body.color}"));
    let (long, other) = ("a".repeat(200), format!("{}b", "a".repeat(199)));
    let story = delivered(story, &[&long, &other, &long]);
    let running = keys_of(story.world(), Status::Waiting);
    assert!(running.iter().all(|key| key.starts_with("digest:") && key.len() < 60), "{running:?}");
    assert_eq!((running.len(), keys_of(story.world(), Status::Queued)), (2, vec![running[0].clone()]));
}

#[test]
fn the_key_may_be_read_from_the_record_as_it_is_at_the_start() {
    let workflow = on_tickets_with("limits: {concurrency: {at_most: 1, per: record.customer.plan}}", HOUR);
    let customer = "object: customer\nfields: {name: {type: text}, plan: {type: text}}";
    let story = scenario()
        .object(customer)
        .object(TICKET)
        .record("customer", "ada", json!({"plan": "paid"}))
        .record("ticket", "1", json!({"customer": "ada"}))
        .record("ticket", "2", json!({"customer": "ada"}))
        .record("ticket", "3", json!({}))
        .workflow(&workflow);
    let story = ["1", "2", "3"].into_iter().fold(story, |story, id| story.event(manual("w").on("ticket", id)).settle());
    assert_eq!(keys_of(story.world(), Status::Waiting), ["paid", ""]);
    assert_eq!(keys_of(story.world(), Status::Queued), ["paid"]);
}

#[test]
fn a_key_that_cannot_be_evaluated_refuses_the_start() {
    scenario()
        .workflow(&limited("{at_most: 1, per: trigger.body.color}"))
        .event(webhook("w", "hook").body(json!({"color": {"r": 255}})))
        .settle()
        .expect(refused("key_error"));
}

/// Those who wait or run keep the key that they were created with; the limit counts for them as it is now.
#[test]
fn an_edit_changes_the_limit_at_once_and_the_key_for_later_ones() {
    let story = scenario().workflow(&limited("{at_most: 1, per: trigger.body.color}"));
    let story = delivered(story, &["red", "red", "red", "red"]);
    assert_eq!(in_line(story.world(), "red").len(), 3);
    let story = story.workflow(&limited("{at_most: 3, per: trigger.type}")).run_for("6m");
    assert_eq!(keys_of(story.world(), Status::Waiting), ["red", "red", "red"]);
    let story = delivered(story, &["red"]);
    assert_eq!(keys_of(story.world(), Status::Waiting), ["red", "red", "red", "webhook"]);
    // A lowered limit lets those who run go on, and nobody else begin.
    let story = story.workflow(&limited("{at_most: 1, per: trigger.body.color}")).run_for("54m");
    assert_eq!((keys_of(story.world(), Status::Queued), held(story.world(), "red").len()), (vec!["red".to_owned()], 2));
    let story = story.workflow(&limited("5")).run_for("6m");
    assert_eq!(keys_of(story.world(), Status::Queued), [""; 0]);
    let story = delivered(story, &["red"]);
    assert!(keys_of(story.world(), Status::Waiting).contains(&"none".to_owned()));
    let story = story.run_until_idle();
    assert_eq!(held(story.world(), "red"), [""; 0]);
    assert_eq!(story.world().replayed(), [""; 0]);
}

#[test]
fn who_waits_or_is_paused_holds_its_slot() {
    let story = scenario().workflow(&limited("{at_most: 1, per: trigger.body.color}"));
    let story = delivered(story, &["red", "red"]).expect(queued());
    let first = story.world().executions().remove(0);
    story.world().control(&first.id, &Control::Pause).expect("it waits");
    let story = story.run_for("2h").expect(queued());
    story.world().control(&first.id, &Control::Cancel).expect("it is paused");
    story.settle().expect(waiting());
}
