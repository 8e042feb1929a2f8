//! Services of AWS, as a port of the embedded system.

use std::sync::Arc;

use async_trait::async_trait;
use pawl_aws::{AwsCloudCalls, CloudAllowed, sdk};
use pawl_connectors::SystemClock;
use pawl_runtime::ports::{CloudAnswer, CloudCall, CloudCalls, CloudError};
use tokio::sync::OnceCell;

/// Found at the first call: a process that makes none does not wait for credentials.
#[derive(Default)]
pub(super) struct LazyServices {
    services: OnceCell<AwsCloudCalls>,
}

#[async_trait]
impl CloudCalls for LazyServices {
    async fn call(&self, call: &CloudCall) -> Result<CloudAnswer, CloudError> {
        let make = async || {
            let services = AwsCloudCalls::new(&sdk::load().await, Arc::new(SystemClock), CloudAllowed::default())?;
            Ok(services.taking_events())
        };
        self.services.get_or_try_init(make).await?.call(call).await
    }
}
