//! Equality, order and blanks, wherever a workflow meets them: filters, orders, matches, changes, forms, relationships.

use pawl_testkit::scenario::{Scenario, completed, created, manual, scenario, updated, webhook};
use serde_json::{Value, json};

use crate::support::{CUSTOMER, TICKET, on_tickets, with};

const ITEM: &str = "
object: item
fields:
  number: {type: number, unique: true}
  qty: {type: number}
  sizes: {type: number, many: true}
  email: {type: email, indexed: true}
  due: {type: date}
  at: {type: datetime}
  name: {type: text}
relationships:
  parent: {object: item}
  parts: {object: item, many: true}
";

/// A workflow on items that keeps what an expression or several give.
fn keeps(keys: &str, values: &str) -> String {
    with(&format!("object: item\n{keys}"), &format!("  - {{id: keep, type: set_variables, values: {values}}}"))
}

fn items(workflow: &str, records: &[(&str, Value)]) -> Scenario {
    let story = scenario().object(ITEM).workflow(workflow);
    records.iter().fold(story, |story, (id, fields)| story.record("item", id, fields.clone()))
}

/// The ids that a `find_records` gives, of these items.
#[track_caller]
fn found(records: &[(&str, Value)], find: &str) -> Value {
    let steps = format!(
        "  - {{id: find, type: find_records, object: item, {find}}}
  - {{id: keep, type: set_variables, values: {{ids: '{{{{ steps.find.output.map(r, r.id) }}}}'}}}}"
    );
    let story = items(&with("", &steps), records).event(manual("w")).run_until_idle().expect(completed());
    story.last().execution.variables["ids"].clone()
}

/// Fault 01: with a blank in between, the order was wrong, or the sort panicked.
#[test]
fn blanks_come_last_in_every_order() {
    let due = [
        ("a", json!({"due": "2026-12-31"})),
        ("b", json!({})),
        ("c", json!({"due": "2026-12-01"})),
        ("d", json!({"due": ""})),
    ];
    assert_eq!(found(&due, "order: due"), json!(["c", "a", "b", "d"]));
    assert_eq!(found(&due, "order: -due"), json!(["a", "c", "b", "d"]));
    assert_eq!(found(&due, "order: due, limit: 1"), json!(["c"]));
    let many: Vec<_> = (0..100).map(|n| (format!("r{n:02}"), n)).collect();
    let many: Vec<_> = many
        .iter()
        .map(|(id, n)| (id.as_str(), if n % 3 == 0 { json!({}) } else { json!({"qty": (n * 37) % 100}) }))
        .collect();
    let ids = found(&many, "order: qty, limit: 1000");
    let quantities: Vec<_> = ids
        .as_array()
        .expect("a list")
        .iter()
        .map(|id| many.iter().find(|(known, _)| id == known).and_then(|(_, fields)| fields["qty"].as_i64()))
        .collect();
    let (some, none) = quantities.split_at(66);
    assert!(some.is_sorted() && some.iter().all(Option::is_some) && none.iter().all(Option::is_none), "{quantities:?}");
}

#[test]
fn times_are_ordered_by_time_and_numbers_by_size() {
    let times = [
        ("a", json!({"at": "2026-01-01T00:00:00Z"})),
        ("b", json!({"at": "2026-01-01T00:00:00.5Z"})),
        ("c", json!({"at": "2026-01-01T02:00:00+02:00"})),
    ];
    assert_eq!(found(&times, "order: at"), json!(["a", "c", "b"]));
    assert_eq!(found(&times, "where: {at: '2026-01-01T01:00:00+01:00'}, order: id"), json!(["a", "c"]));
    assert_eq!(found(&times, "where: {at: {gt: '2026-01-01T00:00:00Z'}}"), json!(["b"]));
    assert_eq!(found(&times, "where: {created_at: {gte: '2020-01-01'}}, order: id"), json!(["a", "b", "c"]));
    let sizes = [("a", json!({"qty": 10})), ("b", json!({"qty": 9.5})), ("c", json!({"qty": -1}))];
    assert_eq!(found(&sizes, "order: -qty"), json!(["a", "b", "c"]));
}

