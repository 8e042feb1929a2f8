//! Values take the types of variables and fields, and times are meant where the workflow is.

use pawl_testkit::scenario::{Scenario, completed, failed, manual, paused, scenario};
use serde_json::{Value, json};

use crate::support::{CUSTOMER, TICKET, on_tickets_with, with};

/// The story of a workflow with one variable, started at a time.
fn variable(at: &str, keys: &str, variable: &str) -> Scenario {
    let keys = format!("{keys}\nvariables: [{{name: x, {variable}}}]");
    scenario().at(at).workflow(&with(&keys, "  - {id: end, type: note, text: end}"))
}

#[track_caller]
fn becomes(keys: &str, written: &str, expected: Value) {
    variable("2026-03-04T23:30:00Z", keys, written)
        .event(manual("w"))
        .run_until_idle()
        .expect(completed().variable("x", expected));
}

const BERLIN: &str = "timezone: Europe/Berlin";

#[test]
fn a_date_is_the_day_where_the_workflow_is() {
    becomes("", "type: date, from: [now]", json!("2026-03-04"));
    becomes(BERLIN, "type: date, from: [now]", json!("2026-03-05"));
    becomes(BERLIN, "type: date, from: ['date(\"2026-03-05\")']", json!("2026-03-05"));
    becomes("timezone: America/New_York", "type: date, from: ['date(\"2026-03-05\")']", json!("2026-03-05"));
    becomes(BERLIN, "type: date, default: '2026-03-05'", json!("2026-03-05"));
}

#[test]
fn a_time_without_an_offset_is_what_the_clocks_of_the_workflow_show() {
    becomes(BERLIN, "type: datetime, default: '2026-07-05T09:30:00'", json!("2026-07-05T07:30:00Z"));
    becomes(BERLIN, "type: datetime, default: '2026-07-05'", json!("2026-07-04T22:00:00Z"));
    becomes(BERLIN, "type: datetime, from: [now]", json!("2026-03-04T23:30:00Z"));
}

#[test]
fn every_type_of_a_variable_is_kept_or_refused() {
    becomes("", "type: phone, default: '0049 (30) 123-4567'", json!("+49301234567"));
    becomes("", "type: member, default: ada@example.com", json!("ada@example.com"));
    becomes(
        "",
        "type: uuid, default: 0B1F3F6E-6f0a-4d7b-9a55-0d4b8f6f2f0a",
        json!("0b1f3f6e-6f0a-4d7b-9a55-0d4b8f6f2f0a"),
    );
    becomes("", "type: object, from: ['{\"a\": 1}']", json!({"a": 1}));
    becomes("", "type: boolean, default: 'no'", json!(false));
    becomes("", "type: number, many: true, from: ['[\"1\", 2.5]']", json!([1, 2.5]));
    for (kind, wrong) in
        [("phone", "call me"), ("uuid", "0b1f"), ("date", "soon"), ("boolean", "maybe"), ("object", "x")]
    {
        let story = variable("2026-01-01T00:00:00Z", "", &format!("type: {kind}"));
        let story = story.event(manual("w").values(json!({"x": wrong}))).run_until_idle();
        let error = story.expect(failed("wrong_type")).last().execution.error.expect("it failed");
        assert!(error.message.starts_with("`variables.x`: expected"), "{}", error.message);
    }
}

#[test]
fn a_field_takes_the_day_where_the_workflow_is() {
    let steps = "  - {id: set, type: set_fields, fields: {day: '{{ now }}', due: '2026-07-05T09:30'}}";
    scenario()
        .at("2026-03-04T23:30:00Z")
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(&on_tickets_with(BERLIN, steps))
        .record("ticket", "t1", json!({}))
        .event(manual("w").on("ticket", "t1"))
        .run_until_idle()
        .expect(completed().records("ticket", [json!({"day": "2026-03-05", "due": "2026-07-05T07:30:00Z"})]));
}

#[test]
fn business_days_leave_out_weekends_and_the_holidays_of_the_workflow() {
    let of = |keys: &str| {
        let steps =
            "  - {id: set, type: set_variables, values: {day: '{{ date(\"2026-03-06\") + business_days(1) }}'}}";
        let keys = format!("{keys}\nvariables: [{{name: day, type: date}}]");
        let story = scenario().workflow(&with(&keys, steps)).event(manual("w")).run_until_idle();
        story.expect(completed()).last().execution.variables["day"].clone()
    };
    assert_eq!(of(""), "2026-03-09");
    assert_eq!(of("timezone: Asia/Tokyo\ncalendar: ['2026-03-09', '2026-03-10']"), "2026-03-11");
}

#[test]
fn a_declared_variable_keeps_its_type_whoever_sets_it() {
    let keys = "variables: [{name: n, type: number}]";
    let set = |value: &str| {
        let steps = format!("  - {{id: set, type: set_variables, values: {{n: {value}}}}}");
        scenario().workflow(&with(keys, &steps)).event(manual("w")).run_until_idle()
    };
    set("'7'").expect(completed().variable("n", 7));
    set("'{{ \"seven\" }}'").expect(paused().path(["set:failed"]).variable("n", json!(null)));
    let make = |variable: &str| {
        let keys = format!("variables: [{{name: made, type: {variable}}}]");
        let steps = "  - {id: make, type: create_record, object: customer, fields: {name: New}, save_as: made}";
        scenario().object(CUSTOMER).workflow(&with(&keys, steps)).event(manual("w")).run_until_idle()
    };
    let story = make("record").expect(completed());
    let id = story.world().records("customer")[0].id.clone();
    story.expect(completed().variable("made", id));
}

#[test]
fn variables_are_set_all_at_once_from_the_state_before_the_step() {
    let steps =
        "  - {id: swap, type: set_variables, values: {a: '{{ vars.b }}', b: '{{ vars.a }}', c: '{{ [vars.a] }}'}}";
    let keys = "variables: [{name: a, type: number, default: 1}, {name: b, type: number, default: 2}]";
    let story = scenario().workflow(&with(keys, steps)).event(manual("w")).run_until_idle();
    let story = story.expect(completed().variable("a", 2).variable("b", 1).variable("c", json!([1])));
    assert_eq!(story.last().rows[2].output, json!({"a": 2, "b": 1, "c": [1]}));
}

#[test]
fn a_note_is_a_line_of_history() {
    let steps = "  - {id: say, type: note, text: 'two is {{ 1 + 1 }} and {{ {\"a\": [1]} }}{{ null }}'}";
    let story = scenario().workflow(&with("", steps)).event(manual("w")).run_until_idle().expect(completed());
    assert_eq!(story.last().rows[2].note.as_deref(), Some("two is 2 and {\"a\":[1]}"));
}
