//! Decides what events start, and which goals they meet.
//!
//! Three things wake it, which its payloads tell apart: messages of the event queue, changes of the records table, and
//! events of the bus. See [`Woken`].

mod bus;
mod changes;
mod woken;

use std::sync::Arc;

use aws_config::SdkConfig;
use jiff::SignedDuration;
use pawl_aws::SchedulerTimers;
use pawl_aws::config::{TimerTargets, Variables};
use pawl_lambda::{Batch, Delivered, Failure, Invocation, Started, Storage};
use pawl_runtime::ports::{QueueName, QueueSource, Table};
use pawl_runtime::{Core, ExecutorOptions};
use serde_json::{Value, json};

pub use woken::Woken;

/// Its name: the folder, the log's field and the metrics' dimension.
pub const NAME: &str = "trigger-evaluator";

/// Tables that it reads and writes.
const TABLES: &[Table] = &[Table::Workflows, Table::Executions, Table::Records, Table::Keys];

/// Queues that it sends to: jobs, and to its own what comes too early or cannot be evaluated yet.
const QUEUES: &[QueueName] = &[QueueName::Events, QueueName::Jobs, QueueName::JobsHigh];

/// Time that is kept for the page that a message is at when its time is over, before the batch gives it back.
const RESERVE: SignedDuration = SignedDuration::from_secs(15);

/// What it is told by its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    storage: Storage,
    timers: TimerTargets,
}

impl Configuration {
    /// Asks for it.
    pub fn read(variables: &mut Variables) -> Result<Self, Failure> {
        Ok(Self { storage: Storage::read(variables, TABLES, QUEUES), timers: variables.timers(QUEUES) })
    }
}

/// The core over its ports: as many as its IAM statement allows.
pub fn wire(sdk: &SdkConfig, configuration: Configuration, options: ExecutorOptions) -> Result<Core, Failure> {
    let Configuration { storage, timers } = configuration;
    let queue = storage.queue(sdk);
    let ports = storage.ports(sdk)?;
    let timers = SchedulerTimers::new(sdk, timers, queue, ports.clock.clone());
    Ok(Core::new(ports.with_timers(Arc::new(timers)), options))
}

/// The function.
pub struct TriggerEvaluator {
    core: Core,
    batch: Batch,
}

impl TriggerEvaluator {
    /// Over a core, and the side of its queues that gives messages back.
    pub fn new(core: Core, source: Arc<dyn QueueSource>) -> Self {
        Self { batch: Batch::new(core.clone(), source), core }
    }

    /// Over what a started function has.
    pub fn of(started: &Started<Configuration, Core>) -> Self {
        let source = Arc::new(started.configuration.storage.queue(&started.sdk));
        Self::new(started.runtime.clone(), source)
    }

    /// Handles what woke it; messages and changes that failed are in the answer.
    pub async fn handle(&self, payload: Value, invocation: Invocation) -> Result<Value, Failure> {
        let until = invocation.deadline - RESERVE;
        let handler = async |message: Delivered| self.core.evaluator.handle(&message.body, Some(until)).await;
        let answer = match Woken::by(payload)? {
            Woken::Messages(event) => {
                self.batch.handle(event, |_| QueueName::Events, invocation.deadline, handler).await
            }
            Woken::Changes(event) => changes::handle(&self.core, event, invocation.deadline).await,
            Woken::Bus(event) => return bus::handle(&self.core, &event).await.map(|()| Value::Null),
        };
        Ok(json!(answer))
    }
}
