//! An execution's head: everything in the execution that its next transition depends on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pawl_definition::Priority;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Cause, Fork, Frame, Item, Leases, Parent, Parts, Region, StepError, Stepping, Subject};

/// State of an execution. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Has not begun.
    Queued,
    /// Runs.
    Running,
    /// Waits inside a step.
    Waiting,
    /// Waits for a person.
    Paused,
    /// Reached the end of the workflow; `failed_steps` says whether steps failed.
    Completed,
    /// Was canceled.
    Canceled,
    /// Failed.
    Failed,
}

impl Status {
    /// Whether the execution has ended.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled | Self::Failed)
    }

    /// Its stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// State of a step. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Is being executed.
    Running,
    /// Waits.
    Waiting,
    /// Failed and will be retried.
    Retrying,
    /// Done.
    Completed,
    /// Some of its actions failed.
    Partial,
    /// Failed.
    Failed,
    /// Was skipped.
    Skipped,
    /// Was canceled.
    Canceled,
    /// Reached its time-out.
    TimedOut,
}

impl StepStatus {
    /// Whether a visit in this state is over.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        !matches!(self, Self::Running | Self::Waiting | Self::Retrying)
    }
}

/// Results of a step. The stored form omits default values: heads are written often, and each write is paid for by the
/// kilobyte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepState {
    /// State.
    pub status: StepStatus,
    /// Output of its last visit.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
    /// Failure of its last visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// How often it was entered.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub visit: u32,
    /// Visits since the last wait, which `limits.visits` limits.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub fresh_visits: u32,
    /// Attempts of this visit.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub attempt: u32,
    /// Interrupted attempts among them: they show nothing about the other service, and use up no retry.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interrupted: u32,
    /// When this visit began.
    pub started_at: Timestamp,
    /// When this attempt of the visit began, if it is not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_started_at: Option<Timestamp>,
    /// Checkpoint: what the step's type keeps of this visit until the visit ends. No other code reads or shows it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub checkpoint: Value,
    /// What the step's type keeps of a visit that failed, for the next one.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub kept: Value,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_one(count: &u32) -> bool {
    *count == 1
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What a timer is for. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerPurpose {
    /// `limits.starts` delays the start.
    Throttle,
    /// Waits for a free concurrency slot.
    Concurrency,
    /// A delay.
    Delay,
    /// A retry.
    Retry,
}

/// Whether an execution that completed has reached what its workflow is for. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeStatus {
    /// It has.
    Reached,
    /// It has not.
    NotReached,
    /// Whether it has could not be computed; history says why.
    Unknown,
}

impl OutcomeStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Reached, Self::NotReached, Self::Unknown];

    /// Its stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::NotReached => "not_reached",
            Self::Unknown => "unknown",
        }
    }
}

/// The one recorded reason why an execution will continue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wake {
    /// A job, now.
    Job,
    /// A timer.
    Timer {
        /// Due time.
        at: Timestamp,
        /// Purpose.
        purpose: TimerPurpose,
    },
    /// A signal, or its time-out.
    Signal {
        /// Time-out of the wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A person.
    Person,
    /// Nothing: the execution has ended.
    Never,
}

/// What a waiting step listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// When the wait began; earlier events do not count.
    pub since: Timestamp,
    /// Records, fields of records and other topics: `record/<object>/<id>`, `<field>|record/<object>/<id>`,
    /// `hook/<workflow>/<trigger>`, `state-machine/<execution arn>`, `callback/<digest>`, and of a step that waits for a
    /// signal `<since>,<from>|signal/<name>/<key>` (see [`crate::signal`]).
    pub topics: BTreeSet<String>,
}

/// Why an execution is paused. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// By a person.
    Person,
    /// By its workflow (`stop` as `paused`), or by a step of another execution.
    Workflow,
    /// A step failed.
    Failure,
    /// It stands before a step, and its start asked for a stop before each.
    Debug,
}

/// A pause with what it interrupted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pause {
    /// Why.
    pub reason: PauseReason,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Who paused it; `None` if its own workflow or a failure did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// State to return to.
    pub status: Status,
    /// Reason to wake after the pause; a timer keeps its due time.
    pub wake: Wake,
}

/// Who did something, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Address or name of a person or system.
    pub actor: String,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Id of the control, if a step of another execution makes it: one that is repeated is recognised by it, although others
    /// may have acted since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A pause or cancel that waits for the step in progress to commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requested {
    /// Pause.
    Pause(Act),
    /// Cancel.
    Cancel(Act),
}

/// Where an execution continues after the steps of a default failure policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnTo {
    /// The step; none if the workflow is at its end.
    pub step: Option<String>,
}

