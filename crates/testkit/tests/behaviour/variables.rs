//! Variables at start: section 4 of the language.

use pawl_testkit::scenario::{Scenario, completed, failed, manual, scenario};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET, on_tickets_with, with};

fn story(variables: &str) -> Scenario {
    scenario().workflow(&with(&format!("variables:\n{variables}"), "  - {id: end, type: note, text: end}"))
}

#[test]
fn the_first_source_that_is_not_blank_sets_the_value() {
    story("  - {name: a, type: text, from: ['\"\"', '\"  \"', 'null', '\"third\"', '\"fourth\"'], default: last}")
        .event(manual("w"))
        .run_until_idle()
        .expect(completed().variable("a", "third"));
}

#[test]
fn the_default_stands_in_when_every_source_is_blank() {
    story("  - {name: a, type: number, from: ['\"\"'], default: '42'}\n  - {name: b, type: text}")
        .event(manual("w"))
        .run_until_idle()
        .expect(completed().variable("a", 42).variable("b", json!(null)));
}

#[test]
fn a_required_variable_that_stays_blank_fails_the_execution_with_its_name() {
    let story = story("  - {name: customer, type: text, from: ['\" \"'], required: true}")
        .event(manual("w"))
        .run_until_idle()
        .expect(failed("required_variable").path([]));
    let error = story.last().execution.error.expect("it failed");
    assert_eq!(error.message, "variable \"customer\" is required and every source is blank");
    assert_eq!(story.world().notices().len(), 1, "the owner is told");
}

#[test]
fn a_variable_sees_those_above_it() {
    story("  - {name: a, type: number, default: 1}\n  - {name: b, type: number, from: [vars.a + 1]}")
        .event(manual("w"))
        .run_until_idle()
        .expect(completed().variable("b", 2));
}

#[test]
fn a_start_overrides_variables_by_name_and_their_type_holds() {
    story("  - {name: a, type: number, from: ['1']}\n  - {name: b, type: text, many: true}")
        .event(manual("w").values(json!({"a": "7", "b": "one"})))
        .run_until_idle()
        .expect(completed().variable("a", 7).variable("b", json!(["one"])));
}

#[test]
fn an_override_of_the_wrong_type_fails_the_execution() {
    story("  - {name: a, type: number}")
        .event(manual("w").values(json!({"a": "seven"})))
        .run_until_idle()
        .expect(failed("wrong_type"));
}

#[test]
fn a_source_reaches_related_records_by_one_hop() {
    let workflow = on_tickets_with(
        "variables: [{name: plan, type: text, from: [record.customer.plan]}]",
        "  - {id: end, type: note, text: end}",
    );
    scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(&workflow)
        .record("customer", "c1", json!({"name": "Ada", "plan": "paid"}))
        .record("ticket", "t1", json!({"customer": "c1"}))
        .event(manual("w").on("ticket", "t1"))
        .run_until_idle()
        .expect(completed().variable("plan", "paid"));
}
