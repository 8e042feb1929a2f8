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

#[tokio::test]
async fn a_refused_event_is_replayed_by_the_revision_that_is_asked_for() {
    let only = SHARE.replace("verify: none", "verify: none, filter: trigger.body.of > 10");
    let folder = folder("share.workflow.yaml", &only);
    let dev = dev(&folder).await;
    dev.deliver("share/in", &json!({"of": 1})).await;
    let refusals = "/v1/workflows/share/refusals";
    let page = dev.until(refusals, |page| page["items"][0]["code"] == "filtered").await;
    let refusal = page["items"][0]["id"].as_str().expect("it has an id").to_owned();
    let told = run(&dev, &["refusals", "share"]).await;
    assert!(told.contains(&refusal), "{told}");

    std::fs::write(folder.path().join("share.workflow.yaml"), SHARE).expect("the folder is writable");
    dev.until("/v1/workflows/share", |page| page["revision"] == 2).await;
    let begun = started(&run(&dev, &["replay", &refusal, "--set", "divisor=2", "--revision", "2"]).await);
    dev.ended(&begun).await;
    let told = run(&dev, &["show", &begun]).await;
    let line = format!("replay of {refusal}, which was refused with filtered; keeps revision 2");
    assert!(told.contains(&line), "{told}");
    let told = run(&dev, &["replay", "ref_nothing"]).await;
    assert!(told.contains("[no_refusal]") && told.ends_with("exit code 1"), "{told}");
}
