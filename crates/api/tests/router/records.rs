//! Objects and records.

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_runtime::items;
use pawl_runtime::ports::{Durability, Expect, Item, QueueName, QueueSource, Transaction, Write};
use serde_json::{Value, json};

use crate::shop::{INTAKE, ORDER};
use crate::surface::{Surface, surface};

fn shop() -> Surface {
    surface().object(ORDER)
}

#[test]
fn an_object_is_saved_listed_and_shown() {
    let surface = surface();
    assert_eq!(surface.post("/v1/objects").text(ORDER).send().expect(200)["object"], "order");
    let more = ORDER.replace("{type: number}", "{type: number, required: true}");
    let saved = surface.put("/v1/objects/order").text(&more).send().expect(200);
    assert_eq!(saved["fields"]["amount"]["required"], true);
    assert_eq!(surface.get("/v1/objects").send().expect(200)["items"][0]["stages"], json!(["new", "paid"]));
    assert_eq!(surface.get("/v1/objects/order").send().expect(200)["fields"]["number"]["unique"], true);

    surface.get("/v1/objects/none").send().problem(404, "no_object");
    surface.put("/v1/objects/other").text(ORDER).send().problem(422, "id_mismatch");
    let wrong = surface.post("/v1/objects").text("object: x\nfields: {a: {type: colour}}").send();
    assert_eq!(wrong.problem(422, "invalid_object")["problems"][0]["line"], 2);
    surface.post("/v1/objects").text("a: [").send().problem(422, "invalid_object");
}

#[test]
fn a_record_is_made_and_shown() {
    let surface = shop();
    let body = json!({"id": "o1", "fields": {"number": "1", "amount": "12.5", "tags": "gift"}});
    let new = surface.post("/v1/objects/order/records").json(&body).send();
    assert_eq!((new.header("etag"), new.header("location")), (Some("\"1\""), Some("/v1/objects/order/records/o1")));
    let new = new.expect(201);
    assert_eq!(new["fields"], json!({"number": "1", "amount": 12.5, "tags": ["gift"], "stage": "new"}));
    assert_eq!(surface.get("/v1/objects/order/records/o1").send().expect(200), new);

    let make = |body: Value| surface.post("/v1/objects/order/records").json(&body).send();
    make(json!({"id": "o1", "fields": {}})).problem(409, "duplicate_record");
    make(json!({"id": "o".repeat(257), "fields": {}})).problem(422, "invalid_record");
    make(json!({"id": "", "fields": {}})).problem(422, "invalid_record");
    for id in ["a/b", "a?b", "a#b", "100%", "a b"] {
        let refused = make(json!({"id": id, "fields": {}})).problem(422, "invalid_record");
        assert_eq!(refused["problems"][0]["code"], "invalid_id", "{id}");
        assert!(
            refused["problems"][0]["message"].as_str().is_some_and(|it| it.starts_with("`id`: expected")),
            "{refused}"
        );
    }
    let encoded = surface.put("/v1/objects/order/records/a%2Fb").json(&json!({"fields": {}})).send();
    encoded.problem(422, "invalid_record");
    make(json!({"fields": {"number": "1"}})).problem(409, "duplicate_record");
    let wrong = make(json!({"fields": {"amount": "much"}})).problem(422, "invalid_record");
    assert_eq!(wrong["problems"][0]["code"], "wrong_type");
    make(json!({"fields": {"colour": "red"}})).problem(422, "invalid_record");
    surface.post("/v1/objects/none/records").json(&json!({})).send().problem(404, "no_object");
    surface.get("/v1/objects/order/records/o2").send().problem(404, "no_record");
    surface.patch("/v1/objects/order/records/o2").json(&json!({"fields": {}})).send().problem(404, "no_record");
}

/// People who are known by their address, their telephone number, or their number.
const PERSON: &str = "
object: person
fields:
  email: {type: email, unique: true}
  phone: {type: phone, unique: true}
  number: {type: number, unique: true}
  name: {type: text}
";

