//! Steps on records: `set_fields`, `create_record`, `find_records`.

use pawl_testkit::scenario::{Scenario, archived, completed, manual, paused, scenario};
use serde_json::{Value, json};

use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with, with};

/// The story of `w` on the ticket `t1` with these fields, of the customer `c1`.
fn story(workflow: &str, fields: Value) -> Scenario {
    scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(workflow)
        .record("customer", "c1", json!({"name": "Ada", "plan": "free"}))
        .record("ticket", "t1", fields)
        .event(manual("w").on("ticket", "t1"))
        .run_until_idle()
}

/// The ticket after one `set_fields`.
#[track_caller]
fn set(fields: Value, change: &str) -> Value {
    let story = story(&on_tickets(&format!("  - {{id: set, type: set_fields, fields: {change}}}")), fields);
    story.expect(completed().path(["set"])).world().records("ticket")[0].view()
}

#[test]
fn fields_are_set_cleared_and_filled_if_blank() {
    let ticket =
        set(json!({"title": "a", "priority": 3}), "{title: 'b {{ record.priority }}', priority: {clear: true}}");
    assert_eq!((&ticket["title"], &ticket["priority"]), (&json!("b 3"), &Value::Null));
    let ticket = set(json!({"title": "a"}), "{title: {set: x, if_blank: true}, priority: {set: 1, if_blank: true}}");
    assert_eq!((&ticket["title"], &ticket["priority"]), (&json!("a"), &json!(1)));
}

#[test]
fn numbers_and_lists_are_added_to_and_taken_from() {
    let ticket = set(json!({"priority": 3, "tags": ["a", "b"]}), "{priority: {add: 2}, tags: {add: [b, c]}}");
    assert_eq!((&ticket["priority"], &ticket["tags"]), (&json!(5), &json!(["a", "b", "c"])));
    let ticket = set(json!({"priority": 3, "tags": ["a", "b"]}), "{priority: {remove: 5}, tags: {remove: a}}");
    assert_eq!((&ticket["priority"], &ticket["tags"]), (&json!(-2), &json!(["b"])));
    let ticket = set(json!({}), "{priority: {add: 2}, tags: {add: a}}");
    assert_eq!((&ticket["priority"], &ticket["tags"]), (&json!(2), &json!(["a"])));
}

#[test]
fn a_list_is_added_to_and_taken_from_at_once() {
    let ticket = set(json!({"tags": ["a", "b"]}), "{tags: {add: [c, a], remove: [a]}}");
    assert_eq!(ticket["tags"], json!(["b", "c", "a"]), "what is both removed and added is there, at the end");
    let ticket = set(json!({}), "{tags: {add: c, remove: a}}");
    assert_eq!(ticket["tags"], json!(["c"]));
}

#[test]
fn a_value_of_a_new_record_is_mapped() {
    let steps = "
  - id: make
    type: create_record
    object: customer
    fields: {name: 'of {{ record.title }}', plan: {set: '{{ record.title }}', map: {a: paid, '*': free}}}";
    let story = story(&on_tickets(steps), json!({"title": "a"})).expect(completed().path(["make"]));
    let made: Vec<_> = story.world().records("customer").iter().map(|record| record.view()["plan"].clone()).collect();
    assert!(made.contains(&json!("paid")), "{made:?}");
}

#[test]
fn values_are_mapped() {
    let ticket = set(json!({"title": "urgent"}), "{priority: {set: '{{ record.title }}', map: {urgent: 9, '*': 1}}}");
    assert_eq!(ticket["priority"], 9);
    let ticket = set(json!({"title": "other"}), "{priority: {set: '{{ record.title }}', map: {urgent: 9, '*': 1}}}");
    assert_eq!(ticket["priority"], 1);
}

#[test]
fn a_value_that_does_not_fit_the_field_fails_and_writes_nothing() {
    let steps = "  - {id: set, type: set_fields, fields: {title: new, status: '{{ \"no such \" + record.title }}'}}";
    story(&on_tickets(steps), json!({"title": "a"}))
        .expect(paused().path(["set:failed"]).records("ticket", [json!({"title": "a", "status": "new"})]));
}

#[test]
fn a_related_record_is_changed_by_its_path() {
    let steps = "  - {id: set, type: set_fields, target: record.customer, fields: {plan: paid}}";
    story(&on_tickets(steps), json!({"customer": "c1"}))
        .expect(completed().records("customer", [json!({"plan": "paid"})]));
    story(&on_tickets(steps), json!({})).expect(paused().path(["set:failed"]));
}

