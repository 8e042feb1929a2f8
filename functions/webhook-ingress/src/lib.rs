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
use pawl_runtime::ports::{QueueName, Secrets, Table};
use pawl_runtime::{Core, ExecutorOptions};
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

/// What takes deliveries: the core, and the secrets by which it verifies them.
pub struct WebhookIngress {
    core: Core,
    secrets: Arc<dyn Secrets>,
}

impl AsRef<Core> for WebhookIngress {
    fn as_ref(&self) -> &Core {
        &self.core
    }
}

impl WebhookIngress {
    /// The routes to which outside systems deliver.
    pub fn router(&self) -> Router {
        pawl_api::webhooks(self.core.clone(), self.secrets.clone())
    }
}

/// Wires it over its ports: as many as its IAM statement allows.
pub fn wire(
    sdk: &SdkConfig,
    configuration: Configuration,
    options: ExecutorOptions,
) -> Result<WebhookIngress, Failure> {
    let ports = configuration.storage.ports(sdk)?;
    let secrets = ManagerSecrets::new(sdk, configuration.secrets_prefix, ports.clock.clone());
    Ok(WebhookIngress { core: Core::new(ports, options), secrets: Arc::new(secrets) })
}

/// Answers a request. A panic ends the invocation as failed: API Gateway answers 500, the sender delivers again, and the
/// function's count of errors shows it.
pub async fn handle(router: &Router, request: Request) -> Response {
    match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
