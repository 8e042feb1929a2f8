//! What is told of the trigger `date`.

use std::collections::BTreeMap;

use pawl_definition::{Object, Source, check_object, check_workflow};

const POLICY: &str = "object: policy\nfields: {ends: {type: date}, calls: {type: datetime, many: true}, call: {type: datetime}, number: {type: text}}";

fn told(trigger: &str, keys: &str) -> Vec<String> {
    let source = |text: &str| Source::parse("file.yaml", text).expect("it is YAML");
    let policy = check_object(&source(POLICY)).0.expect("the object is right");
    let objects: BTreeMap<String, Object> = [("policy".to_owned(), policy)].into();
    let (_, problems) = check_workflow(
        &source(&format!(
            "workflow: w\nowner: ada@example.com\n{keys}\ntriggers: [{{type: date, {trigger}}}]\nsteps:\n  - {{id: end, type: note, text: '{{{{ trigger.date }}}} {{{{ trigger.scheduled_at }}}}'}}"
        )),
        &objects,
    );
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

#[test]
fn right_dates_are_taken() {
    for right in [
        "field: ends",
        "field: ends, offset: -60d, at: '09:00', timezone: Europe/Berlin",
        "field: call, offset: -15m",
        "field: ends, every_year: true, business_days: next, calendar: ['2026-12-25']",
        "field: ends, offset: 1mo, filter: record.number != ''",
    ] {
        assert_eq!(told(right, "object: policy"), [""; 0], "{right}");
    }
}

#[test]
fn wrong_ones_are_refused_with_their_place() {
    for (wrong, expected) in [
        ("offset: -60d", "missing_key triggers[0]"),
        ("field: end", "unknown_field triggers[0].field: object \"policy\" has no field \"end\""),
        ("field: number", "invalid_value triggers[0].field: expected a field of the type date or datetime"),
        ("field: calls", "invalid_value triggers[0].field: expected a field of the type date or datetime"),
        ("field: created_at", "invalid_value triggers[0].field: expected a field of the type date or datetime"),
        ("field: ends, offset: soon", "invalid_time triggers[0].offset"),
        ("field: ends, at: noon", "invalid_time triggers[0].at: expected a time of day"),
        ("field: ends, timezone: Europe/Berlim", "invalid_time triggers[0].timezone: expected a time zone"),
        ("field: ends, business_days: before", "unknown_word triggers[0].business_days"),
        ("field: ends, calendar: []", "suspicious triggers[0].calendar: `calendar` says nothing here"),
    ] {
        let told = told(wrong, "object: policy");
        assert!(told.len() == 1 && told[0].starts_with(expected), "{wrong}: {told:#?}");
    }
}

#[test]
fn a_date_belongs_to_a_record_and_starts_a_workflow() {
    let global = told("field: ends", "name: w");
    assert!(global.iter().any(|told| told.starts_with("no_record triggers[0].type")), "{global:#?}");
    let source = |text: &str| Source::parse("file.yaml", text).expect("it is YAML");
    let (_, problems) = check_workflow(
        &source(
            "workflow: w\nowner: ada@example.com\nobject: policy\nsteps:\n  - {id: g, type: goal, on: [{type: date, field: ends}], timeout: 1d}",
        ),
        &BTreeMap::new(),
    );
    assert!(problems.iter().any(|problem| problem.code == "not_allowed"), "{problems:#?}");
}

#[test]
fn a_workflow_has_eight_of_them_at_most() {
    let more = |count: usize| {
        let more: Vec<_> =
            (1..count).map(|n| format!("{{id: more-{n}, type: date, field: ends, offset: {n}d}}")).collect();
        told(&format!("field: ends}}, {}", more.join(", ").trim_end_matches('}')), "object: policy")
    };
    assert_eq!(more(8), [""; 0]);
    assert_eq!(more(9), ["out_of_range triggers: expected at most 8 triggers of the type date, found 9"]);
}
