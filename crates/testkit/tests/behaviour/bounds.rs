//! What steps make stays within bounds: what is stored can be read again.

use pawl_testkit::scenario::{completed, failed, manual, scenario};
use serde_json::json;

use crate::support::with;

/// A variable that held itself 130 times left an execution that could not be read, and with it every listing.
#[test]
fn a_variable_that_wraps_itself_fails_before_it_cannot_be_read() {
    let workflow = with(
        "limits: {visits: 1000, steps: 5000}\nvariables: [{name: x, type: object, default: {}}]",
        "  - {id: wrap, type: set_variables, on_failure: {then: fail}, values: {x: {a: \"{{ vars.x }}\"}}}\n  - {id: c, type: condition, if: 'true', yes: [{id: again, type: go_to, step: wrap}]}",
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
        &format!("  - {{id: many, type: set_variables, on_failure: {{then: fail}}, values: {{{values}}}}}"),
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

/// A query without an index loaded the whole object.
#[test]
fn a_query_without_an_index_looks_at_a_bounded_number_of_records() {
    let order = "object: order\nfields:\n  state: {type: text}\n  email: {type: text, indexed: true}\n";
    let steps = |test: &str| {
        format!("  - {{id: find, type: find_records, on_failure: {{then: fail}}, object: order, where: {{{test}}}}}")
    };
    let by_state = with("", &steps("state: open"));
    let by_email = with("", &steps("email: 'a7'"));
    for (workflow, expected) in [(by_state, failed("too_many_records")), (by_email, completed())] {
        let story = (0..10_501).fold(scenario().object(order).workflow(&workflow), |story, at| {
            story.record("order", &format!("o{at}"), json!({"state": "open", "email": format!("a{at}")}))
        });
        story.event(manual("w")).run_until_idle().expect(expected);
    }
}