#[test]
fn a_record_is_found_by_the_value_of_a_unique_field() {
    let surface = surface().object(PERSON).object("object: thing\nfields: {size: {type: number}}");
    let values = json!({"email": "Ada@Example.com", "phone": "0049 30 1234567", "number": 7, "name": "Ada"});
    let ada =
        surface.post("/v1/objects/person/records").json(&json!({"id": "p1", "fields": values})).send().expect(201);
    let by = |field: &str, value: &str| surface.get(&format!("/v1/objects/person/by/{field}?value={value}")).send();
    for (field, value) in [
        ("email", "ada%40example.com"),
        ("email", "%20ADA@EXAMPLE.COM"),
        ("phone", "%2B49301234567"),
        ("number", "7.0"),
    ] {
        let found = by(field, value);
        assert_eq!(found.header("etag"), Some("\"1\""), "{field} {value}");
        assert_eq!(found.expect(200), ada, "{field} {value}");
    }
    by("email", "eve@example.com").problem(404, "no_record");
    by("email", "").problem(404, "no_record");
    let other = by("name", "Ada").problem(422, "bad_filter");
    assert_eq!(other["detail"], "expected a unique field of \"person\" (email, number, phone), found \"name\"");
    by("number", "many").problem(422, "bad_filter");
    let none = surface.get("/v1/objects/thing/by/size?value=1").send().problem(422, "bad_filter");
    assert_eq!(none["detail"], "expected a unique field of \"thing\" (which has none), found \"size\"");
    let long = format!("/v1/objects/person/by/email?value={}@example.com", "a".repeat(2_000));
    surface.get(&long).send().problem(404, "no_record");

    // One in the archive still has its value; one that was forgotten has none.
    surface.post("/v1/objects/person/records/p1/archive").send().expect(200);
    assert!(by("number", "7").expect(200)["archived_at"].is_string());
    surface.post("/v1/objects/person/records/p1/forget").json(&json!({})).send().expect(200);
    by("number", "7").problem(404, "no_record");
}

#[test]
fn the_history_of_a_record_says_who_changed_what() {
    let surface = shop();
    let make = json!({"id": "o1", "fields": {"number": "1", "amount": 1}});
    surface.post("/v1/objects/order/records").header("x-pawl-actor", "ada").json(&make).send().expect(201);
    let patch = |fields: Value| surface.patch("/v1/objects/order/records/o1").json(&json!({"fields": fields}));
    patch(json!({"amount": 2, "number": "1"})).header("x-pawl-actor", "bob").send().expect(200);
    patch(json!({"amount": 2})).send().expect(200);
    patch(json!({"amount": null, "number": "x".repeat(2_000)})).send().expect(200);
    surface.post("/v1/objects/order/records/o1/archive").header("x-pawl-actor", "ada").send().expect(200);

    let history = |query: &str| surface.get(&format!("/v1/objects/order/records/o1/history{query}")).send();
    let items = history("").expect(200)["items"].clone();
    let told: Vec<_> = items
        .as_array()
        .expect("it is a list")
        .iter()
        .map(|item| (item["version"].as_u64(), item["by"].clone(), item["changes"].clone()))
        .collect();
    let archived = surface.get("/v1/objects/order/records/o1").send().expect(200)["archived_at"].clone();
    let expected = [
        (Some(4), json!({"actor": "ada"}), json!({"archived_at": {"to": archived}})),
        (
            Some(3),
            json!({"actor": "api"}),
            json!({"amount": {"from": 2}, "number": {"from": "1", "to": {"omitted_bytes": 2_000}}}),
        ),
        (Some(2), json!({"actor": "bob"}), json!({"amount": {"from": 1, "to": 2}})),
        (Some(1), json!({"actor": "ada"}), json!({"amount": {"to": 1}, "number": {"to": "1"}, "stage": {"to": "new"}})),
    ];
    assert_eq!(told, expected);

    let first = history("?limit=3").expect(200);
    let next = first["next"].as_str().expect("there is one more");
    assert_eq!(history(&format!("?limit=3&cursor={next}")).expect(200)["items"], json!([items[3]]));
    surface.get("/v1/objects/order/records/none/history").send().problem(404, "no_record");
    surface.post("/v1/objects/order/records/o1/forget").json(&json!({})).send().expect(200);
    history("").problem(410, "record_forgotten");
}

