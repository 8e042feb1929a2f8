//! An operation: work on many executions that goes on after the answer of the one who began it, page after page. One that a
//! person began on executions or records of a filter has an [`Action`].

use jiff::{SignedDuration, Timestamp};
use pawl_engine::Act;
use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read, sortable, unreadable};
use crate::operations::Action;
use crate::ports::{Expect, Index, IndexEntry, Item, Key, Table, Write};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, from its beginning on, and what of a person it may hold: an action has ids of records, and the text of
/// an expression.
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(24 * 90)), Erasure::WhenExpired);

/// The partition of those that are not over, in the first index.
pub const RUNNING: &str = "operations#running";

/// The partition of all of them, in the second index. Operations are few: edits that touch waits, lifts, redrives and what
/// people begin.
pub const ALL: &str = "operations";

/// Why an operation began. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A workflow was edited: executions that wait at a step which the edit touched look again.
    Edit,
    /// A kill was lifted: waiting goals look again, and what is due goes on.
    Lift,
    /// A person redrove: stalled executions go on, waiting goals look again, and dead letters go back to their queues.
    Redrive,
    /// A person acts on many executions or records: a tracked action.
    Action,
    /// Date triggers of a workflow fire at other times: the entries of all records follow.
    Dates,
}

/// What an operation looks at now, in the order of the work. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Executions that wait for a time that is over.
    Due,
    /// Executions on the move.
    Moving,
    /// Executions that wait.
    Waiting,
    /// Executions that are paused. One that somebody waited for until a cancel under the kill is canceled too.
    Paused,
    /// Messages that were given up. Only a process that reaches the dead-letter queues does this.
    DeadLetters,
    /// Whom an action concerns: it counts them.
    Counting,
    /// The same once more: it acts on them.
    Acting,
    /// Records of an object.
    Records,
}

/// Whether an operation is over. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It goes on.
    Running,
    /// It has looked at everything.
    Completed,
    /// Its message failed in every delivery.
    Failed,
    /// An action has counted, and waits until a person lets it run.
    Ready,
    /// A person has paused an action.
    Paused,
    /// A person has canceled an action: what it did stays.
    Canceled,
}

impl State {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Ready => "ready",
            Self::Paused => "paused",
            Self::Canceled => "canceled",
        }
    }
}

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Id.
    pub id: String,
    /// Why it began.
    pub kind: Kind,
    /// The workflow; none is the whole installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The object whose records it looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The revision of an edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Whether it is over.
    pub state: State,
    /// What it looks at now.
    pub phase: Phase,
    /// The cursor of the next page; none is the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Dead letters may be left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_letters: bool,
    /// Executions that were woken or that looked again, or records whose dates have other entries.
    pub executions: u64,
    /// Dead letters that went back to their queues.
    #[serde(default)]
    pub messages: u64,
    /// When it began, or began anew.
    pub begun_at: Timestamp,
    /// When it last went on.
    pub updated_at: Timestamp,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What a person does to many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Box<Action>>,
    /// Counts writes.
    #[serde(skip)]
    pub version: u64,
}

impl Operation {
    fn new(id: String, kind: Kind, at: Timestamp) -> Self {
        Self {
            id,
            kind,
            workflow: None,
            object: None,
            revision: None,
            state: State::Running,
            phase: Phase::Due,
            after: None,
            has_letters: false,
            executions: 0,
            messages: 0,
            begun_at: at,
            updated_at: at,
            error: None,
            action: None,
            version: 1,
        }
    }

    /// After an edit that made a revision.
    pub fn of_edit(workflow: &str, revision: u64, at: Timestamp) -> Self {
        let operation = Self::new(format!("edit.{workflow}.{revision}"), Kind::Edit, at);
        let workflow = Some(workflow.to_owned());
        // Those whose time is over need no edit to wake them.
        Self { workflow, revision: Some(revision), phase: Phase::Moving, ..operation }
    }

    /// After a kill was lifted; `version` is the one of the head, or of the installation's controls, that says so.
    pub fn of_lift(workflow: Option<&str>, version: u64, at: Timestamp) -> Self {
        let id = workflow.map_or_else(|| format!("lift.{version}"), |id| format!("lift.{id}.{version}"));
        Self { workflow: workflow.map(str::to_owned), ..Self::new(id, Kind::Lift, at) }
    }

    /// After date triggers of a workflow were switched on or changed; `version` is the one of the head that says so.
    pub fn of_dates(workflow: &str, object: &str, version: u64, at: Timestamp) -> Self {
        let operation = Self::new(format!("dates.{workflow}.{version}"), Kind::Dates, at);
        Self {
            workflow: Some(workflow.to_owned()),
            object: Some(object.to_owned()),
            phase: Phase::Records,
            ..operation
        }
    }

    /// A redrive.
    pub fn of_redrive(act: &Act) -> Self {
        let id = format!("redrive.{}", act.at.as_microsecond());
        Self { has_letters: true, ..Self::new(id, Kind::Redrive, act.at) }
    }

    /// A tracked action.
    pub fn of_action(id: String, action: Action) -> Self {
        let workflow = action.task.workflow().map(str::to_owned);
        let operation = Self::new(id, Kind::Action, action.by.at);
        Self { workflow, phase: Phase::Counting, action: Some(Box::new(action)), ..operation }
    }

