//! Following an execution live, and ids for other commands.

use serde_json::json;

use crate::remote::{dev, folder, run};

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