#[test]
fn a_stale_write_changes_nothing() {
    let surface = shop().record("order", "o1", json!({"number": "1", "amount": 1}));
    let patch = |amount: u64, version: &str| {
        let call = surface.patch("/v1/objects/order/records/o1").json(&json!({"fields": {"amount": amount}}));
        call.header("if-match", version).send()
    };
    assert_eq!(patch(2, "\"1\"").header("etag"), Some("\"2\""));
    assert_eq!(patch(3, "\"1\"").problem(412, "stale_record")["present"], 2);
    patch(3, "W/\"2\"").problem(400, "bad_header");
    assert_eq!(patch(2, "\"2\"").header("etag"), Some("\"2\""), "writing what is there changes nothing");
    assert_eq!(surface.get("/v1/objects/order/records/o1").send().expect(200)["fields"]["amount"], 2);

    let empty = surface.patch("/v1/objects/order/records/o1").json(&json!({"fields": {"amount": null}})).send();
    assert_eq!(empty.expect(200)["fields"].get("amount"), None);
}

#[test]
fn a_put_replaces_or_makes() {
    let surface = shop().record("order", "o1", json!({"number": "1", "amount": 1, "stage": "paid"}));
    let put = |id: &str, body: Value| surface.put(&format!("/v1/objects/order/records/{id}")).json(&body);
    let replaced = put("o1", json!({"fields": {"number": "1", "stage": "paid"}})).send().expect(200);
    assert_eq!(replaced["fields"], json!({"number": "1", "stage": "paid"}));
    assert_eq!(put("o2", json!({"fields": {"number": "2"}})).send().expect(201)["version"], 1);
    put("o3", json!({"fields": {}})).header("if-match", "\"1\"").send().problem(404, "no_record");
    put("o3", json!({"fields": {}})).header("if-none-match", "*").send().expect(201);
    put("o3", json!({"fields": {"amount": 1}})).header("if-none-match", "*").send().problem(412, "stale_record");
    put("o3", json!({})).send().problem(422, "body_malformed");
}

/// Orders 0 to 5: amounts 0 to 50, every other one high, of two people.
fn orders() -> Surface {
    (0..6).fold(shop(), |surface, at| {
        surface.world.clock.advance(jiff::SignedDuration::from_secs(1));
        let priority = if at % 2 == 0 { "high" } else { "low" };
        let email = if at < 3 { "ada@example.com" } else { "grace@example.com" };
        let fields = json!({"number": at.to_string(), "amount": at * 10, "priority": priority, "email": email});
        surface.record("order", &format!("o{at}"), fields)
    })
}

fn ids(listing: &Value) -> Vec<&str> {
    let items = listing["items"].as_array().expect("a listing has items").iter();
    items.map(|item| item["id"].as_str().expect("a record has an id")).collect()
}

#[test]
fn records_are_found_by_typed_tests() {
    let surface = orders();
    let check = |tests: Value, expected: &[&str]| {
        let body = json!({"where": tests, "order": "amount"});
        let found = surface.post("/v1/objects/order/records/find").json(&body).send().expect(200);
        assert_eq!(ids(&found), expected, "{tests}");
    };
    check(json!({"priority": "high"}), &["o0", "o2", "o4"]);
    check(json!({"amount": {"gte": "30", "lt": 50}}), &["o3", "o4"]);
    check(json!({"email": "ada@example.com", "amount": {"not": 10}}), &["o0", "o2"]);
    check(json!({"number": {"in": ["1", 5, "9"]}}), &["o1", "o5"]);
    check(json!({"email": {"contains": "GRACE"}}), &["o3", "o4", "o5"]);
    check(json!({"tags": {"blank": false}}), &[]);
    check(json!({"id": "o3"}), &["o3"]);
    check(json!({"stage": "new", "created_at": {"gt": "2026-11-21T09:00:05Z"}}), &["o5"]);

    let query = "where=%7B%22priority%22%3A%22low%22%7D&order=-amount";
    let found = surface.get(&format!("/v1/objects/order/records?{query}")).send().expect(200);
    assert_eq!(ids(&found), ["o5", "o3", "o1"]);
}

