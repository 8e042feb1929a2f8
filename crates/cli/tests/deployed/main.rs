//! The commands that talk to an installation, against one behind API Gateway: signatures, tokens, and what is said
//! where neither helps.

mod gateway;
mod signature;

use std::path::Path;
use std::process::Output;

use gateway::{Gateway, Sent};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

/// The example keys of AWS's documentation.
const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const KEYS: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
const REGION: (&str, &str) = ("AWS_REGION", "eu-central-1");

/// A person's machine: a home with AWS's files, and variables.
struct Machine {
    home: TempDir,
    variables: Vec<(String, String)>,
}

impl Machine {
    fn with(variables: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        Self { home, variables: variables.iter().map(own).collect() }
    }

    /// Writes a file into the home; returns its path.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("the home is writable");
        std::fs::write(&path, text).expect("the home is writable");
        path.display().to_string()
    }

    /// What a command prints on both channels, and its exit code.
    async fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
        let ours = |name: &str| {
            ["PAWL_", "AWS_"].iter().any(|start| name.starts_with(start)) || name.to_lowercase().ends_with("_proxy")
        };
        for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
            command.env_remove(name);
        }
        // No machine that runs this test may lend its own credentials, as a virtual one in the cloud would.
        command.env("HOME", self.home.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(self.variables.iter().cloned()).args(arguments);
        let Output { status, stdout, stderr } = command.output().await.expect("the program can be run");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program prints UTF-8");
        format!("{}{}exit code {}", text(stdout), text(stderr), status.code().expect("the program ends by itself"))
    }
}

/// A gateway that lets the example keys in and answers one thing.
async fn gateway(answer: serde_json::Value) -> Gateway {
    Gateway::start(Some((KEY_ID, SECRET)), answer).await
}

#[tokio::test]
async fn a_listing_is_signed_with_whatever_is_in_its_query() {
    let gateway = gateway(json!({"items": [], "next": "a+b/c=&%* ~é"})).await;
    let machine = Machine::with(&[KEYS, &[REGION, ("AWS_SESSION_TOKEN", "session/token+with=odd")]].concat());
    let ask = ["--endpoint", gateway.url(), "--auth", "sigv4", "executions", "--since", "2026-11-21T08:00:00Z"];
    let told = machine.run(&[&ask[..], &["--cursor", "a+b/c=&%* ~é"]].concat()).await;
    assert!(told.contains("more: --cursor a+b/c=&%* ~é") && told.ends_with("exit code 0"), "{told}");
    let [sent] = &gateway.sent()[..] else { panic!("expected one request") };
    assert_eq!(sent.query("cursor").as_deref(), Some("a+b/c=&%* ~é"));
    assert_eq!(sent.query("since").as_deref(), Some("2026-11-21T08:00:00Z"));
    assert_eq!(sent.header("x-amz-security-token"), Some("session/token+with=odd"));
}

