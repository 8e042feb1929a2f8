//! Decides: (definition, execution, input, now) → decision. Pure: no clock, no chance, no I/O.
//!
//! - [`transition`] is the one transition function, live and in recovery.
//! - [`Execution`] is the head on which every decision depends; [`Row`] is one row of its history.
//! - [`Observed`] is what a decision read outside the head, as rows keep it; [`replay`] decides again from it.
//! - [`Context`] is everything that one decision may read; [`Plan`] is a prepared revision of a workflow.
//! - [`steps`] and [`triggers`]: what each type decides, one file each.
//! - [`ids`] are derived, so that a repeated action has the same id.

pub mod coerce;
pub mod context;
pub mod date;
pub mod debounce;
pub mod event;
pub mod fields;
pub mod forget;
pub mod ids;
pub mod people;
pub mod record_activity;
pub mod schedule;
pub mod signal;
pub mod slots;
pub mod steps;
pub mod triggers;

mod activity;
mod child;
mod cloud;
mod code;
mod control;
mod create;
mod decision;
mod draft;
mod effect;
mod error;
mod execution;
mod failure;
mod fork;
mod frame;
mod group;
mod history;
mod lease;
mod lookup;
mod observed;
mod plan;
mod record;
mod region;
mod replay;
mod result;
mod shares;
mod stepping;
mod transition;
mod truncate;
mod variables;
mod waiting;

pub use activity::{
    Activity, BodyKind, ChildRecord, ChildStart, ChildStarts, ControlTarget, ControlledExecution, ExecutionControls,
    ExecutionSearch, Found, FoundExecution, GroupTest, HttpBody, HttpCall, MachinePoll, MachineRun, ModelCall,
    Performed, Read, RecordQuery, RegionStarts, ResolvedTest, SearchedExecutions, SignalSending, Signing, StartedChild,
    StartedMachine,
};
pub use child::{ChildSeen, Hold, Parent, StartedBy, root_of};
pub use cloud::{CLOUD_CALL_S, CLOUD_VALUE_MOST, CloudCall, CloudRequest, MessageTarget};
pub use code::{Retries, StepCode};
pub use context::{Context, Reads, reads};
pub use create::create;
pub use decision::{Claim, Commit, Control, Decision, Input, Need, Performance, Stay};
pub use effect::{Effect, NoticeText, StoredValues};
pub use error::{Illegal, Refused, StepError, TransitionError};
pub use event::{
    Bounce, Cause, Creation, Event, EventFacts, EventType, Link, MailEvent, Occurrence, PostedInteraction, end_topics,
    ended, logged, long_overdue, overdue,
};
pub use execution::{
    Act, Execution, OutcomeStatus, Pause, PauseReason, Requested, ReturnTo, Status, StepState, StepStatus,
    TimerPurpose, Usage, Waiting, Wake,
};
pub use fork::{Fork, ForkError, ForkOrder, ForkStart, ForkState};
pub use frame::{Frame, Item, NextItem};
pub use history::{Row, RowKind};
pub use lease::{Address, Lease, Leases};
pub use lookup::{LookedUp, Lookup, Lookups};
pub use observed::{Answer, Asked, Given, LeaseSeen, Looked, LookupSeen, Observed, Seen};
pub use people::{PeopleFound, PeopleRead, Position, PositionMove, SeenPosition};
pub use plan::Plan;
pub use record::{Record, RecordWrite, Subject};
pub use record_activity::{ActivityStatus, ActivityWrite, RecordActivity};
pub use region::{Region, RegionStart};
pub use replay::{Recording, ReplayError, difference, replay};
pub use shares::{OpenPart, Parts};
pub use signal::{SentSignal, TakenSignal};
pub use stepping::{Preview, Stepping, try_enter};
pub use transition::{DEATHS_MOST, transition};
