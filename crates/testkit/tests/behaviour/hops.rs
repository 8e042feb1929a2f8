//! Chains of relationships.

use pawl_testkit::scenario::{Scenario, completed, manual, paused, scenario, updated, waiting};
use serde_json::{Value, json};

const COMPANY: &str = "
object: company
fields:
  name: {type: text}
  tier: {type: text}
relationships:
  parent: {object: company}
  people: {object: person, many: true}
";

const DEAL: &str = "
object: deal
fields: {state: {type: text}}
relationships:
  company: {object: company}
";

const PERSON: &str = "
object: person
fields: {name: {type: text}}
";

/// A deal with a shop, which belongs to a chain, which belongs to a holding; the chain has two people.
fn story(head: &str, steps: &str) -> Scenario {
    let workflow = format!("workflow: w\nowner: ops@example.com\nactive: true\nobject: deal\n{head}\nsteps:\n{steps}");
    let company = |name: &str, parent: Option<&str>| json!({"name": name, "parent": parent, "tier": "tin"});
    let chain = json!({"name": "Chain", "parent": "holding", "people": ["p2", "p1"]});
    let story = scenario().object(COMPANY).object(PERSON).object(DEAL).workflow(&workflow);
    let story = story.record("person", "p1", json!({"name": "Ada"})).record("person", "p2", json!({"name": "Bob"}));
    let story = story.record("company", "holding", company("Holding", None)).record("company", "chain", chain);
    let story = story.record("company", "shop", company("Shop", Some("chain")));
    story.record("deal", "d1", json!({"company": "shop", "state": "new"})).event(manual("w").on("deal", "d1"))
}

fn value(expression: &str) -> Value {
    let set = format!("  - {{id: set, type: set_variables, values: {{x: '{{{{ {expression} }}}}'}}}}");
    story("", &set).run_until_idle().expect(completed()).last().execution.variables["x"].clone()
}

#[test]
fn a_chain_leads_over_three_relationships() {
    assert_eq!(value("record.company.name"), "Shop");
    assert_eq!(value("record.company.parent.name"), "Chain");
    assert_eq!(value("record.company.parent.parent.name"), "Holding");
    assert_eq!(value("record[\"company\"].parent[\"parent\"].id"), "holding");
}

#[test]
fn what_lies_behind_an_empty_relationship_of_a_chain_is_null() {
    let orphan = "  - {id: cut, type: set_fields, target: record.company, fields: {parent: null}}
  - {id: set, type: set_variables, values: {x: '{{ record.company.parent.parent.name }}', y: '{{ has(record.company.parent.name) }}'}}";
    let story = story("", orphan).run_until_idle();
    story.expect(completed().variable("x", Value::Null).variable("y", false));
}

#[test]
fn a_chain_may_end_with_many_records() {
    assert_eq!(value("record.company.parent.people.map(p, p.name)"), json!(["Bob", "Ada"]));
}

#[test]
fn a_relationship_that_no_expression_follows_is_an_id() {
    assert_eq!(value("record.company.parent == null"), false);
    assert_eq!(value("json(record.company).contains(\"\\\"parent\\\":\\\"chain\\\"\")"), true);
}

#[test]
fn a_source_a_filter_and_the_output_follow_chains() {
    let head = "
variables: [{name: top, type: text, from: [record.company.parent.parent.name]}]
triggers: [{id: won, type: field_updated, field: state, filter: 'record.company.parent.name == \"Chain\"'}]
output: {people: record.company.parent.people.size()}";
    let story = story(head, "  - {id: end, type: note, text: end}").run_until_idle();
    let story = story.expect(completed().variable("top", "Holding"));
    let story = story.event(updated("deal", "d1", json!({"state": "won"}))).settle();
    let executions = story.world().executions();
    assert_eq!(executions.len(), 2);
    assert!(executions.iter().all(|execution| execution.output == json!({"people": 2})));
}

#[test]
fn the_records_at_the_end_of_a_chain_are_changed() {
    let story =
        story("", "  - {id: set, type: set_fields, target: record.company.parent.parent, fields: {tier: gold}}");
    story.run_until_idle().expect(completed());
    let each = "  - {id: set, type: set_fields, target: record.company.parent.people, fields: {name: {clear: true}}}";
    let story = self::story("", each).run_until_idle().expect(completed());
    assert!(story.world().records("person").iter().all(|person| person.fields.get("name").is_none_or(Value::is_null)));
}

#[test]
fn a_target_behind_an_empty_relationship_fails() {
    let set = "
  - {id: cut, type: set_fields, target: record.company, fields: {parent: null}}
  - {id: set, type: set_fields, target: record.company.parent, fields: {tier: gold}}";
    story("", set).run_until_idle().expect(paused().path(["cut", "set:failed"]));
}

const GOAL: &str = "  - {id: wait, type: goal, until: 'record.company.parent.parent.tier == \"gold\"', timeout: never, met: [], unmet: []}";

#[test]
fn a_change_at_the_end_of_a_chain_meets_a_goal() {
    let story = story("", GOAL).run_for("1d").expect(waiting());
    let story = story.event(updated("company", "chain", json!({"tier": "gold"}))).run_for("1h").expect(waiting());
    story.event(updated("company", "holding", json!({"tier": "gold"}))).settle().expect(completed().path(["wait:met"]));
}

#[test]
fn a_goal_follows_a_chain_that_is_laid_anew() {
    let story = story("", GOAL).record("company", "group", json!({"name": "Group"})).run_for("1d").expect(waiting());
    let story = story.event(updated("company", "chain", json!({"parent": "group"}))).run_for("1h").expect(waiting());
    let story = story.event(updated("company", "holding", json!({"tier": "gold"}))).run_for("1h").expect(waiting());
    story.event(updated("company", "group", json!({"tier": "gold"}))).settle().expect(completed().path(["wait:met"]));
}
