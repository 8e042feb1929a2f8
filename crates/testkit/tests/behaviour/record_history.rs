//! The history of a record: each change, and by whom or what.

use pawl_engine::Subject;
use pawl_runtime::items::record_change::{ChangedBy, RecordChange};
use pawl_testkit::scenario::{World, archived, completed, manual, paused, scenario, updated, webhook};
use serde_json::{Value, json};

use crate::outages::at_once;
use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with};

/// The changes of a record, newest first.
fn history(world: &World, object: &str, id: &str) -> Vec<RecordChange> {
    let record = Subject { object: object.to_owned(), id: id.to_owned() };
    at_once(world.system.records.changes(&record, 100, None)).expect("memory is readable").items
}

/// What changed, as JSON, with who or what did it.
fn told(changes: &[RecordChange]) -> Vec<(u64, Value, Value)> {
    let json = |value: Result<Value, _>| value.expect("it is JSON");
    changes
        .iter()
        .map(|change| {
            (change.version, json(serde_json::to_value(&change.by)), json(serde_json::to_value(&change.changes)))
        })
        .collect()
}

#[test]
fn steps_and_people_are_told_apart() {
    let steps = "
  - {id: one, type: set_fields, fields: {title: b, priority: 1}}
  - {id: same, type: set_fields, fields: {title: b}}
  - {id: tag, type: change_tags, add: vip}
  - {id: put, type: archive_record}";
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets(steps));
    let story = story.record("ticket", "t1", json!({"title": "a"})).event(manual("w").on("ticket", "t1"));
    let story = story.run_until_idle().expect(completed()).event(updated("ticket", "t1", json!({"title": "c"})));
    let story = story.run_until_idle();
    let execution = story.last().execution.id;
    let by = |step: &str| json!({"workflow": "w", "execution": execution, "step": step});
    let changes = history(story.world(), "ticket", "t1");
    let archived = changes[1].changes["archived_at"].to.clone();
    assert_eq!(
        told(&changes),
        [
            (5, json!({"actor": "api"}), json!({"title": {"from": "b", "to": "c"}})),
            (4, by("put"), json!({"archived_at": {"to": archived}})),
            (3, by("tag"), json!({"tags": {"to": ["vip"]}})),
            (2, by("one"), json!({"title": {"from": "a", "to": "b"}, "priority": {"to": 1}})),
            (1, json!({"actor": "api"}), json!({"title": {"to": "a"}, "status": {"to": "new"}})),
        ]
    );
}

#[test]
fn a_record_that_is_made_begins_its_history() {
    let hook = "
triggers:
  - {id: hook, type: webhook, verify: none, record: {match: {title: trigger.body.title}, create: true}}";
    let steps = "  - {id: make, type: create_record, object: customer, fields: {name: Ada}}";
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets_with(hook, steps));
    let story = story.event(webhook("w", "hook").body(json!({"title": "a"}))).run_until_idle().expect(completed());
    let (execution, world) = (story.last().execution, story.world());
    let ticket = world.records("ticket").remove(0);
    let by_event =
        ChangedBy { workflow: Some("w".to_owned()), event: Some(execution.event_id.clone()), ..ChangedBy::default() };
    let made = history(world, "ticket", &ticket.id);
    assert_eq!((made.len(), made[0].version, &made[0].by), (1, 1, &by_event));
    let customer = world.records("customer").remove(0);
    let made = history(world, "customer", &customer.id);
    let by = json!({"workflow": "w", "execution": execution.id, "step": "make"});
    assert_eq!(told(&made), [(1, by, json!({"name": {"to": "Ada"}}))]);
}

#[test]
fn what_is_not_committed_is_not_told() {
    let steps = "  - {id: one, type: set_fields, fields: {priority: {add: 1}}}
  - {id: wrong, type: set_fields, fields: {priority: '{{ record.title }}'}}";
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets(steps));
    let story =
        story.record("ticket", "t1", json!({"title": "a", "priority": 1})).event(manual("w").on("ticket", "t1"));
    let story = story.run_until_idle().expect(paused()).event(archived("ticket", "t1")).run_until_idle();
    let changes = history(story.world(), "ticket", "t1");
    let versions: Vec<_> = changes.iter().map(|change| change.version).collect();
    assert_eq!(versions, [3, 2, 1]);
    assert_eq!(told(&changes)[1].2, json!({"priority": {"from": 1, "to": 2}}));
}