#[test]
fn a_record_of_a_variable_is_changed() {
    let steps = "
  - {id: find, type: find_records, object: customer, where: {name: Ada}, save_as: found}
  - {id: set, type: set_fields, target: '{{ vars.found[0] }}', fields: {plan: paid}}
  - {id: by-id, type: set_fields, target: '{{ vars.found[0].id }}', object: customer, fields: {name: Ada L}}";
    story(&on_tickets(steps), json!({}))
        .expect(completed().records("customer", [json!({"plan": "paid", "name": "Ada L"})]));
}

#[test]
fn writing_what_is_there_changes_nothing_and_emits_nothing() {
    let story = story(
        &on_tickets_with(
            "triggers: [{id: a, type: field_updated, field: title}]",
            "  - {id: set, type: set_fields, fields: {title: a}}",
        ),
        json!({"title": "a"}),
    );
    let story = story.expect(completed());
    assert_eq!(story.world().records("ticket")[0].version, 1);
    assert_eq!(story.world().executions().len(), 1);
}

#[test]
fn what_a_step_writes_the_next_one_reads() {
    let steps = "
  - {id: set, type: set_fields, fields: {title: new}}
  - {id: check, type: condition, if: 'record.title == \"new\"'}";
    story(&on_tickets(steps), json!({"title": "old"})).expect(completed().path(["set", "check:yes"]));
}

#[test]
fn a_record_is_made_with_its_defaults_and_a_link_back() {
    let object = "object: task\nfields:\n  text: {type: text, required: true}\n  done: {type: boolean, default: false}\nrelationships:\n  ticket: {object: ticket}\n";
    let steps = "  - {id: make, type: create_record, object: task, fields: {text: '{{ record.title }}'}, link_back: ticket, save_as: task}";
    let story = scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .object(object)
        .workflow(&on_tickets(steps))
        .record("ticket", "t1", json!({"title": "call Ada"}))
        .event(manual("w").on("ticket", "t1"))
        .run_until_idle();
    story
        .expect(completed().records("task", [json!({"text": "call Ada", "done": false, "ticket": "t1"})]))
        .expect(completed().variable("task", json!({"object": "task", "text": "call Ada"})));
}

#[test]
fn a_duplicate_is_used_numbered_or_an_error() {
    let made = |rule: &str| {
        let steps = format!(
            "  - {{id: make, type: create_record, object: customer, fields: {{name: Ada, plan: paid}}, {rule}}}"
        );
        story(&on_tickets(&steps), json!({}))
    };
    made("on_duplicate: use").expect(completed().records("customer", [json!({"id": "c1", "plan": "free"})]));
    made("on_duplicate: suffix")
        .expect(completed().records("customer", [json!({"id": "c1"}), json!({"name": "Ada (2)", "plan": "paid"})]));
    made("on_duplicate: error").expect(paused().path(["make:failed"]).records("customer", [json!({"id": "c1"})]));
}

#[test]
fn each_visit_makes_a_record_of_its_own() {
    let steps = "
  - {id: make, type: create_record, object: customer, fields: {name: New}, on_duplicate: suffix}
  - {id: count, type: set_variables, values: {n: '{{ vars.n + 1 }}'}}
  - id: more
    type: condition
    if: vars.n < 3
    yes: [{id: again, type: go_to, step: make}]";
    let keys = "variables: [{name: n, type: number, default: 0}]";
    story(&on_tickets_with(keys, steps), json!({})).expect(completed().records(
        "customer",
        [json!({"name": "Ada"}), json!({"name": "New"}), json!({"name": "New (2)"}), json!({"name": "New (3)"})],
    ));
}

/// The titles that a query finds among four tickets.
#[track_caller]
fn titles(query: &str) -> Vec<String> {
    let steps = format!("  - {{id: find, type: find_records, object: ticket, save_as: found, {query}}}");
    let story = scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(&with("", &steps))
        .record("ticket", "t1", json!({"title": "Alpha", "priority": 1, "status": "open", "tags": ["x"]}))
        .record("ticket", "t2", json!({"title": "beta", "priority": 2, "status": "open", "tags": ["x", "y"]}))
        .record("ticket", "t3", json!({"title": "gamma alpha", "priority": 3, "status": "closed"}))
        .record("ticket", "t4", json!({"priority": 10, "status": "new"}))
        .event(manual("w"))
        .run_until_idle()
        .expect(completed().path(["find"]));
    let found = story.last().execution.variables["found"].clone();
    let found = found.as_array().expect("a list is found").iter();
    found.map(|ticket| ticket["id"].as_str().expect("a record has an id").to_owned()).collect()
}

