//! What is told of records that expressions look up.

use std::collections::BTreeMap;

use pawl_definition::{Object, Source, check_object, check_workflow};

/// What the check tells of a workflow on deals.
fn told_of(text: &str) -> Vec<String> {
    let objects: BTreeMap<String, Object> = [
        "object: deal\nfields: {name: {type: text}, domain: {type: text}}",
        "object: company\nfields: {domain: {type: text, unique: true}, number: {type: number, unique: true}, tier: {type: text}}
relationships: {parent: {object: company}}",
    ]
    .map(|text| check_object(&Source::parse("o.object.yaml", text).expect("it is YAML")).0.expect("it is right"))
    .map(|object| (object.id.clone(), object))
    .into();
    let text = format!("workflow: w\nowner: ada@example.com\nobject: deal\n{text}\n");
    let problems = check_workflow(&Source::parse("w.yaml", &text).expect("it is YAML"), &objects).1;
    let told = |problem: &pawl_definition::Problem| {
        let near = problem.suggestion.as_ref().map(|near| format!("; {near}")).unwrap_or_default();
        format!("{} {}: {}{near}", problem.code, problem.path, problem.message)
    };
    problems.iter().map(told).collect()
}

fn told_of_condition(condition: &str) -> Vec<String> {
    told_of(&format!("steps: [{{id: a, type: condition, if: '{condition}', yes: [], no: []}}]"))
}

#[test]
fn object_and_field_are_known_and_so_are_the_fields_of_the_record() {
    for right in [
        r#"lookup("company", {"domain": record.domain}).tier == "gold""#,
        r#"lookup("company", {"number": 7}).parent == null"#,
        r#"has(lookup("company", {"domain": record.domain}).tier)"#,
        r#"lookup("company", {"domain": record.domain}) != null"#,
    ] {
        assert_eq!(told_of_condition(right), [""; 0], "{right}");
    }
    for (wrong, expected) in [
        (
            r#"lookup("compny", {"domain": "x"}) != null"#,
            r#"unknown_object steps[0].if: lookup() expects an object that exists, found "compny"; there are company and deal; did you mean "company"?"#,
        ),
        (
            r#"lookup("company", {"domian": "x"}) != null"#,
            r#"unknown_field steps[0].if: lookup() expects a unique field, found "domian"; "company" has domain and number; did you mean "domain"?"#,
        ),
        (
            r#"lookup("company", {"tier": "x"}) != null"#,
            r#"unknown_field steps[0].if: lookup() expects a unique field, found "tier"; "company" has domain and number; or give "tier" `unique: true`"#,
        ),
        (
            r#"lookup("deal", {"naem": "x"}) != null"#,
            r#"unknown_field steps[0].if: lookup() expects a unique field, found "naem"; "deal" has none"#,
        ),
    ] {
        assert_eq!(told_of_condition(wrong), [expected], "{wrong}");
    }
    let told = told_of_condition(r#"lookup("company", {"domain": "x"}).teir == "gold""#);
    assert!(told.len() == 1 && told[0].contains("did you mean \"tier\"?"), "{told:#?}");
    let told = told_of_condition(r#"lookup("company", {"domain": "x"}).number == "many""#);
    assert!(told.len() == 1 && told[0].starts_with("expression_type"), "{told:#?}");
}

#[test]
fn both_names_are_written_down() {
    for wrong in [
        r#"lookup(record.name, {"domain": "x"}) != null"#,
        r#"lookup("company", {record.name: "x"}) != null"#,
        r#"lookup("company", {"domain": "x", "number": 7}) != null"#,
        r#"lookup("company", {}) != null"#,
        r#"lookup("company", "x") != null"#,
    ] {
        let told = told_of_condition(wrong);
        assert!(
            told.len() == 1 && told[0].starts_with("expression_syntax") && told[0].contains("both written down"),
            "{told:#?}"
        );
    }
}

#[test]
fn what_is_decided_before_a_start_or_by_news_looks_nothing_up() {
    let note = "steps: [{id: a, type: note, text: hi}]";
    let lookup = r#"lookup("company", {"domain": record.domain}).tier == "gold""#;
    for text in [
        format!("triggers: [{{id: t, type: record_created, filter: '{lookup}'}}]\n{note}"),
        format!("limits: {{concurrency: {{at_most: 2, per: '{lookup}'}}}}\n{note}"),
        format!("steps: [{{id: a, type: goal, until: '{lookup}', timeout: 1d}}]"),
        format!(
            "steps: [{{id: a, type: goal, on: [{{type: field_updated, field: name, filter: '{lookup}'}}], timeout: 1d}}]"
        ),
    ] {
        let told: Vec<_> = told_of(&text).into_iter().filter(|line| line.contains("lookup()")).collect();
        assert!(told.len() == 1 && told[0].starts_with("not_allowed"), "{text}: {told:#?}");
    }
}
