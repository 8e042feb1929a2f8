//! People: who may own a record, whom steps choose, and what is kept of members.

use std::collections::BTreeMap;

use pawl_definition::{DefinitionKind, Source};
use pawl_engine::Subject;
use pawl_runtime::items::definition;
use pawl_runtime::ports::Table;
use pawl_runtime::{DefinitionError, RecordError};
use pawl_testkit::scenario::{Scenario, completed, created, manual, paused, scenario};
use serde_json::{Value, json};

use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with, with};

const PEOPLE: &str = "
people: shop
teams: [{team: sales, name: Sales}, {team: support}]
members:
  - {member: ada, name: Ada Lovelace, email: ada.l@example.com, phone: '+49301234567', teams: [sales]}
  - {member: bob, teams: [sales, support]}
  - {member: cyd, teams: [support], active: false}
  - {member: dan@example.com, teams: [sales]}
";

fn at_once<T>(future: impl Future<Output = T>) -> T {
    futures::FutureExt::now_or_never(future).expect("memory answers at once")
}

fn shop() -> Scenario {
    scenario().object(CUSTOMER).object(TICKET).definition(DefinitionKind::People, PEOPLE)
}

fn assigns(to: &str) -> String {
    on_tickets(&format!("  - {{id: give, type: assign_owner, to: {to}}}"))
}

/// Starts the workflow on some tickets, one after the other, and gives their owners in order.
fn owners(mut story: Scenario, tickets: std::ops::Range<usize>) -> (Scenario, Vec<String>) {
    for number in tickets.clone() {
        let id = format!("t{number:02}");
        story = story.record("ticket", &id, json!({})).event(manual("w").on("ticket", &id)).run_until_idle();
    }
    let owners = tickets.map(|number| owner(&story, &format!("t{number:02}"))).collect();
    (story, owners)
}