#[test]
fn records_are_found_by_tests_of_their_fields() {
    assert_eq!(titles("where: {status: open}, order: priority"), ["t1", "t2"]);
    assert_eq!(titles("where: {priority: {gt: 1, lte: 3}}, order: priority"), ["t2", "t3"]);
    assert_eq!(titles("where: {status: {in: [new, closed]}}, order: priority"), ["t3", "t4"]);
    assert_eq!(titles("where: {status: {not: open}}, order: priority"), ["t3", "t4"]);
    assert_eq!(titles("where: {title: {contains: ALPHA}}, order: priority"), ["t1", "t3"]);
    assert_eq!(titles("where: {tags: {contains: y}}"), ["t2"]);
    assert_eq!(titles("where: {title: {blank: true}}"), ["t4"]);
    assert_eq!(titles("where: {title: {blank: false}}, order: '-priority', limit: 2"), ["t3", "t2"]);
    assert_eq!(titles("where: {id: t3}"), ["t3"]);
    assert!(titles("where: {status: resolved}").is_empty());
}

#[test]
fn two_executions_that_add_to_one_field_lose_nothing() {
    let steps = "  - {id: add, type: set_fields, fields: {priority: {add: 1}}}";
    let mut story = scenario().object(CUSTOMER).object(TICKET).workflow(&on_tickets(steps)).record(
        "ticket",
        "t1",
        json!({"priority": 0}),
    );
    for _ in 0..10 {
        story = story.event(manual("w").on("ticket", "t1"));
    }
    story.run_until_idle().expect(completed().records("ticket", [json!({"priority": 10})]));
}

#[test]
fn a_unique_value_that_is_taken_fails_the_step() {
    let steps = "  - {id: set, type: set_fields, target: record.customer, fields: {name: Eve}}";
    let story = scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(&on_tickets(steps))
        .record("customer", "c1", json!({"name": "Ada"}))
        .record("customer", "c2", json!({"name": "Eve"}))
        .record("ticket", "t1", json!({"customer": "c1"}))
        .event(manual("w").on("ticket", "t1"))
        .run_until_idle()
        .expect(paused().path(["set:failed"]));
    let rows = story.last().rows;
    let error = rows.iter().find_map(|row| row.error.as_ref()).expect("the step failed");
    assert_eq!(error.code, "duplicate_record");
}

#[test]
fn an_archived_record_is_brought_back_and_is_not_found_before() {
    let steps = "
  - {id: find, type: find_records, object: customer, where: {name: Ada}, save_as: found}
  - {id: make, type: create_record, object: customer, fields: {name: Ada}, on_duplicate: unarchive, save_as: made}";
    let hears = |id: &str, trigger: &str| {
        let end = "  - {id: end, type: note, text: end}";
        with(&format!("object: customer\ntriggers: [{trigger}]"), end)
            .replace("workflow: w", &format!("workflow: {id}"))
    };
    let story = scenario()
        .object(CUSTOMER)
        .workflow(&with("", steps))
        .workflow(&hears("back", "{type: record_created, include: [unarchived]}"))
        .workflow(&hears("new", "{type: record_created}"))
        .workflow(&hears("changed", "{type: field_updated, field: name, on_create: true}"))
        .record("customer", "c1", json!({"name": "Ada", "plan": "paid"}));
    let story = story.event(archived("customer", "c1")).event(manual("w")).run_until_idle();
    let story = story.expect(completed().of("w").variable("found", json!([])));
    let story = story.expect(completed().of("w").variable("made", json!({"id": "c1", "plan": "paid"})));
    assert!(!story.world().records("customer")[0].is_archived());
    let began: Vec<_> = story.world().executions().into_iter().map(|one| one.workflow).collect();
    assert_eq!(began, ["w", "back"]);
}

#[test]
fn a_blank_value_changes_nothing_if_the_author_says_so() {
    let set = |fields: &str| {
        let steps = format!("  - {{id: set, type: set_fields, fields: {fields}}}");
        let story = story(&on_tickets(&steps), json!({"title": "Alpha", "priority": 1}));
        let story = story.run_until_idle().expect(completed());
        story.last().execution.steps["set"].output["changes"].clone()
    };
    assert_eq!(
        set("{title: {set: '{{ \" \" }}', unless_blank: true}, priority: {set: 2, unless_blank: true}}"),
        json!({"priority": {"from": 1, "to": 2}})
    );
    assert_eq!(set("{title: {set: x, unless_blank: true, map: {x: ''}}}"), json!({}));
    assert_eq!(set("{title: {set: '{{ null }}'}}"), json!({"title": {"from": "Alpha", "to": null}}));
}