#[tokio::test]
async fn bodies_and_headers_are_signed() {
    let gateway = gateway(json!({"execution_id": "x-1", "object": "thing"})).await;
    let machine = Machine::with(&[KEYS, &[REGION]].concat());
    let file = machine.file("thing.object.yaml", "object: thing\nfields: {name: {type: text}} # é\n");
    let stage = format!("{}/prod/", gateway.url());
    let to = ["--endpoint", &stage, "--auth", "sigv4"];
    let start = ["start", "triage", "--value", "n=1", "--idempotency-key", "k-1"];
    assert_eq!(machine.run(&[&to[..], &start].concat()).await, "started x-1\nexit code 0");
    let applied = machine.run(&[&to[..], &["apply", "--if-match", "3", &file]].concat()).await;
    assert_eq!(applied, format!("{file}: object thing saved\nexit code 0"));
    let [start, apply] = &gateway.sent()[..] else { panic!("expected two requests") };
    assert_eq!(
        (start.path(), start.body.as_slice()),
        ("/prod/v1/workflows/triage/start", br#"{"values":{"n":1}}"#.as_slice())
    );
    assert!(apply.body.ends_with("# é\n".as_bytes()));
    let signed = |sent: &Sent| sent.header("authorization").unwrap_or_default().to_owned();
    assert!(signed(start).contains("SignedHeaders=content-type;host;idempotency-key;x-amz-date,"), "{}", signed(start));
    assert!(signed(apply).contains("SignedHeaders=content-type;host;if-match;x-amz-date,"), "{}", signed(apply));
}

#[tokio::test]
async fn keys_that_are_not_those_of_the_account_are_refused_with_what_to_do() {
    let gateway = gateway(json!({})).await;
    let machine = Machine::with(&[REGION, ("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", "another")]);
    let told = machine.run(&["--endpoint", gateway.url(), "--auth", "sigv4", "workflows"]).await;
    assert!(told.starts_with("error: the signature is not as AWS computes it: "), "{told}");
    assert!(told.ends_with("exit code 2") && !told.contains("another"), "{told}");
    let elsewhere = Machine::with(&[KEYS, &[("AWS_REGION", "us-east-1")]].concat());
    let told = elsewhere.run(&["--endpoint", gateway.url(), "--auth", "sigv4", "workflows"]).await;
    assert!(told.contains("set AWS_REGION to the region of the API"), "{told}");
}

#[tokio::test]
async fn a_profile_gives_region_and_credentials() {
    let gateway = gateway(json!({"items": []})).await;
    let machine = Machine::with(&[("AWS_PROFILE", "team"), ("PAWL_AUTH", "sigv4")]);
    let made = json!({
        "Version": 1, "AccessKeyId": KEY_ID, "SecretAccessKey": SECRET, "SessionToken": "short",
        "Expiration": "2999-01-01T00:00:00Z",
    });
    let path = machine.file("made.json", &made.to_string());
    machine.file(".aws/config", &format!("[profile team]\nregion = eu-central-1\ncredential_process = cat {path}\n"));
    let told = machine.run(&["--endpoint", gateway.url(), "workflows"]).await;
    assert!(told.ends_with("exit code 0"), "{told}");
    assert_eq!(gateway.sent()[0].header("x-amz-security-token"), Some("short"));

    machine.file("made.json", &made.to_string().replace("2999", "2001"));
    let told = machine.run(&["--endpoint", gateway.url(), "workflows"]).await;
    assert!(told.starts_with("error: the AWS credentials expired at 2001-01-01T00:00:00Z: log in again"), "{told}");
    assert_eq!(gateway.sent().len(), 1, "nothing is sent that cannot be let in");
}

#[tokio::test]
async fn without_credentials_or_region_nothing_is_sent_and_it_says_what_to_do() {
    let gateway = gateway(json!({})).await;
    let nobody = Machine::with(&[REGION]);
    let told = nobody.run(&["--endpoint", gateway.url(), "--auth", "sigv4", "workflows"]).await;
    assert!(told.starts_with("error: found no AWS credentials to sign the request with: set AWS_PROFILE "), "{told}");
    let nowhere = Machine::with(KEYS);
    let told = nowhere.run(&["--endpoint", gateway.url(), "--auth", "sigv4", "workflows"]).await;
    assert!(told.starts_with("error: the endpoint does not name its AWS region: set AWS_REGION"), "{told}");
    assert_eq!(gateway.sent().len(), 0);
    // The address of API Gateway is enough to ask for a signature.
    let told = nobody.run(&["--endpoint", "https://a1b2c3.execute-api.eu-central-1.amazonaws.com", "workflows"]).await;
    assert!(told.starts_with("error: found no AWS credentials"), "{told}");
}

#[tokio::test]
async fn a_login_that_is_over_and_a_process_that_fails_are_told() {
    let machine = Machine::with(&[REGION, ("AWS_PROFILE", "team")]);
    let to = ["--endpoint", "http://127.0.0.1:9", "--auth", "sigv4", "workflows"];
    let session = "[sso-session team]\nsso_region = eu-central-1\nsso_start_url = https://example.com/start\n";
    let account = "sso_account_id = 123456789012\nsso_role_name = dev\n";
    machine.file(".aws/config", &format!("[profile team]\nsso_session = team\n{account}{session}"));
    let told = machine.run(&to).await;
    assert!(told.starts_with("error: cannot load AWS credentials: if a login is over, log in again"), "{told}");
    assert!(told.contains("SSO token") && told.ends_with("exit code 2"), "{told}");
    machine.file(".aws/config", "[profile team]\ncredential_process = false\n");
    let told = machine.run(&to).await;
    assert!(told.contains("external process exited with code"), "{told}");
}

#[tokio::test]
async fn a_token_or_nothing_is_sent_as_it_is_asked_for() {
    let gateway = Gateway::start(None, json!({"items": []})).await;
    let machine = Machine::with(&[KEYS, &[("PAWL_TOKEN", "t-1")]].concat());
    for mode in [&[][..], &["--auth", "token"], &["--auth", "none"]] {
        let told = machine.run(&[&["--endpoint", gateway.url(), "workflows"], mode].concat()).await;
        assert!(told.ends_with("exit code 0"), "{told}");
    }
    let sent = gateway.sent();
    let proofs: Vec<_> = sent.iter().map(|sent| sent.header("authorization")).collect();
    assert_eq!(proofs, [Some("Bearer t-1"), Some("Bearer t-1"), None]);
}

#[tokio::test]
async fn an_endpoint_that_is_none_is_told_before_anything_is_sent() {
    let told = Machine::with(&[]).run(&["--endpoint", "localhost:7420", "workflows"]).await;
    let expected = "error: --endpoint: expected a URL such as http://127.0.0.1:7420, found \"localhost:7420\"\n";
    assert_eq!(told, format!("{expected}exit code 2"));
}

#[tokio::test]
async fn a_redrive_says_how_much_goes_on() {
    const TOLD: &str = "redriven: 3 dead letters; stalled executions go on: pawl operation redrive.7\nexit code 0";
    const JSON: &str = "{\"messages\":3,\"operation\":\"redrive.7\"}\nexit code 0";
    let gateway = gateway(json!({"messages": 3, "operation": "redrive.7"})).await;
    let machine = Machine::with(&[KEYS, &[REGION]].concat());
    let to = ["--endpoint", gateway.url(), "--auth", "sigv4", "redrive", "--reason", "the tracker is back"];
    assert_eq!(machine.run(&to).await, TOLD);
    assert_eq!(machine.run(&[&to[..], &["--json"]].concat()).await, JSON);
    let sent = &gateway.sent()[0];
    assert_eq!((sent.method.as_str(), sent.path()), ("POST", "/v1/installation/redrive"));
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&sent.body).ok(),
        Some(json!({"reason": "the tracker is back"}))
    );
}

#[tokio::test]
async fn a_proxy_is_used_but_for_this_machine() {
    let proxy = gateway(json!({"items": []})).await;
    let server = Gateway::start(None, json!({"items": []})).await;
    let machine = Machine::with(&[KEYS, &[REGION, ("HTTP_PROXY", proxy.url())]].concat());
    let told = machine.run(&["--endpoint", "http://pawl.example", "--auth", "sigv4", "workflows"]).await;
    assert!(told.ends_with("exit code 0"), "{told}");
    assert_eq!(proxy.sent()[0].uri.to_string(), "http://pawl.example/v1/workflows?limit=200");
    let told = machine.run(&["--endpoint", server.url(), "workflows"]).await;
    assert!(told.ends_with("exit code 0"), "{told}");
    assert_eq!((proxy.sent().len(), server.sent().len()), (1, 1));
}
