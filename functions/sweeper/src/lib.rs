//! Looks each minute for what was left behind: executions whose reason to wake is overdue, notices that were not handed
//! on, edits that did not reach everybody, and messages that queues gave up.

use std::sync::Arc;

use aws_config::SdkConfig;
use jiff::SignedDuration;
use pawl_aws::config::{QueueUrls, TimerTargets, Variables};
use pawl_aws::{SchedulerTimers, SqsDeadLetters};
use pawl_lambda::{Failure, Invocation, Storage};
use pawl_runtime::ports::{QueueName, Table};
use pawl_runtime::{Core, ExecutorOptions};
use serde_json::{Value, json};

/// Its name: the folder, the log's field and the metrics' dimension.
pub const NAME: &str = "sweeper";

/// Tables that it reads and writes.
const TABLES: &[Table] = &[Table::Workflows, Table::Executions, Table::Records];

/// Queues to which timers send jobs.
const JOBS: &[QueueName] = &[QueueName::Jobs, QueueName::JobsHigh];

/// Queues that it sends to, and at whose dead letters it looks.
const QUEUES: &[QueueName] = &[QueueName::Events, QueueName::Jobs, QueueName::JobsHigh, QueueName::JobsSlow];

/// What it is told by its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    storage: Storage,
    timers: TimerTargets,
    dead_letters: QueueUrls,
}

impl Configuration {
    /// Asks for it.
    pub fn read(variables: &mut Variables) -> Result<Self, Failure> {
        Ok(Self {
            storage: Storage::read(variables, TABLES, QUEUES),
            timers: variables.timers(JOBS),
            dead_letters: variables.dead_letter_queues(QUEUES),
        })
    }
}

/// The core over its ports: as many as its IAM statement allows.
pub fn wire(sdk: &SdkConfig, configuration: Configuration, options: ExecutorOptions) -> Result<Core, Failure> {
    let Configuration { storage, timers, dead_letters } = configuration;
    let queue = storage.queue(sdk);
    let ports = storage.ports(sdk)?;
    let timers = SchedulerTimers::new(sdk, timers, queue.clone(), ports.clock.clone());
    let dead_letters = SqsDeadLetters::new(sdk, dead_letters, queue);
    Ok(Core::new(ports.with_timers(Arc::new(timers)).with_dead_letters(Arc::new(dead_letters)), options))
}

/// Time that is kept for the page that a sweep is at when its time is over.
const RESERVE: SignedDuration = SignedDuration::from_secs(10);

/// Sweeps once, whatever the schedule says, and tells how many executions it woke. What is left at the deadline is left to
/// the next sweep.
pub async fn handle(core: &Core, _payload: Value, invocation: &Invocation) -> Result<Value, Failure> {
    let woken = core.sweeper.sweep(Some(invocation.deadline - RESERVE)).await?;
    Ok(json!({"woken": woken}))
}
