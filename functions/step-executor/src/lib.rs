//! Carries executions on: jobs of the queues, normal and high priority.
//!
//! The jobs of one batch are carried on side by side, each as far as its ready steps, the time and the bound on steps last. What
//! would not end before the function does is handed over to the next job before it is claimed.

mod models;

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use pawl_aws::config::{TimerTargets, Variables};
use pawl_aws::{ManagerSecrets, SchedulerTimers, SfnStateMachines};
use pawl_connectors::{AllowList, GuardedHttp, HttpConfig};
use pawl_lambda::{Batch, Failure, Invocation, Started, Storage, read};
use pawl_runtime::Ports;
use pawl_runtime::ports::{QueueName, Table};
use serde_json::Value;

pub use models::{KeyedModels, ModelSettings};

/// Its name: the folder, the log's field and the metrics' dimension.
pub const NAME: &str = "step-executor";

/// Tables that it reads and writes.
const TABLES: &[Table] = &[Table::Workflows, Table::Executions, Table::Records, Table::Keys];

/// Queues that it takes jobs from and sends them to.
const QUEUES: &[QueueName] = &[QueueName::Jobs, QueueName::JobsHigh];

/// What it is told by its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    storage: Storage,
    timers: TimerTargets,
    secrets_prefix: String,
    allow: AllowList,
    models: ModelSettings,
    /// What it may start, in words; its policy decides.
    state_machines: String,
}

impl Configuration {
    /// Asks for it.
    pub fn read(variables: &mut Variables) -> Result<Self, Failure> {
        let allow = AllowList::parse(variables.optional("PAWL_HTTP_ALLOW").unwrap_or_default());
        Ok(Self {
            storage: Storage::read(variables, TABLES, QUEUES),
            timers: variables.timers(QUEUES),
            secrets_prefix: variables.secrets_prefix(),
            allow: allow.map_err(|error| Failure::invalid("PAWL_HTTP_ALLOW", &error))?,
            models: ModelSettings::read(variables.family("PAWL_MODEL_"))?,
            state_machines: variables.optional("PAWL_STATE_MACHINES").unwrap_or_default().to_owned(),
        })
    }
}

/// Its ports: as many as its IAM statement allows.
pub fn ports(sdk: &SdkConfig, configuration: Configuration) -> Result<Ports, Failure> {
    let Configuration { storage, timers, secrets_prefix, allow, models, state_machines } = configuration;
    let queue = storage.queue(sdk);
    let ports = storage.ports(sdk)?;
    let http = GuardedHttp::new(HttpConfig { allow, ..HttpConfig::default() });
    let secrets = Arc::new(ManagerSecrets::new(sdk, secrets_prefix, ports.clock.clone()));
    Ok(Ports {
        timers: Arc::new(SchedulerTimers::new(sdk, timers, queue, ports.clock.clone())),
        models: Arc::new(KeyedModels::new(models, secrets.clone())),
        state_machines: Arc::new(SfnStateMachines::new(sdk).allowing(state_machines)),
        secrets,
        http: Arc::new(http.map_err(|error| Failure::new("internal", error.to_string()))?),
        ..ports
    })
}

/// The function.
pub struct StepExecutor {
    batch: Batch,
    high: Option<String>,
}

impl StepExecutor {
    /// Over batches of jobs; `high` is the ARN of the queue with high priority.
    pub fn new(batch: Batch, high: Option<String>) -> Self {
        Self { batch, high }
    }

    /// Over what a started function has.
    pub fn of(started: &Started<Configuration>) -> Self {
        let Configuration { storage, timers, .. } = &started.configuration;
        let batch = Batch::new(started.system.clone(), Arc::new(storage.queue(&started.sdk)));
        Self::new(batch, timers.queue_arns.get(&QueueName::JobsHigh).cloned())
    }

    /// Handles a batch of jobs; those that failed are in the answer.
    pub async fn handle(&self, payload: Value, invocation: Invocation) -> Result<SqsBatchResponse, Failure> {
        let event: SqsEvent = read(payload, "messages of a job queue")?;
        Ok(self.batch.handle(event, |message| self.queue_of(message), invocation.deadline).await)
    }

    fn queue_of(&self, message: &SqsMessage) -> QueueName {
        let is_high = self.high.is_some() && message.event_source_arn == self.high;
        if is_high { QueueName::JobsHigh } else { QueueName::Jobs }
    }
}
