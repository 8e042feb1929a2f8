//! The management API, under `/v1`, behind the authorizer of API Gateway.

mod identity;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::SdkConfig;
use axum::Router;
use axum::response::Response;
use lambda_http::{Request, RequestExt};
use pawl_api::{ApiOptions, Authorizer};
use pawl_aws::config::{QueueUrls, TimerTargets, Variables};
use pawl_aws::{SchedulerTimers, SqsDeadLetters};
use pawl_lambda::{Failure, Started, Storage};
use pawl_runtime::ports::{QueueName, Table};
use pawl_runtime::{Core, ExecutorOptions};
use tower::ServiceExt;

pub use identity::Gateway;

/// Its name: the folder, the log's field and the metrics' dimension.
pub const NAME: &str = "api";

/// Longest wait for the end of an execution: the function's time-out of 29 s, less a start and the last look.
pub const LONGEST_WAIT: Duration = Duration::from_secs(25);

/// Tables that it reads and writes.
const TABLES: &[Table] = &[Table::Workflows, Table::Executions, Table::Records, Table::Keys];

/// Queues that it sends to, and whose dead letters it puts back.
const QUEUES: &[QueueName] = &[QueueName::Events, QueueName::Jobs, QueueName::JobsHigh, QueueName::JobsSlow];

/// Queues to which timers lead.
const TIMED: &[QueueName] = &[QueueName::Events, QueueName::Jobs, QueueName::JobsHigh];

/// What it is told by its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    storage: Storage,
    timers: TimerTargets,
    dead_letters: QueueUrls,
    gateway: Gateway,
}

impl Configuration {
    /// Asks for it.
    pub fn read(variables: &mut Variables) -> Result<Self, Failure> {
        let authorizer = variables.required("PAWL_AUTHORIZER");
        Ok(Self {
            storage: Storage::read(variables, TABLES, QUEUES),
            timers: variables.timers(TIMED),
            dead_letters: variables.dead_letter_queues(QUEUES),
            gateway: Gateway::parse(&authorizer)?,
        })
    }
}

/// The core over its ports: as many as its IAM statement allows.
pub fn wire(sdk: &SdkConfig, configuration: Configuration, options: ExecutorOptions) -> Result<Core, Failure> {
    let Configuration { storage, timers, dead_letters, .. } = configuration;
    let queue = storage.queue(sdk);
    let ports = storage.ports(sdk)?;
    let timers = SchedulerTimers::new(sdk, timers, queue.clone(), ports.clock.clone());
    let dead_letters = SqsDeadLetters::new(sdk, dead_letters, queue);
    Ok(Core::new(ports.with_timers(Arc::new(timers)).with_dead_letters(Arc::new(dead_letters)), options))
}

/// The function.
pub struct Api {
    core: Core,
    gateway: Gateway,
    /// Made for the first request: each of its routes brings its description along, which takes milliseconds.
    router: OnceLock<Router>,
}

impl Api {
    /// Over a core, behind a gateway.
    pub fn new(core: Core, gateway: Gateway) -> Self {
        Self { core, gateway, router: OnceLock::new() }
    }

    /// Over what a started function has.
    pub fn of(started: &Started<Configuration, Core>) -> Self {
        Self::new(started.runtime.clone(), started.configuration.gateway)
    }

    fn router(&self) -> Router {
        let options =
            ApiOptions { authorizer: Authorizer::Upstream, longest_wait: LONGEST_WAIT, ..ApiOptions::default() };
        self.router.get_or_init(|| pawl_api::management(self.core.clone(), options)).clone()
    }

    /// Answers a request, for whom the gateway says that it is. A panic ends the invocation as failed: API Gateway
    /// answers 500, and the function's count of errors shows it.
    pub async fn handle(&self, mut request: Request) -> Response {
        let identity = request.request_context_ref().and_then(|context| self.gateway.identity(context));
        if let Some(identity) = identity {
            request.extensions_mut().insert(identity);
        }
        match self.router().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
