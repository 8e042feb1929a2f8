//! Takes deliveries of outside systems at `/hooks/<workflow>/<trigger>`: verifies them, puts their events on the event
//! queue and answers.

use std::sync::Arc;

use aws_config::SdkConfig;
use axum::Router;
use axum::response::Response;
use lambda_http::Request;
use pawl_aws::ManagerSecrets;
use pawl_aws::config::Variables;
use pawl_lambda::{Failure, Storage};
use pawl_runtime::Ports;
use pawl_runtime::ports::{QueueName, Table};
use tower::ServiceExt;

/// Its name: the folder, the log's field and the metrics' dimension.
pub const NAME: &str = "webhook-ingress";

/// Tables that it reads; it writes refusals and answered deliveries.
const TABLES: &[Table] = &[Table::Workflows, Table::Executions, Table::Records, Table::Keys];

/// The queue that it sends to.
const QUEUES: &[QueueName] = &[QueueName::Events];

/// What it is told by its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    storage: Storage,
    secrets_prefix: String,
}

impl Configuration {
    /// Asks for it.
    pub fn read(variables: &mut Variables) -> Result<Self, Failure> {
        Ok(Self { storage: Storage::read(variables, TABLES, QUEUES), secrets_prefix: variables.secrets_prefix() })
    }
}

/// Its ports: as many as its IAM statement allows.
pub fn ports(sdk: &SdkConfig, configuration: Configuration) -> Result<Ports, Failure> {
    let ports = configuration.storage.ports(sdk)?;
    let secrets = ManagerSecrets::new(sdk, configuration.secrets_prefix, ports.clock.clone());
    Ok(Ports { secrets: Arc::new(secrets), ..ports })
}

/// Answers a request. A panic ends the invocation as failed: API Gateway answers 500, the sender delivers again, and the
/// function's count of errors shows it.
pub async fn handle(router: &Router, request: Request) -> Response {
    match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
