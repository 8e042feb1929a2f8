//! What is told of owners, tags and the archive: fields that every record has, steps and triggers.

use std::collections::BTreeMap;

use pawl_definition::{Object, Source, check_object, check_workflow};

fn object(text: &str) -> (Option<Object>, Vec<String>) {
    let (object, problems) = check_object(&Source::parse("o.object.yaml", text).expect("it is YAML"));
    (object, problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect())
}

fn told_of(keys: &str, steps: &str) -> Vec<String> {
    let objects: BTreeMap<String, Object> = [
        "object: deal\nfields: {name: {type: text}}\nrelationships: {buyer: {object: buyer}, others: {object: deal, many: true}}",
        "object: buyer\nfields: {name: {type: text}}\nstages: [new, old]",
    ]
    .map(|text| object(text).0.expect("the object is right"))
    .map(|object| (object.id.clone(), object))
    .into();
    let text = format!("workflow: w\nowner: ada@example.com\n{keys}\nsteps:\n{steps}\n");
    let problems = check_workflow(&Source::parse("w.yaml", &text).expect("it is YAML"), &objects).1;
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

const END: &str = "  - {id: end, type: note, text: end}";

#[test]
fn no_object_declares_what_every_record_has() {
    for name in ["owner", "tags", "archived_at"] {
        let told = object(&format!("object: deal\nfields: {{{name}: {{type: text}}}}")).1;
        let expected =
            format!("not_allowed fields.{name}: expected a name of your own, found {name:?}, which every record has");
        assert_eq!(told, [expected]);
    }
}

#[test]
fn steps_on_tags_and_links_say_what_they_change() {
    let told = told_of(
        "object: deal",
        "  - {id: a, type: change_tags}
  - {id: b, type: change_tags, add: 7, remove: [x, {a: b}]}
  - {id: c, type: link_records, relationship: seller, add: x}
  - {id: d, type: link_records, relationship: buyer}
  - {id: e, type: link_records, relationship: buyer, add: '{{ [1] }}'}
  - {id: f, type: archive_record, target: record.seller}
  - {id: g, type: set_fields, fields: {archived_at: 2026-01-01, owner: ada@example.com, tags: {add: x}}}
  - {id: h, type: unarchive_record, target: '{{ [\"a\"] }}'}
  - {id: i, type: set_stage, stage: old, target: record.buyer}
  - {id: j, type: set_variables, values: {n: '{{ steps.i.output.records }}'}}",
    );
    let places =
        ["steps[0]:", "steps[1].remove", "steps[2].relationship", "steps[3]:", "steps[4].add", "steps[5].target"];
    for place in places.into_iter().chain(["steps[6].fields.archived_at", "steps[7]:", "steps[9]"]) {
        assert!(told.iter().any(|line| line.contains(place)), "{place}: {told:#?}");
    }
    assert_eq!(told.len(), 9, "{told:#?}");
}

#[test]
fn several_records_may_be_a_target() {
    let steps = "  - {id: a, type: change_tags, add: x, target: record.others}
  - {id: b, type: find_records, object: buyer}
  - {id: c, type: set_stage, stage: nobody, target: '{{ steps.b.output }}'}
  - {id: d, type: set_variables, values: {n: '{{ steps.a.output.changes }}'}}";
    let told = told_of("object: deal", steps);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("steps[2].stage") && told[0].contains("nobody"), "{told:#?}");
    assert!(told[1].contains("steps[3]") && told[1].contains("changes"), "{told:#?}");
}

#[test]
fn triggers_on_tags_owners_stages_and_the_archive_can_fire() {
    let triggers = |text: &str| told_of(&format!("object: deal\ntriggers: [{text}]"), END);
    assert_eq!(
        triggers("{type: record_archived}, {type: tag_changed, tag: x, change: added}, {type: owner_changed}"),
        Vec::<String>::new()
    );
    for (text, expected) in [
        ("{type: tag_changed, tag: ' '}", "blank_value triggers[0].tag"),
        ("{type: tag_changed, tag: ' x'}", "invalid_value triggers[0].tag: this trigger never fires"),
        ("{type: tag_changed, change: gone}", "triggers[0].change"),
        ("{type: owner_changed, to: {added: x}}", "not_allowed triggers[0].to: this trigger never fires"),
        ("{type: stage_updated}", "unknown_field triggers[0]: this trigger never fires"),
        ("{type: field_updated, field: archived_at}", "write a trigger `record_archived`"),
        (
            "{type: field_updated, fields: [name, updated_at]}",
            "invalid_value triggers[0].fields: this trigger never fires",
        ),
        ("{type: record_archived, filter: 'trigger.type == \"archived\"'}", "triggers[0].filter"),
    ] {
        let told = triggers(text);
        assert!(told.len() == 1 && told[0].contains(expected), "{text}: {told:#?}");
    }
    for tag in ["record_archived", "tag_changed", "owner_changed", "stage_updated"] {
        let told = told_of(&format!("triggers: [{{type: {tag}}}]"), END);
        assert!(told.iter().any(|line| line.starts_with("no_record triggers[0].type")), "{tag}: {told:#?}");
    }
}
