//! What is told of `limits.concurrency`.

use crate::support::check;

fn told(limit: &str) -> Vec<String> {
    let (_, problems) = check(&format!(
        "workflow: w\nowner: ada@example.com\nvariables: [{{name: n, type: number}}]\nlimits: {{concurrency: {limit}}}\nsteps:\n  \
         - {{id: end, type: note, text: end}}"
    ));
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

#[test]
fn it_is_a_number_or_a_mapping() {
    for right in [
        "3",
        "{at_most: 3}",
        "{at_most: 2, per: trigger.values.color, hold: running}",
        "{at_most: 1000, per: workflow.id, hold: open}",
        "{at_most: 5000, hold: running}",
    ] {
        assert_eq!(told(right), [""; 0], "{right}");
    }
    for (wrong, expected) in [
        ("0", "out_of_range limits.concurrency: expected a number of at least 1, found 0"),
        ("{at_most: 0}", "out_of_range limits.concurrency.at_most: expected a number of at least 1, found 0"),
        (
            "{at_most: 1001, per: workflow.id}",
            "out_of_range limits.concurrency.at_most: expected a number of at most 1000 with `per`, found 1001",
        ),
        ("{per: workflow.id}", "missing_key limits.concurrency: missing key \"at_most\""),
        ("{at_most: 2, key: workflow.id}", "unknown_key limits.concurrency.key: unknown key \"key\""),
        ("{at_most: 2, hold: always}", "unknown_word limits.concurrency.hold: expected open or running"),
        ("many", "wrong_type limits.concurrency: expected a whole number or a mapping, found \"many\""),
    ] {
        let told = told(wrong);
        assert!(told.len() == 1 && told[0].starts_with(expected), "{wrong}: {told:#?}");
    }
}

#[test]
fn the_key_sees_what_there_is_before_an_execution_starts() {
    for (per, expected) in [
        ("trigger.values", "a key is a text, a number or true or false"),
        ("vars.n", "`vars` does not exist here: the key is computed before an execution starts"),
        ("steps.end.output", "`steps` does not exist here: the key is computed before an execution starts"),
        ("execution.id", "`execution` does not exist here: the key is computed before an execution starts"),
        ("record.name", "`record` does not exist here: this workflow is global"),
        ("secret(\"x\")", "secret() is not allowed here"),
    ] {
        let told = told(&format!("{{at_most: 1, per: {per}}}"));
        assert!(told.iter().any(|line| line.contains(expected)), "{per}: {told:#?}");
    }
}
