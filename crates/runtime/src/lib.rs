//! Carries out what the engine decides, over ports.
//!
//! - [`ports`]: the traits through which storage, queues, time and outside systems enter.
//! - [`bus`]: events of the event bus, as our own.
//! - [`copies`]: items that storage keeps several times.
//! - [`items`]: keys and shapes of all that is stored, the same on every backend.
//! - [`Ingest`], [`Evaluator`], [`Executor`]: the three loops; [`Sweeper`] looks for what was left behind.
//! - [`Transitions`]: an execution loaded, told of an input, and committed; all of them but [`Ingest`] go by it.
//! - [`Operations`]: work on many executions that goes on after an answer, tracked actions among it.
//! - [`Core`]: all of it but the executor; [`System`]: all of it.
//! - [`Workflows`], [`Records`], [`History`], [`Forks`]: what the management API does.
//! - [`body`]: bodies from outside, unpacked and decoded.
//! - [`outgoing`]: requests of steps as they are sent; [`Redactor`]: takes secrets out of what came back.
//! - [`spread`]: partitions that storage keeps in several.
//! - [`Selection`]: a filter of executions, of a listing and of a tracked action.
//! - [`shown`]: texts of strangers, as people are shown them.

pub mod body;
pub mod bus;
pub mod copies;
pub mod items;
pub mod mail;
pub mod message;
pub mod offload;
pub mod outgoing;
pub mod ports;
mod readers;
pub mod shown;
pub mod signature;
pub mod spread;

mod activities;
mod admission;
mod blocks;
mod breaker;
mod catalog;
mod changes;
mod commit;
mod completion_signals;
mod concurrency_slots;
mod core;
mod counters;
mod dates;
mod dead_letters;
mod definitions;
mod dispatch;
mod effects;
mod error;
mod evaluator;
mod events;
mod executor;
mod expiry;
mod finder;
mod firings;
pub mod forget;
mod forks;
mod history;
mod ingest;
mod installation;
mod intake;
mod interactions;
mod listeners;
mod lookups;
mod metrics;
mod notices;
mod operations;
mod options;
mod partition;
mod place;
mod reads;
mod record_activities;
mod recorded;
mod records;
mod redactor;
mod refusals;
mod rejections;
mod schedules;
mod selection;
mod signals;
mod slot_line;
mod snapshot;
mod start_window;
mod stop;
mod sweeper;
mod system;
mod transitions;
mod turn;
mod unreadable;
mod values;
mod waiters;
mod wake_backoff;
mod waker;
mod workflows;
mod write_buffer;

pub use self::core::Core;
pub use blocks::BlockSizes;
pub use catalog::{Catalog, Objects};
pub use completion_signals::CompletionSignals;
pub use counters::{Counters, StepCounts, TriggerCounts};
pub use dates::Dates;
pub use definitions::{DefinitionError, DefinitionStore, SavedDefinition};
pub use dispatch::SCHEDULE_TIMER;
pub use error::Error;
pub use evaluator::{Evaluator, Outcome, TriggerNow, WhyNot};
pub use executor::Executor;
pub use finder::Finder;
pub use forks::{ForkFailed, Forks, Refused};
pub use history::{Filter, History, ListScope, Listed, StatePartition};
pub use ingest::{Accepted, FORK, Identity, Ingest, Repeat};
pub use installation::{Installations, Redriven};
pub use intake::{Intake, IntakeError, Unfit};
pub use interactions::{InteractionError, Interactions, NewInteraction, WhoseInteraction};
pub use listeners::TopicReads;
pub use message::{About, EventMessage, Job};
pub use metrics::{Metrics, MetricsExporter};
pub use notices::Notices;
pub use operations::{
    Action, ActionError, ActionLimits, Controls, Counts, FailureGroup, Handling, LISTED_MOST, NewAction, Operations,
    Preview, Reason, ReasonGroup, Records as StartRecords, Starts, Target, Task, Verb, Verdict,
};
pub use options::{DefaultRetention, ExecutorOptions, LoopLimits};
pub use pawl_definition::json;
pub use ports::{OutsidePorts, Ports};
pub use record_activities::{ActivityError, ActivityFilter, NewRecordActivity, RecordActivities};
pub use recorded::Recorded;
pub use records::{RecordError, Records};
pub use redactor::{Redactor, doubt_about};
pub use schedules::{Ahead as ScheduleAhead, SHOWN_MOST as FIRINGS_SHOWN_MOST, Schedules};
pub use selection::{Indicator, Selection};
pub use signals::{KEPT_MOST, NewSignal, PAYLOAD_MOST, SendError, Sent, SignalState, Signals};
pub use slot_line::SlotLine;
pub use start_window::StartWindow;
pub use stop::Stop;
pub use sweeper::Sweeper;
pub use system::System;
pub use transitions::{Ahead, ControlError, Transitions};
pub use unreadable::UnreadableItems;
pub use workflows::{SaveError, Saved, SavedObject, Switched, Workflows};
