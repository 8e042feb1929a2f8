//! Pairs of state and input that the protocol never makes: each is refused by name, and none is passed over in silence.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_engine::{
    Act, Activity, Address, Cause, Context, Control, Decision, Event, EventType, Execution, Found, HttpCall, Illegal,
    Input, Lease, Leases, Lookups, Occurrence, Pause, PauseReason, Performance, Performed, Plan, Status, StepCode,
    StepError, TransitionError, Usage, Wake, create, transition,
};
use serde_json::{Map, Value, json};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A workflow that waits a day and calls a service.
fn plan(steps: &Value) -> Plan {
    let source = json!({"workflow": "w", "owner": "owner@example.com", "steps": steps});
    Plan::new(Arc::new(serde_json::from_value(source).expect("the workflow has no mistakes")), 1)
}

fn waits_and_calls() -> Plan {
    plan(&json!([
        {"id": "wait", "type": "delay", "for": "1d"},
        {"id": "call", "type": "http_request", "url": "https://x.example"},
    ]))
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

/// What becomes of an input at a time.
fn decide(plan: &Plan, at: Timestamp, execution: &Execution, input: &Input<'_>) -> Result<Decision, TransitionError> {
    let (objects, related, occurrence) = (BTreeMap::new(), BTreeMap::new(), Occurrence::new(event()));
    let cx = Context {
        plan,
        former: None,
        objects: &objects,
        definitions: &pawl_definition::Definitions::default(),
        objects_revision: 0,
        event: &occurrence,
        record: None,
        related: &related,
        lookups: Lookups::NONE,
        now: at,
        invocation: "this one",
        callback: None,
        killed: false,
        free_slot: Some(0),
        spent_today: Usage::default(),
        spent_by_parts: Usage::default(),
        children: &BTreeMap::new(),
        hold: &pawl_engine::Hold::Free,
    };
    transition(&cx, execution, input)
}

fn queued(plan: &Plan) -> Execution {
    create(plan, &event(), NOW, None).0
}

/// The execution after so many transitions: 1 runs, 2 waits.
fn after(plan: &Plan, transitions: usize) -> Execution {
    (0..transitions).fold(queued(plan), |execution, _| match decide(plan, NOW, &execution, &Input::Run) {
        Ok(Decision::Commit(commit)) => commit.execution,
        other => panic!("expected a transition, found {other:?}"),
    })
}

fn paused(plan: &Plan) -> Execution {
    let act = Act { actor: "ada".to_owned(), reason: None, at: NOW, id: None };
    match decide(plan, NOW, &after(plan, 2), &Input::Control(&Control::Pause, &act)) {
        Ok(Decision::Commit(commit)) => commit.execution,
        other => panic!("expected a pause, found {other:?}"),
    }
}

fn a_pause() -> Pause {
    Pause { reason: PauseReason::Person, note: None, since: NOW, actor: None, status: Status::Running, wake: Wake::Job }
}

fn call() -> Activity {
    Activity::HttpRequest(HttpCall {
        method: "GET".to_owned(),
        url: "https://x.example".to_owned(),
        query: String::new(),
        headers: BTreeMap::new(),
        body: None,
        links: Vec::new(),
        sign: None,
        timeout: SignedDuration::from_secs(10),
    })
}

/// Heads of which two parts do not fit each other, with what is wrong.
fn unsound(plan: &Plan) -> Vec<(Execution, &'static str)> {
    let (queued, running, waiting, paused) = (queued(plan), after(plan, 1), after(plan, 2), paused(plan));
    let ends = "only what has ended has nothing to wake it";
    let person = "only what is paused waits for a person";
    let has_pause = "only what is paused has a pause";
    vec![
        (Execution { wake: Wake::Never, ..queued.clone() }, ends),
        (Execution { wake: Wake::Never, ..waiting.clone() }, ends),
        (Execution { status: Status::Completed, ..running.clone() }, ends),
        (Execution { status: Status::Canceled, ..waiting.clone() }, ends),
        (Execution { status: Status::Failed, ..paused.clone() }, ends),
        (Execution { wake: Wake::Person, ..running.clone() }, person),
        (Execution { wake: Wake::Job, ..paused.clone() }, person),
        (Execution { pause: Some(a_pause()), ..running.clone() }, has_pause),
        (Execution { pause: None, ..paused }, has_pause),
        (Execution { cursor: Some("wait".to_owned()), ..queued }, "an execution that has not begun is at no step"),
        (Execution { entered: None, ..waiting.clone() }, "what waits has entered a step"),
        (Execution { steps: BTreeMap::new(), ..waiting }, "the step that was entered has no state"),
        (
            Execution { entered: Some("delay".to_owned()), cursor: None, ..running },
            "the step that was entered has no state",
        ),
    ]
}

#[test]
fn no_input_is_taken_by_a_head_that_is_not_sound() {
    let plan = waits_and_calls();
    let (happened, error, performed, activity, found) =
        (event(), StepError::new(StepCode::DuplicateRecord, "x"), Performed::default(), call(), Found::default());
    let address = Address::of("call");
    let inputs = [
        Input::Run,
        Input::Found(&found),
        Input::Performed(Performance { address: &address, attempt: 1, activity: &activity, performed: &performed }),
        Input::Rejected(&error),
        Input::Event(&happened),
        Input::LookAgain,
    ];
    for (execution, why) in unsound(&plan) {
        for input in &inputs {
            let expected = Illegal { state: execution.status, input: input.name(), why };
            assert_eq!(decide(&plan, NOW, &execution, input), Err(TransitionError::Illegal(expected)));
        }
    }
}

/// Nothing is written between a step's question and its answer: whoever asked can go on.
#[test]
fn a_read_is_not_answered_to_a_step_that_cannot_have_asked() {
    let plan = waits_and_calls();
    let (running, waiting) = (after(&plan, 1), after(&plan, 2));
    let act = Act { actor: "ada".to_owned(), reason: None, at: NOW, id: None };
    let until = NOW + SignedDuration::from_secs(60);
    let lease = Lease { owner: "another one".to_owned(), attempt: 1, claimed_at: NOW, until };
    let mut leases = Leases::default();
    leases.claim(Address::of("call"), lease);
    let cannot = [
        Execution { status: Status::Completed, wake: Wake::Never, ..running.clone() },
        Execution { killed: Some(act), ..running.clone() },
        Execution { leases, ..running },
        paused(&plan),
        waiting,
    ];
    for execution in cannot {
        let expected = Illegal { state: execution.status, input: "found", why: "a step that asked for a read" };
        let found = Found::default();
        assert_eq!(decide(&plan, NOW, &execution, &Input::Found(&found)), Err(TransitionError::Illegal(expected)));
    }
}

#[test]
fn a_result_is_not_taken_for_a_step_that_no_revision_has() {
    let plan = waits_and_calls();
    let day = NOW + SignedDuration::from_hours(24);
    let Ok(Decision::Commit(at_call)) = decide(&plan, day, &after(&plan, 2), &Input::Run) else {
        panic!("the delay is over");
    };
    let Ok(Decision::Perform(claim)) = decide(&plan, day, &at_call.execution, &Input::Run) else {
        panic!("the call is claimed");
    };
    let other = self::plan(&json!([{"id": "note", "type": "note", "text": "another one"}]));
    let performed = Performed::default();
    let input = Input::Performed(Performance {
        address: &claim.address,
        attempt: 1,
        activity: &claim.activity,
        performed: &performed,
    });
    let why = "the step that claimed it, in the revision in force or the one before";
    let expected = Illegal { state: Status::Running, input: "performed", why };
    assert_eq!(decide(&other, day, &claim.execution, &input), Err(TransitionError::Illegal(expected)));
}

#[test]
fn what_is_paused_without_a_pause_cannot_be_resumed() {
    let plan = waits_and_calls();
    let act = Act { actor: "ada".to_owned(), reason: None, at: NOW, id: None };
    let execution = Execution { pause: None, ..paused(&plan) };
    let expected = Illegal { state: Status::Paused, input: "resume", why: "what is paused has a pause" };
    let resumed = decide(&plan, NOW, &execution, &Input::Control(&Control::Resume, &act));
    assert_eq!(resumed, Err(TransitionError::Illegal(expected)));
}