/// What models cost so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read and written.
    pub tokens: u64,
    /// US dollars.
    pub usd: f64,
    /// True if a part is an estimate, because a provider did not report its tokens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

impl Usage {
    /// Returns the sum; token counts saturate.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            usd: self.usd + other.usd,
            estimated: self.estimated || other.estimated,
        }
    }

    /// What was added to an earlier count.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(earlier.tokens),
            usd: (self.usd - earlier.usd).max(0.0),
            estimated: self.estimated,
        }
    }

    /// Returns the greater count of each.
    #[must_use]
    pub fn at_least(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.max(other.tokens),
            usd: self.usd.max(other.usd),
            estimated: self.estimated || other.estimated,
        }
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.tokens == 0 && self.usd == 0.0
    }
}

/// The head of an execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "indicators and holds are independent of one another")]
pub struct Execution {
    /// Id, derived from (event, workflow).
    pub id: String,
    /// Workflow.
    pub workflow: String,
    /// Revision of the workflow that its last transition used; with `edits: pinned`, the one it began with.
    pub revision: u64,
    /// It keeps that revision to its end. Saves of the workflow do not change it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_revision: bool,
    /// Counts writes of the head; checked by every commit.
    pub version: u64,
    /// Counts transitions; each has one history row.
    pub seq: u64,
    /// State.
    pub status: Status,
    /// The record it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Subject>,
    /// The event that started it.
    pub event_id: String,
    /// The executions that led to it.
    #[serde(default, skip_serializing_if = "Cause::is_empty")]
    pub cause: Cause,
    /// The execution that started it by a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The part of the workflow that it runs, in place of all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The execution that it is a fork of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<Box<Fork>>,
    /// Present while it stops before each step, as its start asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug: Option<Stepping>,
    /// It ended by a step that ends the execution which it is a part of.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stops: bool,
    /// Queue.
    #[serde(default, skip_serializing_if = "is_false")]
    pub high_priority: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it began to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When it is deleted, with all that belongs to it; set by the transition that ends it, if it is not kept for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When its values were forgotten, with a record that it had read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten: Option<Timestamp>,
    /// When the head was last written.
    pub updated_at: Timestamp,
    /// The step it is at, or will enter next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The type of the step at the cursor, once that step has begun (waits, retries or is claimed): a step of another
    /// type that an edit puts in its place takes neither its result nor its checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered: Option<String>,
    /// Set while the steps of the workflow's default failure policy run: where the execution continues after them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns_to: Option<ReturnTo>,
    /// The items that it carries out, of loops inside one another, the innermost last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<Frame>,
    /// The item that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// Visits of steps whose results ended with their item, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub visits: BTreeMap<String, u32>,
    /// Variables.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// Results of steps, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, StepState>,
    /// Number of steps that it carried out, with those of its parts that have ended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps_done: u32,
    /// Those of them that do not count in its present list of steps: of parts, of items that are over, and in an item those
    /// before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps_elsewhere: u32,
    /// What is known of its parts.
    #[serde(default, skip_serializing_if = "Parts::is_none")]
    pub parts: Parts,
    /// Steps that failed finally.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub failed_steps: BTreeSet<String>,
    /// The one reason to wake.
    pub wake: Wake,
    /// Claims on effects in progress.
    #[serde(default, skip_serializing_if = "Leases::is_empty")]
    pub leases: Leases,
    /// Topics on which the waiting step listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Present while paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// A control that waits for the step in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<Requested>,
    /// Present while killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub killed: Option<Act>,
    /// Reason of the end or of the cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The failure that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// Its result, once it has completed: what the workflow's `output` says.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
    /// Executions that are still to be told: of its end the parent that waits for it, and if it was canceled the children
    /// that it waited for; of the end of a step those that ran parts of it and go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_tell: Vec<String>,
    /// Its end is still to be told to those who listen for the ends of executions.
    #[serde(default, skip_serializing_if = "is_false")]
    pub announces_end: bool,
    /// Variables given by the start, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub overrides: Map<String, Value>,
    /// What models cost so far, with its parts that have ended.
    #[serde(default, skip_serializing_if = "Usage::is_zero")]
    pub usage: Usage,
    /// A model call was refused for its budget.
    #[serde(default, skip_serializing_if = "is_false")]
    pub over_budget: bool,
    /// `limits.starts` delayed the start.
    #[serde(default, skip_serializing_if = "is_false")]
    pub throttled: bool,
    /// One of its jobs was moved to a dead-letter queue.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stalled: bool,
    /// Number of processes in a row that died in the present step, as far as later processes noticed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deaths: u32,
    /// The key of `limits.concurrency` that it counts for, from its creation on; `None` if it counts with all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_key: Option<String>,
    /// The concurrency slot that it holds: without a key by the block of the limit that the slot belongs to, with a key by
    /// its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_slot: Option<u16>,
    /// It holds its slot only while it runs, as the limit said when it took one: without a slot it asks for one before it
    /// goes on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub slot_while_running: bool,
    /// It holds the only open execution of its record.
    #[serde(default, skip_serializing_if = "is_false")]
    pub holds_record: bool,
    /// The control that was carried out last: repeating it changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_control: Option<String>,
    /// Whether it has reached what its workflow is for, if it completed and the workflow says what that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeStatus>,
    /// Ids of the last controls that steps of other executions made: repeating one of them changes nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub step_controls: Vec<String>,
    /// What the decisions observed that were written since the last row and have none, such as a claim's: a list of
    /// [`crate::Observed`], which the next row takes.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub since: Value,
}

