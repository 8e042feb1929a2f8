//! State machines on Step Functions, at the endpoint of `PAWL_TEST_AWS_ENDPOINT` as the contract's tests.

use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sfn::config::{Credentials, SharedCredentialsProvider};
use jiff::SignedDuration;
use pawl_aws::SfnStateMachines;
use pawl_connectors::SystemRandom;
use pawl_runtime::ports::{MachineState, Random, StartStateMachine, StateMachineError, StateMachines};
use serde_json::{Value, json};

/// An endpoint of an emulator, or `aws` for a real account by the usual chain of credentials.
const ENDPOINT: &str = "PAWL_TEST_AWS_ENDPOINT";

/// Role that machines of a real account run under; an emulator needs none.
const ROLE: &str = "PAWL_TEST_AWS_ROLE_ARN";

const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// A machine of a test, with the port that runs it.
struct Machine {
    port: SfnStateMachines,
    sdk: SdkConfig,
    arn: String,
}

impl Machine {
    /// One of these states, which is removed with [`Machine::remove`].
    async fn of(states: Value) -> Self {
        let endpoint = std::env::var(ENDPOINT).unwrap_or_else(|_| {
            panic!("expected {ENDPOINT} to name an endpoint of AWS: `cargo xtask test` starts an emulator and sets it")
        });
        let id = 100_000_000_000 + SystemRandom.bits() % 900_000_000_000;
        let sdk = match endpoint.as_str() {
            "aws" => pawl_aws::sdk::load().await,
            endpoint => at(endpoint, &id.to_string()),
        };
        let first = states.as_object().and_then(|states| states.keys().next()).expect("a machine has a state");
        let definition = json!({"StartAt": first, "States": states});
        let role = std::env::var(ROLE).unwrap_or_else(|_| format!("arn:aws:iam::{id}:role/pawl-test"));
        let made = aws_sdk_sfn::Client::new(&sdk).create_state_machine();
        let made = made.name(format!("pawl-test-{id}")).definition(definition.to_string()).role_arn(role).send();
        let arn = made.await.expect("a machine can be made").state_machine_arn;
        Self { port: SfnStateMachines::new(&sdk), sdk, arn }
    }

    fn start(&self, name: &str, input: Value) -> StartStateMachine {
        StartStateMachine { machine: self.arn.clone(), name: name.to_owned(), input, timeout: TIMEOUT }
    }

    /// Looks until it has ended.
    async fn end(&self, execution_arn: &str) -> MachineState {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            let state = self.port.describe(execution_arn, TIMEOUT).await.expect("it can be looked at");
            if state.status != "RUNNING" {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{execution_arn} does not end");
    }

    async fn remove(self) {
        let client = aws_sdk_sfn::Client::new(&self.sdk);
        client.delete_state_machine().state_machine_arn(self.arn).send().await.expect("a machine can be removed");
    }
}

fn at(endpoint: &str, id: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(id, "test", None, None, "test")))
        .http_client(pawl_aws::sdk::http_client())
        .timeout_config(pawl_aws::sdk::timeouts())
        .retry_config(pawl_aws::sdk::retries())
        .build()
}

#[tokio::test]
async fn a_machine_is_started_and_its_output_is_json() {
    let machine = Machine::of(json!({"Echo": {"Type": "Pass", "End": true}})).await;
    let before = jiff::Timestamp::now();
    let started = machine.port.start(&machine.start("one", json!({"order": "A-17"}))).await.expect("it starts");
    assert!(started.execution_arn.ends_with(":one"), "{}", started.execution_arn);
    let late = started.started_at.duration_since(before).abs();
    assert!(late < SignedDuration::from_mins(1), "started {late:#} beside the clock");
    let end = machine.end(&started.execution_arn).await;
    let expected =
        MachineState { status: "SUCCEEDED".to_owned(), output: json!({"order": "A-17"}), ..Default::default() };
    assert_eq!(end, expected);
    machine.remove().await;
}

#[tokio::test]
async fn one_name_is_one_execution_while_it_runs_and_after() {
    let machine = Machine::of(json!({"Nap": {"Type": "Wait", "Seconds": 1, "End": true}})).await;
    let start = machine.start("same", json!({}));
    let first = machine.port.start(&start).await.expect("it starts");
    assert_eq!(machine.port.start(&start).await, Ok(first.clone()), "while it runs");
    machine.end(&first.execution_arn).await;
    assert_eq!(machine.port.start(&start).await, Ok(first.clone()), "after its end");
    let other = machine.start("same", json!({"other": true}));
    assert_eq!(machine.port.start(&other).await, Ok(first), "whatever its input");
    machine.remove().await;
}

#[tokio::test]
async fn a_machine_that_fails_says_why() {
    let states = json!({"Decline": {"Type": "Fail", "Error": "Payment.Declined", "Cause": "no funds"}});
    let machine = Machine::of(states).await;
    let started = machine.port.start(&machine.start("one", json!({}))).await.expect("it starts");
    let end = machine.end(&started.execution_arn).await;
    assert_eq!(end.status, "FAILED");
    assert_eq!((end.error.as_deref(), end.cause.as_deref()), (Some("Payment.Declined"), Some("no funds")));
    machine.remove().await;
}

#[tokio::test]
async fn what_is_not_there_is_told_apart_from_what_cannot_be_reached() {
    let machine = Machine::of(json!({"Echo": {"Type": "Pass", "End": true}})).await;
    let absent = StartStateMachine { machine: format!("{}-none", machine.arn), ..machine.start("one", json!({})) };
    let answer = machine.port.start(&absent).await;
    assert!(matches!(answer, Err(StateMachineError::NotFound(_))), "{answer:?}");
    let execution = machine.arn.replace(":stateMachine:", ":execution:") + ":none";
    let answer = machine.port.describe(&execution, TIMEOUT).await;
    assert!(matches!(answer, Err(StateMachineError::NotFound(_))), "{answer:?}");
    let nowhere = machine.sdk.to_builder().endpoint_url("http://127.0.0.1:9").build();
    let answer = SfnStateMachines::new(&nowhere).start(&machine.start("one", json!({}))).await;
    assert!(matches!(answer, Err(StateMachineError::Network(_))), "{answer:?}");
    machine.remove().await;
}
