//! What is told of `limits.debounce`.

use crate::support::check;

fn told(limit: &str, step: &str) -> Vec<String> {
    let (_, problems) = check(&format!(
        "workflow: w\nowner: ada@example.com\nlimits: {{{limit}}}\nsteps:\n  - {{id: end, type: note, text: '{step}'}}"
    ));
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

#[test]
fn its_times_are_bounded() {
    for right in
        ["debounce: {for: 30s}", "debounce: {for: 1m, per: trigger.values.color, at_most: 1m}", "debounce: {for: 24h}"]
    {
        assert_eq!(told(right, "end"), [""; 0], "{right}");
    }
    for (wrong, expected) in [
        ("debounce: {for: 0s}", "invalid_time limits.debounce.for: expected a time up to 24h, found \"0s\""),
        ("debounce: {for: 2d}", "invalid_time limits.debounce.for: expected a time up to 24h, found \"2d\""),
        (
            "debounce: {for: 1m, at_most: 30s}",
            "invalid_time limits.debounce.at_most: expected at least the time of `for`",
        ),
        ("debounce: {per: workflow.id}", "missing_key limits.debounce: missing key \"for\""),
        ("debounce: {for: 1m, key: workflow.id}", "unknown_key limits.debounce.key: unknown key \"key\""),
        ("debounce: {for: 1m, per: vars.n}", "expression_unknown_name limits.debounce.per: `vars` does not exist here"),
    ] {
        let told = told(wrong, "end");
        assert!(told.len() == 1 && told[0].starts_with(expected), "{wrong}: {told:#?}");
    }
}

#[test]
fn all_events_are_seen_where_they_are_collected() {
    let text = "{{ size(trigger.events) }}";
    assert_eq!(told("debounce: {for: 1m}", text), [""; 0]);
    let without = told("steps: 10", text);
    assert!(without.len() == 1 && without[0].contains("events"), "{without:#?}");
}
