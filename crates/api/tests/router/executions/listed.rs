//! Lists of executions: filters, pages, and what an execution waits for.

use super::*;

#[test]
fn executions_are_listed_by_workflow_record_state_and_time() {
    let surface = shop();
    let waiting = start(&surface, "remind", &on("o1"));
    surface.settle();
    surface.world.clock.advance(SignedDuration::from_secs(60));
    let other = start(&surface, "remind", &on("o2"));
    let done = start(&surface, "report", &json!({}));
    surface.settle();

    let list = |query: &str| ids(&surface.get(&format!("/v1/executions{query}")).send().expect(200));
    let check =
        |query: &str, expected: &[&String]| assert_eq!(list(query).iter().collect::<Vec<_>>(), expected, "{query}");
    check("?workflow=remind", &[&other, &waiting]);
    check("?record=order/o1", &[&waiting]);
    check("?status=completed", &[&done]);
    check("?workflow=remind&status=completed", &[]);
    check("?status=completed,failed", &[&done]);
    check("?workflow=remind&status=completed,waiting", &[&other, &waiting]);
    check("?step=wait", &[&other, &waiting]);
    check("?step=divide", &[]);
    check("?indicator=has_failures", &[]);
    check("?code=expression_value", &[]);
    check("?workflow=remind&since=2026-11-21T09:01:00Z", &[&other]);
    check("?workflow=remind&until=2026-11-21T09:01:00Z", &[&waiting]);
    check("?until=2026-11-21T09:01:00Z", &[&waiting]);
    let mut all = list("");
    assert_eq!(all.pop(), Some(waiting), "the oldest stands last");
    all.sort();
    let mut expected = [other, done];
    expected.sort();
    assert_eq!(all, expected);

    let wrong = [
        "?status=asleep",
        "?status=failed,",
        "?record=o1",
        "?since=yesterday",
        "?indicator=odd",
        "?outcome=met",
        "?limit=1000",
        "?owner=ada",
    ];
    for wrong in wrong {
        surface.get(&format!("/v1/executions{wrong}")).send().problem(400, "bad_query");
    }
}

#[test]
fn executions_are_found_by_the_beginning_of_their_id() {
    let surface = shop();
    let (one, other) = (start(&surface, "remind", &on("o1")), start(&surface, "remind", &on("o2")));
    surface.settle();
    let found = |begin: &str| ids(&surface.get(&format!("/v1/executions?id={begin}")).send().expect(200));
    let shared = one.bytes().zip(other.bytes()).take_while(|(left, right)| left == right).count();
    assert_eq!((found(&one), found(&one[..=shared])), (vec![one.clone()], vec![one.clone()]));
    assert_eq!(found(&other[..=shared]), [other]);
    assert!(found("exe_zz").is_empty());
    for wrong in ["exe_", "1b24", ""] {
        surface.get(&format!("/v1/executions?id={wrong}")).send().problem(400, "bad_query");
    }
}

#[test]
fn what_is_about_to_begin_is_listed_as_queued_like_what_stands_in_line() {
    let surface = shop();
    surface.post("/v1/installation/kill").json(&json!({"reason": "nothing begins"})).send().expect(200);
    let held = start(&surface, "remind", &on("o1"));
    surface.settle();
    let list = |query: &str| ids(&surface.get(&format!("/v1/executions{query}")).send().expect(200));
    assert_eq!(list("?status=queued"), std::slice::from_ref(&held));
    assert_eq!((list(""), list("?status=running")), (vec![held.clone()], Vec::new()));
    surface.post("/v1/installation/lift").json(&json!({})).send().expect(202);
    surface.settle();
    assert_eq!((list("?status=queued"), list("?status=waiting")), (Vec::new(), vec![held]));
}

