//! Services that steps call: `EventBridge`, SQS, SNS and Lambda.
//!
//! SQS has a client, because queues need it. Each of the others is one signed request, and a client of the SDK would be larger
//! than all of this ([`service`]).

mod answer;
mod bus;
mod function;
mod queue;
mod service;
mod topic;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use pawl_runtime::ports::{Clock, CloudAnswer, CloudCall, CloudCalls, CloudError, CloudRequest, MessageTarget};

use service::Services;

/// What an installation may call. Policies decide, and this tells the author whose step is denied; of queues this decides too, because
/// the role of a function sends messages to queues of Pawl's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudAllowed {
    /// ARN of the bus on which events are published.
    pub bus: Option<String>,
    /// ARNs of queues; `None` allows all that the credentials do.
    pub queues: Option<Vec<String>>,
    /// Topics and functions, in words.
    pub others: Option<String>,
}

/// Services of AWS in one region. Nothing is retried: the step has a policy for that.
#[derive(Clone)]
pub struct AwsCloudCalls {
    services: Arc<Services>,
    sqs: aws_sdk_sqs::Client,
    allowed: CloudAllowed,
    /// Without a bus, events are taken in by the installation itself.
    takes_events: bool,
}

impl AwsCloudCalls {
    /// Reads where the services are.
    ///
    /// # Errors
    /// No region is known, or an endpoint is no URL.
    pub fn new(sdk: &SdkConfig, clock: Arc<dyn Clock>, allowed: CloudAllowed) -> Result<Self, CloudError> {
        let config = aws_sdk_sqs::config::Builder::from(sdk).retry_config(RetryConfig::disabled()).build();
        let (services, sqs) = (Services::new(sdk, clock)?, aws_sdk_sqs::Client::from_conf(config));
        Ok(Self { services: Arc::new(services), sqs, allowed, takes_events: false })
    }

    /// The same for an installation that takes events in itself if it has no bus.
    #[must_use]
    pub fn taking_events(self) -> Self {
        Self { takes_events: true, ..self }
    }

    fn denied(&self, error: CloudError) -> CloudError {
        match (error, &self.allowed.others) {
            (CloudError::Denied(told), Some(allowed)) => {
                CloudError::Denied(format!("{told} (this installation may call {allowed})"))
            }
            (error, _) => error,
        }
    }

    fn allows(&self, queue: &str) -> Result<(), CloudError> {
        let Some(listed) = &self.allowed.queues else { return Ok(()) };
        let name = queue::name(queue);
        if name.is_some() && listed.iter().any(|arn| queue::name(arn) == name) {
            return Ok(());
        }
        let listed = if listed.is_empty() { "none".to_owned() } else { listed.join(", ") };
        Err(CloudError::Denied(format!(
            "sending to {queue}: it is not among the queues of this installation: {listed}"
        )))
    }

    async fn made(&self, call: &CloudCall) -> Result<CloudAnswer, CloudError> {
        let answered = match &call.request {
            CloudRequest::PublishEvent { source, detail_type, detail } => match &self.allowed.bus {
                Some(bus) => bus::publish(&self.services, bus, (source, detail_type, detail), call).await,
                None if self.takes_events => return Ok(CloudAnswer::NoBus),
                None => {
                    let message = "this installation publishes no events: set the parameter PublishBusArn";
                    Err(CloudError::NotConfigured(message.to_owned()))
                }
            },
            CloudRequest::SendMessage { to, body, group, delay_s } => {
                let message = queue::Message {
                    once: to.is_fifo().then_some(&*call.id),
                    body,
                    group: group.as_deref(),
                    delay_s: *delay_s,
                };
                match to {
                    MessageTarget::Queue(queue) => {
                        self.allows(queue)?;
                        let url = queue::url(&self.services, queue)?;
                        queue::send(&self.sqs, (queue, &url), message, call.timeout).await
                    }
                    MessageTarget::Topic(topic) => topic::publish(&self.services, topic, message, call.timeout).await,
                }
            }
            CloudRequest::InvokeFunction { function, input, wait } => {
                function::invoke(&self.services, function, (input, *wait), call.timeout).await
            }
        };
        answered.map(CloudAnswer::Output)
    }
}

#[async_trait]
impl CloudCalls for AwsCloudCalls {
    async fn call(&self, call: &CloudCall) -> Result<CloudAnswer, CloudError> {
        // The SDK's futures are large.
        Box::pin(self.made(call)).await.map_err(|error| self.denied(error))
    }
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};
    use jiff::{SignedDuration, Timestamp};
    use pawl_connectors::SystemClock;

    use super::*;

    /// A queue of Pawl's own takes messages of the function's role: a workflow must not send there.
    #[tokio::test]
    async fn a_message_goes_to_listed_queues_only() {
        let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).region(Region::new("eu-central-1"));
        let sdk = sdk.http_client(crate::sdk::http_client());
        let listed = "arn:aws:sqs:eu-central-1:123456789012:orders".to_owned();
        let allowed = CloudAllowed { queues: Some(vec![listed.clone()]), ..CloudAllowed::default() };
        let cloud = AwsCloudCalls::new(&sdk.build(), Arc::new(SystemClock), allowed).expect("a region is known");
        for queue in [listed.as_str(), "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"] {
            assert_eq!(cloud.allows(queue), Ok(()), "{queue}");
        }
        for queue in [
            "arn:aws:sqs:eu-central-1:123456789012:pawl-jobs",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/pawl-jobs",
            "https://sqs.eu-central-1.amazonaws.com/210987654321/orders",
        ] {
            let to = MessageTarget::Queue(queue.to_owned());
            let request = CloudRequest::SendMessage { to, body: "{}".to_owned(), group: None, delay_s: None };
            let call = CloudCall {
                id: "msg_1".to_owned(),
                began_at: Timestamp::UNIX_EPOCH,
                request,
                timeout: SignedDuration::from_secs(1),
            };
            assert!(matches!(cloud.call(&call).await, Err(CloudError::Denied(_))), "{queue}");
        }
    }
}
