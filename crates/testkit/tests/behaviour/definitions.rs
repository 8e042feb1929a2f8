//! Groups and calendars: what decisions read of them, and how they change.

use jiff::Timestamp;
use pawl_definition::{DefinitionKind, Source};
use pawl_runtime::ports::{Consistency, Table};
use pawl_runtime::{DefinitionError, Error, items};
use pawl_testkit::scenario::{DriveError, Scenario, answer, completed, manual, paused, scenario, updated, waiting};
use serde_json::json;

use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with, with};

const URGENT: &str = "group: urgent\nobject: ticket\nwhere: record.priority == 1 && record.status != 'closed'";
const SHOP: &str = "calendar: shop\nweekend: [sun]\nholidays: [2026-01-02]";

fn shop() -> Scenario {
    let story = scenario().object(CUSTOMER).object(TICKET).http(|_| answer(200));
    story.definition(DefinitionKind::Group, URGENT).definition(DefinitionKind::Calendar, SHOP)
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    futures::FutureExt::now_or_never(future).expect("memory answers at once")
}

fn output(story: &Scenario, step: &str) -> serde_json::Value {
    story.last().execution.steps[step].output.clone()
}

#[test]
fn a_condition_asks_whether_a_record_belongs_to_a_group() {
    let asks =
        on_tickets("\n  - {id: ask, type: set_variables, values: {urgent: '{{ in_group(record, \"urgent\") }}'}}");
    for (priority, status, expected) in [(1, "new", true), (1, "closed", false), (2, "new", false)] {
        let story = shop().workflow(&asks).record("ticket", "t", json!({"priority": priority, "status": status}));
        let story = story.event(manual("w").on("ticket", "t")).run_until_idle().expect(completed());
        assert_eq!(story.last().execution.variables["urgent"], expected, "{priority} {status}");
    }
}

#[test]
fn nothing_belongs_to_no_group_and_a_record_of_another_object_is_a_mistake() {
    let asks = |of: &str| {
        let step =
            format!("\n  - {{id: ask, type: set_variables, values: {{in: '{{{{ in_group({of}, \"urgent\") }}}}'}}}}");
        shop()
            .workflow(&on_tickets(&step))
            .record("customer", "c", json!({"name": "Ada"}))
            .record("ticket", "t", json!({"priority": 1, "customer": "c"}))
            .event(manual("w").on("ticket", "t"))
            .run_until_idle()
    };
    let story = asks("dyn(null)");
    assert_eq!(story.last().execution.variables["in"], false);
    let story = asks("dyn(record.customer)").expect(paused());
    let error = story.last().execution.steps["ask"].error.clone().expect("it failed");
    assert_eq!(error.code.as_str(), "expression_value");
    assert!(
        error.message.contains("the group \"urgent\" is one of \"ticket\", found one of \"customer\""),
        "{error:?}"
    );
}

#[test]
fn an_edited_group_counts_from_the_next_decision_and_each_is_decided_again_as_it_was() {
    let asks = on_tickets(
        "\n  - {id: before, type: set_variables, values: {before: '{{ in_group(record, \"urgent\") }}'}}\n  \
         - {id: nap, type: delay, for: 1d}\n  \
         - {id: after, type: set_variables, values: {after: '{{ in_group(record, \"urgent\") }}'}}",
    );
    let story = shop().workflow(&asks).record("ticket", "t", json!({"priority": 2}));
    let story = story.event(manual("w").on("ticket", "t")).settle().expect(waiting());
    let story = story.definition(DefinitionKind::Group, &URGENT.replace("== 1", "== 2")).run_until_idle();
    let variables = story.expect(completed()).last().execution.variables;
    assert_eq!((&variables["before"], &variables["after"]), (&json!(false), &json!(true)));
}

#[test]
fn a_goal_looks_again_when_a_field_changes_that_its_group_asks_for() {
    let waits = on_tickets("\n  - {id: wait, type: goal, until: 'in_group(record, \"urgent\")', timeout: 7d}");
    let story = shop().workflow(&waits).record("ticket", "t", json!({"priority": 2}));
    let story = story.event(manual("w").on("ticket", "t")).settle().expect(waiting());
    let story = story.event(updated("ticket", "t", json!({"priority": 1}))).settle().expect(completed());
    assert!(story.world().now() < "2026-01-02T00:00:00Z".parse::<Timestamp>().expect("a time"));
}