#[test]
fn pages_meet_without_gap_or_twin_whatever_the_filter() {
    let surface = shop();
    let started: std::collections::BTreeSet<_> = (0..7)
        .map(|at| {
            // Some begin at the same time, and one of every two ends.
            if at % 3 == 0 {
                surface.world.clock.advance(SignedDuration::from_secs(1));
            }
            let id =
                if at % 2 == 0 { start(&surface, "remind", &on("o1")) } else { start(&surface, "report", &json!({})) };
            surface.settle();
            id
        })
        .collect();
    for query in ["?limit=2", "?limit=2&since=2026-11-21T00:00:00Z"] {
        let mut found = Vec::new();
        let mut next = String::new();
        loop {
            let page = surface.get(&format!("/v1/executions{query}{next}")).send().expect(200);
            found.extend(ids(&page));
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(found.len(), started.len());
        assert_eq!(found.into_iter().collect::<std::collections::BTreeSet<_>>(), started);
    }
    let page = surface.get("/v1/executions?workflow=remind&limit=3").send().expect(200);
    let cursor = page["next"].as_str().expect("one more follows");
    let rest = surface.get(&format!("/v1/executions?workflow=remind&limit=3&cursor={cursor}")).send().expect(200);
    assert_eq!((ids(&page).len(), ids(&rest).len()), (3, 1));
    surface.get(&format!("/v1/executions?workflow=report&cursor={cursor}")).send().problem(400, "bad_cursor");
}

/// Two of `busy` of one customer; the limit is one of each.
fn in_line(limit: &str) -> (Surface, Vec<String>) {
    let busy = format!(
        "workflow: busy\nowner: shop@example.com\nactive: true\nlimits: {{concurrency: {limit}}}\n\
         variables: [{{name: customer, type: text}}]\nsteps:\n  \
         - {{id: wait, type: delay, for: 1h}}"
    );
    let surface = surface().workflow(&busy);
    let started = ["ada", "ada", "ada", "bob"].map(|customer| {
        let id = start(&surface, "busy", &json!({"values": {"customer": customer}}));
        surface.settle();
        surface.world.clock.advance(SignedDuration::from_secs(1));
        id
    });
    (surface, started.to_vec())
}

#[test]
fn who_waits_for_a_slot_says_its_place_and_who_holds_the_slots() {
    let (surface, ids) = in_line("{at_most: 1, per: trigger.values.customer}");
    let show = |id: &str| surface.get(&format!("/v1/executions/{id}")).send().expect(200)["waits_for"].clone();
    let text = format!("a free slot of \"ada\" (1 run at once), place 2 in line, held by {}", ids[0]);
    let slot = json!({"key": "ada", "at_most": 1, "place": 2, "held_by": [ids[0]]});
    assert_eq!(show(&ids[2]), json!([{"kind": "slot", "text": text, "slot": slot}]));
    assert_eq!(show(&ids[3])[0]["kind"], "time");
    let listed = surface.get("/v1/executions?status=queued").send().expect(200);
    let places: Vec<_> = (0..2).map(|at| listed["items"][at]["waits_for"][0]["slot"]["place"].clone()).collect();
    assert_eq!(places, [2, 1], "the newest stands first in a list");

    let (surface, ids) = in_line("2");
    let show = |id: &str| surface.get(&format!("/v1/executions/{id}")).send().expect(200)["waits_for"].clone();
    let held_by = [ids[1].clone(), ids[0].clone()];
    let text = format!("a free slot (2 run at once), place 1 in line, held by {}", held_by.join(", "));
    let slot = json!({"at_most": 2, "place": 1, "held_by": held_by});
    assert_eq!(show(&ids[2]), json!([{"kind": "slot", "text": text, "slot": slot}]));
}

#[test]
fn a_list_says_why_and_what_for_an_execution_waits() {
    let surface = shop();
    let waiting = start(&surface, "remind", &on("o1"));
    let failed = start(&surface, "report", &json!({"values": {"divisor": 0}}));
    surface.settle();
    let list = |query: &str| surface.get(&format!("/v1/executions{query}")).send().expect(200)["items"][0].clone();

    let item = list("?status=waiting");
    assert_eq!(
        (&item["id"], &item["cursor"], &item["due_at"]),
        (&json!(waiting), &json!("wait"), &json!("2026-11-22T09:00:00Z"))
    );
    assert_eq!(item["waits_for"], json!([{"kind": "time", "text": "a time"}]));
    assert_eq!(item.get("held"), None);

    for query in ["?status=paused,failed", "?indicator=has_failures", "?code=expression_value", "?step=divide"] {
        let item = list(query);
        assert_eq!((&item["id"], &item["error"]["code"]), (&json!(failed), &json!("expression_value")), "{query}");
        assert_eq!((&item["held"]["by"], &item["held"]["since"]), (&json!("failure"), &json!("2026-11-21T09:00:00Z")));
        assert_eq!(item["waits_for"], json!([{"kind": "person", "text": "retry, skip or cancel"}]));
        assert_eq!(item.get("due_at"), None);
    }

    let act =
        surface.post(&format!("/v1/executions/{waiting}/pause")).json(&json!({"reason": "holiday", "actor": "ada"}));
    act.send().expect(200);
    let held = list("?workflow=remind")["held"].clone();
    assert_eq!(held, json!({"by": "person", "since": "2026-11-21T09:00:00Z", "actor": "ada", "reason": "holiday"}));
    let kill = surface.post("/v1/workflows/remind/kill").json(&json!({"reason": "stop", "actor": "eve"}));
    kill.send().expect(200);
    let item = list("?indicator=killed");
    assert_eq!((&item["id"], &item["indicators"], item.get("due_at")), (&json!(waiting), &json!(["killed"]), None));
    assert_eq!(
        (&item["held"]["by"], &item["held"]["scope"], &item["held"]["actor"]),
        (&json!("kill"), &json!("workflow"), &json!("eve"))
    );
}

/// Were `executions --workflow v --status failed` among 226,000: 453 empty pages.
#[test]
fn a_filter_that_fits_few_has_no_hundreds_of_empty_pages() {
    let surface = shop();
    let failed = start(&surface, "report", &json!({"values": {"divisor": 0}}));
    for _ in 0..900 {
        start(&surface, "report", &json!({}));
    }
    surface.settle();
    let page = surface.get("/v1/executions?workflow=report&status=paused&limit=5").send().expect(200);
    assert_eq!((ids(&page), page.get("next")), (vec![failed], None), "it is found at once, behind 900 others");
}

/// Stores copies of an execution that are newer than it, as if so many had been made.
fn copies(surface: &Surface, id: &str, count: i64) {
    use futures::FutureExt as _;
    use pawl_runtime::items;
    use pawl_runtime::ports::{Durability, Expect, Transaction, Write};

    let execution = surface.world.executions().into_iter().find(|execution| execution.id == id).expect("it was made");
    let put = |at: i64| {
        let mut copy = execution.clone();
        copy.id = format!("exe_copy{at:06}{}", &id[id.len() - 4..]);
        copy.created_at += SignedDuration::from_millis(at + 1);
        let (table, item) = (items::execution::TABLE, items::execution::item(&copy, &[]));
        Write::Put { table, item, expect: Expect::Absent }
    };
    let writes: Vec<_> = (0..count).map(put).collect();
    for writes in writes.chunks(100) {
        let transaction = Transaction { writes: writes.to_vec(), durability: Durability::Ordered };
        let done = surface.world.store.tables().transact(transaction).now_or_never();
        done.expect("memory answers at once").expect("nothing stands there");
    }
}

#[test]
fn a_request_looks_at_a_bounded_number_and_says_how_far() {
    let surface = shop();
    let failed = start(&surface, "report", &json!({"values": {"divisor": 0}}));
    let done = start(&surface, "report", &json!({}));
    surface.settle();
    copies(&surface, &done, 20_000);
    let path = "/v1/executions?workflow=report&step=divide&limit=5";
    let first = surface.get(path).send().expect(200);
    let next = first["next"].as_str().expect("it goes on");
    assert_eq!((ids(&first), &first["looked_until"]), (Vec::new(), &json!("2026-11-21T09:00:00.001Z")));
    let second = surface.get(&format!("{path}&cursor={next}")).send().expect(200);
    assert_eq!((ids(&second), second.get("next"), second.get("looked_until")), (vec![failed], None, None));
}

/// Bug: the few failed executions among 226,000 of a workflow took 453 empty pages.
#[test]
fn few_of_a_workflow_in_a_state_are_found_at_once_among_many_of_either() {
    let surface = shop();
    let failed = start(&surface, "report", &json!({"values": {"divisor": 0}}));
    let done = start(&surface, "report", &json!({}));
    surface.settle();
    let found = |query: &str| {
        let page = surface.get(&format!("/v1/executions?{query}&limit=5")).send().expect(200);
        assert_eq!((page.get("next"), page.get("looked_until")), (None, None), "{query} ends on one page");
        ids(&page)
    };
    copies(&surface, &done, 21_000);
    for states in ["paused", "paused,failed"] {
        assert_eq!(found(&format!("workflow=report&status={states}")).first(), Some(&failed));
    }
    // Now many of the other workflow are paused.
    copies(&surface, &failed, 21_000);
    let waiting = start(&surface, "remind", &on("o1"));
    surface.settle();
    assert_eq!(found("workflow=remind&status=paused"), Vec::<String>::new());
    assert_eq!(found("workflow=remind&status=paused,waiting"), [waiting]);
}
