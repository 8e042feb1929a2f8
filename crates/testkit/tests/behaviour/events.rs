//! The trigger `event`: which events of the bus start a workflow, on which record, and once.

use pawl_testkit::scenario::{Scenario, World, bus_says, completed, manual, nothing_began, scenario, waiting};
use serde_json::{Value, json};

use crate::support::{CUSTOMER, TICKET, on_tickets_with, with};

#[expect(clippy::needless_pass_by_value, reason = "what is placed is written where it is used")]
fn placed(id: &str, detail: Value) -> Value {
    json!({
        "id": id, "source": "shop.orders", "detail-type": "Order Placed", "time": "2026-01-01T00:00:00Z",
        "account": "1", "region": "here", "resources": [], "detail": detail,
    })
}

/// The workflow `w`, which listens to a pattern.
fn on(pattern: &str, keys: &str) -> String {
    with(
        &format!("triggers: [{{id: e, type: event, pattern: {pattern}{keys}}}]"),
        "  - {id: told, type: set_variables, values: {kind: '{{ trigger.type }}', source: '{{ trigger.event.source }}', detail: '{{ trigger.event.detail }}'}}",
    )
}

fn told(workflow: &str, events: impl IntoIterator<Item = Value>) -> Scenario {
    let story = scenario().workflow(workflow);
    events.into_iter().fold(story, |story, event| story.event(bus_says(event))).run_until_idle()
}

fn codes(world: &World) -> Vec<String> {
    world.refusals("w").into_iter().map(|refusal| refusal.code).collect()
}

#[test]
fn an_event_starts_who_listens_and_is_seen_whole() {
    let story = told(
        &on("{source: [shop.orders], detail: {total: [{numeric: ['>', 5]}]}}", ""),
        [placed("1", json!({"total": 6}))],
    );
    let expected = completed().variable("kind", "event").variable("source", "shop.orders");
    let story = story.expect(expected.variable("detail", json!({"total": 6})));
    assert_eq!(story.world().replayed(), [""; 0]);
}

#[test]
fn an_event_that_does_not_match_starts_nothing() {
    for pattern in [
        "{source: [shop.returns]}",
        "{detail-type: [Order Returned]}",
        "{detail: {total: [{numeric: ['>', 6]}]}}",
        "{source: [shop.orders], detail: {voucher: [{exists: true}]}}",
    ] {
        told(&on(pattern, ""), [placed("1", json!({"total": 6}))]).expect(nothing_began());
    }
    for pattern in ["{source: [{prefix: shop.}]}", "{account: ['1']}", "{detail: {voucher: [{exists: false}]}}"] {
        told(&on(pattern, ""), [placed("1", json!({"total": 6}))]).expect(completed());
    }
    told(
        &on("{source: [{prefix: ''}]}", ", filter: trigger.event.detail.total > 6"),
        [placed("1", json!({"total": 6}))],
    )
    .expect(nothing_began());
}

#[test]
fn a_repeat_starts_nothing_and_another_event_does() {
    let event = |id: &str| placed(id, json!({}));
    let story = told(&on("{source: [shop.orders]}", ""), [event("1"), event("1"), event("2")]);
    assert_eq!(story.world().executions().len(), 2);
}

#[test]
fn own_sources_start_nothing() {
    let mut event = placed("1", json!({"token": "t"}));
    event["source"] = json!("pawl.callback");
    told(&on("{id: [{exists: true}]}", ""), [event]).expect(nothing_began());
}

#[test]
fn a_record_is_found_or_made() {
    let keys = "triggers: [{id: e, type: event, pattern: {source: [shop.orders]}, \
                record: {match: {name: trigger.event.detail.name}, create: CREATE}, values: {plan: trigger.event.detail.plan}}]\n\
                variables: [{name: plan, type: text}]";
    let steps = "  - {id: seen, type: set_variables, values: {who: '{{ record.name }}'}}";
    let workflow = |create: &str| with(&format!("object: customer\n{}", keys.replace("CREATE", create)), steps);
    let start = |create: &str, detail: Value| {
        let story = scenario().object(CUSTOMER).workflow(&workflow(create));
        let story = story.record("customer", "c1", json!({"name": "Ada"}));
        story.event(bus_says(placed("1", detail))).run_until_idle()
    };
    let found = start("false", json!({"name": "Ada", "plan": "paid"}));
    found.expect(completed().variable("who", "Ada").variable("plan", "paid"));
    let made = start("true", json!({"name": "Bob", "plan": "paid"}));
    made.expect(
        completed()
            .variable("who", "Bob")
            .records("customer", [json!({"name": "Ada"}), json!({"name": "Bob", "plan": "paid"})]),
    );
    for (detail, code) in
        [(json!({"name": "Eve"}), "no_record"), (json!({"name": ""}), "blank_match"), (json!({}), "value_failed")]
    {
        let story = start("false", detail.clone());
        assert_eq!((story.world().executions().len(), codes(story.world())), (0, vec![code.to_owned()]), "{detail}");
    }
    let unfit = start("true", json!({"name": "Bob", "plan": "golden"}));
    assert_eq!((unfit.world().records("customer").len(), codes(unfit.world())), (1, vec!["invalid_record".to_owned()]));
}

#[test]
fn the_first_trigger_that_takes_an_event_fills_it() {
    let triggers = "triggers:\n  \
        - {id: dear, type: event, pattern: {source: [shop.orders]}, filter: trigger.event.detail.total > 100, values: {by: \"'dear'\"}}\n  \
        - {id: any, type: event, pattern: {source: [shop.orders]}, values: {by: \"'any'\"}}\n\
        variables: [{name: by, type: text}]";
    let workflow = with(triggers, "  - {id: n, type: note, text: x}");
    for (total, by) in [(101, "dear"), (100, "any")] {
        told(&workflow, [placed("1", json!({"total": total}))]).expect(completed().variable("by", by));
    }
}

#[test]
fn an_inactive_workflow_hears_nothing() {
    let inactive = on("{source: [shop.orders]}", "").replace("active: true", "active: false");
    let story = told(&inactive, [placed("1", json!({}))]).expect(nothing_began());
    assert_eq!(codes(story.world()), [""; 0]);
}

#[test]
fn a_goal_waits_for_an_event_about_its_record() {
    let goal = on_tickets_with(
        "",
        "  - {id: paid, type: goal, timeout: never, on: [{type: event, pattern: {source: [shop.orders]}, filter: trigger.event.detail.ticket == record.id}]}",
    );
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(&goal).record("ticket", "t1", json!({}));
    let story = story.event(manual("w").on("ticket", "t1")).run_until_idle();
    let later = |id: &str, ticket: &str| {
        let mut event = placed(id, json!({"ticket": ticket}));
        event["time"] = json!("2026-01-02T00:00:00Z");
        bus_says(event)
    };
    let story = story.event(later("1", "t2")).run_until_idle().expect(waiting());
    story.event(later("2", "t1")).run_until_idle().expect(completed());
}