/// Fault 02: filters compared numbers as doubles.
#[test]
fn a_number_of_19_digits_finds_its_own_record_only() {
    let records =
        [("a", json!({"qty": 7_615_917_337_495_251_231_u64})), ("b", json!({"qty": 7_615_917_337_495_251_232_u64}))];
    assert_eq!(found(&records, "where: {qty: 7615917337495251231}"), json!(["a"]));
    assert_eq!(found(&records, "where: {qty: {not: 7615917337495251231}}"), json!(["b"]));
    assert_eq!(found(&records, "where: {qty: {gt: 7615917337495251231}}"), json!(["b"]));
    assert_eq!(found(&records, "where: {qty: {in: [7615917337495251231, 1]}}"), json!(["a"]));
}

#[test]
fn an_operand_takes_the_type_of_what_it_is_compared_with() {
    let records = [("a", json!({"sizes": [1, 2.0], "email": "Eve@Example.com", "name": "Eve"}))];
    for find in [
        "where: {sizes: {contains: '2'}}",
        "where: {sizes: [1.0, 2]}",
        "where: {email: EVE@example.COM}",
        "where: {email: {in: [Eve@Example.com]}}",
        "where: {due: ''}",
        "where: {due: {equals: null}}",
        "where: {due: {blank: true}}",
        "where: {name: {contains: eve}}",
    ] {
        assert_eq!(found(&records, find), json!(["a"]), "{find}");
    }
    assert_eq!(found(&records, "where: {name: eve}"), json!([]), "texts are compared as they are");
    let step =
        "  - {id: find, type: find_records, object: item, where: {due: {lt: '{{ null }}'}}, on_failure: {then: fail}}";
    let story = items(&with("", step), &[]).event(manual("w")).run_until_idle();
    assert_eq!(story.last().execution.error.expect("null has no order").code, "wrong_type");
}

/// Fault 07: 1001 and 1001.0 were two unique values.
#[test]
fn a_delivery_finds_its_record_by_any_spelling_of_a_number() {
    let hook = "triggers: [{id: in, type: webhook, verify: none, record: {match: {number: trigger.body.number}, create: true}}]";
    let story = items(&keeps(hook, "{n: '{{ record.number }}'}"), &[("a", json!({"number": 1001}))])
        .event(webhook("w", "in").raw("{\"number\": 1001.0}").header("content-type", "application/json"))
        .run_until_idle()
        .expect(completed().variable("n", 1001));
    assert_eq!(story.world().records("item").len(), 1);
}

#[test]
fn writing_an_equal_value_changes_nothing() {
    let changed = "triggers: [{id: q, type: field_updated, fields: [qty, email, sizes, name]}]";
    let fields = json!({"qty": 1, "email": "eve@example.com", "sizes": [1, 2]});
    let story = items(&keeps(changed, "{n: '{{ record.qty }}'}"), &[("a", fields)])
        .event(updated("item", "a", json!({"qty": 1.0, "email": "EVE@example.com", "sizes": [1.0, "2"], "name": ""})))
        .run_until_idle();
    assert!(story.world().executions().is_empty(), "nothing really changed");
    assert_eq!(story.world().records("item")[0].version, 1);
    let story = story.event(updated("item", "a", json!({"qty": 1.5}))).run_until_idle();
    assert_eq!(story.world().executions().len(), 1);
}

