//! What steps make stays within bounds: what is stored can be read again.

use pawl_testkit::scenario::{completed, failed, manual, scenario};
use serde_json::json;

use crate::support::with;

/// A variable that held itself 130 times left an execution that could not be read, and with it every listing.
#[test]
fn a_variable_that_wraps_itself_fails_before_it_cannot_be_read() {
    let workflow = with(
        "limits: {visits: 1000, steps: 5000}\nvariables: [{name: x, type: object, default: {}}]",
        "  - {id: wrap, type: set_variables, values: {x: {a: \"{{ vars.x }}\"}}}\n  - {id: c, type: condition, if: 'true', yes: [{id: again, type: go_to, step: wrap}]}",
    );
    let story = scenario().workflow(&workflow).event(manual("w")).run_until_idle();
    story.expect(failed("value_too_deep"));
}

/// All expressions of a step are paid from one budget, so that many small ones take no longer than a large one.
#[test]
fn the_expressions_of_a_step_share_one_budget() {
    let values: Vec<_> =
        (0..200).map(|at| format!("v{at}: \"{{{{ vars.text.replace('x', 'yy').size() }}}}\", ")).collect();
    let values = values.concat();
    let text = "x".repeat(100_000);
    let workflow = with(
        "variables: [{name: text, type: text}]",
        &format!("  - {{id: many, type: set_variables, values: {{{values}}}}}"),
    );
    let story = scenario().workflow(&workflow).event(manual("w").values(json!({"text": text}))).run_until_idle();
    story.expect(failed("expression_too_costly"));
    let few = with(
        "variables: [{name: text, type: text}]",
        "  - {id: one, type: set_variables, values: {v: \"{{ vars.text.replace('x', 'yy').size() }}\"}}",
    );
    let story = scenario().workflow(&few).event(manual("w").values(json!({"text": text}))).run_until_idle();
    story.expect(completed().variable("v", 200_000));
}
