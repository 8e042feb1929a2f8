//! The breaker: starts that come too often, and failures without end. Section 7 of the language.

use futures::FutureExt;
use pawl_engine::Status;
use pawl_testkit::scenario::{Happening, Scenario, completed, manual, refused, scenario, updated, webhook};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with, with};

const NOTE: &str = "  - {id: end, type: note, text: end}";

/// The story of a ticket `t1` and the workflow `w`.
fn tickets(workflow: &str) -> Scenario {
    scenario().object(CUSTOMER).object(TICKET).workflow(workflow).record("ticket", "t1", json!({}))
}

fn start() -> Happening {
    manual("w").on("ticket", "t1").into()
}

#[test]
fn what_the_breaker_suppresses_is_visible() {
    let triggers = "triggers: [{id: a, type: field_updated, field: priority}]";
    let mut story = tickets(&on_tickets_with(triggers, NOTE));
    for n in 0..51 {
        story = story.event(updated("ticket", "t1", json!({"priority": n}))).run_for("1s");
    }
    let story = story.run_for("2d").event(updated("ticket", "t1", json!({"title": "other"}))).run_for("1h");
    let refusals = story.world().refusals("w").len();
    let story = story.event(updated("ticket", "t1", json!({"priority": 99}))).settle().expect(refused("breaker"));
    assert_eq!(story.world().refusals("w").len(), refusals + 1, "what no trigger hears is not suppressed");
    story.world().activate("w");
    let story = story.event(updated("ticket", "t1", json!({"priority": 100}))).settle().expect(completed());
    assert_eq!(story.world().executions().len(), 51);
}

#[test]
fn the_breaker_opens_at_fifty_starts_on_one_record_within_a_minute() {
    let mut story = tickets(&on_tickets(NOTE));
    for _ in 0..50 {
        story = story.event(start()).run_for("1s");
    }
    let story = story.event(start()).settle().expect(refused("breaker"));
    assert_eq!(story.world().executions().len(), 50);
    let notices = story.world().notices();
    assert_eq!((notices.len(), notices[0].subject.as_str()), (1, "w: triggers suspended"));
}

#[test]
fn the_breaker_counts_any_minute_and_not_the_one_that_began_with_the_first_start() {
    let mut story = tickets(&on_tickets(NOTE)).event(start()).run_for("40s");
    for _ in 0..49 {
        story = story.event(start()).run_for("1s");
    }
    let story = story.event(start()).settle();
    assert_eq!(story.world().executions().len(), 51, "the first one is more than a minute ago");
    story.event(start()).settle().expect(refused("breaker"));
}

#[test]
fn slower_starts_do_not_open_the_breaker() {
    let mut story = tickets(&on_tickets(NOTE));
    for _ in 0..70 {
        story = story.event(start()).run_for("2s");
    }
    assert_eq!(story.world().executions().len(), 70);
}

#[test]
fn the_breaker_opens_when_nearly_all_executions_fail() {
    let steps = "  - {id: end, type: stop, as: failed}";
    let text = with("triggers: [{id: hook, type: webhook}]", steps);
    let mut story = scenario().workflow(&text);
    for _ in 0..20 {
        story = story.event(webhook("w", "hook").body(json!({}))).run_for("1h");
    }
    assert!(story.world().executions().iter().all(|one| one.status == Status::Failed));
    let refused = story.world().happen(webhook("w", "hook").body(json!({})).into());
    assert_eq!(refused.expect_err("the breaker is open").code, "inactive");
    story.world().activate("w");
    let story = story.event(webhook("w", "hook").body(json!({}))).run_for("1h");
    let one_failure = story.world().happen(webhook("w", "hook").body(json!({})).into());
    one_failure.expect("failures from before the activation do not count");
}

#[test]
fn executions_that_wait_for_a_person_since_a_step_failed_count_as_failed_for_the_breaker() {
    let keys = "triggers: [{id: hook, type: webhook}]";
    let steps = "  - {id: call, type: condition, if: trigger.body.missing}";
    let mut story = scenario().workflow(&with(keys, steps));
    for n in 0..20 {
        assert!(story.world().notices().len() == n, "the owner is told of each failure");
        story = story.event(webhook("w", "hook").body(json!({}))).run_for("1h");
    }
    let refused = story.world().happen(webhook("w", "hook").body(json!({})).into());
    assert_eq!(refused.expect_err("the breaker is open").code, "inactive");
}

#[test]
fn one_success_among_ten_keeps_the_breaker_closed() {
    let keys = "triggers: [{id: hook, type: webhook}]";
    let steps = "  - {id: call, type: condition, if: trigger.body.n % 10 == 0}";
    let mut story = scenario().workflow(&with(keys, steps));
    for n in 0..40 {
        let body = if n % 10 == 0 { json!({"n": n}) } else { json!({}) };
        story = story.event(webhook("w", "hook").body(body)).run_for("1h");
    }
    assert_eq!(story.world().executions().len(), 40);
}

/// Bug: the only way to close the breaker of an inactive workflow activated it.
#[test]
fn closing_the_breaker_leaves_the_workflow_active_or_inactive() {
    for active in [true, false] {
        let mut story = tickets(&on_tickets(NOTE));
        for _ in 0..50 {
            story = story.event(start()).run_for("1s");
        }
        let story = story.event(start()).settle().expect(refused("breaker"));
        let workflows = &story.world().system.workflows;
        let at_once = |head: Result<_, _>| head.expect("memory is writable");
        at_once(workflows.set_active("w", active).now_or_never().expect("memory answers at once"));
        // Activating it closed the breaker as well.
        let open = at_once(workflows.close_breaker("w").now_or_never().expect("memory answers at once"));
        assert_eq!((open.active, open.suspended), (active, None));
    }
}
