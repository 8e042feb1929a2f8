//! `pawl fork` and `pawl rerun`, against a real installation.

use serde_json::json;

use crate::remote::{dev, folder, run};

const SHARE: &str = "
workflow: share
owner: team@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
variables: [{name: divisor, type: number, default: 0}]
steps:
  - {id: begin, type: note, text: begun}
  - {id: divide, type: set_variables, values: {share: '{{ 12 / int(vars.divisor) }}'}}
";

/// The execution that a command says it has started.
fn started(told: &str) -> String {
    let first = told.lines().next().and_then(|line| line.strip_prefix("started "));
    first.unwrap_or_else(|| panic!("{told}")).to_owned()
}

#[tokio::test]
async fn an_execution_is_forked_and_begun_anew() {
    let folder = folder("share.workflow.yaml", SHARE);
    let dev = dev(&folder).await;
    let original = dev.deliver("share/in", &json!({})).await;
    dev.until(&format!("/v1/executions/{original}"), |page| page["status"] == "paused").await;

    let fork = started(&run(&dev, &["fork", &original, "--at", "divide", "--set", "divisor=4"]).await);
    dev.ended(&fork).await;
    let told = run(&dev, &["show", &fork]).await;
    assert!(told.contains(&format!("fork of {original} before step divide")) && !told.contains("begun"), "{told}");

    let arguments = ["rerun", &original[.."exe_".len() + 12], "--set", "divisor=3", "--reason", "a wrong number"];
    let rerun = started(&run(&dev, &arguments).await);
    dev.ended(&rerun).await;
    let told = run(&dev, &["show", &rerun]).await;
    assert!(told.contains(&format!("rerun of {original}: a wrong number")) && told.contains("begun"), "{told}");

    let told = run(&dev, &["show", &original]).await;
    assert!(told.contains("\nforks:\n"), "{told}");
    for id in [&fork, &rerun] {
        assert!(told.contains(&format!("  {id}  completed")), "{told}");
    }
    let told = run(&dev, &["fork", &original, "--at", "nowhere"]).await;
    assert!(told.contains("[unknown_step]") && told.ends_with("exit code 1"), "{told}");
    let told = run(&dev, &["fork", &original]).await;
    assert!(told.contains("--at <STEP>") && told.ends_with("exit code 2"), "{told}");
}
