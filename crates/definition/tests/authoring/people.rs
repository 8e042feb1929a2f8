//! What is told of people, and of steps that choose among them.

use std::collections::{BTreeMap, BTreeSet};

use pawl_definition::{
    Around, DefinitionKind, Definitions, Object, Problem, Source, check_definition, check_object, check_workflow,
};

const DEAL: &str = "object: deal\nfields: {name: {type: text}, amount: {type: number}}\n\
                    relationships: {buyer: {object: deal}}";
const PEOPLE: &str = "teams: [{team: sales}]\nmembers: [{member: ada, teams: [sales]}, {member: bob}]";

fn source(text: &str) -> Source {
    Source::parse("file.yaml", text).expect("it is YAML")
}

fn lines(problems: &[Problem]) -> Vec<String> {
    let line = |problem: &Problem| {
        let near = problem.suggestion.as_ref().map(|near| format!("; {near}")).unwrap_or_default();
        format!("{} {}: {}{near}", problem.code, problem.path, problem.message)
    };
    problems.iter().map(line).collect()
}

fn told(text: &str) -> Vec<String> {
    let none = BTreeMap::new();
    let definitions = Definitions::default();
    let around = Around::new(&none).with(&definitions);
    let (id, problems) = check_definition(DefinitionKind::People, &source(text), around);
    assert_eq!(id.is_some(), problems.iter().all(|problem| !problem.is_error()), "{problems:?}");
    lines(&problems)
}

#[test]
fn a_file_of_people_needs_no_id() {
    let none = BTreeMap::new();
    assert_eq!(told(PEOPLE), [""; 0]);
    let id = |text: &str| check_definition(DefinitionKind::People, &source(text), &none).0;
    assert_eq!(id(PEOPLE).as_deref(), Some("people"));
    assert_eq!(id("people: shop").as_deref(), Some("shop"));
}

#[test]
fn members_and_teams_are_checked() {
    let cases = [
        ("members: [{member: Ada L}]", "invalid_id members[0].member"),
        ("members: [{member: ada}, {member: ada}]", "duplicate_id members[1].member: expected each member once"),
        ("teams: [{team: a}, {team: a}]", "duplicate_id teams[1].team: expected each team once"),
        ("members: [{member: a, teams: [sale]}]\nteams: [{team: sales}]", "unknown_team members[0].teams[0]"),
        ("members: [{member: a, teams: [x]}]", "found \"x\"; there is no team"),
        ("members: [{member: a, email: nowhere}]", "invalid_value members[0].email: expected an e-mail address"),
        ("members: [{member: a, phone: call me}]", "invalid_value members[0].phone: expected a telephone number"),
        ("members: [{member: a, mail: a@example.com}]", "unknown_key members[0].mail"),
        ("members: [{name: Ada}]", "missing_key members[0]"),
    ];
    for (keys, expected) in cases {
        let found = told(keys);
        assert!(found.len() == 1 && found[0].contains(expected), "{keys}: {found:#?}");
    }
}

#[test]
fn members_of_several_files_count_together() {
    let none = BTreeMap::new();
    let mut definitions = Definitions::default();
    definitions.insert(DefinitionKind::People, "people", &source(PEOPLE).value).expect("it has no mistakes");
    let around = Around::new(&none).with(&definitions);
    let told = |text: &str| lines(&check_definition(DefinitionKind::People, &source(text), around).1);
    assert_eq!(told("people: more\nmembers: [{member: cyd, teams: [sales]}]"), [""; 0]);
    let again = told("people: more\nmembers: [{member: ada}]");
    assert!(again.len() == 1 && again[0].starts_with("duplicate_id members[0].member"), "{again:#?}");
    assert_eq!(told(PEOPLE), [""; 0], "a file does not meet itself");
}

fn told_of(keys: &str, people: Option<&str>, steps: &str) -> Vec<String> {
    let deal = check_object(&source(DEAL)).0.expect("the object is right");
    let objects: BTreeMap<String, Object> = [(deal.id.clone(), deal)].into();
    let mut definitions = Definitions::default();
    if let Some(people) = people {
        definitions.insert(DefinitionKind::People, "people", &source(people).value).expect("it has no mistakes");
    }
    let text = format!("workflow: w\nowner: ada@example.com\n{keys}\nsteps:\n{steps}\n");
    let mut problems = check_workflow(&source(&text), Around::new(&objects).with(&definitions)).1;
    problems.retain(Problem::is_error);
    lines(&problems)
}