impl Execution {
    /// When its reason to wake is due; `None` if only a person or a signal can wake it, or nothing.
    pub fn due_at(&self) -> Option<Timestamp> {
        if self.has_news() {
            return Some(self.updated_at);
        }
        // A kill holds it: nothing is due until the kill is lifted.
        if self.killed.is_some() {
            return None;
        }
        // A holder that died is kept in an execution that is paused or waits for a slot, for the one that lets it go on; it wakes
        // nobody.
        let waits = self.status == Status::Paused || self.is_in_line();
        if let Some(until) = self.leases.until().filter(|_| !waits) {
            return Some(until);
        }
        // The step in progress has committed: what waited for it is carried out now, also before a retry.
        if self.requested.is_some() {
            return Some(self.updated_at);
        }
        match &self.wake {
            Wake::Job => Some(self.updated_at),
            Wake::Timer { at, .. } => Some(*at),
            Wake::Signal { until } => *until,
            Wake::Person | Wake::Never => None,
        }
    }

    /// Whether others are still to be told of what it came to.
    pub fn has_news(&self) -> bool {
        self.announces_end || !self.to_tell.is_empty()
    }

    /// Whether it should go on at this time.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due_at().is_some_and(|due| due <= now)
    }

    /// Whether it waits for a slot of `limits.concurrency`.
    pub fn is_in_line(&self) -> bool {
        matches!(self.wake, Wake::Timer { purpose: TimerPurpose::Concurrency, .. })
    }

    /// Whether it has given back its slot, and asks for one before it goes on.
    pub fn lacks_slot(&self) -> bool {
        self.slot_while_running && self.holds_slot.is_none()
    }

    /// Whether its next transition asks for a slot, if its workflow limits them: it begins, or goes on after a wait. The end of
    /// a wait itself needs no slot.
    pub fn asks_for_slot(&self) -> bool {
        let waits = matches!(self.wake, Wake::Timer { purpose: TimerPurpose::Delay, .. } | Wake::Signal { .. });
        match self.status {
            // A part of an execution takes no slot.
            Status::Queued => self.region.is_none(),
            Status::Running | Status::Waiting => self.lacks_slot() && !waits,
            Status::Paused | Status::Completed | Status::Canceled | Status::Failed => false,
        }
    }

    /// Whether its parts fit each other; the error says which do not. Only a mistake of the program, or a head that
    /// something else has written, breaks this.
    pub fn soundness(&self) -> Result<(), &'static str> {
        let begun = self.cursor.as_ref().is_some_and(|id| self.steps.contains_key(id));
        let broken = [
            (self.status.is_ended() != (self.wake == Wake::Never), "only what has ended has nothing to wake it"),
            ((self.status == Status::Paused) != (self.wake == Wake::Person), "only what is paused waits for a person"),
            ((self.status == Status::Paused) != self.pause.is_some(), "only what is paused has a pause"),
            (self.status == Status::Queued && self.cursor.is_some(), "an execution that has not begun is at no step"),
            (self.status == Status::Waiting && self.entered.is_none(), "what waits has entered a step"),
            (self.entered.is_some() && !begun, "the step that was entered has no state"),
        ];
        broken.into_iter().find(|(is_broken, _)| *is_broken).map_or(Ok(()), |(_, why)| Err(why))
    }

    /// Indicators beside its state, in the order of the language.
    pub fn indicators(&self) -> Vec<&'static str> {
        [
            (self.throttled && self.status == Status::Queued, "throttled"),
            (self.stalled, "stalled"),
            (self.killed.is_some(), "killed"),
            (!self.failed_steps.is_empty(), "has_failures"),
            (self.over_budget, "over_budget"),
        ]
        .into_iter()
        .filter_map(|(shown, name)| shown.then_some(name))
        .collect()
    }

    /// The queue of its jobs.
    pub fn priority(&self) -> Priority {
        if self.high_priority { Priority::High } else { Priority::Normal }
    }
}