fn owner(story: &Scenario, ticket: &str) -> String {
    let subject = Subject { object: "ticket".to_owned(), id: ticket.to_owned() };
    let record = at_once(story.world().system.records.get(&subject)).expect("it is there");
    record.fields.get("owner").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn assigned(to: &str, ticket: Value) -> Scenario {
    let story = shop().workflow(&assigns(to)).record("ticket", "t", ticket);
    story.event(manual("w").on("ticket", "t")).run_until_idle()
}

#[test]
fn only_members_own_records_once_there_are_some() {
    let story = scenario().object(CUSTOMER).object(TICKET);
    let create = |story: &Scenario, owner: &str| {
        let fields = json!({"owner": owner}).as_object().cloned().expect("a mapping");
        at_once(story.world().system.records.create("ticket", None, fields, "api"))
    };
    let former = create(&story, "former@example.com").expect("where no members are defined, everybody owns");
    let story = story.definition(DefinitionKind::People, PEOPLE);
    for owner in ["ada", "cyd", " Dan@Example.com ", ""] {
        create(&story, owner).expect("a member, or nobody");
    }
    let refused = create(&story, "ada.l@example.com");
    assert!(matches!(&refused, Err(RecordError::Invalid(error)) if error.code == "unknown_member"), "{refused:?}");
    // An owner who is no member stays until there is another one.
    let change = |fields: Value| {
        let fields = fields.as_object().cloned().expect("a mapping");
        at_once(story.world().system.records.update(&former.subject(), &fields, None, "api"))
    };
    change(json!({"title": "x"})).expect("its owner does not change");
    assert!(change(json!({"owner": "eve"})).is_err());
    change(json!({"owner": "bob"})).expect("a member");
}

#[test]
fn a_step_gives_no_record_an_owner_who_is_no_member() {
    let steps = "
  - {id: set, type: set_fields, fields: {owner: '{{ trigger.type }}'}}";
    let story = shop().workflow(&on_tickets(steps)).record("ticket", "t", json!({}));
    let story = story.event(manual("w").on("ticket", "t")).run_until_idle().expect(paused());
    let error = story.last().execution.steps["set"].error.clone().expect("it failed");
    assert_eq!(error.code.as_str(), "unknown_member");
    let steps = "  - {id: make, type: create_record, object: ticket, fields: {owner: '{{ trigger.type }}'}}";
    let story = shop().workflow(&with("", steps)).event(manual("w")).run_until_idle().expect(paused());
    assert_eq!(story.last().execution.steps["make"].error.clone().expect("it failed").code.as_str(), "unknown_member");
}

#[test]
fn a_round_takes_each_active_member_in_turn() {
    let (story, first) = owners(shop().workflow(&assigns("{round_robin: everyone}")), 0..7);
    assert_eq!(first, ["ada", "bob", "dan@example.com", "ada", "bob", "dan@example.com", "ada"]);
    let row = story.last().rows.iter().find_map(|row| row.note.clone());
    assert_eq!(row.as_deref(), Some("chose ada"));
    // Bob is away, and cyd is back: the round goes on behind ada.
    let people = "people: shop\nmembers:\n  - {member: ada}\n  - {member: bob, active: false}\n  \
                  - {member: cyd}\n  - {member: dan@example.com}";
    let (_, later) = owners(story.definition(DefinitionKind::People, people), 7..11);
    assert_eq!(later, ["cyd", "dan@example.com", "ada", "cyd"]);
}

#[test]
fn each_step_has_a_round_of_its_own_and_an_edit_keeps_it() {
    let steps = "
  - {id: one, type: assign_owner, to: {round_robin: {team: sales}}}
  - {id: first, type: set_variables, values: {first: '{{ record.owner }}'}}
  - {id: two, type: assign_owner, to: {round_robin: {members: [bob, ada]}}}";
    let (story, first) = owners(shop().workflow(&on_tickets(steps)), 0..2);
    assert_eq!(first, ["bob", "ada"]);
    assert_eq!(story.last().execution.variables["first"], "bob");
    let story = story.workflow(&on_tickets(&steps.replace("{members: [bob, ada]}", "{team: support}")));
    let (story, later) = owners(story, 2..3);
    assert_eq!(story.last().execution.variables["first"], "dan@example.com");
    assert_eq!(later, ["bob"]);
}

#[test]
fn an_owner_who_stays_takes_no_turn() {
    let steps = "  - {id: give, type: assign_owner, to: {round_robin: everyone}, if_blank: true}";
    let mut story = shop().workflow(&on_tickets(steps));
    for (id, before) in [("a", json!({})), ("b", json!({"owner": "cyd"})), ("c", json!({}))] {
        story = story.record("ticket", id, before).event(manual("w").on("ticket", id)).run_until_idle();
    }
    assert_eq!(["a", "b", "c"].map(|id| owner(&story, id)), ["ada", "cyd", "bob"]);
    assert_eq!(story.last().execution.steps["give"].output["changes"]["owner"]["to"], "bob");
}

#[test]
fn a_member_is_named_in_each_way() {
    for (to, expected) in [
        ("bob", "bob"),
        ("'{{ record.title }}'", "ada"),
        ("{member: bob}", "bob"),
        ("{members: [cyd, bob, ada]}", "bob"),
        ("{field: record.title}", "ada"),
        ("{owner: true}", "bob"),
        ("{team: support}", "bob"),
        ("{least_loaded: {members: [ada, bob]}}", "ada"),
    ] {
        let story = assigned(to, json!({"title": "ada", "owner": "bob"})).expect(completed());
        assert_eq!(owner(&story, "t"), expected, "{to}");
    }
}

#[test]
fn nobody_left_to_choose_fails_the_step() {
    for (to, code) in [
        ("cyd", "nobody_to_choose"),
        ("'{{ record.title }}'", "nobody_to_choose"),
        ("{members: [cyd]}", "nobody_to_choose"),
        ("{owner: true}", "nobody_to_choose"),
        ("{round_robin: {members: [cyd]}}", "nobody_to_choose"),
        ("{least_loaded: {members: ['{{ record.title }}']}}", "nobody_to_choose"),
        ("{field: record.status}", "unknown_member"),
    ] {
        let story = assigned(to, json!({})).expect(paused());
        let error = story.last().execution.steps["give"].error.clone().expect("it failed");
        assert_eq!(error.code.as_str(), code, "{to}: {error:?}");
        assert!(error.message.starts_with("`to`: "), "{error:?}");
    }
}

#[test]
fn who_owns_the_fewest_records_is_chosen() {
    let mut story = shop().workflow(&assigns("{least_loaded: {team: sales}}"));
    for (number, owner) in ["ada", "ada", "bob", "cyd"].into_iter().enumerate() {
        story = story.record("ticket", &format!("x{number}"), json!({"owner": owner}));
    }
    let archived = Subject { object: "ticket".to_owned(), id: "x0".to_owned() };
    at_once(story.world().system.records.archive(&archived, true, "api")).expect("it is there");
    let (_, chosen) = owners(story, 0..4);
    assert_eq!(chosen, ["dan@example.com", "ada", "bob", "dan@example.com"]);
}

#[test]
fn a_new_record_gets_its_owner_by_a_round() {
    let steps = "
  - id: make
    type: create_record
    object: customer
    fields: {name: '{{ record.title }}'}
    owner: {round_robin: {team: sales}}
    on_duplicate: use
    save_as: made";
    let mut story = shop().workflow(&on_tickets(steps));
    let mut owners = Vec::new();
    for (id, title) in [("a", "A"), ("b", "A"), ("c", "C"), ("d", "D")] {
        story =
            story.record("ticket", id, json!({"title": title})).event(manual("w").on("ticket", id)).run_until_idle();
        owners.push(story.last().execution.variables["made"]["owner"].clone());
    }
    // The second is the first again: nobody was chosen for it.
    assert_eq!(owners, ["ada", "ada", "bob", "dan@example.com"]);
}

#[test]
fn several_records_get_one_owner_and_their_workflows_hear_of_it() {
    let keys = "triggers: [{id: owned, type: owner_changed, to: {equals: ada}}]";
    let hears = on_tickets_with(keys, "  - {id: end, type: note, text: heard}");
    let gives = "workflow: gives\nowner: a@example.com\nsteps:\n  \
                 - {id: give, type: assign_owner, to: {round_robin: {team: sales}}, target: '{{ [\"a\", \"b\"] }}', object: ticket}";
    let story = shop().workflow(&hears).workflow(gives);
    let story = story.record("ticket", "a", json!({})).record("ticket", "b", json!({"owner": "bob"}));
    let story = story.event(manual("gives")).run_until_idle();
    assert_eq!(["a", "b"].map(|id| owner(&story, id)), ["ada", "ada"]);
    let started = story.world().executions().iter().filter(|execution| execution.workflow == "w").count();
    assert_eq!(started, 2);
}

#[test]
fn a_round_is_fair_over_many_records() {
    let keys = "triggers: [{id: new, type: record_created}]";
    let steps = "  - {id: give, type: assign_owner, to: {round_robin: everyone}}";
    let mut story = shop().workflow(&on_tickets_with(keys, steps));
    for number in 0..20 {
        story = story.event(created("ticket", &format!("n{number}"), json!({})));
    }
    let story = story.run_until_idle();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..20 {
        *counts.entry(owner(&story, &format!("n{number}"))).or_default() += 1;
    }
    let counts: Vec<_> = counts.into_values().collect();
    assert_eq!((counts.iter().sum::<usize>(), counts.iter().min(), counts.iter().max()), (20, Some(&6), Some(&7)));
}

#[test]
fn revisions_of_people_hold_no_names_and_no_addresses() {
    let story = shop().workflow(&assigns("{round_robin: everyone}"));
    let texts = |story: &Scenario| -> Vec<String> {
        let items = story.world().store.items(Table::Workflows);
        items.iter().filter(|item| item.body.contains("ada")).map(|item| item.key.partition.clone()).collect()
    };
    let personal = |story: &Scenario| {
        let items = story.world().store.items(Table::Workflows);
        let has = |text: &str| ["Lovelace", "ada.l@", "+4930"].iter().any(|part| text.contains(part));
        items.iter().filter(|item| has(&item.body)).map(|item| item.key.partition.clone()).collect::<Vec<_>>()
    };
    assert!(texts(&story).iter().any(|partition| partition == definition::REVISIONS));
    assert_eq!(personal(&story), [definition::ALL]);
    // A member who is taken out of the file is gone with name and addresses.
    let (_, rest) = PEOPLE.split_once("  - {member: bob").expect("bob is there");
    let without =
        format!("people: shop\nteams: [{{team: sales}}, {{team: support}}]\nmembers:\n  - {{member: bob{rest}");
    let story = story.definition(DefinitionKind::People, &without);
    assert_eq!(personal(&story), [""; 0]);
}

#[test]
fn members_whom_a_workflow_names_are_not_deleted() {
    let story = shop().workflow(&assigns("{team: sales}"));
    let kept = &story.world().system.definitions;
    let deleted = at_once(kept.delete(DefinitionKind::People, "shop", (None, "ada")));
    assert!(matches!(&deleted, Err(DefinitionError::InUse(_, _, mistakes)) if mistakes.len() == 1), "{deleted:?}");
    let without = PEOPLE.replace("team: sales, name: Sales", "team: sellers").replace("[sales", "[sellers");
    let source = Source::parse("p", &without).expect("it is YAML");
    let saved = at_once(kept.save(DefinitionKind::People, &source, (Some(1), "ada"))).expect("it has no mistakes");
    assert!(saved.warnings[0].message.contains("expected a team that exists, found \"sales\""), "{:?}", saved.warnings);
}
