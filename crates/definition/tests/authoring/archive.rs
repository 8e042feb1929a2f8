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

#[test]
fn new_records_are_linked_owned_and_staged_as_their_objects_allow() {
    let told = told_of(
        "object: deal",
        "  - {id: a, type: create_record, object: buyer, link: buyer, owner: ada@example.com, stage: old}
  - {id: b, type: create_record, object: buyer, link: others}
  - {id: c, type: create_record, object: buyer, link: {relationship: buyer, add: true}, stage: gone}
  - {id: d, type: create_record, object: buyer, link: seller, fields: {owner: x}, owner: y}
  - {id: e, type: create_record, object: deal, link: {relationship: others, if_blank: true}, stage: x}
  - {id: f, type: create_record, object: buyer, on_archived: use}",
    );
    for (at, expected) in [
        "invalid_value steps[1].link: expected a relationship with \"buyer\", found \"others\", which leads to \"deal\"",
        "not_allowed steps[2].link.add: `add` has no place here",
        "invalid_value steps[2].stage",
        "unknown_relationship steps[3].link",
        "exactly_one steps[3].owner",
        "not_allowed steps[4].link.if_blank",
        "unknown_field steps[4].stage",
        "steps[5].on_archived",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(told.iter().any(|line| line.contains(expected)), "{at} {expected}: {told:#?}");
    }
    assert_eq!(told.len(), 8, "{told:#?}");
    let told = told_of("", "  - {id: a, type: create_record, object: buyer, link: buyer}");
    assert!(told.iter().any(|line| line.starts_with("no_record steps[0].link")), "{told:#?}");
}

#[test]
fn searches_ask_what_can_be_answered() {
    let told = told_of(
        "object: deal",
        "  - {id: a, type: find_records, object: buyer, any: [{name: x}, {nam: y}, {}], limit: all}
  - {id: b, type: find_records, object: buyer, any: [], limit: most}
  - {id: c, type: find_records, object: buyer, count: true, order: name, limit: 3, save_as: n}
  - {id: d, type: set_variables, values: {one: '{{ vars.n + 1 }}', two: '{{ vars.n.map(x, x) }}'}}
  - {id: e, type: set_fields, fields: {name: {clear: true, unless_blank: true}}}",
    );
    for expected in [
        "unknown_field steps[0].any[1].nam",
        "invalid_value steps[0].any[2]: expected at least one test",
        "invalid_value steps[1].any: expected at least one list of tests",
        "steps[1].limit",
        "not_allowed steps[2].order",
        "not_allowed steps[2].limit",
        "steps[3].values.two",
        "not_allowed steps[4].fields.name.unless_blank",
    ] {
        assert!(told.iter().any(|line| line.contains(expected)), "{expected}: {told:#?}");
    }
    assert_eq!(told.len(), 8, "{told:#?}");
}

#[test]
fn title_and_contact_are_fields_of_the_object() {
    let told = object(
        "object: person
fields: {name: {type: text}, mail: {type: email}, mails: {type: email, many: true}, price: {type: money, default: 12 EUR}, site: {type: url, default: here}}
title: nam
contact: {email: mails, phone: mail}",
    )
    .1;
    for expected in [
        "invalid_value fields.site.default: expected an address such as https://example.com/prices",
        "unknown_field title: expected a field with one value, found \"nam\"",
        "invalid_value contact.email: expected a field of the type email, found \"mails\"",
        "invalid_value contact.phone: expected a field of the type phone, found \"mail\"",
    ] {
        assert!(told.iter().any(|line| line.starts_with(expected)), "{expected}: {told:#?}");
    }
    assert_eq!(told.len(), 4, "{told:#?}");
    let right = object(
        "object: person\nfields: {name: {type: text}, mail: {type: email}}\ntitle: name\ncontact: {email: mail}",
    );
    assert_eq!(right.1, Vec::<String>::new());
}
