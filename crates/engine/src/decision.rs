//! What the engine decides.

use jiff::Timestamp;
use pawl_definition::Take;

use crate::{Act, Activity, Address, Effect, Event, Execution, Found, Performed, Read, Row, StepError, Subject, Usage};

/// Why an input changes nothing. Each is expected by the protocol; an input that is not is an [`crate::Illegal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stay {
    /// It has ended: the message or event is an old one.
    Ended,
    /// A kill holds it.
    Killed,
    /// A person or a failure holds it.
    Paused,
    /// Another invocation is in the middle of an effect.
    Leased,
    /// Its reason to wake is not due: the message is early, or an old one.
    NotDue,
    /// It waits in line, and asked for a place a short time ago.
    InLine,
    /// The result is of a claim that is over: it was committed before, or somebody else has the lease.
    LeaseLost,
    /// It does not wait for events.
    NotWaiting,
    /// The event means nothing to the step that waits, or not yet.
    NoMatch,
    /// What it listens on is what it should listen on.
    Unchanged,
    /// The control was carried out before.
    AlreadyDone,
}

/// What happens to an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Input<'a> {
    /// A job or timer says: go on.
    Run,
    /// A read that was asked for.
    Found(&'a Found),
    /// An activity that this invocation claimed has ended.
    Performed(Performance<'a>),
    /// What the step decided can never be committed: the step fails.
    Rejected(&'a StepError),
    /// An event on a topic that it waits on.
    Event(&'a Event),
    /// What it waits for may be otherwise: a kill of its workflow or of everything was lifted, under which it received
    /// nothing, or its step was deleted by an edit.
    LookAgain,
    /// A person or system acts.
    Control(&'a Control, &'a Act),
}

/// An activity that was claimed and has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Performance<'a> {
    /// Where the claim stands.
    pub address: &'a Address,
    /// The attempt that was claimed.
    pub attempt: u32,
    /// What was done.
    pub activity: &'a Activity,
    /// What came of it.
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

/// What a person or system can do to an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Holds it before its next step.
    Pause,
    /// Lets it go on.
    Resume,
    /// Ends it.
    Cancel,
    /// Tries the failed step again.
    Retry,
    /// Goes on as if the failed step were done.
    Skip {
        /// The branch to take.
        take: Option<Take>,
    },
    /// Stops everything at once, keeping its state.
    Kill,
    /// Lifts a kill.
    Lift,
    /// Marks that its job went to a dead-letter queue.
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
            Self::Kill => "kill",
            Self::Lift => "lift",
            Self::Stall => "stall",
        }
    }
}

/// A transition to commit: all of it or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// The head after.
    pub execution: Execution,
    /// Its history row.
    pub row: Row,
    /// What is written with it beside them.
    pub effects: Vec<Effect>,
    /// Records that must still have the version that was read.
    pub checks: Vec<(Subject, u64)>,
    /// What models cost in it, for budgets by day.
    pub usage: Usage,
}

/// A claim to commit before an effect outside is performed.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The head with its lease.
    pub execution: Execution,
    /// Where the lease stands.
    pub address: Address,
    /// What to do.
    pub activity: Activity,
}

/// What to do next with an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing changes; what its state needs must be under way.
    Stay(Stay),
    /// Read this, and ask again.
    Read(Read),
    /// Commit the claim, perform, and ask again.
    Perform(Box<Claim>),
    /// Commit, and go on if it is due.
    Commit(Box<Commit>),
    /// Write the head only: it waits in line for a place until the given time.
    Postpone(Box<Execution>),
}

/// What must be under way for an execution to go on; a pure function of its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing, or only a person or signal.
    Nothing,
    /// A job at this time.
    At(Timestamp),
}

impl Execution {
    /// What must be under way for it to go on.
    pub fn need(&self) -> Need {
        self.due_at().map_or(Need::Nothing, Need::At)
    }
}
