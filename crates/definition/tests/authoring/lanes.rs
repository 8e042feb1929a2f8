//! What is told of the step `branch` and of what stands in its lanes.

use crate::support::check;

fn told(steps: &str) -> Vec<String> {
    let (_, problems) = check(&format!("workflow: w\nowner: ada@example.com\nsteps:\n{steps}"));
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

/// A branch with two lanes, more keys, and steps after it.
fn fork(keys: &str, (a, b): (&str, &str), after: &str) -> Vec<String> {
    let keys = if keys.is_empty() { String::new() } else { format!("    {keys}\n") };
    told(&format!("  - id: fork\n    type: branch\n{keys}    lanes:\n      a: [{a}]\n      b: [{b}]\n{after}"))
}

const NOTE: &str = "{id: na, type: note, text: a}";

#[test]
fn a_branch_has_lanes_with_names() {
    assert_eq!(fork("", (NOTE, "{id: nb, type: note, text: b}"), ""), [""; 0]);
    for (lanes, expected) in [
        ("lanes: {}", "invalid_value"),
        ("lanes: {'1st': [{id: n, type: note, text: x}]}", "invalid_id"),
        ("lanes: {a: [], b: [{id: n, type: note, text: x}]}", "suspicious"),
        ("lanes: [{id: n, type: note, text: x}]", "wrong_type"),
        ("join: some, lanes: {a: [{id: n, type: note, text: x}]}", "unknown_word"),
        ("join: any", "missing_key"),
    ] {
        let told = told(&format!("  - {{id: fork, type: branch, {lanes}}}"));
        assert!(told.iter().any(|line| line.starts_with(expected)), "{lanes}: {told:#?}");
    }
}

#[test]
fn a_variable_that_two_lanes_set_needs_a_rule() {
    let lanes = (
        "{id: sa, type: set_variables, values: {x: 1}}",
        "{id: cb, type: condition, if: 'true', yes: [{id: sb, type: set_variables, values: {x: 2}}]}",
    );
    let told = fork("", lanes, "");
    assert_eq!(told, ["not_allowed steps[0].lanes: the lanes \"a\" and \"b\" set the variable \"x\""]);
    assert_eq!(fork("merge: {x: last}", lanes, ""), [""; 0]);
    assert_eq!(fork("join: any", lanes, ""), [""; 0]);
    let unset = fork("merge: {y: append}", (NOTE, "{id: nb, type: note, text: b}"), "");
    assert!(unset[0].starts_with("suspicious steps[0].merge.y"), "{unset:#?}");
}

#[test]
fn what_is_in_a_lane_stays_there() {
    let out = fork("", (NOTE, "{id: out, type: go_to, step: end}"), "  - {id: end, type: note, text: end}");
    assert!(out.iter().any(|line| line.contains("expected a step of the same lane")), "{out:#?}");
    let across = fork("", (NOTE, "{id: across, type: go_to, step: na}"), "");
    assert!(across.iter().any(|line| line.contains("expected a step of the same lane")), "{across:#?}");
    let into = fork("", (NOTE, "{id: nb, type: note, text: b}"), "  - {id: into, type: go_to, step: na}");
    assert!(into.iter().any(|line| line.starts_with("not_allowed steps[1].step")), "{into:#?}");
    let within =
        "{id: n1, type: note, text: x}, {id: c, type: condition, if: 'true', yes: [{id: back, type: go_to, step: n1}]}";
    assert_eq!(fork("", (within, "{id: nb, type: note, text: b}"), ""), [""; 0]);
}

#[test]
fn the_result_of_a_step_in_a_lane_is_seen_in_that_lane_only() {
    let reads = |step: &str| format!("{{id: reads, type: note, text: '{{{{ string(steps.{step}.output) }}}}'}}");
    let own = format!("{NOTE}, {}", reads("na"));
    assert_eq!(fork("", (&own, "{id: nb, type: note, text: b}"), ""), [""; 0]);
    let other = fork("", (NOTE, &reads("na")), "");
    assert!(other.iter().any(|line| line.contains("runs apart")), "{other:#?}");
    let after = fork("", (NOTE, "{id: nb, type: note, text: b}"), &format!("  - {}", reads("na")));
    assert!(after.iter().any(|line| line.contains("runs apart")), "{after:#?}");
    let joined = "  - {id: reads, type: note, text: '{{ string(steps.fork.output.a.status) }}'}";
    assert_eq!(fork("", (NOTE, "{id: nb, type: note, text: b}"), joined), [""; 0]);
}

#[test]
fn a_stop_of_a_lane_stands_in_one() {
    let ends = "{id: end, type: stop, as: lane}";
    assert_eq!(fork("", (NOTE, ends), "  - {id: after, type: note, text: after}"), [""; 0]);
    let outside = told("  - {id: end, type: stop, as: lane}");
    assert!(outside[0].contains("this step is in no lane"), "{outside:#?}");
}
