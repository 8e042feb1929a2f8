//! What is told of steps that make and cancel activities about records.

use std::collections::BTreeMap;

use pawl_definition::{Around, DefinitionKind, Definitions, Object, Problem, Source, check_object, check_workflow};

const LEAD: &str = "object: lead\nfields: {name: {type: text}, amount: {type: number}}\n\
                    relationships: {company: {object: company}, others: {object: company, many: true}}";
const COMPANY: &str = "object: company\nfields: {name: {type: text}}";
const CALL: &str =
    "activity: call\nobjects: [lead]\nfields: {topic: {type: text, required: true}, minutes: {type: number}}";
const MEMO: &str = "activity: memo";

fn source(text: &str) -> Source {
    Source::parse("file.yaml", text).expect("it is YAML")
}

/// The errors of a workflow of one step: code and place, and what each suggests.
fn told_of(keys: &str, step: &str) -> Vec<String> {
    let read = |text: &str| check_object(&source(text)).0.expect("the object is right");
    let objects: BTreeMap<String, Object> = [LEAD, COMPANY].map(read).map(|object| (object.id.clone(), object)).into();
    let mut definitions = Definitions::default();
    for (id, text) in [("call", CALL), ("memo", MEMO)] {
        definitions.insert(DefinitionKind::Activity, id, &source(text).value).expect("it has no mistakes");
    }
    let text = format!("workflow: w\nowner: ada@example.com\n{keys}\nsteps:\n  - {step}\n");
    let mut problems = check_workflow(&source(&text), Around::new(&objects).with(&definitions)).1;
    problems.retain(Problem::is_error);
    let line = |problem: &Problem| {
        let near = problem.suggestion.as_ref().map(|near| format!("; {near}")).unwrap_or_default();
        format!("{} {}{near}", problem.code, problem.path)
    };
    problems.iter().map(line).collect()
}

#[test]
fn a_step_that_is_right_is_accepted() {
    let due = [
        "2d",
        "3 business days",
        "2026-12-01",
        "2026-12-01T10:00:00Z",
        "'{{ now + days(2) }}'",
        "'{{ vars.x }}'",
        "3600",
    ];
    for due in due {
        let step = format!("{{id: a, type: create_activity, activity: memo, due: {due}}}");
        let set = "{id: b, type: set_variables, values: {x: 1}}\n  - ";
        assert_eq!(told_of("object: lead", &format!("{set}{step}")), [""; 0], "{due}");
    }
    let right = [
        "{id: a, type: create_activity, activity: call, fields: {topic: 7, minutes: '5'}}",
        "{id: a, type: log_activity, activity: memo, records: {company: record.company}}",
        "{id: a, type: log_activity, activity: memo, records: {company: '{{ record.company }}'}}",
        "{id: a, type: cancel_activities}",
        "{id: a, type: cancel_activities, activities: [call], target: record.company}",
    ];
    for step in right {
        assert_eq!(told_of("object: lead", step), [""; 0], "{step}");
    }
    let global = "{id: a, type: create_activity, activity: memo, records: {company: acme}}";
    assert_eq!(told_of("", global), [""; 0]);
}

