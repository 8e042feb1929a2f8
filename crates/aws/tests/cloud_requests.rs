//! Requests to SNS and Lambda, and what their answers mean; the services are a socket of the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use jiff::{SignedDuration, Timestamp};
use pawl_aws::{AwsCloudCalls, CloudAllowed};
use pawl_connectors::SystemClock;
use pawl_runtime::ports::{CloudAnswer, CloudCall, CloudCalls, CloudError, CloudRequest, MessageTarget};
use serde_json::json;

/// What came in of a request: its first line, its headers in small letters, and its body.
struct Seen {
    line: String,
    headers: Vec<String>,
    body: String,
}

/// A service that answers one request so.
fn service(answer: String) -> (String, JoinHandle<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let endpoint = format!("http://{}", listener.local_addr().expect("it has an address"));
    let served = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a request comes");
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a request has lines");
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let line = lines.remove(0);
        let headers: Vec<_> = lines.iter().map(|line| line.to_ascii_lowercase()).collect();
        let length = headers.iter().find_map(|header| header.strip_prefix("content-length: ")).unwrap_or("0");
        let mut body = vec![0; length.parse().expect("a length is a number")];
        reader.read_exact(&mut body).expect("a body is as long as it says");
        reader.get_mut().write_all(answer.as_bytes()).expect("an answer can be sent");
        Seen { line, headers, body: String::from_utf8(body).expect("a body is text") }
    });
    (endpoint, served)
}

/// The outcome of a call that is answered so, and the request.
async fn outcome(request: CloudRequest, answer: &str) -> (Result<CloudAnswer, CloudError>, Seen) {
    let (head, body) = answer.split_once("\n\n").unwrap_or((answer, ""));
    let head = head.replace('\n', "\r\n");
    let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let (endpoint, served) = service(answer);
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("AKID", "test", None, None, "test")))
        .http_client(pawl_aws::sdk::http_client())
        .build();
    let cloud = AwsCloudCalls::new(&sdk, Arc::new(SystemClock), CloudAllowed::default()).expect("a region is known");
    let call = CloudCall {
        id: "msg_1".to_owned(),
        began_at: Timestamp::UNIX_EPOCH,
        request,
        timeout: SignedDuration::from_secs(10),
    };
    let outcome = cloud.call(&call).await;
    (outcome, served.join().expect("the service does not panic"))
}

fn invoke(wait: bool) -> CloudRequest {
    CloudRequest::InvokeFunction { function: "price-of:live".to_owned(), input: json!({"sku": "MUG"}), wait }
}

#[tokio::test]
async fn a_function_is_invoked_with_a_signature() {
    let (outcome, seen) = outcome(invoke(true), "200 OK\n\n{\"price\": 5}").await;
    assert_eq!(outcome, Ok(CloudAnswer::Output(json!({"price": 5}))));
    assert_eq!(seen.line, "POST /2015-03-31/functions/price-of%3Alive/invocations HTTP/1.1");
    assert_eq!(seen.body, r#"{"sku":"MUG"}"#);
    let has =
        |begin: &str, part: &str| seen.headers.iter().any(|header| header.starts_with(begin) && header.contains(part));
    assert!(has("authorization: aws4-hmac-sha256", "/eu-central-1/lambda/aws4_request"), "{:?}", seen.headers);
    assert!(has("x-amz-invocation-type: ", "requestresponse"), "{:?}", seen.headers);
}

#[tokio::test]
async fn a_function_that_nobody_waits_for_gives_the_id_of_the_request() {
    let (outcome, seen) = outcome(invoke(false), "202 Accepted\nx-amzn-RequestId: r-1").await;
    assert_eq!(outcome, Ok(CloudAnswer::Output(json!({"request_id": "r-1"}))));
    assert!(seen.headers.contains(&"x-amz-invocation-type: event".to_owned()), "{:?}", seen.headers);
}

#[tokio::test]
async fn an_answer_of_lambda_tells_what_became_of_the_call() {
    let output = json!({"errorType": "ValueError", "errorMessage": "no price"});
    let failed = format!("200 OK\nX-Amz-Function-Error: Unhandled\n\n{output}");
    let message = "invoking price-of:live: ValueError: no price".to_owned();
    assert_eq!(outcome(invoke(true), &failed).await.0, Err(CloudError::Failed { message, output }));
    let told = async |answer: &str| outcome(invoke(true), answer).await.0.expect_err("it is refused");
    assert!(matches!(told("200 OK\n\nno JSON").await, CloudError::Invalid(_)));
    assert!(matches!(told("429 Too Many Requests\n\n{}").await, CloudError::Throttled(_)));
    assert!(matches!(told("503 Busy").await, CloudError::Server(_)));
    let denied = "403 Forbidden\nx-amzn-ErrorType: AccessDeniedException\n\n{\"Message\": \"not you\"}";
    let expected = "invoking price-of:live: AccessDeniedException: not you";
    assert_eq!(told(denied).await, CloudError::Denied(expected.to_owned()));
    let large = format!("200 OK\n\n\"{}\"", "x".repeat(1024 * 1024));
    assert!(matches!(told(&large).await, CloudError::Invalid(_)));
}

fn publish(topic: &str, group: Option<&str>) -> CloudRequest {
    let to = MessageTarget::Topic(format!("arn:aws:sns:eu-central-1:123456789012:{topic}"));
    CloudRequest::SendMessage { to, body: "a b&c".to_owned(), group: group.map(str::to_owned), delay_s: None }
}

#[tokio::test]
async fn a_message_to_a_topic_is_one_form() {
    let answer = "200 OK\n\n<R><PublishResult><MessageId>m-1</MessageId></PublishResult></R>";
    let (outcome, seen) = outcome(publish("orders.fifo", Some("g")), answer).await;
    assert_eq!(outcome, Ok(CloudAnswer::Output(json!({"message_id": "m-1"}))));
    let expected = "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%3A123456789012%3Aorders.fifo\
                    &Message=a%20b%26c&MessageGroupId=g&MessageDeduplicationId=msg_1";
    assert_eq!(seen.body, expected);
}

#[tokio::test]
async fn only_a_fifo_topic_gets_an_id_of_the_message() {
    let refused = "404 Not Found\n\n<E><Error><Code>NotFound</Code><Message>no such topic</Message></Error></E>";
    let (outcome, seen) = outcome(publish("orders", None), refused).await;
    let expected = "sending to arn:aws:sns:eu-central-1:123456789012:orders: NotFound: no such topic";
    assert_eq!(outcome, Err(CloudError::NotFound(expected.to_owned())));
    assert!(!seen.body.contains("MessageDeduplicationId"), "{}", seen.body);
}