#[test]
fn a_search_finds_the_records_of_a_group_and_fails_where_the_group_does() {
    let steps = "\n  - {id: find, type: find_records, object: ticket, in_group: urgent, order: title}";
    let story = shop().workflow(&with("", steps));
    let story = [("a", json!(1)), ("b", json!(2)), ("c", json!(1)), ("d", json!(null))]
        .into_iter()
        .fold(story, |story, (id, priority)| story.record("ticket", id, json!({"title": id, "priority": priority})));
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    let ids: Vec<_> = output(&story, "find").as_array().expect("a list").iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, ["a", "c"]);

    let story = story.definition(DefinitionKind::Group, &URGENT.replace("== 1", "/ (record.priority - 2) > 0"));
    let story = story.event(manual("w")).run_until_idle().expect(paused());
    let error = story.last().execution.steps["find"].error.clone().expect("it failed");
    assert!(error.message.contains("the group \"urgent\""), "{error:?}");
}

#[test]
fn an_index_answers_what_a_group_asks_of_a_field() {
    let customers = "group: paying\nobject: customer\nwhere: record.name == 'c7' && record.plan == 'paid'";
    let steps = "\n  - {id: find, type: find_records, object: customer, in_group: paying}";
    let story = scenario().object(CUSTOMER).definition(DefinitionKind::Group, customers).workflow(&with("", steps));
    let story = (0..20).fold(story, |story, number| {
        story.record("customer", &format!("c{number}"), json!({"name": format!("c{number}"), "plan": "paid"}))
    });
    // One that cannot be read is not looked at: the search does not read the object.
    let subject = pawl_engine::Subject { object: "customer".to_owned(), id: "c3".to_owned() };
    story.world().store.damage(Table::Records, &items::record::key(&subject), "no JSON");
    let story = story.event(manual("w")).run_until_idle().expect(completed());
    assert_eq!(output(&story, "find").as_array().map(Vec::len), Some(1));
    assert_eq!(story.world().system.metrics.items_unreadable.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn business_days_are_those_of_the_calendar_that_the_workflow_names() {
    // The story begins on Thursday 2026-01-01; the 2nd is a holiday of the calendar, and Saturday is none of its weekend.
    let steps = "\n  - {id: days, type: set_variables, values: {due: '{{ now + business_days(2) }}'}}\n  \
                 - {id: nap, type: delay, for: 1d, business_days: true}";
    let due = |keys: &str| {
        let story = shop().workflow(&with(keys, steps)).event(manual("w")).run_until_idle().expect(completed());
        let due: Timestamp = story.last().execution.variables["due"].as_str().expect("a text").parse().expect("a time");
        (due.to_string(), story.world().now().to_string())
    };
    assert_eq!(due("calendar: shop"), ("2026-01-05T00:00:00Z".to_owned(), "2026-01-03T00:00:00Z".to_owned()));
    assert_eq!(due("calendar: [2026-01-05]"), ("2026-01-06T00:00:00Z".to_owned(), "2026-01-02T00:00:00Z".to_owned()));
    assert_eq!(due(""), ("2026-01-05T00:00:00Z".to_owned(), "2026-01-02T00:00:00Z".to_owned()));
}

#[test]
fn what_is_in_use_is_not_deleted_and_a_save_says_what_it_leaves_wrong() {
    let keys = "calendar: shop";
    let steps = "\n  - {id: ask, type: condition, if: 'in_group(record, \"urgent\")'}";
    let story = shop().workflow(&on_tickets_with(keys, steps));
    let kept = &story.world().system.definitions;
    let delete = |kind, id: &str, read_at| at_once(kept.delete(kind, id, (read_at, "ada")));
    for (kind, id) in [(DefinitionKind::Group, "urgent"), (DefinitionKind::Calendar, "shop")] {
        let refused = delete(kind, id, None);
        assert!(matches!(&refused, Err(DefinitionError::InUse(_, _, mistakes)) if mistakes.len() == 1), "{refused:?}");
    }
    let other =
        Source::parse("g", "group: urgent\nobject: customer\nwhere: record.plan == 'paid'").expect("it is YAML");
    let saved = at_once(kept.save(DefinitionKind::Group, &other, (Some(1), "ada"))).expect("it has no mistakes");
    assert_eq!((saved.saved.revision, saved.warnings.len()), (2, 1), "{:?}", saved.warnings);
    assert!(
        saved.warnings[0].message.starts_with("the active workflow \"w\" has a mistake now"),
        "{:?}",
        saved.warnings
    );
    let stale = at_once(kept.save(DefinitionKind::Group, &other, (Some(1), "ada")));
    assert!(matches!(stale, Err(DefinitionError::Stale(2))), "{stale:?}");

    let story = story.workflow(&on_tickets("\n  - {id: end, type: note, text: end}"));
    let kept = &story.world().system.definitions;
    let delete = |id: &str, read_at| at_once(kept.delete(DefinitionKind::Group, id, (read_at, "ada")));
    assert!(matches!(delete("urgent", Some(1)), Err(DefinitionError::Stale(2))));
    delete("urgent", Some(2)).expect("nobody needs it");
    assert!(matches!(delete("urgent", None), Err(DefinitionError::NotFound(..))));
    assert_eq!(at_once(kept.read(DefinitionKind::Group, "urgent")).expect("it is readable"), None);
    assert_eq!(at_once(kept.list(DefinitionKind::Group)).expect("it is readable").items, []);
    // One of the same name is another revision: who read the former one cannot write over it.
    let again = at_once(kept.save(DefinitionKind::Group, &other, (Some(0), "ada"))).expect("there is none");
    assert_eq!(again.saved.revision, 4);
}

#[test]
fn a_decision_waits_for_a_definition_that_cannot_be_read() {
    let asks =
        on_tickets("\n  - {id: ask, type: set_variables, values: {urgent: '{{ in_group(record, \"urgent\") }}'}}");
    let story = shop().workflow(&asks).record("ticket", "t", json!({"priority": 1}));
    let key = items::definition::key(DefinitionKind::Group, "urgent");
    let memory = story.world().store.clone();
    let item = at_once(memory.tables().get(Table::Workflows, &key, Consistency::Strong));
    let item = item.expect("it is readable").expect("it is there");
    memory.damage(Table::Workflows, &key, "no JSON");
    story.world().system.workflows.forget();
    let story = story.event(manual("w").on("ticket", "t"));
    let stopped = story.world().settle();
    assert!(matches!(&stopped, Err(DriveError::Handler { error: Error::Unreadable(_), .. })), "{stopped:?}");
    assert!(story.world().executions().iter().all(|execution| !execution.steps.contains_key("ask")));
    memory.damage(Table::Workflows, &key, &item.body);
    let story = story.run_until_idle().expect(completed());
    assert_eq!(story.last().execution.variables["urgent"], true);
}

#[test]
fn a_step_counts_by_its_own_calendar_as_it_is_then_and_is_decided_again_by_it() {
    // 2026-01-01 is a Thursday; the shop is closed on Friday and open on Saturday.
    let waits = with(
        "",
        "  - {id: a, type: delay, for: 1 business day, calendar: shop}\n  \
         - {id: b, type: goal, on: [{type: webhook, id: hook}], timeout: 1 business day, calendar: shop}",
    );
    let story = shop().workflow(&waits).event(manual("w")).run_for("47h").expect(waiting().path([]));
    let story = story.definition(DefinitionKind::Calendar, &SHOP.replace("[2026-01-02]", "[2026-01-05]"));
    let story = story.run_for("1h").expect(waiting().path(["a"])).run_until_idle().expect(completed());
    assert_eq!(story.world().now().to_string(), "2026-01-06T00:00:00Z");
    assert_eq!(story.world().replayed(), [""; 0]);
}
