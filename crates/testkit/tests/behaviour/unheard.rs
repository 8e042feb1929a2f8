//! Changes of records that nobody listens to: whoever writes them says so, they are told late and together, and none is lost.

use futures::FutureExt;
use pawl_engine::Status;
use pawl_runtime::ports::QueueName;
use pawl_testkit::memory::UNHEARD_FOR;
use pawl_testkit::scenario::{Happening, Scenario, completed, created, manual, nothing_began, scenario, updated};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with};

const NOTE: &str = "  - {id: end, type: note, text: end}";

const ON_STATUS: &str = "triggers: [{id: moved, type: field_updated, fields: [status]}]";

fn tickets() -> Scenario {
    let customer = json!({"name": "Ada", "plan": "free"});
    scenario().marks_unheard().object(CUSTOMER).object(TICKET).record("customer", "c1", customer)
}

fn with_ticket(story: Scenario) -> Scenario {
    story.record("ticket", "t1", json!({"title": "a", "status": "new", "priority": 0, "customer": "c1"}))
}

/// Whether the change that happens now is told at once; `false` if it is told when changes are that nobody listens to.
#[track_caller]
fn is_told_at_once(story: &Scenario, happening: Happening) -> bool {
    let before = story.world().store.messages(QueueName::Events).len();
    story.world().happen(happening).expect("it happens");
    let messages = story.world().store.messages(QueueName::Events);
    let [message] = &messages[before..] else { panic!("expected one change, found {}", messages.len() - before) };
    let delay = message.visible_at.duration_since(message.sent_at);
    assert!(delay.is_zero() || delay == UNHEARD_FOR, "it is told after {delay}");
    delay.is_zero()
}

fn switch(story: &Scenario, active: bool) {
    let switched = story.world().system.workflows.set_active("w", active).now_or_never();
    switched.expect("memory answers at once").expect("the workflow is there");
}

#[test]
fn a_change_is_told_at_once_if_a_trigger_may_take_it() {
    let story = with_ticket(tickets()).workflow(&on_tickets_with(ON_STATUS, NOTE));
    assert!(is_told_at_once(&story, updated("ticket", "t1", json!({"status": "open"}))));
    assert!(!is_told_at_once(&story, updated("ticket", "t1", json!({"title": "b"}))), "nothing listens on the title");
    assert!(!is_told_at_once(&story, created("ticket", "t2", json!({"title": "a"}))), "nor on new tickets");
    assert!(!is_told_at_once(&story, updated("customer", "c1", json!({"plan": "paid"}))), "nor on customers");
}

#[test]
fn a_save_a_switch_and_an_edit_take_effect_with_the_next_change() {
    let story = with_ticket(tickets());
    let moved = |status: &str| updated("ticket", "t1", json!({"status": status}));
    assert!(!is_told_at_once(&story, moved("open")), "there is no workflow");
    let story = story.workflow(&on_tickets_with(ON_STATUS, NOTE));
    assert!(is_told_at_once(&story, moved("resolved")));
    switch(&story, false);
    assert!(!is_told_at_once(&story, moved("open")));
    switch(&story, true);
    assert!(is_told_at_once(&story, moved("closed")));
    let on_title = "triggers: [{id: named, type: field_updated, fields: [title]}]";
    let story = story.workflow(&on_tickets_with(on_title, NOTE));
    assert!(!is_told_at_once(&story, moved("new")));
    assert!(is_told_at_once(&story, updated("ticket", "t1", json!({"title": "b"}))));
}

const GOAL: &str = "
  - {id: paid, type: goal, until: 'record.priority > 1 && record.customer.plan == \"paid\"', met: [{id: yes, type: note, text: met}]}
";

#[test]
fn a_change_is_told_at_once_if_a_goal_may_wait_for_it() {
    let story = with_ticket(tickets()).workflow(&on_tickets(GOAL)).event(manual("w").on("ticket", "t1")).settle();
    switch(&story, false);
    assert!(!is_told_at_once(&story, updated("ticket", "t1", json!({"title": "b"}))), "no goal reads the title");
    assert!(!is_told_at_once(&story, created("ticket", "t2", json!({"priority": 3}))), "nobody waits for what is new");
    assert!(is_told_at_once(&story, updated("customer", "c1", json!({"plan": "paid"}))), "the goal reads it");
    assert!(is_told_at_once(&story, updated("ticket", "t1", json!({"priority": 2}))));
    story.settle().expect(completed().path(["paid:met", "yes"]));
}

#[test]
fn what_an_earlier_revision_waits_for_is_still_told_at_once() {
    let story = with_ticket(tickets()).workflow(&with_edits("pinned", GOAL));
    let story = story.event(manual("w").on("ticket", "t1")).settle().workflow(&with_edits("pinned", NOTE));
    assert_eq!(story.last().execution.status, Status::Waiting);
    assert!(is_told_at_once(&story, updated("ticket", "t1", json!({"priority": 2}))));
}

fn with_edits(edits: &str, steps: &str) -> String {
    on_tickets_with(&format!("edits: {edits}"), steps)
}

#[test]
fn what_is_switched_on_later_hears_nothing_of_what_was_before() {
    let story = with_ticket(tickets()).workflow(&on_tickets_with(ON_STATUS, NOTE));
    switch(&story, false);
    let story = story.event(updated("ticket", "t1", json!({"status": "open"}))).run_for("1s");
    switch(&story, true);
    story.run_until_idle().expect(nothing_began());
}

/// Its writer looked before the workflow was there, and no later than the workflow's save it was committed.
#[test]
fn a_change_with_a_wrong_mark_is_late_and_not_lost() {
    let story = with_ticket(tickets()).event(updated("ticket", "t1", json!({"status": "open"})));
    let story = story.workflow(&on_tickets_with(ON_STATUS, NOTE)).settle();
    assert_eq!(story.world().executions().len(), 0, "it is not told yet");
    story.run_for("60s").expect(completed().path(["end"]));
}

#[test]
fn what_a_step_writes_is_marked_as_what_others_write() {
    let steps = "
  - {id: name, type: set_fields, fields: {title: b}}
  - {id: move, type: set_fields, fields: {status: open}}
";
    let story = with_ticket(tickets()).workflow(&on_tickets_with(ON_STATUS, steps));
    let story = story.event(manual("w").on("ticket", "t1"));
    let told_after = |story: &Scenario| {
        let messages = story.world().store.messages(QueueName::Events);
        messages.iter().map(|message| message.visible_at.duration_since(message.sent_at)).collect::<Vec<_>>()
    };
    story.world().settle().expect("the jobs are handled");
    assert_eq!(told_after(&story), [UNHEARD_FOR], "the title waits, and the status was told and handled");
}