#[test]
fn a_test_that_does_not_fit_is_an_error_and_no_silent_no() {
    let surface = orders();
    let check = |body: Value, path: &str| {
        let found = surface.post("/v1/objects/order/records/find").json(&body).send();
        assert_eq!(found.problem(422, "bad_filter")["path"], path, "{body}");
    };
    check(json!({"where": {"amount": "much"}}), "where.amount");
    check(json!({"where": {"amount": {"above": 1}}}), "where.amount");
    check(json!({"where": {"amount": {"gt": null}}}), "where.amount");
    check(json!({"where": {"colour": "red"}}), "where.colour");
    check(json!({"where": {"priority": "urgent"}}), "where.priority");
    check(json!({"where": {"number": {"in": "1"}}}), "where.number");
    check(json!({"where": {"tags": {"gt": "a"}}}), "where.tags");
    check(json!({"where": {"created_at": {"gt": "today"}}}), "where.created_at");
    check(json!({"order": "colour"}), "order");
    surface.get("/v1/objects/order/records?where=high").send().problem(400, "bad_query");
    surface.get("/v1/objects/none/records").send().problem(404, "no_object");
}

#[test]
fn records_are_paged() {
    let surface = orders();
    for filter in ["", "&order=-created_at"] {
        let page =
            |more: &str| surface.get(&format!("/v1/objects/order/records?limit=4{filter}{more}")).send().expect(200);
        let first = page("");
        assert_eq!(ids(&first), ["o5", "o4", "o3", "o2"], "newest first");
        let cursor = format!("&cursor={}", first["next"].as_str().expect("two more follow"));
        let second = page(&cursor);
        assert_eq!((ids(&second), second.get("next")), (vec!["o1", "o0"], None));
    }
    let page = surface.get("/v1/objects/order/records?limit=1&order=amount").send().expect(200);
    let cursor = page["next"].as_str().expect("more follow");
    surface.get(&format!("/v1/objects/order/records?order=number&cursor={cursor}")).send().problem(400, "bad_cursor");
}

/// Bug: a record that could not be read was not found, and a delivery that makes what it does not find made it again.
#[test]
fn a_record_that_cannot_be_read_is_not_made_again() {
    let surface = surface().object(ORDER).workflow(INTAKE).secret("shop", "s3cret");
    let deliver = |body: &Value| surface.post("/hooks/intake/any").json(body).send();
    let body = json!({"number": 7, "amount": 70, "priority": "high"});
    deliver(&body).expect(202);
    surface.settle();
    let put = |item: Item| {
        let write = Write::Put { table: items::record::TABLE, item, expect: Expect::Any };
        let transaction = Transaction { writes: vec![write], durability: Durability::Durable };
        surface.block_on(surface.world.store.tables().transact(transaction)).expect("memory is writable");
        // Nobody hears of it.
        for message in surface
            .world
            .store
            .receive(QueueName::Events, 10, SignedDuration::ZERO)
            .now_or_never()
            .expect("memory answers at once")
            .expect("it is there")
        {
            surface.block_on(surface.world.store.delete(QueueName::Events, &message.receipt)).expect("it is deleted");
        }
    };
    let whole = surface.world.store.items(items::record::TABLE).remove(0);
    put(Item { body: "no JSON".to_owned(), ..whole.clone() });
    deliver(&body).problem(500, "unreadable_item");
    put(whole);
    deliver(&body).expect(202);
    surface.settle();
    assert_eq!(surface.world.records("order").len(), 1);
}

