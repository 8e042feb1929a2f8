//! The index of triggers: who is evaluated for a change, and that nobody is missed.

mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt;
use jiff::Timestamp;
use pawl_definition::Source;
use pawl_engine::{Cause, Event, EventType, Subject};
use pawl_runtime::ExecutorOptions;
use pawl_runtime::items::{listener, workflow};
use pawl_runtime::ports::Table;
use pawl_testkit::scenario::{Scenario, World, completed, created, manual, nothing_began, scenario, updated};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::{CUSTOMER, TICKET, on_tickets_with};

const NOTE: &str = "  - {id: end, type: note, text: end}";

const FIELDS: &[&str] = &["title", "status", "priority", "tags", "day"];

fn world() -> World {
    let world = World::new("2026-01-01T00:00:00Z".parse().expect("a time"), ExecutorOptions::default());
    for (name, text) in [("customer", CUSTOMER), ("ticket", TICKET)] {
        world.save_object(&source(name, text)).expect("an object");
    }
    world.put_record("customer", "c1", fields(json!({"name": "Ada", "plan": "free"}))).expect("a customer");
    world
}

fn source(name: &str, text: &str) -> Source {
    Source::parse(name, text).expect("it is YAML")
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("expected an object of fields, found {other}"),
    }
}

/// A value as an author or a record may have it, often the same one in another spelling.
fn value() -> impl Strategy<Value = Value> {
    let values = [
        json!(null),
        json!(""),
        json!("  "),
        json!("new"),
        json!("open"),
        json!(0),
        json!(1),
        json!(1.0),
        json!("1"),
        json!("1.0"),
        json!(1.5),
        json!(true),
        json!("true"),
        json!(["new"]),
        json!([]),
        json!("2026-01-01"),
        json!("a text that is too long to stand in a key as it is written"),
        json!("odd | & ; : \u{e9}"),
    ];
    prop::sample::select(values.to_vec())
}

fn field() -> impl Strategy<Value = &'static str> {
    prop::sample::select(FIELDS.to_vec())
}

fn value_test() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => value().prop_map(|value| json!({"equals": value})),
        2 => prop::collection::vec(value(), 1..4).prop_map(|values| json!({"in": values})),
        1 => prop::collection::vec(value(), 17..18).prop_map(|values| json!({"in": values})),
        1 => prop::sample::select(vec![json!("any"), json!("blank"), json!("not_blank")]),
        1 => value().prop_map(|value| json!({"added": value})),
        1 => Just(json!({"between": [0, 1]})),
    ]
}

/// Conditions, some of them errors for some events.
fn filter() -> impl Strategy<Value = Option<String>> {
    let conditions = [
        "record.status == \"new\"",
        "\"open\" == record.status",
        "record.status == null",
        "record.status in [\"new\", \"open\"]",
        "record.priority == 1",
        "record.priority == 1.0",
        "record.priority in [1, 2]",
        "record.title == \"\"",
        "record.title == \"1\"",
        "record.title == \"a text that is too long to stand in a key as it is written\"",
        "record.title == \"odd | & ; : \u{e9}\"",
        "record.customer.name == \"Ada\"",
        "record.customer == null",
        "record.id == \"t1\"",
        "trigger.type == \"record_created\"",
        "trigger.changes.status.to == \"new\"",
        "trigger.changes.priority.to == 1",
        "trigger.changes.priority.from == null",
        "record.status == \"new\" || record.priority == 1",
        "!(record.priority == 1)",
        "record.priority > 0",
        "size(record.tags) == 0",
    ];
    let one = prop::sample::select(conditions.to_vec());
    prop::collection::vec(one, 0..4).prop_map(|chosen| (!chosen.is_empty()).then(|| chosen.join(" && ")))
}

fn trigger() -> impl Strategy<Value = Value> {
    let test = || prop::option::of(value_test());
    let changed = (prop::collection::vec(field(), 1..3), test(), test(), any::<bool>()).prop_map(
        |(fields, from, to, on_create)| {
            let mut keys = json!({"type": "field_updated", "fields": fields, "on_create": on_create});
            for (key, test) in [("from", from), ("to", to)] {
                if let Some(test) = test {
                    keys[key] = test;
                }
            }
            keys
        },
    );
    let include =
        prop::sample::select(vec![json!(["created"]), json!(["unarchived"]), json!(["created", "unarchived"])]);
    let made = include.prop_map(|include| json!({"type": "record_created", "include": include}));
    (prop_oneof![3 => changed, 1 => made], filter(), prop::bool::weighted(0.9)).prop_map(
        |(mut keys, filter, enabled)| {
            keys["enabled"] = enabled.into();
            if let Some(filter) = filter {
                keys["filter"] = filter.into();
            }
            keys
        },
    )
}

fn triggers() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(trigger(), 1..4)
}

