//! Makes an execution.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pawl_definition::Priority;
use serde_json::{Map, Value};

use crate::{Event, Execution, Leases, Parts, Plan, Row, RowKind, Status, Stepping, TimerPurpose, Usage, Wake, ids};

/// Makes the head and first row of the execution that an event starts. It begins at `start_at` if that is later.
pub fn create(plan: &Plan, event: &Event, now: Timestamp, start_at: Option<Timestamp>) -> (Execution, Row) {
    let later = start_at.filter(|at| *at > now);
    let mut execution = head(plan, event, now, later);
    if let Some(start) = &event.region {
        start.begin(&mut execution);
    }
    let mut row = Row::of(&execution, RowKind::Created, now);
    row.due = later;
    row.note = later.map(|at| format!("throttled: starts at {at}"));
    if let Some(start) = &event.fork {
        start.begin(&mut execution);
        start.tell(&mut row);
    }
    (execution, row)
}

fn head(plan: &Plan, event: &Event, now: Timestamp, later: Option<Timestamp>) -> Execution {
    #[rustfmt::skip]
    let execution = Execution {
        id: ids::execution_id(&event.id, &plan.workflow.id),
        workflow: plan.workflow.id.clone(),
        revision: plan.revision,
        keeps_revision: false,
        version: 1,
        seq: 0,
        status: Status::Queued,
        record: plan.record_of(event).cloned(),
        event_id: event.id.clone(),
        cause: event.cause.clone(),
        parent: event.parent.clone(),
        region: None,
        fork: None,
        debug: event.debug.then(Stepping::default),
        stops: false,
        high_priority: plan.workflow.priority == Priority::High,
        created_at: now,
        started_at: None, ended_at: None, expires_at: None, forgotten: None,
        updated_at: now,
        cursor: None,
        entered: None,
        returns_to: None,
        frames: Vec::new(),
        item: None,
        visits: BTreeMap::new(),
        variables: Map::new(),
        steps: BTreeMap::new(),
        steps_done: 0, steps_elsewhere: 0,
        parts: Parts::default(),
        failed_steps: BTreeSet::new(),
        wake: later.map_or(Wake::Job, |at| Wake::Timer { at, purpose: TimerPurpose::Throttle }),
        leases: Leases::default(),
        waiting: None,
        pause: None,
        requested: None,
        killed: None,
        reason: None,
        error: None,
        output: Value::Null,
        to_tell: Vec::new(), announces_end: false,
        overrides: event.data.get("values").and_then(Value::as_object).cloned().unwrap_or_default(),
        usage: Usage::default(),
        over_budget: false,
        throttled: later.is_some(),
        stalled: false,
        deaths: 0,
        slot_key: None,
        holds_slot: None,
        slot_while_running: false,
        holds_record: false,
        last_control: None,
        outcome: None,
        step_controls: Vec::new(),
        since: Value::Null,
    };
    execution
}

impl Row {
    /// A row that says where an execution stands, with nothing else filled in.
    pub fn of(execution: &Execution, kind: RowKind, at: Timestamp) -> Self {
        Self {
            seq: execution.seq,
            at,
            kind,
            revision: execution.revision,
            trigger: None,
            step: None,
            address: None,
            step_type: None,
            status: None,
            visit: None,
            attempt: None,
            started_at: None,
            attempt_started_at: None,
            input: Value::Null,
            output: Value::Null,
            branch: None,
            error: None,
            note: None,
            actor: None,
            due: None,
            usage: Usage::default(),
            trace: Value::Null,
            observed: Value::Null,
            execution: execution.status,
        }
    }
}