#[test]
fn each_mistake_is_one_error_at_its_place() {
    let on_leads = [
        (
            "create_activity, activity: cal, fields: {topic: x}",
            "unknown_definition steps[0].activity; did you mean \"call\"?",
        ),
        ("create_activity, activity: call", "missing_key steps[0]"),
        (
            "create_activity, activity: call, fields: {topc: x, topic: x}",
            "unknown_field steps[0].fields.topc; did you mean \"topic\"?",
        ),
        ("create_activity, activity: call, fields: {topic: x, minutes: many}", "invalid_value steps[0].fields.minutes"),
        (
            "create_activity, activity: call, fields: {topic: x, minutes: '{{ record.name == \"x\" }}'}",
            "wrong_type steps[0].fields.minutes",
        ),
        ("create_activity, activity: memo, due: soon", "invalid_time steps[0].due"),
        ("create_activity, activity: memo, due: '{{ record.name == \"x\" }}'", "wrong_type steps[0].due"),
        ("create_activity, activity: memo, notify: true", "not_available steps[0].notify"),
        (
            "create_activity, activity: call, fields: {topic: x}, records: {company: acme}",
            "not_allowed steps[0].records.company",
        ),
        (
            "create_activity, activity: memo, records: {compny: acme}",
            "unknown_object steps[0].records.compny; did you mean \"company\"?",
        ),
        (
            "create_activity, activity: memo, records: {company: record.others}",
            "invalid_value steps[0].records.company",
        ),
        ("create_activity, activity: memo, records: {lead: record.company}", "invalid_value steps[0].records.lead"),
        (
            "create_activity, activity: memo, records: {company: record.firm}",
            "unknown_relationship steps[0].records.company",
        ),
        ("create_activity, activity: memo, records: {company: 7}", "wrong_type steps[0].records.company"),
        ("log_activity, activity: memo, due: 2d", "unknown_key steps[0].due; \"due\" belongs to create_activity"),
        ("cancel_activities, activities: []", "invalid_value steps[0].activities"),
        ("cancel_activities, activities: [cal]", "unknown_definition steps[0].activities[0]; did you mean \"call\"?"),
        ("cancel_activities, activities: [call, call]", "duplicate_id steps[0].activities[1]"),
    ];
    for (step, expected) in on_leads {
        assert_eq!(told_of("object: lead", &format!("{{id: a, type: {step}}}")), [expected], "{step}");
    }
    let global =
        [("create_activity, activity: memo", "no_record steps[0]"), ("cancel_activities", "no_record steps[0]")];
    for (step, expected) in global {
        assert_eq!(told_of("", &format!("{{id: a, type: {step}}}")), [expected], "{step}");
    }
    let on_companies = "{id: a, type: create_activity, activity: call, fields: {topic: x}}";
    assert_eq!(told_of("object: company", on_companies), ["no_record steps[0]"], "it is not about companies");
}

#[test]
fn a_trigger_names_a_type_that_is_about_its_records() {
    let note = "{id: a, type: note, text: '{{ trigger.activity.fields.minutes }} {{ trigger.activity.records }}'}";
    let on = |object: &str, keys: &str| {
        told_of(&format!("{object}\ntriggers: [{{id: t, type: activity_logged{keys}}}]"), note)
    };
    assert_eq!(on("object: lead", ", activity: call"), [""; 0]);
    assert_eq!(on("", ", activity: call"), [""; 0]);
    assert_eq!(on("object: company", ", activity: call"), ["not_allowed triggers[0].activity"]);
    assert_eq!(
        on("object: lead", ", activity: cal")[0],
        "unknown_definition triggers[0].activity; did you mean \"call\"?"
    );
    assert_eq!(on("object: lead", "")[0], "missing_key triggers[0]");
    let wrong = "{id: a, type: note, text: '{{ trigger.activity.fields.hours }}'}";
    let keys = "object: lead\ntriggers: [{id: t, type: activity_logged, activity: call}]";
    assert_eq!(told_of(keys, wrong).len(), 1, "its type has no such field");
}

#[test]
fn a_trigger_for_overdue_activities_counts_from_when_they_are_due() {
    let note = "{id: a, type: note, text: '{{ trigger.activity.due }} {{ trigger.activity.fields.minutes }}'}";
    let on = |object: &str, keys: &str| {
        told_of(&format!("{object}\ntriggers: [{{id: t, type: activity_overdue{keys}}}]"), note)
    };
    for keys in
        ["", ", after: 1d", ", after: 1d, business_days: next", ", business_days: skip, calendar: ['2026-12-24']"]
    {
        assert_eq!(on("object: lead", &format!(", activity: call{keys}")), [""; 0], "{keys}");
    }
    assert_eq!(on("", ", activity: call"), [""; 0]);
    assert_eq!(on("object: company", ", activity: call"), ["not_allowed triggers[0].activity"]);
    assert_eq!(on("object: lead", ", activity: call, after: -1d"), ["invalid_time triggers[0].after"]);
    assert_eq!(on("object: lead", ", activity: call, after: soon"), ["invalid_time triggers[0].after"]);
    assert_eq!(on("object: lead", ", after: 1d")[0], "missing_key triggers[0]");
    let waits = |keys: &str| {
        let goal = format!(
            "{{id: g, type: goal, on: [{{id: t, type: activity_overdue, activity: call{keys}}}], timeout: 3d}}"
        );
        told_of("object: lead", &goal)
    };
    assert_eq!(waits(""), [""; 0]);
    assert_eq!(waits(", after: 1d"), ["not_allowed steps[0].on[0].after"]);
    assert_eq!(waits(", business_days: next"), ["not_allowed steps[0].on[0].business_days"]);
}