#[test]
fn a_trigger_compares_what_its_author_wrote_with_what_the_field_has() {
    for (test, fields, began) in [
        ("{to: {equals: '5'}}", json!({"qty": 5}), true),
        ("{to: {equals: 5.0}}", json!({"qty": 5}), true),
        ("{to: {in: [4, 6]}}", json!({"qty": 5}), false),
        (
            "{to: {between: [7615917337495251231, 7615917337495251231]}}",
            json!({"qty": 7_615_917_337_495_251_232_u64}),
            false,
        ),
    ] {
        let keys = format!("triggers: [{{id: q, type: field_updated, field: qty, {}]", &test[1..]);
        let story = items(&keeps(&keys, "{n: 1}"), &[("a", json!({"qty": 1}))])
            .event(updated("item", "a", fields))
            .run_until_idle();
        assert_eq!(!story.world().executions().is_empty(), began, "{test}");
    }
}

#[test]
fn lists_and_sums_know_equal_values() {
    let set = |fields: Value, change: &str| {
        let steps = format!("  - {{id: set, type: set_fields, fields: {change}}}");
        let story = items(&with("object: item", &steps), &[("a", fields)]).event(manual("w").on("item", "a"));
        story.run_until_idle().expect(completed()).world().records("item")[0].fields.clone()
    };
    let fields = set(json!({"sizes": [1, 2]}), "{sizes: {add: ['2', 2.0, 3]}}");
    assert_eq!(fields["sizes"], json!([1, 2, 3]));
    let fields = set(json!({"sizes": [1, 2]}), "{sizes: {remove: '2'}}");
    assert_eq!(fields["sizes"], json!([1]));
    let fields = set(json!({"sizes": [1]}), "{sizes: {remove: 1.0}}");
    assert!(!fields.contains_key("sizes"), "a list without elements is blank");
    let fields = set(json!({"qty": 9_007_199_254_740_992_u64}), "{qty: {add: 1}}");
    assert_eq!(fields["qty"], json!(9_007_199_254_740_993_u64));
    let fields = set(json!({"qty": 2.5}), "{qty: {add: '0.5'}}");
    assert_eq!(fields["qty"].to_string(), "3");

    let step = "  - {id: set, type: set_fields, fields: {qty: {add: 1}}, on_failure: {then: fail}}";
    let story = items(&with("object: item", step), &[("a", json!({"qty": u64::MAX}))])
        .event(manual("w").on("item", "a"))
        .run_until_idle();
    let error = story.last().execution.error.expect("64 bits are full");
    assert!(error.message.ends_with("the result needs more than 64 bits"), "{error:?}");
}

#[test]
fn a_switch_and_a_map_know_every_spelling_of_a_number() {
    let steps = "  - {id: s, type: switch, on: vars.n, cases: {'1.50': [{id: yes, type: note, text: x}], '59': [{id: no, type: note, text: x}]}}";
    let workflow = with("variables: [{name: n, type: number}]", steps);
    for (number, branch) in [(json!(1.5), "s:1.50"), (json!(59.0), "s:59"), (json!(7), "s:default")] {
        let story = scenario().workflow(&workflow).event(manual("w").values(json!({"n": number}))).run_until_idle();
        assert_eq!(story.last().path()[0], branch);
    }
}

/// Fault 08: a form with a field left empty was refused as a whole.
#[test]
fn what_a_visitor_left_empty_is_blank() {
    let lead = "
object: lead
fields:
  ref: {type: text, unique: true}
  due: {type: date}
  seats: {type: number, default: 1}
  newsletter: {type: boolean}
  size: {type: option, options: [small, large]}
  picks: {type: option, options: [a, b], many: true}
";
    let workflow = "
workflow: w
owner: owner@example.com
active: true
object: lead
triggers:
  - id: in
    type: webhook
    verify: none
    record: {match: {ref: trigger.body.ref}, create: true}
    values: {due: trigger.body.due, seats: trigger.body.seats, newsletter: trigger.body.newsletter, size: trigger.body.size, picks: trigger.body.picks, other: trigger.body.other}
steps: [{id: done, type: set_variables, values: {picks: '{{ record.picks }}', other: '{{ has(vars.other) }}'}}]
";
    let form = |body: &str| {
        let delivery = webhook("w", "in").raw(body).header("content-type", "application/x-www-form-urlencoded");
        let story = scenario().object(lead).workflow(workflow).event(delivery).run_until_idle();
        (story.world().records("lead")[0].fields.clone(), story.last().execution.variables.clone())
    };
    let (fields, variables) = form("ref=r1&due=&seats=&newsletter=&size=&picks=");
    assert_eq!(Value::Object(fields), json!({"ref": "r1", "seats": 1}));
    assert_eq!((&variables["picks"], &variables["other"]), (&json!([]), &json!(false)));
    let (fields, _) = form("ref=r2&due=2026-12-01&seats=3&newsletter=on&size=small&picks=a&picks=b");
    let expected =
        json!({"ref": "r2", "due": "2026-12-01", "seats": 3, "newsletter": true, "size": "small", "picks": ["a", "b"]});
    assert_eq!(Value::Object(fields), expected);
}

