//! Following an execution live, and ids for other commands.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::remote::{command, dev, folder, run};
use crate::serving::Dev;

/// Rests for a moment between two notes.
const REST: &str = "
workflow: rest
owner: team@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
steps:
  - {id: before, type: note, text: first}
  - {id: rest, type: delay, for: 2s}
  - {id: after, type: note, text: last}
";

#[tokio::test]
async fn an_execution_is_followed_until_it_has_ended() {
    let folder = folder("rest.workflow.yaml", REST);
    let dev = dev(&folder).await;
    let execution = dev.deliver("rest/in", &json!({})).await;
    let told = run(&dev, &["show", &execution, "--follow"]).await;
    let steps: Vec<_> = told.lines().filter(|line| line.starts_with("   ")).collect();
    let of = |step: &str| steps.iter().filter(|line| line.contains(&format!("  {step} "))).count();
    assert_eq!((of("before"), of("rest"), of("after")), (1, 2, 1), "each row is printed once: {told}");
    assert!(told.contains("  rest  waiting") && told.contains("  rest  completed"), "{told}");
    assert!(told.ends_with("exit code 0"), "{told}");
    let rows = run(&dev, &["--json", "show", &execution, "-f"]).await;
    assert_eq!(rows.lines().filter(|line| line.starts_with("{\"")).count(), 7, "six rows, and the end: {rows}");
    assert_eq!(run(&dev, &["executions", "-q", "--workflow", "rest"]).await, format!("{execution}\nexit code 0"));
}

/// Fails with a body that has no number, and waits for a person.
const COUNT: &str = "
workflow: count
owner: team@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
variables: [{name: n, type: number}]
steps:
  - {id: half, type: set_variables, values: {n: '{{ 1 / trigger.body.of }}'}}
";

/// `pawl executions --follow` with these filters, once it follows.
async fn follow(dev: &Dev, filters: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let arguments = [&["executions", "--follow"], filters].concat();
    let mut command = command(dev, &arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().expect("it runs");
    let mut told = String::new();
    let errors = child.stderr.as_mut().expect("it is piped");
    BufReader::new(errors).read_line(&mut told).await.expect("it prints UTF-8");
    assert_eq!(told, "following; interrupt to end\n");
    let out = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    (child, out)
}

async fn next(out: &mut Lines<BufReader<ChildStdout>>) -> String {
    out.next_line().await.expect("it prints UTF-8").expect("it goes on")
}

#[tokio::test]
async fn executions_are_followed_as_they_begin_and_change() {
    let folder = folder("rest.workflow.yaml", REST);
    std::fs::write(folder.path().join("count.workflow.yaml"), COUNT).expect("the folder is writable");
    let dev = dev(&folder).await;
    let before = dev.deliver("count/in", &json!({"of": 1})).await;
    dev.ended(&before).await;
    let (_rest, mut rest) = follow(&dev, &["--workflow", "rest", "--json"]).await;
    let (_paused, mut paused) = follow(&dev, &["--status", "paused", "-q"]).await;
    let (_count, mut count) = follow(&dev, &["--workflow", "count"]).await;

    let execution = dev.deliver("rest/in", &json!({})).await;
    let mut states = Vec::new();
    while states.last() != Some(&json!("completed")) {
        let item: Value = serde_json::from_str(&next(&mut rest).await).expect("a line is JSON");
        assert_eq!(item["id"], execution, "what there was before is no news");
        assert_ne!(states.last(), Some(&item["status"]), "a state is printed once");
        states.push(item["status"].clone());
    }
    let broken = dev.deliver("count/in", &json!({"of": 0})).await;
    assert_eq!(next(&mut paused).await, broken);
    let line = loop {
        let line = next(&mut count).await;
        assert!(line.contains(&broken), "only those of the filter, and none of before: {line}");
        if line.contains("  paused  ") {
            break line;
        }
    };
    assert!(line.contains("  count  paused  half  has_failures  "), "{line}");
    run(&dev, &["retry", &broken]).await;
    assert_eq!(next(&mut paused).await, broken, "it is paused again");
}

#[tokio::test]
async fn following_ends_when_nobody_reads_on_or_the_filter_is_refused() {
    let folder = folder("rest.workflow.yaml", REST);
    let dev = dev(&folder).await;
    let (mut child, out) = follow(&dev, &["-q"]).await;
    drop(out);
    dev.deliver("rest/in", &json!({})).await;
    assert!(child.wait().await.expect("it ends").success());
    let refused = run(&dev, &["executions", "--follow", "--workflow", "nope"]).await;
    assert!(refused.contains("[no_workflow]") && refused.ends_with("exit code 1"), "{refused}");
}
