//! Metrics in the text format of `OpenMetrics`.

use serde_json::json;

use crate::remote::folder;
use crate::serving::Dev;

const GREET: &str = "
workflow: greet
owner: team@example.com
active: true
triggers: [{id: in, type: webhook, verify: none}]
variables: [{name: n, type: number}]
steps:
  - {id: hello, type: note, text: hello}
  - {id: half, type: set_variables, values: {n: '{{ 1 / trigger.body.of }}'}}
";

#[tokio::test]
async fn metrics_are_exported_with_labels_and_latencies() {
    let folder = folder("greet.workflow.yaml", GREET);
    let data = folder.path().join(".data");
    let dev = Dev::start_with(folder.path(), &data, &["--token", "t"], &[]).await;
    let hook = format!("http://{}/hooks/greet/in", dev.address());
    let http = reqwest::Client::new();
    for of in [1, 2, 0] {
        let accepted = http.post(&hook).json(&json!({"of": of})).send().await.expect("it answers");
        assert_eq!(accepted.status(), 202);
    }
    let address = format!("http://{}/metrics", dev.address());
    assert_eq!(http.get(&address).send().await.expect("it answers").status(), 401);
    let failed = "pawl_workflow_steps_total{workflow=\"greet\",step_type=\"set_variables\",status=\"failed\"} 1\n";
    let text = loop {
        let answer = http.get(&address).bearer_auth("t").send().await.expect("it answers");
        assert_eq!(answer.headers()["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
        let text = answer.text().await.expect("it is whole");
        assert!(text.ends_with("# EOF\n"), "{text}");
        if text.contains(failed) && text.contains("pawl_executions_completed_total 2\n") {
            break text;
        }
        tokio::task::yield_now().await;
    };
    for line in [
        "pawl_workflow_executions_created_total{workflow=\"greet\"} 3",
        "pawl_workflow_executions_ended_total{workflow=\"greet\",status=\"completed\"} 2",
        "pawl_workflow_steps_total{workflow=\"greet\",step_type=\"note\",status=\"completed\"} 3",
        "pawl_start_latency_seconds_bucket{le=\"+Inf\",workflow=\"greet\"} 3",
        "pawl_step_duration_seconds_count{step_type=\"note\",status=\"completed\"} 3",
        "# TYPE pawl_step_duration_seconds histogram",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}