/// Fault 15.
#[test]
fn an_address_in_other_letters_is_the_same_person() {
    let hook =
        "triggers: [{id: in, type: webhook, verify: none, record: {match: {email: trigger.body.email}, create: true}}]";
    let story = items(&keeps(hook, "{e: '{{ record.email }}'}"), &[("a", json!({"email": "eve@example.com"}))])
        .event(webhook("w", "in").body(json!({"email": "Eve@Example.COM "})))
        .run_until_idle()
        .expect(completed().variable("e", "eve@example.com"));
    assert_eq!(story.world().records("item").len(), 1);
}

#[test]
fn has_is_true_of_a_variable_once_something_has_set_it() {
    let steps = "
  - {id: before, type: set_variables, values: {seen: '{{ [has(vars.late), has(vars.declared), has(vars.list), has(vars.given), blank(vars.late)] }}'}}
  - {id: set, type: set_variables, values: {late: 1, declared: x, list: [1]}}
  - {id: after, type: set_variables, values: {then: '{{ [has(vars.late), has(vars.declared), has(vars.list)] }}'}}";
    let variables = "variables: [{name: declared, type: text}, {name: list, type: number, many: true}, {name: given, type: text, default: y}]";
    scenario().workflow(&with(variables, steps)).event(manual("w")).run_until_idle().expect(
        completed()
            .variable("seen", json!([false, false, false, true, true]))
            .variable("then", json!([true, true, true])),
    );
}

#[test]
fn a_list_variable_without_a_value_is_the_empty_list() {
    let steps = "  - {id: keep, type: set_variables, values: {n: '{{ size(vars.list) }}'}}";
    let variables = "variables: [{name: list, type: text, many: true, from: [trigger.nothing]}]";
    let story = scenario().workflow(&with(variables, steps)).event(manual("w")).run_until_idle();
    let story = story.expect(completed().variable("n", 0));
    assert_eq!(story.last().execution.variables["list"], json!([]));
}

/// `record.parent.id` without a parent failed even a note.
#[test]
fn a_field_behind_an_empty_relationship_is_null() {
    let values = "{seen: '{{ [record.parent.id, record.parent.name, record.parent.parent, record.parent, record.parts, record.sizes] }}', parts: '{{ record.parts.map(p, p.name) }}', has: '{{ [has(record.parent), has(record.parent.id), blank(record.parent.id)] }}'}";
    let empty = json!([null, null, null, null, [], []]);
    items(&keeps("", values), &[("a", json!({"name": "alone"}))])
        .event(manual("w").on("item", "a"))
        .run_until_idle()
        .expect(completed().variable("seen", empty).variable("has", json!([true, false, true])));
    let note = "  - {id: say, type: note, text: 'of {{ record.customer.name }}: {{ coalesce(record.customer.plan, \"none\") }}'}";
    scenario()
        .object(CUSTOMER)
        .object(TICKET)
        .workflow(&on_tickets(note))
        .event(created("ticket", "t1", json!({"title": "a"})))
        .event(manual("w").on("ticket", "t1"))
        .run_until_idle()
        .expect(completed().path(["say"]));
}
