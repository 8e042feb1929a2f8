//! What is told of the most steps that a list and a tree may have.

use crate::support::check;

#[test]
fn they_are_numbers_in_a_range() {
    let told = |limits: &str| {
        let (_, problems) = check(&format!(
            "workflow: w\nowner: ada@example.com\nlimits: {{{limits}}}\nsteps:\n  - {{id: end, type: note, text: end}}"
        ));
        problems
            .iter()
            .map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message))
            .collect::<Vec<_>>()
    };
    for right in ["steps: 1", "steps: 100000", "tree_steps: 1", "steps: 5, tree_steps: 1000000"] {
        assert_eq!(told(right), [""; 0], "{right}");
    }
    for (wrong, expected) in [
        ("steps: 100001", "out_of_range limits.steps: expected a number from 1 to 100000, found 100001"),
        ("tree_steps: 0", "out_of_range limits.tree_steps: expected a number from 1 to 1000000, found 0"),
        ("tree_steps: 1000001", "out_of_range limits.tree_steps: expected a number from 1 to 1000000, found 1000001"),
        (
            "tree_step: 9",
            "unknown_key limits.tree_step: unknown key \"tree_step\"; expected one of budget, concurrency, cooldown, \
             debounce, depth, reentry, self, starts, steps, tree_steps or visits",
        ),
        ("tree_steps: many", "wrong_type limits.tree_steps: expected a whole number, found \"many\""),
    ] {
        assert_eq!(told(wrong), [expected], "{wrong}");
    }
}
