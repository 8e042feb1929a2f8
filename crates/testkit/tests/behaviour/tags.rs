//! Owners, tags, stages and links of records: the steps that change them, and the triggers that listen for them.

use pawl_testkit::scenario::{Scenario, completed, created, manual, paused, scenario, updated};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with};

const DEAL: &str = "
object: deal
fields: {name: {type: text}}
stages: [open, won, lost]
relationships:
  buyer: {object: customer}
  others: {object: deal, many: true}
";

fn on_deals(triggers: &str, steps: &str) -> String {
    format!("workflow: w\nowner: a@example.com\nactive: true\nobject: deal\ntriggers: [{triggers}]\nsteps:\n{steps}")
}

fn deals(workflow: &str) -> Scenario {
    scenario().object(CUSTOMER).object(DEAL).workflow(workflow).record("deal", "a", json!({"name": "A"}))
}

fn count(story: &Scenario) -> usize {
    story.world().executions().len()
}

const END: &str = "  - {id: end, type: note, text: end}";

#[test]
fn tags_are_a_set_in_the_order_of_adding() {
    let steps = "
  - {id: add, type: change_tags, add: [vip, ' new ', vip, '']}
  - {id: both, type: change_tags, add: [late, new], remove: [new, vip, none]}
  - {id: same, type: change_tags, add: late, remove: none}
  - {id: seen, type: set_variables, values: {tags: '{{ record.tags }}', owner: '{{ record.owner }}'}}
  - {id: gone, type: change_tags, remove: '{{ record.tags }}'}
  - {id: empty, type: set_variables, values: {left: '{{ record.tags }}'}}";
    let story = scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(&on_tickets(steps))
        .record("ticket", "t1", json!({"owner": " Ada@Example.com "}))
        .event(manual("w").on("ticket", "t1"))
        .run_until_idle()
        .expect(completed().variable("tags", json!(["late", "new"])).variable("left", json!([])))
        .expect(completed().variable("owner", "ada@example.com"));
    let steps = story.last().execution.steps;
    assert_eq!(steps["add"].output, json!({"changes": {"tags": {"from": null, "to": ["vip", "new"]}}}));
    assert_eq!(steps["same"].output, json!({"changes": {}}));
    assert_eq!(steps["gone"].output["changes"]["tags"]["to"], json!(null));
}

#[test]
fn a_tag_that_comes_or_goes_starts_a_workflow() {
    let started = |trigger: &str, before: &[&str], after: &[&str]| {
        let story = scenario()
            .object(CUSTOMER)
            .object(TICKET)
            .workflow(&on_tickets_with(&format!("triggers: [{trigger}]"), END))
            .record("ticket", "t1", json!({"tags": before}))
            .event(updated("ticket", "t1", json!({"tags": after})))
            .run_until_idle();
        count(&story)
    };
    assert_eq!(started("{type: tag_changed}", &["a"], &["a", "b"]), 1);
    assert_eq!(started("{type: tag_changed}", &["a"], &["a", "a"]), 0);
    assert_eq!(started("{type: tag_changed, tag: b}", &["a"], &["a", "b"]), 1);
    assert_eq!(started("{type: tag_changed, tag: b}", &["b", "a"], &["b"]), 0);
    assert_eq!(started("{type: tag_changed, tag: b, change: added}", &["b"], &[]), 0);
    assert_eq!(started("{type: tag_changed, tag: b, change: removed}", &["b"], &[]), 1);
    assert_eq!(started("{type: tag_changed, change: added}", &["a", "b"], &["b", "a"]), 0);
}

#[test]
fn an_owner_and_a_stage_that_change_start_a_workflow() {
    let story = deals(&on_deals("{type: owner_changed, to: not_blank, from: {equals: ada@example.com}}", END))
        .event(updated("deal", "a", json!({"owner": "ada@example.com"})))
        .event(updated("deal", "a", json!({"owner": "Bob@example.com", "name": "B"})))
        .event(updated("deal", "a", json!({"owner": null})))
        .run_until_idle();
    assert_eq!(count(&story), 1);
    let told = "  - {id: told, type: set_variables, values: {stage: '{{ trigger.changes.stage }}', type: '{{ trigger.type }}'}}";
    let story = deals(&on_deals("{type: stage_updated, to: {in: [won, lost]}}", told))
        .event(updated("deal", "a", json!({"stage": "won"})))
        .event(updated("deal", "a", json!({"stage": "won"})))
        .event(updated("deal", "a", json!({"stage": "open"})))
        .run_until_idle()
        .expect(completed().variable("stage", json!({"from": "open", "to": "won"})).variable("type", "field_updated"));
    assert_eq!(count(&story), 1);
    for (on_create, expected) in [(true, 1), (false, 0)] {
        let trigger = format!("{{type: stage_updated, to: {{equals: won}}, on_create: {on_create}}}");
        let story =
            deals(&on_deals(&trigger, END)).event(created("deal", "b", json!({"stage": "won"}))).run_until_idle();
        assert_eq!(count(&story), expected);
    }
}

