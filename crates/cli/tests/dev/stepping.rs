//! `pawl start --debug` and `pawl step`, against a real installation.

use serde_json::Value;

use crate::remote::{dev, folder, run};

const SHARE: &str = "
workflow: share
owner: team@example.com
active: true
variables: [{name: divisor, type: number, default: 4}]
steps:
  - {id: divide, type: set_variables, values: {share: '{{ 12 / int(vars.divisor) }}'}}
  - {id: large, type: condition, if: vars.share > 3, yes: [{id: say, type: note, text: large}]}
  - {id: end, type: note, text: '{{ vars.share }}'}
";

#[tokio::test]
async fn an_execution_is_stepped_from_a_terminal() {
    let folder = folder("share.workflow.yaml", SHARE);
    let dev = dev(&folder).await;
    let told = run(&dev, &["start", "share", "--debug"]).await;
    let id = told.lines().next().and_then(|line| line.strip_prefix("started ")).unwrap_or_else(|| panic!("{told}"));
    assert!(told.contains(&format!("{id} stops before divide (set_variables)\n  would be completed\n")), "{told}");
    assert!(told.contains("  output:\n    {\n      \"share\": 3\n    }"), "{told}");

    let told = run(&dev, &["step", id]).await;
    assert!(told.contains("stops before large (condition)\n  would be completed, and take the path no"), "{told}");
    let told = run(&dev, &["show", id]).await;
    assert!(told.contains("stops before step large since ") && told.contains("step, skip, run or cancel it"), "{told}");
    let told = run(&dev, &["step", id, "--skip"]).await;
    assert!(told.contains("[illegal_transition]") && told.ends_with("exit code 1"), "{told}");
    let told = run(&dev, &["step", id, "--skip", "--take", "yes"]).await;
    assert!(told.contains("stops before say (note)"), "{told}");
    let told = run(&dev, &["--json", "step", &id[.."exe_".len() + 12]]).await;
    let said: Value = told.lines().next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    assert_eq!((&said["status"], &said["next"]["step"]), (&"paused".into(), &"end".into()), "{told}");
    let told = run(&dev, &["step", id, "--run", "--reason", "enough"]).await;
    assert!(told.starts_with(&format!("{id} is running")), "{told}");
    dev.ended(id).await;

    let fork = run(&dev, &["fork", id, "--at", "end", "--debug"]).await;
    assert!(fork.contains("stops before end (note)"), "{fork}");
    let told = run(&dev, &["step", id]).await;
    assert!(told.contains("[illegal_transition]") && told.ends_with("exit code 1"), "{told}");
    let told = run(&dev, &["step", id, "--skip", "--run"]).await;
    assert!(told.ends_with("exit code 2"), "{told}");
}

#[tokio::test]
async fn the_last_step_tells_how_it_ended() {
    let one = "workflow: one\nowner: team@example.com\nactive: true\nsteps:\n  - {id: say, type: note, text: hello}\n";
    let folder = folder("one.workflow.yaml", one);
    let dev = dev(&folder).await;
    let told = run(&dev, &["start", "one", "--debug"]).await;
    let id = told.lines().next().and_then(|line| line.strip_prefix("started ")).unwrap_or_else(|| panic!("{told}"));
    let told = run(&dev, &["step", id]).await;
    assert!(told.contains(&format!("{id}  one  completed")), "{told}");
}
