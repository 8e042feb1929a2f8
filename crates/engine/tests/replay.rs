//! An execution is decided again from its rows alone, and what is missing of them is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_definition::{Definitions, Object};
use pawl_engine::{
    Act, Activity, Address, Cause, Context, Control, Decision, Event, EventType, Execution, Input, Lookups, Occurrence,
    Performance, Performed, Plan, Record, Recording, ReplayError, Row, Status, Subject, Usage, create, difference,
    replay, transition,
};
use serde_json::{Map, Value, json};

/// What an execution was decided on, and the rows that came of it.
struct Story {
    plans: BTreeMap<u64, Arc<Plan>>,
    objects: BTreeMap<u64, (BTreeMap<String, Object>, Definitions)>,
    event: Occurrence,
    record: Record,
    now: Timestamp,
    head: Execution,
    rows: Vec<Row>,
    claimed: Option<(Address, Activity)>,
}

impl Story {
    /// A ticket waits for a minute, and its title is sent.
    fn begins() -> Self {
        let steps = json!([
            {"id": "nap", "type": "delay", "for": "{{ record.seconds }}s"},
            {"id": "tell", "type": "http_request", "url": "https://x.example/{{ record.title }}"},
        ]);
        let source = json!({"workflow": "w", "owner": "owner@example.com", "object": "ticket", "steps": steps});
        let plan = Arc::new(Plan::new(Arc::new(serde_json::from_value(source).expect("it has no mistakes")), 1));
        let object = json!({"object": "ticket", "fields": {"title": {"type": "text"}, "seconds": {"type": "number"}}});
        let object: Object = serde_json::from_value(object).expect("it has no mistakes");
        let now = Timestamp::UNIX_EPOCH;
        let subject = Subject { object: "ticket".to_owned(), id: "t1".to_owned() };
        let event = event(&subject);
        let (head, row) = create(&plan, &event, now, None);
        Self {
            plans: BTreeMap::from([(1, plan)]),
            objects: BTreeMap::from([(4, (BTreeMap::from([("ticket".to_owned(), object)]), Definitions::default()))]),
            event: Occurrence::new(event),
            record: record(subject, now),
            now,
            head,
            rows: vec![row],
            claimed: None,
        }
    }

    /// Takes an input, and keeps what is written of it.
    fn takes(mut self, input: &Input<'_>) -> Self {
        let related = BTreeMap::new();
        let cx = Context {
            plan: &self.plans[&1],
            former: None,
            objects: &self.objects[&4].0,
            definitions: &self.objects[&4].1,
            objects_revision: 4,
            event: &self.event,
            record: Some(&self.record),
            related: &related,
            lookups: Lookups::NONE,
            now: self.now,
            invocation: "an invocation",
            callback: None,
            killed: false,
            free_slot: Some(0),
            spent_today: Usage::default(),
            spent_by_parts: Usage::default(),
            children: &BTreeMap::new(),
            hold: &pawl_engine::Hold::Free,
        };
        match transition(&cx, &self.head, input).expect("the story is sound") {
            Decision::Commit(commit) => {
                self.head = commit.execution;
                self.rows.push(commit.row);
            }
            Decision::Perform(claim) => {
                self.head = claim.execution;
                self.claimed = Some((claim.address, claim.activity));
            }
            other => panic!("expected something to write, found {other:?}"),
        }
        self
    }

    fn after(mut self, seconds: i64) -> Self {
        self.now += SignedDuration::from_secs(seconds);
        self
    }

    /// What was claimed has ended.
    fn answered(self, performed: &Performed) -> Self {
        let (address, activity) = self.claimed.clone().expect("something was claimed");
        self.takes(&Input::Performed(Performance { address: &address, attempt: 1, activity: &activity, performed }))
    }

    fn ended() -> Self {
        let act =
            Act { actor: "ada".to_owned(), reason: Some("lunch".to_owned()), at: Timestamp::UNIX_EPOCH, id: None };
        let story = Self::begins().takes(&Input::Run).takes(&Input::Run).after(5);
        let story = story.takes(&Input::Control(&Control::Pause, &act));
        let story = story.after(5).takes(&Input::Control(&Control::Resume, &act)).after(60);
        let story = story.takes(&Input::Run).takes(&Input::Run).after(1);
        story.answered(&Performed::done(json!({"status": 200})))
    }