#[test]
fn links_are_made_and_end() {
    let steps = "
  - {id: many, type: link_records, relationship: others, add: [b, c]}
  - {id: fewer, type: link_records, relationship: others, add: '{{ record.others[1] }}', remove: b}
  - {id: one, type: link_records, relationship: buyer, add: c1}
  - {id: other, type: link_records, relationship: buyer, remove: c2}
  - {id: none, type: link_records, relationship: buyer, remove: c1}
  - {id: each, type: link_records, relationship: buyer, add: c2, target: record.others}";
    let story = deals(&on_deals("", steps))
        .record("customer", "c1", json!({"name": "Ada"}))
        .record("customer", "c2", json!({"name": "Bob"}))
        .record("deal", "b", json!({"name": "B"}))
        .record("deal", "c", json!({"name": "C"}))
        .event(manual("w").on("deal", "a"))
        .run_until_idle()
        .expect(completed().records(
            "deal",
            [
                json!({"id": "a", "others": ["c"], "buyer": null}),
                json!({"id": "b", "buyer": null}),
                json!({"id": "c", "buyer": "c2"}),
            ],
        ));
    let steps = story.last().execution.steps;
    assert_eq!(steps["one"].output, json!({"changes": {"buyer": {"from": null, "to": "c1"}}}));
    assert_eq!(steps["other"].output, json!({"changes": {}}));
}

#[test]
fn a_target_of_several_records_means_each_of_them() {
    let steps = "
  - {id: tag, type: change_tags, add: seen, target: record.others}
  - {id: some, type: set_fields, object: deal, target: '{{ [\"b\", \"nobody\", \"b\"] }}', fields: {stage: lost}}
  - {id: none, type: set_stage, object: deal, target: '{{ [\"nobody\"] }}', stage: won, on_failure: {then: continue}}
  - {id: empty, type: change_tags, add: seen, object: deal, target: '{{ [] }}'}
  - {id: all, type: set_stage, object: deal, target: '{{ [\"a\", \"b\", \"c\"] }}', stage: won}";
    let story = deals(&on_deals("", steps))
        .record("deal", "b", json!({"name": "B"}))
        .record("deal", "c", json!({"name": "C", "tags": ["seen"]}))
        .event(updated("deal", "a", json!({"others": ["b", "c"]})))
        .event(manual("w").on("deal", "a"))
        .run_until_idle()
        .expect(completed());
    let steps = story.last().execution.steps;
    let changes = |from: serde_json::Value, to: &str, field: &str| json!({field: {"from": from, "to": to}});
    assert_eq!(
        steps["tag"].output["records"],
        json!([
            {"object": "deal", "id": "b", "changes": {"tags": {"from": null, "to": ["seen"]}}},
            {"object": "deal", "id": "c", "changes": {}},
        ])
    );
    let some = &steps["some"];
    assert_eq!(json!(some.status), "partial");
    assert_eq!(some.output["records"][0]["changes"], changes(json!("open"), "lost", "stage"));
    assert_eq!(some.output["records"][1]["error"]["code"], "no_record");
    assert_eq!(some.output["records"].as_array().map(Vec::len), Some(2));
    assert_eq!(steps["none"].error.as_ref().expect("nothing could be changed").code, "no_record");
    assert_eq!(steps["empty"].output, json!({"records": []}));
    assert_eq!(steps["all"].output["records"].as_array().map(Vec::len), Some(3));
    story.expect(completed().failed_steps(["none"]));
}

#[test]
fn too_many_targets_change_nothing() {
    let steps = "  - {id: all, type: change_tags, add: x, object: deal, target: '{{ vars.ids }}'}";
    let ids: Vec<_> = (0..26).map(|n| n.to_string()).collect();
    let story =
        deals(&on_deals("", steps).replace("steps:", "variables: [{name: ids, type: text, many: true}]\nsteps:"))
            .event(manual("w").on("deal", "a").values(json!({"ids": ids})))
            .run_until_idle()
            .expect(paused());
    assert_eq!(story.last().execution.steps["all"].error.as_ref().expect("it failed").code, "too_many_targets");
}