/// A change, and the record as it is when the change is evaluated; it may be gone.
fn happening() -> impl Strategy<Value = (EventType, bool, Value, Option<Value>)> {
    let change = (field(), value(), value()).prop_map(|(field, from, to)| (field, json!({"from": from, "to": to})));
    let changes = prop::collection::vec(change, 1..4)
        .prop_map(|changes| changes.into_iter().map(|(field, change)| (field.to_owned(), change)).collect());
    let record = (
        prop::option::of(prop::sample::select(vec!["new", "open"])),
        prop::option::of(prop::sample::select(vec![json!(1), json!(1.0), json!(2), json!("1")])),
        prop::option::of(value().prop_filter("a title is a text", Value::is_string)),
        prop::option::of(Just("c1")),
    );
    let record = record.prop_map(|(status, priority, title, customer)| {
        let mut fields = json!({"status": status, "priority": priority, "title": title, "customer": customer});
        fields.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        fields
    });
    let kind = prop::sample::select(vec![EventType::FieldUpdated, EventType::FieldUpdated, EventType::RecordCreated]);
    (kind, any::<bool>(), changes, prop::option::weighted(0.9, record))
}

fn event((kind, unarchived, changes): (EventType, bool, Value), at: Timestamp) -> Event {
    let mut data = fields(json!({"changes": changes}));
    if unarchived && kind == EventType::RecordCreated {
        data.insert("unarchived".to_owned(), true.into());
    }
    Event {
        id: "evt_1".to_owned(),
        kind,
        workflow: None,
        trigger: None,
        subject: Some(Subject { object: "ticket".to_owned(), id: "t1".to_owned() }),
        occurred_at: at,
        data,
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }
}

fn workflow_source(number: usize, triggers: &[Value]) -> Source {
    let mut triggers = triggers.to_vec();
    triggers.iter_mut().enumerate().for_each(|(place, trigger)| trigger["id"] = format!("t-{place}").into());
    let id = format!("w-{number}");
    let steps = json!([{"id": "end", "type": "note", "text": "end"}]);
    let value = json!({"workflow": id, "owner": "owner@example.com", "object": "ticket", "active": true,
        "triggers": triggers, "steps": steps});
    source(&id, &value.to_string())
}

/// What became of an event: who began, and whom people are told of, with the code.
fn outcome(world: &World, workflows: &[String]) -> BTreeSet<(String, String)> {
    let began = world.executions().into_iter().map(|execution| (execution.workflow, "began".to_owned()));
    let refused = workflows.iter().flat_map(|workflow| world.refusals(workflow));
    began.chain(refused.map(|refusal| (refusal.workflow, refusal.code))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The index finds every workflow that the event starts, and every one that must tell an error of its filter.
    #[test]
    fn the_index_misses_nobody(workflows in prop::collection::vec(triggers(), 1..60), happening in happening()) {
        let (kind, unarchived, changes, record) = happening;
        let (indexed, each) = (world(), world());
        let mut saved = Vec::new();
        for (number, triggers) in workflows.iter().enumerate() {
            let source = workflow_source(number, triggers);
            // What check refuses can be saved in neither.
            if indexed.save_workflow(&source).is_ok() {
                each.save_workflow(&source).expect("it was saved in the other world");
                saved.push(format!("w-{number}"));
            }
        }
        for world in [&indexed, &each] {
            if let Some(record) = &record {
                prop_assume!(world.put_record("ticket", "t1", fields(record.clone())).is_ok());
            }
        }
        let event = event((kind, unarchived, changes), indexed.now());
        let evaluated = indexed.system.evaluator.evaluate(event.clone(), None).now_or_never();
        evaluated.expect("memory answers at once").expect("it is evaluated");
        for workflow in &saved {
            let started = each.system.evaluator.start(workflow, &event).now_or_never();
            started.expect("memory answers at once").expect("it is evaluated");
        }
        prop_assert_eq!(outcome(&indexed, &saved), outcome(&each, &saved));
    }

    /// Whatever is saved and switched in whatever order: heads, items and dimensions say the same.
    #[test]
    fn the_index_goes_with_the_heads(acts in prop::collection::vec((0_usize..4, triggers(), 0_u8..4), 1..30)) {
        let world = world();
        for (number, triggers, act) in acts {
            let id = format!("w-{number}");
            match act {
                0 => drop(world.system.workflows.set_active(&id, false).now_or_never()),
                1 => drop(world.system.workflows.set_active(&id, true).now_or_never()),
                _ => drop(world.save_workflow(&workflow_source(number, &triggers))),
            }
            check_index(&world)?;
        }
    }
}

/// Holds items and dimensions against the heads.
fn check_index(world: &World) -> Result<(), TestCaseError> {
    let stored = world.store.items(Table::Workflows);
    let heads = stored.iter().filter(|item| item.key.sort == "head" && item.key.partition.starts_with("workflow#"));
    let (mut expected, mut counts) = (BTreeSet::new(), BTreeMap::new());
    for head in heads.map(|item| workflow::parse_head(item).expect("a head")) {
        prop_assert!(head.active || head.listed.is_empty());
        for term in &head.listed {
            expected.insert(listener::key(term, &head.id));
            *counts.entry(listener::dimension_of(term).to_owned()).or_insert(0) += 1;
        }
    }
    let listed: Vec<_> = stored.iter().filter(|item| item.key.partition == "listen#object/ticket").collect();
    let items: BTreeSet<_> =
        listed.iter().filter(|item| listener::parse(item).is_some()).map(|item| item.key.clone()).collect();
    prop_assert_eq!(items, expected);
    let dimensions = listed.iter().find(|item| listener::parse(item).is_none());
    let used = dimensions.map(|item| listener::parse_dimensions(item).expect("dimensions").used).unwrap_or_default();
    prop_assert_eq!(used, counts);
    Ok(())
}

/// Keys of the items under which a workflow is listed.
fn listed(world: &World, workflow: &str) -> Vec<String> {
    let stored = world.store.items(Table::Workflows);
    let own = stored.iter().filter(|item| listener::parse(item).is_some_and(|(_, _, id)| id == workflow));
    own.filter(|item| item.key.partition.starts_with("listen#")).map(|item| item.key.sort.clone()).collect()
}

#[test]
fn a_workflow_is_listed_under_what_its_triggers_ask_and_only_while_it_is_active() {
    let triggers = "triggers:
  - {id: a, type: field_updated, field: status, to: {in: [open, closed]}, filter: record.priority == 1.0}
  - {id: b, type: record_created, filter: 'record.title == \"odd | one\" && record.priority > 1'}
  - {id: c, type: field_updated, field: priority, enabled: false}";
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets_with(triggers, NOTE));
    let world = story.world();
    let digest = pawl_engine::ids::value_digest("odd | one");
    let keys = [
        "field_updated;as:trigger.changes.status.to;number:record.priority|closed&1|w".to_owned(),
        "field_updated;as:trigger.changes.status.to;number:record.priority|open&1|w".to_owned(),
        format!("record_created;text:record.title|{digest}|w"),
    ];
    assert_eq!(listed(world, "w"), keys);
    let switch = |active| world.system.workflows.set_active("w", active).now_or_never().expect("at once");
    switch(false).expect("it is switched off");
    assert_eq!(listed(world, "w"), [""; 0]);
    switch(true).expect("it is switched on");
    assert_eq!(listed(world, "w"), keys);
}

