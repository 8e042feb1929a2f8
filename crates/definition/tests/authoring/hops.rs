//! What is told of chains of relationships.

use std::collections::BTreeMap;

use pawl_definition::{Object, Source, check_object, check_workflow};

/// What the check tells of steps on deals, each of a company, which has a parent and people.
fn told_of(steps: &str) -> Vec<String> {
    let objects: BTreeMap<String, Object> = [
        "object: deal\nfields: {name: {type: text}}\nrelationships: {company: {object: company}}",
        "object: company\nfields: {tier: {type: text}, size: {type: number}}
relationships: {parent: {object: company}, people: {object: person, many: true}}",
        "object: person\nfields: {name: {type: text}}\nrelationships: {boss: {object: person}}",
    ]
    .map(|text| check_object(&Source::parse("o.object.yaml", text).expect("it is YAML")).0.expect("it is right"))
    .map(|object| (object.id.clone(), object))
    .into();
    let text = format!("workflow: w\nowner: ada@example.com\nobject: deal\nsteps:\n{steps}\n");
    let problems = check_workflow(&Source::parse("w.yaml", &text).expect("it is YAML"), &objects).1;
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

fn told_of_condition(condition: &str) -> Vec<String> {
    told_of(&format!("  - {{id: a, type: condition, if: '{condition}', yes: [], no: []}}"))
}

#[test]
fn each_field_of_a_chain_is_known() {
    for right in [
        "record.company.parent.tier == \"gold\"",
        "record.company.parent.parent.size > 3",
        "record.company.parent.people.all(p, p.name != null)",
    ] {
        assert_eq!(told_of_condition(right), [""; 0], "{right}");
    }
    for (wrong, expected) in [
        ("record.company.parent.teir == \"gold\"", "teir"),
        ("record.company.prent.tier == \"gold\"", "prent"),
        ("record.company.parent.parent.size == \"big\"", "number"),
        ("record.company.parent.parent.parent.tier == \"gold\"", "tier"),
        ("record.company.people.boss.name == \"Ada\"", "boss"),
        ("record.company.people.all(p, p.boss.name == \"Ada\")", "name"),
    ] {
        let told = told_of_condition(wrong);
        assert!(told.len() == 1 && told[0].contains(expected), "{wrong}: {told:#?}");
    }
}

#[test]
fn a_target_is_a_chain_to_records() {
    let target = |chain: &str| {
        told_of(&format!("  - {{id: a, type: set_fields, target: record.{chain}, fields: {{size: 3}}}}")).join("\n")
    };
    assert_eq!(target("company.parent.parent"), "");
    assert!(target("company.parent.people").contains("unknown_field steps[0].fields.size"));
    assert!(target("company.people.boss").contains("expected a chain that ends with \"people\""));
    assert!(target("company.parent.parent.parent").contains("expected at most 3 relationships in a row, found 4"));
    assert!(target("company.boss").contains("unknown_relationship steps[0].target"));
}
