//! Where the tests find AWS.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use pawl_connectors::SystemRandom;
use pawl_runtime::ports::Random;

/// An endpoint of an emulator, or `aws` for a real account by the usual chain of credentials.
const ENDPOINT: &str = "PAWL_TEST_AWS_ENDPOINT";

/// Role by which Scheduler of a real account may send to queues; an emulator needs none.
const ROLE: &str = "PAWL_TEST_AWS_ROLE_ARN";

/// An account that a test has to itself, or a part of a real one.
#[derive(Clone)]
pub(crate) struct Account {
    /// What all clients are made from.
    pub(crate) sdk: SdkConfig,
    /// What the names of all resources of this test begin with.
    pub(crate) prefix: String,
    /// Role by which Scheduler sends to queues.
    pub(crate) role_arn: String,
    /// The emulator's endpoint; none for a real account.
    pub(crate) emulator: Option<String>,
}

impl Account {
    /// A fresh one.
    pub(crate) async fn fresh() -> Self {
        let endpoint = std::env::var(ENDPOINT).unwrap_or_else(|_| {
            panic!(
                "expected {ENDPOINT} to name an endpoint of AWS: `cargo xtask test` starts an emulator and sets it, \
                 `cargo xtask emulator` starts one for single tests; `{ENDPOINT}=aws` takes a real account"
            )
        });
        // To an emulator, an access key of twelve digits is an account of its own.
        let id = 100_000_000_000 + SystemRandom.bits() % 900_000_000_000;
        let prefix = format!("pawl-test-{id}");
        if endpoint == "aws" {
            let role_arn = std::env::var(ROLE).unwrap_or_default();
            return Self { sdk: pawl_aws::sdk::load().await, prefix, role_arn, emulator: None };
        }
        let sdk = at(&endpoint, &id.to_string());
        let role_arn = format!("arn:aws:iam::{id}:role/{prefix}");
        Self { sdk, prefix, role_arn, emulator: Some(endpoint) }
    }

    /// The same account of the emulator behind another endpoint, with a short wait for answers.
    pub(crate) fn behind(&self, endpoint: &str, attempt: Duration) -> SdkConfig {
        let timeouts = pawl_aws::sdk::timeouts().to_builder().operation_attempt_timeout(attempt).build();
        self.sdk.to_builder().endpoint_url(endpoint).timeout_config(timeouts).build()
    }
}

fn at(endpoint: &str, id: &str) -> SdkConfig {
    let credentials = Credentials::new(id, "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(pawl_aws::sdk::http_client())
        .timeout_config(pawl_aws::sdk::timeouts())
        .retry_config(pawl_aws::sdk::retries())
        .build()
}
