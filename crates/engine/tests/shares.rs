//! What is left of the steps of a tree while parts are open that nobody waits for.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pawl_engine::{
    Cause, ChildSeen, Commit, Context, Decision, Event, EventType, Execution, Hold, Input, Lookups, Occurrence,
    OpenPart, Plan, RowKind, Status, Usage, create, transition,
};
use serde_json::{Map, json};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// What may still run of an earlier branch: eight steps.
const OPEN: OpenPart = OpenPart { steps: 8, since: NOW };

fn plan() -> Plan {
    let steps = json!([{"id": "a", "type": "note", "text": "a"}, {"id": "b", "type": "note", "text": "b"}]);
    let source = json!({"workflow": "w", "owner": "owner@example.com", "limits": {"tree_steps": 10}, "steps": steps});
    Plan::new(Arc::new(serde_json::from_value(source).expect("the workflow has no mistakes")), 1)
}

fn event() -> Event {
    Event {
        id: "evt_1".to_owned(),
        kind: EventType::Manual,
        workflow: Some("w".to_owned()),
        trigger: None,
        subject: None,
        occurred_at: NOW,
        data: Map::new(),
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }
}

/// The next transition of an execution that sees these children.
fn next(execution: &Execution, children: &BTreeMap<String, ChildSeen>) -> Commit {
    let (plan, objects, related, occurrence) = (plan(), BTreeMap::new(), BTreeMap::new(), Occurrence::new(event()));
    let cx = Context {
        plan: &plan,
        former: None,
        objects: &objects,
        definitions: &pawl_definition::Definitions::default(),
        objects_revision: 0,
        event: &occurrence,
        record: None,
        related: &related,
        lookups: Lookups::NONE,
        now: NOW,
        invocation: "this one",
        callback: None,
        killed: false,
        free_slot: Some(0),
        spent_today: Usage::default(),
        spent_by_parts: Usage::default(),
        children,
        hold: &Hold::Free,
    };
    match transition(&cx, execution, &Input::Run) {
        Ok(Decision::Commit(commit)) => *commit,
        other => panic!("expected a transition, found {other:?}"),
    }
}

/// An execution before the step `a` that has carried out two steps and has a part that is open: ten are taken.
fn at_the_limit() -> Execution {
    let mut begun = next(&create(&plan(), &event(), NOW, None).0, &BTreeMap::new()).execution;
    begun.steps_done = 2;
    begun.parts.open.insert("exe_lost".to_owned(), OPEN);
    begun
}

fn sees(child: ChildSeen) -> BTreeMap<String, ChildSeen> {
    BTreeMap::from([("exe_lost".to_owned(), child)])
}

#[test]
fn all_that_an_open_part_may_carry_out_counts() {
    for children in [BTreeMap::new(), sees(ChildSeen::standing(Status::Running))] {
        let failed = next(&at_the_limit(), &children);
        let error = failed.execution.error.expect("ten steps are taken");
        assert_eq!(error.code, "tree_step_limit");
        assert_eq!(
            error.message,
            "the execution and all in it carried out 2 steps, and parts that have not ended may carry out 8; `limits.tree_steps` is 10"
        );
    }
}

#[test]
fn an_execution_at_its_limit_counts_first_what_parts_have_left() {
    let ended = ChildSeen { steps: 3, ..ChildSeen::standing(Status::Canceled) };
    let counted = next(&at_the_limit(), &sees(ended.clone()));
    assert_eq!((counted.row.kind, counted.row.step.clone()), (RowKind::Limit, None));
    assert_eq!(counted.row.note.as_deref(), Some("5 steps of `limits.tree_steps` are left by parts that have ended"));
    assert_eq!((counted.execution.steps_done, counted.execution.parts.open.len()), (5, 0));
    let entered = next(&counted.execution, &BTreeMap::new()).execution;
    assert_eq!((entered.steps_done, entered.cursor.as_deref()), (6, Some("b")));
    let used_up = ChildSeen { steps: 8, ..ended };
    let failed = next(&at_the_limit(), &sees(used_up)).execution;
    assert_eq!((failed.status, failed.steps_done), (Status::Failed, 10));
}

#[test]
fn a_part_that_is_not_there_counts_only_if_it_may_have_expired() {
    for (may_have_expired, steps) in [(false, 2), (true, 10)] {
        let lost = sees(ChildSeen::of_lost_part(&OPEN, may_have_expired));
        assert_eq!(next(&at_the_limit(), &lost).execution.steps_done, steps);
    }
}

#[test]
fn a_list_does_not_count_what_parts_took() {
    let mut before = at_the_limit();
    before.steps_done = 1;
    let ended = ChildSeen { steps: 4, ..ChildSeen::standing(Status::Completed) };
    let after = next(&before, &sees(ended)).execution;
    assert_eq!((after.steps_done, after.steps_elsewhere), (6, 4));
}