#[test]
fn a_save_takes_effect_at_once_however_many_listen() {
    let triggers =
        |value: &str| format!("triggers: [{{id: a, type: field_updated, field: title, to: {{equals: {value}}}}}]");
    let mut story = scenario().object(CUSTOMER).object(TICKET);
    for number in 0..100 {
        let text = on_tickets_with(&triggers(&format!("title-{number}")), NOTE);
        story = story.workflow(&text.replace("workflow: w\n", &format!("workflow: other-{number}\n")));
    }
    let rename = |title: &str| updated("ticket", "t1", json!({"title": title}));
    let story = story.workflow(&on_tickets_with(&triggers("mine"), NOTE)).record("ticket", "t1", json!({}));
    let story = story.event(rename("nobody's")).run_until_idle().expect(nothing_began());
    let story = story.event(rename("mine")).run_until_idle().expect(completed());
    let story = story.workflow(&on_tickets_with(&triggers("yours"), NOTE));
    let story = story.event(rename("yours")).event(rename("mine")).run_until_idle();
    let began: Vec<_> = story.world().executions().into_iter().map(|execution| execution.workflow).collect();
    assert_eq!(began, ["w", "w"]);
    let story = story.event(created("ticket", "t2", json!({"title": "yours"}))).run_until_idle();
    assert_eq!(story.world().executions().len(), 2, "a new record is no change");
}

#[test]
fn the_dimensions_of_an_object_are_bounded_and_nobody_is_missed_for_it() {
    let fields: Vec<_> = (0..80).map(|number| format!("  f{number}: {{type: number}}")).collect();
    let mut story = scenario().object(&format!("object: wide\nfields:\n{}", fields.join("\n")));
    for number in 0..80 {
        let text = format!(
            "workflow: w-{number}\nowner: owner@example.com\nactive: true\nobject: wide
triggers: [{{id: a, type: field_updated, field: f{number}, to: {{equals: 1}}}}]\nsteps:\n{NOTE}"
        );
        story = story.workflow(&text);
    }
    let item = story.world().store.items(Table::Workflows).into_iter().find(|item| item.key.sort == "!dimensions");
    let used = listener::parse_dimensions(&item.expect("there are dimensions")).expect("dimensions").used;
    assert_eq!((used.len(), used["field_updated"]), (65, 16));
    for number in [0, 63, 79] {
        story = story.event(created("wide", &format!("r{number}"), json!({}))).run_until_idle();
        let change = updated("wide", &format!("r{number}"), json!({format!("f{number}"): 1}));
        story = story.event(change).run_until_idle();
    }
    let began: Vec<_> = story.world().executions().into_iter().map(|execution| execution.workflow).collect();
    assert_eq!(began, ["w-0", "w-63", "w-79"]);
}