#[test]
fn records_are_found_by_one_of_several_tests_and_counted() {
    let steps = "
  - {id: any, type: find_records, object: ticket, where: {status: open}, any: [{priority: {gte: 3}}, {title: Alpha, priority: 1}], order: title, limit: all}
  - {id: none, type: find_records, object: ticket, any: [{title: Zeta}, {priority: 9}]}
  - {id: count, type: find_records, object: ticket, any: [{priority: 3}, {priority: 1}], count: true}
  - {id: all, type: find_records, object: ticket, count: true, save_as: all}
  - {id: sum, type: set_variables, values: {next: '{{ vars.all + 1 }}'}}";
    let story = scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(&with("", steps))
        .record("ticket", "t1", json!({"title": "Alpha", "priority": 1, "status": "open"}))
        .record("ticket", "t2", json!({"title": "Beta", "priority": 3, "status": "open"}))
        .record("ticket", "t3", json!({"title": "Gamma", "priority": 3, "status": "closed"}))
        .record("ticket", "t4", json!({"title": "Delta", "priority": 2, "status": "open"}))
        .event(manual("w"))
        .run_until_idle()
        .expect(completed().variable("next", 5));
    let steps = story.last().execution.steps;
    let ids: Vec<_> = steps["any"].output.as_array().into_iter().flatten().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, ["t1", "t2"]);
    assert_eq!((&steps["none"].output, &steps["count"].output), (&json!([]), &json!(3)));
}

#[test]
fn a_new_record_is_linked_owned_and_staged() {
    let deal = "object: deal\nfields: {name: {type: text, unique: true}, n: {type: number}}\nstages: [open, won]\n\
                relationships: {first: {object: deal}, others: {object: deal, many: true}}";
    let steps = "
  - {id: make, type: create_record, object: deal, fields: {name: B}, stage: won, owner: Ada@example.com, link: first}
  - {id: more, type: create_record, object: deal, fields: {name: C}, link: {relationship: first, if_blank: true}}
  - {id: both, type: create_record, object: deal, fields: {name: B}, on_duplicate: use, link: {relationship: others, add: true}}
  - {id: same, type: create_record, object: deal, fields: {name: B}, on_duplicate: use, link: others}
  - {id: own, type: create_record, object: deal, fields: {name: A, n: {add: 2}}, on_duplicate: update, owner: bob@example.com, link: others}";
    let story = scenario()
        .object(deal)
        .workflow(&with("object: deal", steps))
        .record("deal", "a", json!({"name": "A", "n": 1}))
        .event(manual("w").on("deal", "a"))
        .run_until_idle()
        .expect(completed());
    let steps = story.last().execution.steps;
    let made = steps["make"].output["id"].clone();
    assert_eq!(
        (&steps["make"].output["stage"], &steps["make"].output["owner"]),
        (&json!("won"), &json!("ada@example.com"))
    );
    assert_eq!((&steps["own"].output["id"], &steps["both"].output["id"]), (&json!("a"), &made));
    let own = json!({"id": "a", "first": made, "others": [made, "a"], "n": 3, "owner": "bob@example.com"});
    story.expect(completed().records("deal", [own, json!({"name": "B"}), json!({"name": "C", "stage": "open"})]));
}

#[test]
fn an_archived_record_that_has_the_value_is_treated_as_the_step_says() {
    let made = |keys: &str| {
        let steps = format!(
            "  - {{id: make, type: create_record, object: customer, fields: {{name: Ada, plan: paid}}, on_failure: {{then: continue}}, {keys}}}"
        );
        let story = scenario()
            .object(CUSTOMER)
            .workflow(&with("", &steps))
            .record("customer", "c1", json!({"name": "Ada", "plan": "free"}))
            .event(archived("customer", "c1"))
            .event(manual("w"))
            .run_until_idle();
        let step = story.last().execution.steps["make"].clone();
        let customer = story.world().records("customer").into_iter().find(|one| one.id == "c1").expect("it is there");
        let name = step.output["name"].as_str().unwrap_or_default().to_owned();
        (name, customer.fields["plan"].clone(), customer.is_archived(), step.error.is_some())
    };
    let ada = || "Ada".to_owned();
    assert_eq!(made("on_duplicate: use"), (ada(), json!("free"), true, false));
    assert_eq!(made("on_duplicate: update"), (ada(), json!("paid"), true, false));
    assert_eq!(made("on_archived: unarchive"), (ada(), json!("free"), false, false));
    assert_eq!(made("on_duplicate: use, on_archived: overwrite"), (ada(), json!("paid"), false, false));
    assert_eq!(made("on_archived: suffix"), ("Ada (2)".to_owned(), json!("free"), true, false));
    assert_eq!(made("on_duplicate: use, on_archived: error"), (String::new(), json!("free"), true, true));
}