    /// Whether an action has counted whom it concerns.
    pub fn is_counted(&self) -> bool {
        self.phase != Phase::Counting
    }

    /// The write that begins it, beside the change that it follows from.
    pub fn begin(&self) -> Write {
        Write::Put { table: TABLE, item: item(self), expect: Expect::Absent }
    }
}

/// The partition of it and of what stands beside it.
pub fn partition(id: &str) -> String {
    format!("operation#{id}")
}

/// Its key.
pub fn key(id: &str) -> Key {
    Key::new(partition(id), "operation")
}

/// Bytes of its body as it is stored.
pub fn bytes(operation: &Operation) -> usize {
    body(operation).len()
}

/// As stored.
pub fn item(operation: &Operation) -> Item {
    let at = sortable(operation.begun_at);
    let mut indexes = vec![IndexEntry { index: Index::Gsi2, partition: ALL.to_owned(), sort: at.clone() }];
    if operation.state == State::Running {
        indexes.push(IndexEntry { index: Index::Gsi1, partition: RUNNING.to_owned(), sort: at });
    }
    let (key, version) = (key(&operation.id), operation.version);
    Item { key, version, indexes, expires_at: KEPT.expires_at(operation.begun_at), body: body(operation) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Operation, Unreadable> {
    let operation = Operation { version: item.version, ..read(item)? };
    match (operation.kind, &operation.action) {
        (Kind::Action, None) => Err(unreadable(item, "an action without what it does")),
        (Kind::Dates, _) if operation.object.is_none() || operation.workflow.is_none() => {
            Err(unreadable(item, "dates without a workflow and its object"))
        }
        _ => Ok(operation),
    }
}

#[cfg(test)]
mod tests {
    use pawl_definition::Take;
    use proptest::option::of;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::items::arbitrary::{act, few, record_id, storable, text, time, workflow_id};
    use crate::items::kept_of;
    use crate::operations::{ActionLimits, Controls, Counts, Preview, Records, Starts, Target, Task, Verb};
    use crate::{Indicator, Selection};

    fn task() -> impl Strategy<Value = Task> {
        let selection = (of(workflow_id()), of(text()), of(time())).prop_map(|(workflow, code, since)| Selection {
            workflow,
            code,
            since,
            indicator: Some(Indicator::Stalled),
            ..Selection::default()
        });
        let verb =
            select(vec![Verb::Retry, Verb::Skip { take: Some(Take::No) }, Verb::Skip { take: None }, Verb::Redrive]);
        let controls = (verb, selection).prop_map(|(verb, selection)| Task::Control(Controls { verb, selection }));
        let of_group = (text(), text()).prop_map(|(group, test)| Records::Group { group, test });
        let records = prop_oneof![text().prop_map(Records::Where), of_group];
        let starts = (workflow_id(), records).prop_map(|(workflow, records)| {
            let (object, values) = ("ticket".to_owned(), serde_json::Map::new());
            Task::Start(Starts { workflow, object, records, values })
        });
        prop_oneof![controls, starts]
    }

    fn action() -> impl Strategy<Value = Action> {
        (task(), act(), of(time()), record_id(), 0_u64..9).prop_map(|(task, by, free_at, id, done)| Action {
            task,
            by,
            limits: ActionLimits::default(),
            awaits_run: done > 4,
            preview: Preview { count: done, ..Preview::default() },
            counts: Counts { done, ..Counts::default() },
            batch: vec![Target { id, failed: None }],
            is_searched: done > 2,
            free_at,
        })
    }

    fn operation() -> impl Strategy<Value = Operation> {
        let begun = prop_oneof![
            (workflow_id(), 2_u64..99, time()).prop_map(|(id, revision, at)| Operation::of_edit(&id, revision, at)),
            (of(workflow_id()), 2_u64..99, time()).prop_map(|(id, n, at)| Operation::of_lift(id.as_deref(), n, at)),
            act().prop_map(|act| Operation::of_redrive(&act)),
            (workflow_id(), 2_u64..99, time()).prop_map(|(id, n, at)| Operation::of_dates(&id, "policy", n, at)),
            action().prop_map(|action| Operation::of_action("retry.1".to_owned(), action)),
        ];
        let phase = select(vec![Phase::Due, Phase::Moving, Phase::Waiting, Phase::DeadLetters, Phase::Acting]);
        let state =
            select(vec![State::Running, State::Completed, State::Failed, State::Ready, State::Paused, State::Canceled]);
        (begun, state, phase, of(".{0,40}"), of(".{0,40}"), 0_u64..9, 1_u64..9).prop_map(
            |(begun, state, phase, after, error, executions, version)| Operation {
                state,
                phase,
                after,
                executions,
                error,
                version,
                ..begun
            },
        )
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn an_operation_is_read_as_it_was_stored(operation in operation()) {
            let item = item(&operation);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Ok(operation.clone()));
            let is_running = item.indexes.iter().any(|entry| entry.partition == RUNNING);
            prop_assert_eq!(is_running, operation.state == State::Running);
            prop_assert!(item.indexes.iter().any(|entry| entry.partition == ALL));
        }
    }
}
