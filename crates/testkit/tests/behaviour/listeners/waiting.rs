//! Executions that wait: they hear the changes that their goals read.

use super::*;

/// Conditions of a goal, over fields of its record and of a related one.
fn condition() -> impl Strategy<Value = &'static str> {
    let conditions = [
        "record.status == \"open\"",
        "record.priority > 1",
        "size(record.tags) == 1",
        "record.customer.plan == \"paid\"",
        "record.status == \"open\" && record.customer.plan == \"paid\"",
        "has(record.customer) && record.customer.name == \"Bob\"",
        "blank(record.customer)",
        "record[\"title\"] == \"x\"",
        "record[vars.field] == \"x\"",
        "record.updated_at != record.created_at",
        "now > timestamp(\"2026-01-01T12:00:00Z\") && blank(record.customer) != true",
        "vars.field == \"other\"",
    ];
    prop::sample::select(conditions.to_vec())
}

/// A change of the ticket or of its customer.
fn change() -> impl Strategy<Value = (&'static str, Value)> {
    let changes = [
        ("ticket", json!({"status": "open"})),
        ("ticket", json!({"priority": 2})),
        ("ticket", json!({"priority": 2.0, "tags": ["a"]})),
        ("ticket", json!({"title": "x"})),
        ("ticket", json!({"customer": "c2"})),
        ("ticket", json!({"customer": null})),
        ("customer", json!({"plan": "paid"})),
        ("customer", json!({"name": "Bob"})),
    ];
    prop::sample::select(changes.to_vec())
}

/// A story in which one execution waits for a goal with each condition, half a day later; those that check refuses are
/// left out.
fn waiting_story(goals: &[(&str, Option<Value>)]) -> Scenario {
    let mut story = scenario().object(CUSTOMER).object(TICKET);
    for (id, plan) in [("c1", "free"), ("c2", "paid")] {
        story = story.record("customer", id, json!({"name": id, "plan": plan}));
    }
    story = story.record("ticket", "t1", json!({"status": "new", "customer": "c1"}));
    for (number, (until, on)) in goals.iter().enumerate() {
        let id = format!("w-{number}");
        let value = json!({"workflow": id, "owner": "owner@example.com", "object": "ticket", "active": true,
            "variables": [{"name": "field", "type": "text", "default": "title"}],
            "steps": [{"id": "goal", "type": "goal", "until": until, "on": on.iter().collect::<Vec<_>>(), "timeout": "never"}]});
        if story.world().save_workflow(&source(&id, &value.to_string())).is_ok() {
            story = story.event(manual(&id).on("ticket", "t1"));
        }
    }
    story.run_for("13h")
}

/// A record is changed; the event that its change becomes is told to every execution, if `tells_all`.
fn changed(story: Scenario, (object, change): (&str, &Value), tells_all: bool) -> Scenario {
    let id = if object == "ticket" { "t1" } else { "c1" };
    let now = |story: &Scenario| {
        story.world().records(object).into_iter().find(|record| record.id == id).expect("it is there")
    };
    let before = now(&story);
    let story = story.event(updated(object, id, change.clone()));
    let after = now(&story);
    let keys = change.as_object().expect("fields").keys();
    let changes = keys.map(|key| (key.clone(), json!({"from": before.fields.get(key), "to": after.fields.get(key)})));
    let mut event = event((EventType::FieldUpdated, false, changes.collect()), story.world().now());
    event.subject = Some(after.subject());
    if tells_all && before.version != after.version {
        for execution in story.world().executions() {
            let told = story.world().system.transitions.on_event(&execution.id, &event).now_or_never();
            told.expect("memory answers at once").expect("it is told");
        }
    }
    story.run_for("1m")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// A change wakes every goal that it meets: no other goes on if all are told of it.
    #[test]
    fn a_change_wakes_every_goal_that_it_meets(
        goals in prop::collection::vec((condition(), prop::option::weighted(0.3, trigger())), 1..50),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let (mut woken, mut told) = (waiting_story(&goals), waiting_story(&goals));
        for (object, change) in changes {
            woken = changed(woken, (object, &change), false);
            told = changed(told, (object, &change), true);
            let statuses = |story: &Scenario| {
                let executions = story.world().executions().into_iter();
                executions.map(|one| (one.workflow, one.status)).collect::<BTreeMap<_, _>>()
            };
            prop_assert_eq!(statuses(&woken), statuses(&told));
        }
    }
}

#[test]
fn a_goal_listens_to_the_fields_that_it_reads() {
    let topics = |until: &str, on: Value| {
        let story = waiting_story(&[(until, on.is_object().then_some(on))]);
        let execution = story.world().executions().remove(0);
        execution.waiting.expect("it waits").topics.into_iter().collect::<Vec<_>>()
    };
    let none = Value::Null;
    assert_eq!(topics("record.status == \"open\"", none.clone()), ["status|record/ticket/t1"]);
    assert_eq!(
        topics("record.customer.plan == \"paid\" && record.id == \"t1\"", none.clone()),
        ["customer|record/ticket/t1", "plan|record/customer/c1"]
    );
    assert_eq!(topics("now > timestamp(\"2027-01-01T00:00:00Z\")", none), ["record/ticket/t1"]);
    let on = json!({"id": "o", "type": "field_updated", "field": "priority", "to": {"equals": 1}});
    assert_eq!(topics("record.status == \"open\"", on), ["priority|record/ticket/t1", "status|record/ticket/t1"]);
}