#[test]
fn a_record_is_forgotten_once_no_execution_on_it_is_open() {
    let waits = "workflow: waits\nowner: owner@example.com\nactive: true\nobject: order\nsteps:
  - {id: wait, type: goal, until: record.stage == 'paid', timeout: never}";
    let surface = shop().workflow(waits).record("order", "o1", json!({"number": "secret-1", "amount": 1}));
    let started = surface.post("/v1/workflows/waits/start").json(&json!({"record": {"object": "order", "id": "o1"}}));
    let execution = started.send().expect(202)["execution_id"].as_str().map(str::to_owned).expect("it begins");
    surface.settle();
    let forget = |body: Value| surface.post("/v1/objects/order/records/o1/forget").json(&body).send();
    let refused = forget(json!({})).problem(409, "record_in_use");
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains(&execution)), "{refused}");

    let done = forget(json!({"cancel": true, "reason": "asked to"})).expect(200);
    assert_eq!(done, json!({"executions": 1, "canceling": [], "open": [], "unreadable": []}));
    let shown = surface.get(&format!("/v1/executions/{execution}")).send().expect(200);
    assert_eq!(shown["status"], "canceled");
    assert!(shown["forgotten_at"].is_string() && !shown.to_string().contains("secret-1"), "{shown}");
    surface.get("/v1/objects/order/records/o1").send().problem(410, "record_forgotten");
    let again = surface.put("/v1/objects/order/records/o1").json(&json!({"fields": {}})).send();
    again.problem(410, "record_forgotten");
    let made = surface.post("/v1/objects/order/records").json(&json!({"id": "o1", "fields": {}})).send();
    made.problem(410, "record_forgotten");
    let audit = &surface.get("/v1/audit").send().expect(200)["items"][0];
    assert_eq!((&audit["deed"], &audit["reason"]), (&json!("forget"), &json!("asked to")));
    assert_eq!(audit["record"], json!({"object": "order", "id": "o1"}));

    forget(json!({"cursor": "x"})).problem(400, "bad_cursor");
    surface.post("/v1/objects/order/records/none/forget").json(&json!({})).send().problem(404, "no_record");
}

#[test]
fn a_record_goes_into_the_archive_and_comes_back() {
    let surface =
        shop().record("order", "o1", json!({"number": "1", "owner": "Ada@Example.com", "tags": ["a", "a", " b "]}));
    let order = "/v1/objects/order/records/o1";
    let shown = surface.get(order).send().expect(200);
    assert_eq!(shown["fields"], json!({"number": "1", "owner": "ada@example.com", "tags": ["a", "b"], "stage": "new"}));
    assert_eq!(shown.get("archived_at"), None);

    let away = surface.post(&format!("{order}/archive")).send();
    assert_eq!(away.header("etag"), Some("\"2\""));
    let away = away.expect(200);
    assert!(away["archived_at"].is_string(), "{away}");
    assert_eq!(surface.post(&format!("{order}/archive")).send().expect(200), away);
    assert_eq!(surface.get(order).send().expect(200), away);
    let count = |body: Value| {
        let found = surface.post("/v1/objects/order/records/find").json(&body).send().expect(200);
        found["items"].as_array().map(Vec::len)
    };
    assert_eq!(count(json!({})), Some(0));
    assert_eq!(count(json!({"where": {"number": "1"}})), Some(0));
    assert_eq!(count(json!({"where": {"number": "1", "archived_at": {"blank": false}}})), Some(1));

    let changed = surface.patch(order).json(&json!({"fields": {"tags": []}})).send().expect(200);
    assert_eq!((&changed["version"], changed["fields"].get("tags")), (&json!(3), None));
    surface.patch(order).json(&json!({"fields": {"archived_at": null}})).send().problem(422, "invalid_record");
    let back = surface.post(&format!("{order}/unarchive")).send().expect(200);
    assert_eq!((back.get("archived_at"), &back["version"]), (None, &json!(4)));
    assert_eq!(count(json!({"where": {"number": "1"}})), Some(1));
    surface.post("/v1/objects/order/records/none/archive").send().problem(404, "no_record");
}