fn chosen(to: &str) -> Vec<String> {
    told_of("object: deal", Some(PEOPLE), &format!("  - {{id: a, type: assign_owner, to: {to}}}"))
}

#[test]
fn each_way_to_choose_is_taken() {
    for to in [
        "ada",
        "'{{ record.name }}'",
        "{member: ada}",
        "{members: [ada, '{{ record.name }}']}",
        "{field: record.name}",
        "{owner: true}",
        "{team: sales}",
        "{round_robin: everyone}",
        "{round_robin: {team: sales}}",
        "{round_robin: {members: [ada, bob]}}",
        "{least_loaded: {team: sales}}",
    ] {
        assert_eq!(chosen(to), [""; 0], "{to}");
    }
}

#[test]
fn a_wrong_choice_is_one_error() {
    let cases = [
        ("eve", "unknown_member steps[0].to: expected a member that exists, found \"eve\"; there are ada and bob"),
        ("''", "blank_value steps[0].to"),
        ("7", "wrong_type steps[0].to: expected the id of a member, or a mapping with member"),
        ("[ada]", "wrong_type steps[0].to"),
        ("'{{ record.amount }}'", "wrong_type steps[0].to: expected the address of a member, found number"),
        ("{memba: ada}", "unknown_key steps[0].to.memba: unknown key \"memba\"; expected one of"),
        ("{team: sales, member: ada}", "exactly_one steps[0].to"),
        ("{member: eve}", "unknown_member steps[0].to.member"),
        ("{members: []}", "invalid_value steps[0].to.members"),
        ("{members: [ada, ada]}", "duplicate_id steps[0].to.members[1]"),
        ("{field: record.amount}", "expression_type steps[0].to.field"),
        ("{field: record.nam}", "steps[0].to.field"),
        ("{owner: false}", "invalid_value steps[0].to.owner"),
        ("{team: sale}", "unknown_team steps[0].to.team: expected a team that exists, found \"sale\"; there are sales"),
        ("{round_robin: all}", "unknown_word steps[0].to.round_robin"),
        ("{round_robin: {team: sale}}", "unknown_team steps[0].to.round_robin.team"),
        ("{round_robin: {members: [eve]}}", "unknown_member steps[0].to.round_robin.members[0]"),
        ("{last_active: everyone}", "unknown_key steps[0].to.last_active"),
    ];
    for (to, expected) in cases {
        let found = chosen(to);
        assert!(found.len() == 1 && found[0].contains(expected), "{to}: {found:#?}");
    }
}

#[test]
fn an_owner_that_is_written_out_must_be_a_member() {
    let steps = "  - {id: a, type: set_fields, fields: {owner: eve}}\n  \
                 - {id: b, type: create_record, object: deal, owner: evi}\n  \
                 - {id: c, type: create_record, object: deal, fields: {owner: ada}, owner: {team: sales}}\n  \
                 - {id: d, type: create_record, object: deal, owner: {round_robin: {team: sale}}}";
    let found = told_of("object: deal", Some(PEOPLE), steps);
    let codes: BTreeSet<_> = found.iter().map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect();
    let expected = [
        "unknown_member steps[0].fields.owner",
        "unknown_member steps[1].owner",
        "exactly_one steps[2].owner",
        "unknown_team steps[3].owner.round_robin.team",
    ];
    assert_eq!(codes, expected.map(str::to_owned).into(), "{found:#?}");
}

#[test]
fn where_no_people_are_defined_any_id_may_own() {
    let steps = "  - {id: a, type: assign_owner, to: eve}\n  - {id: b, type: set_fields, fields: {owner: eve}}\n  \
                 - {id: c, type: assign_owner, to: {round_robin: {members: [eve, a@example.com]}}}";
    assert_eq!(told_of("object: deal", None, steps), [""; 0]);
    let found = told_of("object: deal", None, "  - {id: a, type: assign_owner, to: {round_robin: everyone}}");
    assert!(found.len() == 1 && found[0].starts_with("unknown_member steps[0].to.round_robin"), "{found:#?}");
}

#[test]
fn a_global_workflow_has_no_owner_to_choose() {
    let found =
        told_of("", Some(PEOPLE), "  - {id: a, type: assign_owner, to: {owner: true}, target: d, object: deal}");
    assert!(found.iter().any(|line| line.starts_with("no_record steps[0].to.owner")), "{found:#?}");
}
