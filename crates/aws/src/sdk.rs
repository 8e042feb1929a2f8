//! One configuration for the clients of all services.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// A connection inside a region is there in milliseconds; one that takes this long will not come.
pub const CONNECT: Duration = Duration::from_secs(1);

/// Longest wait for the answer of one attempt.
pub const ATTEMPT: Duration = Duration::from_secs(3);

/// Attempts of the SDK itself. Tables count their own; see [`crate::DynamoTables`].
const ATTEMPTS: u32 = 3;

/// Reads region, credentials and endpoint where the SDK looks for them. A function makes this once and all of its
/// clients from it, so that they share connections and credentials.
pub async fn load() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts()).retry_config(retries()).load().await
}

/// Short time-outs: whoever waits has a deadline of its own.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build()
}

/// Few retries: messages and sweeps are the larger net.
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS)
}
