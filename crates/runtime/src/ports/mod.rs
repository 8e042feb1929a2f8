//! The ports: narrow traits through which storage, queues, time, chance and outside systems enter.
//!
//! A handler holds exactly the ports that it uses; on AWS the same list is its IAM policy. Every
//! implementation of [`Tables`], [`Queue`], [`QueueSource`], [`Timers`] and [`Blobs`] passes the contract
//! suite in `pawl-contract`.

mod absent;
mod blobs;
mod clock;
mod cloud_calls;
mod dead_letters;
mod http;
mod models;
mod notify;
mod query;
mod queue;
pub mod rules;
mod secrets;
mod sets;
mod state_machines;
mod stream;
mod tables;
mod timers;
mod tokens;

pub use absent::Absent;
pub use blobs::{BlobError, BlobKey, BlobOwner, Blobs};
pub use clock::{Clock, Random};
pub use cloud_calls::{CloudAnswer, CloudCall, CloudCalls, CloudError, CloudRequest, MessageTarget, NoCloud};
pub use dead_letters::{DeadLetter, DeadLetters, NoDeadLetters};
pub use http::{Http, HttpAnswer, HttpError, HttpRequest};
pub use models::{ModelAnswer, ModelError, ModelErrorKind, ModelRequest, ModelSlot, Models};
pub use notify::{Notice, NoticeError, Notifier};
pub use pawl_definition::OrderedSchema;
pub use query::{Pages, Query};
pub use queue::{Message, Queue, QueueError, QueueName, QueueSource, Received};
pub use secrets::{SecretError, Secrets, without_line_end};
pub use sets::{OutsidePorts, Ports};
pub use state_machines::{
    MachineState, NoStateMachines, StartStateMachine, StartedMachine, StateMachineError, StateMachines,
};
pub use stream::{ExpiredMessage, HEAD, RecordChange, StreamMessage, expired_message, stream_message};
pub use tables::{
    Conflicted, Consistency, Durability, Expect, Index, IndexEntry, Item, Key, Page, SortRange, Table, TableError,
    Tables, Transaction, Write,
};
pub use timers::{Timer, TimerError, Timers};
pub use tokens::{Price, TokenCounts};
