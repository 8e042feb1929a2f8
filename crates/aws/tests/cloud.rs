//! Services that steps call, at the endpoint of `PAWL_TEST_AWS_ENDPOINT` as the contract's tests.

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sqs::types::QueueAttributeName;
use jiff::{SignedDuration, Timestamp};
use pawl_aws::{AwsCloudCalls, CloudAllowed};
use pawl_connectors::{SystemClock, SystemRandom};
use pawl_runtime::ports::{CloudAnswer, CloudCall, CloudCalls, CloudError, CloudRequest, MessageTarget, Random};
use serde_json::{Value, json};

/// An endpoint of an emulator, or `aws` for a real account by the usual chain of credentials.
const ENDPOINT: &str = "PAWL_TEST_AWS_ENDPOINT";

async fn sdk() -> SdkConfig {
    let endpoint = std::env::var(ENDPOINT).unwrap_or_else(|_| {
        panic!("expected {ENDPOINT} to name an endpoint of AWS: `cargo xtask test` starts an emulator and sets it")
    });
    if endpoint == "aws" {
        return pawl_aws::sdk::load().await;
    }
    let account = (100_000_000_000 + SystemRandom.bits() % 900_000_000_000).to_string();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(account, "test", None, None, "test")))
        .http_client(pawl_aws::sdk::http_client())
        .timeout_config(pawl_aws::sdk::timeouts())
        .retry_config(pawl_aws::sdk::retries())
        .build()
}

fn cloud(sdk: &SdkConfig, bus: Option<&str>) -> AwsCloudCalls {
    let allowed = CloudAllowed { bus: bus.map(str::to_owned), ..CloudAllowed::default() };
    AwsCloudCalls::new(sdk, Arc::new(SystemClock), allowed).expect("the endpoint is known")
}

fn call(request: CloudRequest) -> CloudCall {
    let id = format!("msg_{:x}", SystemRandom.bits());
    CloudCall { id, began_at: Timestamp::UNIX_EPOCH, request, timeout: SignedDuration::from_secs(10) }
}

fn output(answer: Result<CloudAnswer, CloudError>) -> Value {
    match answer {
        Ok(CloudAnswer::Output(output)) => output,
        other => panic!("expected an output, found {other:?}"),
    }
}

/// A FIFO queue takes a message that is sent again once.
#[tokio::test]
async fn a_message_that_is_sent_again_is_one_message() {
    let sdk = sdk().await;
    let client = Client::new(&sdk);
    let name = format!("pawl-test-{:x}.fifo", SystemRandom.bits());
    let made = client.create_queue().queue_name(&name).attributes(QueueAttributeName::FifoQueue, "true").send().await;
    let url = made.expect("a queue can be made").queue_url.expect("a queue has a URL");
    let attributes = client.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn);
    let attributes = attributes.send().await.expect("a queue has attributes").attributes.unwrap_or_default();
    let arn = attributes[&QueueAttributeName::QueueArn].clone();

    let cloud = cloud(&sdk, None);
    let to = MessageTarget::Queue(arn);
    let (body, group) = (json!({"n": 1}).to_string(), Some("g".to_owned()));
    let call = call(CloudRequest::SendMessage { to, body: body.clone(), group, delay_s: None });
    for _ in 0..2 {
        assert!(output(cloud.call(&call).await)["message_id"].is_string());
    }
    let received = client.receive_message().queue_url(&url).max_number_of_messages(10).send().await;
    let received = received.expect("messages can be received").messages.unwrap_or_default();
    assert_eq!(received.iter().map(|message| message.body.as_deref()).collect::<Vec<_>>(), [Some(body.as_str())]);
    client.delete_queue().queue_url(url).send().await.expect("a queue can be removed");
}

#[tokio::test]
async fn an_event_goes_onto_the_bus() {
    let sdk = sdk().await;
    let detail = json!({"n": 1}).as_object().cloned().unwrap_or_default();
    let (source, detail_type) = ("shop.orders".to_owned(), "Order Placed".to_owned());
    let event = call(CloudRequest::PublishEvent { source, detail_type, detail });
    assert!(output(cloud(&sdk, Some("default")).call(&event).await)["event_id"].is_string());
    let without = cloud(&sdk, None).call(&event).await;
    assert!(matches!(without, Err(CloudError::NotConfigured(_))), "{without:?}");
    assert_eq!(cloud(&sdk, None).taking_events().call(&event).await, Ok(CloudAnswer::NoBus));
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let sdk = sdk().await;
    let cloud = cloud(&sdk, None);
    let message = |to| CloudRequest::SendMessage { to, body: "x".to_owned(), group: None, delay_s: None };
    let queue = MessageTarget::Queue("arn:aws:sqs:us-east-1:123456789012:pawl-test-none".to_owned());
    let topic = MessageTarget::Topic("arn:aws:sns:us-east-1:123456789012:pawl-test-none".to_owned());
    let function = "pawl-test-none:live".to_owned();
    for request in [
        message(queue),
        message(topic),
        CloudRequest::InvokeFunction { function: function.clone(), input: json!({}), wait: true },
        CloudRequest::InvokeFunction { function, input: json!({}), wait: false },
    ] {
        let answer = cloud.call(&call(request.clone())).await;
        assert!(matches!(answer, Err(CloudError::NotFound(_) | CloudError::Denied(_))), "{request:?}: {answer:?}");
    }
}
