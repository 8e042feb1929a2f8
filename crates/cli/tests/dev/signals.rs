//! `pawl signal`, against a real installation.

use serde_json::json;

use crate::remote::{dev, folder, run};

const ORDER: &str = "
workflow: order
owner: team@example.com
active: true
triggers: [{id: in, type: webhook}]
variables: [{name: number, type: text}]
steps:
  - {id: keep, type: set_variables, values: {number: '{{ trigger.body.number }}'}}
  - {id: shipped, type: wait_for_signal, signal: shipped, key: '{{ vars.number }}', schema: {type: object}}
  - {id: say, type: note, text: '{{ steps.shipped.output.tracking }}'}
";

#[tokio::test]
async fn a_signal_is_sent_once_to_who_waits_and_is_kept_if_nobody_does() {
    let folder = folder("order.workflow.yaml", ORDER);
    let dev = dev(&folder).await;
    let payload = r#"{"tracking": "1Z999"}"#;
    let early = ["signal", "shipped", "--key", "8", "--payload", payload, "--idempotency-key", "a"];
    let kept = "kept; nobody waits for it: it is kept for 72 hours\nexit code 0";
    assert_eq!(run(&dev, &early).await, kept);
    assert_eq!(run(&dev, &early).await, kept, "a repeat sends nothing");

    let execution = dev.deliver("order/in", &json!({"number": "7"})).await;
    let refused = run(&dev, &["signal", "shipped", "--key", "7", "--payload", "[1]"]).await;
    let received = run(&dev, &["signal", "shipped", "--key", "7", "--payload", payload]).await;
    dev.ended(&execution).await;
    let shown = run(&dev, &["show", &execution]).await;
    assert!(shown.contains("1Z999"), "{refused}\n{received}\n{shown}");

    let told = run(&dev, &["signal", "no/name", "--key", "7"]).await;
    assert!(told.ends_with("exit code 1"), "{told}");
    let told = run(&dev, &["signal", "shipped", "--key", " "]).await;
    assert!(told.contains("[invalid_signal]") && told.ends_with("exit code 1"), "{told}");
    let told = run(&dev, &["signal", "shipped", "--key", "7", "--payload", "{"]).await;
    assert!(told.contains("the payload is no JSON") && !told.ends_with("exit code 0"), "{told}");
}
