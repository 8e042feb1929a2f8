//! Carries executions on: jobs of the queues of normal and of high priority, and of calls that may last long.
//!
//! The jobs of one batch are carried on side by side, each as far as its ready steps, the time and the bound on steps last. What
//! would not end before the function does is handed over to the next job before it is claimed. A call that may last long is
//! handed over to a job of the queue `jobs-slow`, whose batches are of one job: no other waits for it.

mod models;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use pawl_aws::config::{TimerTargets, Variables};
use pawl_aws::{AwsCloudCalls, CloudAllowed, ManagerSecrets, SchedulerTimers, SfnStateMachines};
use pawl_connectors::{AllowList, GuardedHttp, HttpConfig};
use pawl_lambda::{Batch, Delivered, Failure, Invocation, Started, Storage, read};
use pawl_runtime::ports::{QueueName, QueueSource, Table};
use pawl_runtime::{ExecutorOptions, OutsidePorts, System};
use serde_json::Value;

pub use models::{KeyedModels, ModelSettings};

/// Its name: the folder, the log's field and the metrics' dimension.
pub const NAME: &str = "step-executor";

/// Tables that it reads and writes.
const TABLES: &[Table] = &[Table::Workflows, Table::Executions, Table::Records, Table::Keys];

/// Queues that it takes jobs from and sends them to.
const QUEUES: &[QueueName] = &[QueueName::Jobs, QueueName::JobsHigh, QueueName::JobsSlow];

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
    cloud: CloudAllowed,
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
            cloud: cloud(variables),
        })
    }
}

/// What of the cloud steps may call: lists of ARNs, separated by commas.
fn cloud(variables: &mut Variables) -> CloudAllowed {
    let listed = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let bus = listed(variables.optional("PAWL_PUBLISH_BUS"));
    let queues = listed(variables.optional("PAWL_QUEUES")).unwrap_or_default();
    let queues = queues.split(',').filter(|arn| !arn.is_empty()).map(str::to_owned).collect();
    let topics = listed(variables.optional("PAWL_TOPICS"));
    let others: Vec<_> = topics.into_iter().chain(listed(variables.optional("PAWL_FUNCTIONS"))).collect();
    let others = (!others.is_empty()).then(|| others.join(","));
    CloudAllowed { bus, queues: Some(queues), others }
}

/// The runtime over its ports: as many as its IAM statement allows.
pub fn wire(sdk: &SdkConfig, configuration: Configuration, options: ExecutorOptions) -> Result<System, Failure> {
    let Configuration { storage, timers, secrets_prefix, allow, models, state_machines, cloud } = configuration;
    let queue = storage.queue(sdk);
    let ports = storage.ports(sdk)?;
    let timers = SchedulerTimers::new(sdk, timers, queue, ports.clock.clone());
    let http = GuardedHttp::new(HttpConfig { allow, ..HttpConfig::default() });
    let secrets = Arc::new(ManagerSecrets::new(sdk, secrets_prefix, ports.clock.clone()));
    let http = http.map_err(|error| Failure::new("internal", error.to_string()))?;
    let cloud = AwsCloudCalls::new(sdk, ports.clock.clone(), cloud);
    let outside = OutsidePorts {
        cloud: Arc::new(cloud.map_err(|error| Failure::new("internal", error.to_string()))?),
        models: Arc::new(KeyedModels::new(models, secrets.clone())),
        state_machines: Arc::new(SfnStateMachines::new(sdk).allowing(state_machines)),
        secrets,
        http: Arc::new(http),
    };
    let options = ExecutorOptions { slow_apart: true, ..options };
    Ok(System::new(ports.with_timers(Arc::new(timers)), outside, options))
}

/// The function.
pub struct StepExecutor {
    system: System,
    batch: Batch,
    queues: BTreeMap<String, QueueName>,
}

impl StepExecutor {
    /// Over a system, and the side of its queues that gives jobs back; `queues` by their ARN. Messages of others are jobs of
    /// normal priority.
    pub fn new(system: System, source: Arc<dyn QueueSource>, queues: BTreeMap<String, QueueName>) -> Self {
        Self { batch: Batch::new(system.core.clone(), source), system, queues }
    }

    /// Over what a started function has.
    pub fn of(started: &Started<Configuration, System>) -> Self {
        let Configuration { storage, timers, .. } = &started.configuration;
        let source = Arc::new(storage.queue(&started.sdk));
        let queues = timers.queue_arns.iter().map(|(queue, arn)| (arn.clone(), *queue)).collect();
        Self::new(started.runtime.clone(), source, queues)
    }

    /// Handles a batch of jobs; those that failed are in the answer.
    pub async fn handle(&self, payload: Value, invocation: Invocation) -> Result<SqsBatchResponse, Failure> {
        let event: SqsEvent = read(payload, "messages of a job queue")?;
        let handler = async |Delivered { queue, body, again }| {
            self.system.deliver(queue, &body, again, Some(invocation.deadline)).await
        };
        Ok(self.batch.handle(event, |message| self.queue_of(message), invocation.deadline, handler).await)
    }

    fn queue_of(&self, message: &SqsMessage) -> QueueName {
        let known = message.event_source_arn.as_ref().and_then(|arn| self.queues.get(arn));
        known.copied().unwrap_or(QueueName::Jobs)
    }
}
