//! The ports on AWS.
//!
//! - [`DynamoTables`]: tables on `DynamoDB`; [`change`] reads its stream, [`item`] what is stored.
//! - [`SqsQueue`]: queues on SQS; [`SqsDeadLetters`]: their dead-letter queues.
//! - [`SchedulerTimers`]: timers on `EventBridge` Scheduler; [`timer_relay`] does their last stretch with a queue's delay.
//! - [`S3Blobs`], [`ManagerSecrets`]: blobs on S3, secrets in Secrets Manager.
//! - [`SfnStateMachines`]: state machines on Step Functions.
//! - [`AwsCloudCalls`]: `EventBridge`, SQS, SNS and Lambda, as steps call them.
//! - [`config`]: what a function is told by its environment; [`sdk`]: one configuration for all clients.
//!
//! Nothing here logs a body, and no error holds one.

pub mod config;
pub mod sdk;
pub mod sigv4;
pub mod timer_relay;

mod blobs;
mod cloud;
mod dead_letters;
mod failure;
mod http;
mod pace;
mod queue;
mod secrets;
mod state_machines;
mod stream;
mod tables;
mod timers;

pub use blobs::S3Blobs;
pub use cloud::{AwsCloudCalls, CloudAllowed};
pub use dead_letters::SqsDeadLetters;
pub use queue::{PUT_OFF, SqsQueue};
pub use secrets::ManagerSecrets;
pub use state_machines::SfnStateMachines;
pub use stream::{change, expired, item};
pub use tables::DynamoTables;
pub use timers::SchedulerTimers;
