//! What a workflow cannot reach, and what an operator is told at the start.

use serde_json::json;
use tempfile::TempDir;

use crate::serving::Dev;

const WORKFLOW: &str = "
workflow: w
owner: a@example.com
active: true
triggers: [{id: in, type: webhook, verify: {token: {in: {header: x-token}, secret: k}}}]
steps:
  - {id: call, type: http_request, url: '{{ trigger.body.url }}', on_failure: {retry: {attempts: 0}, then: fail, notify: none}}
  - {id: done, type: stop, reason: done}
";

/// `--allow 127.0.0.1` let a step act as an operator, and a secret that ended with a line break let no delivery in.
#[tokio::test]
async fn a_step_never_reaches_the_management_api_and_a_doubtful_secret_is_told() {
    let (folder, data) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    std::fs::write(folder.path().join("w.workflow.yaml"), WORKFLOW).expect("the folder can be written");
    let allow = ["--allow", "127.0.0.1,localhost"];
    let dev = Dev::start_with(folder.path(), data.path(), &allow, &[("PAWL_SECRET_K", "topsecret\n")]).await;
    assert!(dev.before_ready("PAWL_SECRET_K ends with a line break, which is left out"));
    let port = dev.address().rsplit(':').next().expect("an address has a port").to_owned();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{port}/v1/workflows");
        let (status, answer) = dev.deliver_with("w/in", &json!({"url": url}), ("x-token", "topsecret")).await;
        assert_eq!(status, 202, "{answer}");
        let execution = answer["execution_id"].as_str().expect("a delivery names its execution").to_owned();
        let ended = dev.ended(&execution).await;
        assert_eq!(ended["steps"]["call"]["error"]["code"], "http_refused", "{ended}");
    }
}