    fn replayed(&self) -> Result<Execution, ReplayError> {
        let Self { plans, objects, event, rows, head, .. } = self;
        replay(&Recording { plans, objects, event, rows, since: &head.since })
    }
}

fn event(subject: &Subject) -> Event {
    Event {
        id: "evt_1".to_owned(),
        kind: EventType::Manual,
        workflow: Some("w".to_owned()),
        trigger: None,
        subject: Some(subject.clone()),
        occurred_at: Timestamp::UNIX_EPOCH,
        data: Map::new(),
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }
}

fn record(subject: Subject, at: Timestamp) -> Record {
    let fields = json!({"title": "printer", "seconds": 60, "notes": "nobody reads them"});
    Record {
        object: subject.object,
        id: subject.id,
        version: 3,
        fields: fields.as_object().cloned().unwrap_or_default(),
        created_at: at,
        updated_at: at,
        archived_at: None,
        forgotten: None,
        cause: None,
    }
}

#[test]
fn the_head_comes_out_of_the_rows() {
    let story = Story::ended();
    assert_eq!(story.head.status, Status::Completed);
    let replayed = story.replayed().expect("its rows suffice");
    assert_eq!(difference(&replayed, &story.head), [""; 0]);
    let kept = serde_json::to_string(&story.rows).expect("rows are JSON");
    assert!(!kept.contains("nobody reads them"), "a field that no step reads is in no row");
}

#[test]
fn a_claim_that_no_row_has_taken_yet_comes_out_of_the_head() {
    let story = Story::begins().takes(&Input::Run).takes(&Input::Run).after(60).takes(&Input::Run).takes(&Input::Run);
    assert!(!story.head.leases.is_empty() && !story.head.since.is_null());
    let replayed = story.replayed().expect("its rows and what it keeps suffice");
    assert_eq!(difference(&replayed, &story.head), [""; 0]);
}

#[test]
fn a_head_that_its_rows_do_not_lead_to_is_told_by_field() {
    let story = Story::ended();
    let mut other = story.head.clone();
    other.variables.insert("x".to_owned(), json!(1));
    other.steps_done += 1;
    let replayed = story.replayed().expect("its rows suffice");
    assert_eq!(difference(&replayed, &other), ["steps_done", "variables"]);
}

#[test]
fn bookkeeping_of_writes_is_not_compared() {
    let story = Story::ended();
    let other = Execution { version: 99, deaths: 1, ..story.head.clone() };
    assert_eq!(difference(&story.replayed().expect("its rows suffice"), &other), [""; 0]);
}

#[test]
fn what_is_missing_is_told() {
    let missing = |spoil: fn(&mut Story)| {
        let mut story = Story::ended();
        spoil(&mut story);
        story.replayed().expect_err("something is missing")
    };
    assert_eq!(missing(|story| story.plans.clear()), ReplayError::NoPlan { seq: 0, revision: 1 });
    assert_eq!(missing(|story| story.objects.clear()), ReplayError::NoObjects { seq: 2, revision: 4 });
    assert_eq!(missing(|story| story.rows.clear()), ReplayError::Rows { expected: 0, found: None });
    assert_eq!(missing(|story| drop(story.rows.remove(3))), ReplayError::Rows { expected: 3, found: Some(4) });
    let unread = missing(|story| story.rows[2].observed = Value::Null);
    assert!(matches!(unread, ReplayError::Differs { seq: 2, .. }), "{unread}");
    let broken = missing(|story| story.rows[2].observed = json!("text"));
    assert!(matches!(broken, ReplayError::Unreadable { seq: 2, .. }), "{broken}");
}

/// An answer that was cut would decide otherwise: the row says that it differs, and keeps the whole.
#[test]
fn a_failure_whose_message_is_cut_in_the_row_is_kept_whole() {
    use pawl_engine::{StepCode, StepError};
    let story = Story::begins().takes(&Input::Run).takes(&Input::Run).after(60).takes(&Input::Run).takes(&Input::Run);
    let error = StepError::new(StepCode::OutcomeUnknown, "x".repeat(20_000));
    let story = story.answered(&Performed::failed(error));
    let row = story.rows.last().expect("the failure has a row");
    assert!(row.error.as_ref().is_some_and(|error| error.message.len() < 10_000));
    assert_eq!(difference(&story.replayed().expect("it is kept whole"), &story.head), [""; 0]);
}
