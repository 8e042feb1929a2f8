//! What is told of the steps `wait_for_signal` and `send_signal`.

use crate::support::check;

fn told(steps: &str) -> Vec<String> {
    let (_, problems) = check(&format!("workflow: w\nowner: ada@example.com\nsteps:\n{steps}"));
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

#[test]
fn a_signal_is_named_and_has_a_key() {
    let wait = |keys: &str| told(&format!("  - {{id: wait, type: wait_for_signal, {keys}, timeout: 3d}}"));
    assert_eq!(wait("signal: order.paid, key: R-7, earlier: true, schema: {type: object}"), [""; 0]);
    assert_eq!(wait("signal: paid, key: 7"), [""; 0]);
    for (keys, expected) in [
        ("signal: a/b, key: x", "invalid"),
        ("signal: paid, key: ''", "invalid_value"),
        ("signal: paid, key: true", "invalid_value"),
        ("signal: paid", "missing_key"),
        ("key: x", "missing_key"),
        ("signal: paid, key: x, schema: {type: txt}", "invalid_value"),
        ("signal: paid, key: x, payload: 1", "unknown_key"),
    ] {
        let told = wait(keys);
        assert!(told.iter().any(|line| line.starts_with(expected)), "{keys}: {told:#?}");
    }
    assert_eq!(told("  - {id: tell, type: send_signal, signal: paid, key: '{{ 1 + 1 }}', payload: {n: 1}}"), [""; 0]);
    let without = told("  - {id: tell, type: send_signal, signal: paid, key: ' '}");
    assert!(without.iter().any(|line| line.starts_with("invalid_value")), "{without:#?}");
}

#[test]
fn the_output_has_the_type_of_the_schema() {
    let after = |test: &str| {
        told(&format!(
            "  - id: wait\n    type: wait_for_signal\n    signal: paid\n    key: 7\n    timeout: 1d
    schema: {{type: object, required: [amount], properties: {{amount: {{type: number}}}}}}
    received: [{{id: test, type: condition, if: '{test}', yes: [{{id: end, type: note, text: end}}]}}]"
        ))
    };
    assert_eq!(after("steps.wait.output.amount > 1"), [""; 0]);
    assert!(!after("steps.wait.output.amount == \"much\"").is_empty());
}

#[test]
fn a_skipped_wait_says_its_path_and_one_without_end_is_told() {
    let skipped = told("  - {id: wait, type: wait_for_signal, signal: paid, key: 7, skip: true, timeout: 1d}");
    assert!(skipped.iter().any(|line| line.contains("take")), "{skipped:#?}");
    let word = told("  - {id: wait, type: wait_for_event, signal: paid, key: 7}");
    assert!(word.iter().any(|line| line.starts_with("unknown_word") || line.starts_with("unknown_type")), "{word:#?}");
}
