//! Forks that keep a revision of their workflow.

use super::*;

/// What the step `say` says by each revision, around a wait.
fn says(word: &str) -> String {
    let lanes = format!("lanes: {{a: [{{id: lane, type: set_variables, values: {{inner: {word}}}}}]}}");
    let steps = format!(
        "  - {{id: first, type: note, text: x}}
  - {{id: nap, type: delay, for: 1h}}
  - {{id: both, type: branch, {lanes}}}
  - {{id: say, type: set_variables, values: {{said: {word}}}}}"
    );
    with("", &steps)
}

#[test]
fn a_fork_keeps_its_revision_with_its_lanes_and_the_original_follows() {
    let story = scenario().workflow(&says("old")).event(manual("w")).run_for("10m").expect(waiting());
    let original = story.last().execution.id;
    let story = story.workflow(&says("new"));
    let world = story.world();
    let at = |at: Option<&str>, revision| world.fork_by(&original, at, revision).expect("it stood there");
    let (kept, anew, follows) = (at(Some("nap"), Some(1)), at(None, Some(1)), at(Some("nap"), None));
    let story = story.workflow(&says("newer")).run_until_idle();
    let world = story.world();
    for (execution, word) in [(&kept, "old"), (&anew, "old"), (&follows, "newer"), (&original, "newer")] {
        let variables = world.execution(execution).variables;
        assert_eq!([&variables["said"], &variables["inner"]], [word, word], "{execution}");
    }
    assert_eq!((world.execution(&kept).revision, world.execution(&kept).keeps_revision), (1, true));
    assert_eq!(world.replayed(), Vec::<String>::new());
}
