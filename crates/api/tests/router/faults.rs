//! Stored data that cannot be read, and queries that look at too much.

use pawl_runtime::items;
use pawl_runtime::ports::{Key, Table};
use serde_json::{Value, json};

use crate::shop::{INTAKE, ORDER, REMIND, REPORT};
use crate::surface::surface;

#[test]
fn what_cannot_be_read_is_answered_500_by_its_key_and_passed_over_by_listings() {
    let surface = surface().object(ORDER).workflow(REMIND).workflow(REPORT).record("order", "o1", json!({}));
    let start = json!({"record": {"object": "order", "id": "o1"}});
    let broken = crate::workflows::start(&surface, "remind", &start);
    let sound = crate::workflows::start(&surface, "report", &json!({"values": {"divisor": 3}}));
    surface.settle();
    let execution = items::execution::key(&broken);
    let record = items::record::key(&pawl_engine::Subject { object: "order".to_owned(), id: "o1".to_owned() });
    for (table, key) in [(Table::Executions, &execution), (Table::Records, &record)] {
        surface.world.store.damage(table, key, "hunter2");
    }

    let told = |key: &Key| format!("stored item {}/{} is not readable: not JSON", key.partition, key.sort);
    let control = json!({"reason": "why"});
    for (answer, key) in [
        (surface.get(&format!("/v1/executions/{broken}")).send(), &execution),
        (surface.post(&format!("/v1/executions/{broken}/cancel")).json(&control).send(), &execution),
        (surface.get("/v1/objects/order/records/o1").send(), &record),
        (surface.post("/v1/workflows/remind/start").json(&start).send(), &record),
    ] {
        let problem = answer.problem(500, "unreadable_item");
        let detail = problem["detail"].as_str().expect("a problem has a detail");
        assert!(detail.starts_with(&told(key)) && !detail.contains("hunter2"), "{detail}");
    }

    let listed = surface.get("/v1/executions").send().expect(200);
    let ids: Vec<_> = listed["items"].as_array().expect("a list").iter().map(|item| item["id"].clone()).collect();
    assert_eq!(ids, [Value::from(sound)]);
    assert_eq!(listed["unreadable"][0]["key"], format!("{}/{}", execution.partition, execution.sort));
    let listed = surface.get("/v1/objects/order/records").send().expect(200);
    assert_eq!((&listed["items"], listed["unreadable"].as_array().map(Vec::len)), (&json!([]), Some(1)));
}

/// Ten thousand orders of one customer, and some more.
#[test]
fn a_search_and_a_delivery_that_look_at_too_many_records_are_refused() {
    let orders = 0..10_501;
    let email = "a@example.com";
    let surface = orders.fold(surface().object(ORDER).workflow(INTAKE), |surface, at| {
        surface.record("order", &format!("o{at}"), json!({"email": email, "amount": 1}))
    });
    for filter in [json!({"amount": 1}), json!({"amount": 2}), json!({"email": email})] {
        let find = surface.post("/v1/objects/order/records/find").json(&json!({"where": filter, "limit": 1}));
        let problem = find.send().problem(422, "bad_filter");
        let detail = problem["detail"].as_str().expect("a problem has a detail");
        assert!(
            detail.starts_with("expected an indexed field among the tests, found none that leads to less"),
            "{detail}"
        );
    }
    let other = json!({"where": {"email": "b@example.com"}});
    surface.post("/v1/objects/order/records/find").json(&other).send().expect(200);

    let problem = surface.post("/hooks/intake/known").json(&json!({"email": email})).send().problem(422, "bad_filter");
    assert_eq!(problem["path"], "record.match.email");
    let codes: Vec<_> = surface.world.refusals("intake").into_iter().map(|refusal| refusal.code).collect();
    assert_eq!(codes, ["bad_filter"], "the operator sees it");
    surface.settle();
    assert_eq!(surface.world.executions().len(), 0);
}
