//! What is told of the step `stop`.

use crate::support::check;

fn told(keys: &str) -> Vec<String> {
    let (_, problems) =
        check(&format!("workflow: w\nowner: ada@example.com\nsteps:\n  - {{id: end, type: stop, {keys}}}"));
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

#[test]
fn who_is_told_and_how_grave_it_is() {
    for keys in [
        "as: failed, severity: critical",
        "as: failed, notify: none",
        "notify: owner, severity: info, reason: done",
        "as: paused, notify: ops@example.com, severity: warning",
    ] {
        assert_eq!(told(keys), [""; 0], "{keys}");
    }
    for (keys, expected) in [
        ("severity: critical", "suspicious steps[0].severity: `severity` goes into a notice, and nobody is told"),
        ("as: failed, notify: none, severity: info", "suspicious steps[0].severity"),
        ("notify: owner, severity: fatal", "unknown_word steps[0].severity"),
        ("notify: ' '", "blank_value steps[0].notify"),
        ("notify: [owner]", "wrong_type steps[0].notify"),
    ] {
        let told = told(keys);
        assert!(told.iter().any(|line| line.starts_with(expected)), "{keys}: {told:#?}");
    }
}
