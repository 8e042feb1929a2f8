//! What the engine decides.

use jiff::Timestamp;
use pawl_definition::Take;

use crate::{Act, Activity, Address, Effect, Event, Execution, Found, Performed, Read, Row, StepError, Subject, Usage};

/// Why an input changes nothing. The protocol expects each of these; an unexpected input is an [`crate::Illegal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stay {
    /// The execution has ended: the message or event is old.
    Ended,
    /// The execution is killed.
    Killed,
    /// The execution is paused by a person or a failure.
    Paused,
    /// An execution that waits for this one is paused or killed.
    HeldByParent,
    /// Another invocation performs an effect at present.
    Leased,
    /// The reason to wake is not due: the message is early or old.
    NotDue,
    /// The execution waits in line, and asked for a concurrency slot a short time ago.
    InLine,
    /// The result belongs to a claim that has ended: it was committed before, or another invocation has the lease.
    LeaseLost,
    /// The execution does not wait for events.
    NotWaiting,
    /// The waiting step does not react to the event, or not yet.
    NoMatch,
    /// The step already listens on the right topics.
    Unchanged,
    /// The control was carried out before.
    AlreadyDone,
}

/// An input to an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Input<'a> {
    /// A job or timer continues the execution.
    Run,
    /// The result of a requested read.
    Found(&'a Found),
    /// An activity that this invocation claimed has ended.
    Performed(Performance<'a>),
    /// The step's decision can never be committed: the step fails.
    Rejected(&'a StepError),
    /// An event on a topic that the execution waits on.
    Event(&'a Event),
    /// The execution must evaluate its wait again: an edit deleted its step, or a kill of its workflow or of everything
    /// was lifted, under which the execution received no events.
    LookAgain,
    /// A person or system acts.
    Control(&'a Control, &'a Act),
}

/// An activity that was claimed and has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Performance<'a> {
    /// Address of the claim.
    pub address: &'a Address,
    /// The attempt that was claimed.
    pub attempt: u32,
    /// The activity.
    pub activity: &'a Activity,
    /// Its result.
    pub performed: &'a Performed,
}

impl Input<'_> {
    /// Its name in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Found(_) => "found",
            Self::Performed(_) => "performed",
            Self::Rejected(_) => "rejected",
            Self::Event(_) => "event",
            Self::LookAgain => "look_again",
            Self::Control(control, _) => control.word(),
        }
    }
}

/// A control: what a person or system can do to an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Pauses the execution before its next step.
    Pause,
    /// Continues a paused execution.
    Resume,
    /// Ends the execution.
    Cancel,
    /// Retries the failed step.
    Retry,
    /// Skips the failed step, or the one that an execution stopped before as its start asked, and continues behind it.
    Skip {
        /// The branch to take.
        take: Option<Take>,
    },
    /// Carries out the step that an execution stopped before, as its start asked, and stops before the next one.
    Step,
    /// Lets an execution that stops before each step go on without stops.
    Run,
    /// Stops everything at once, keeping its state.
    Kill,
    /// Lifts a kill.
    Lift,
    /// Marks an execution whose job was moved to a dead-letter queue.
    Stall,
}

impl Control {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Skip { .. } => "skip",
            Self::Step => "step",
            Self::Run => "run",
            Self::Kill => "kill",
            Self::Lift => "lift",
            Self::Stall => "stall",
        }
    }
}

/// A transition to commit: all of it or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// The head after the transition.
    pub execution: Execution,
    /// Its history row.
    pub row: Row,
    /// Effects that are written in the same transaction.
    pub effects: Vec<Effect>,
    /// Records that must still have the version that was read.
    pub checks: Vec<(Subject, u64)>,
    /// Cost of models in this transition, for budgets by day.
    pub usage: Usage,
}

/// A claim to commit before an effect outside is performed.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The head with its lease.
    pub execution: Execution,
    /// Address of the lease.
    pub address: Address,
    /// The activity to perform.
    pub activity: Activity,
}

/// What to do next with an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing changes; the caller ensures that the job or timer of the state is scheduled.
    Stay(Stay),
    /// Read this, and decide again with the result.
    Read(Read),
    /// Commit the claim, perform the activity, and decide again with its result.
    Perform(Box<Claim>),
    /// Commit, and continue if the execution is due.
    Commit(Box<Commit>),
    /// Write the head only: the execution waits in line for a concurrency slot until the given time.
    Postpone(Box<Execution>),
}

/// What must be scheduled so that an execution continues; a pure function of its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: the execution has ended, or only a person or signal continues it.
    Nothing,
    /// A job at this time.
    At(Timestamp),
}

impl Execution {
    /// Returns what must be scheduled so that the execution continues.
    pub fn need(&self) -> Need {
        self.due_at().map_or(Need::Nothing, Need::At)
    }
}
