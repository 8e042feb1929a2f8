//! The trigger `date`: when it fires for a record, and what moves, removes and repeats a firing.

use jiff::Timestamp;
use pawl_definition::{DefinitionKind, Source};
use pawl_engine::{Act, Subject};
use pawl_runtime::forget::{Forget, Stage};
use pawl_runtime::items::{self, date as stored};
use pawl_runtime::ports::QueueName;
use pawl_testkit::scenario::{Happening, Scenario, World, completed, scenario, updated};
use serde_json::{Value, json};

const POLICY: &str = "object: policy\nfields: {ends: {type: date}, call: {type: datetime}, state: {type: text}}";

const SHOP: &str = "calendar: shop\nweekend: [sun]\nholidays: [2026-02-02]";

/// The time at which scenarios begin is a midnight, on a Thursday.
fn renewal(keys: &str) -> String {
    let steps =
        "  - {id: at, type: set_variables, values: {at: '{{ trigger.scheduled_at }}', date: '{{ trigger.date }}'}}";
    format!(
        "workflow: w\nowner: tests@example.com\nactive: true\nobject: policy\n\
         triggers: [{{type: date, id: soon, {keys}}}]\nsteps:\n{steps}"
    )
}

const BEFORE: &str = "field: ends, offset: -10d, at: '09:00'";

fn story(keys: &str) -> Scenario {
    scenario().object(POLICY).workflow(&renewal(keys))
}

fn with_end(keys: &str, ends: &str) -> Scenario {
    story(keys).record("policy", "p", json!({"ends": ends}))
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    futures::FutureExt::now_or_never(future).expect("memory answers at once")
}

/// The planned times of what began.
fn fired(world: &World) -> Vec<String> {
    let mut all: Vec<_> = world.executions().iter().map(|one| text(&one.variables["at"])).collect();
    all.sort();
    all
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The times of the entries that are stored.
fn entries(world: &World) -> Vec<String> {
    let stored = world.store.items(stored::TABLE).into_iter();
    let stored = stored.filter(|item| item.key.partition.starts_with("dates#"));
    stored.map(|item| stored::parse(&item).expect("it is read").at.to_string()).collect()
}

fn codes(world: &World) -> Vec<String> {
    world.refusals("w").into_iter().map(|refusal| refusal.code).collect()
}

fn act() -> Act {
    Act { actor: "ops@example.com".to_owned(), reason: None, at: Timestamp::UNIX_EPOCH, id: None }
}

fn ends(date: &str) -> Happening {
    updated("policy", "p", json!({"ends": date}))
}

#[test]
fn it_fires_at_its_time_and_tells_the_date_and_the_planned_time() {
    let story = with_end(BEFORE, "2026-02-11").run_for("31d 8h");
    assert_eq!(fired(story.world()), [""; 0]);
    let story = story.run_for("2h").expect(completed().of("w").variable("date", "2026-02-11"));
    assert_eq!(fired(story.world()), ["2026-02-01T09:00:00Z"]);
    assert_eq!(story.world().executions()[0].created_at.to_string(), "2026-02-01T09:00:00Z");
    assert_eq!((entries(story.world()), story.world().replayed()), (vec![], vec![]));
}

#[test]
fn a_date_and_time_has_its_own_time_and_zone() {
    let reminder = story("field: call, offset: -15m").record("policy", "p", json!({"call": "2026-01-02T10:00:00Z"}));
    assert_eq!(fired(reminder.run_for("2d").world()), ["2026-01-02T09:45:00Z"]);
    let in_berlin = with_end("field: ends, at: '09:00', timezone: Europe/Berlin", "2026-01-03").run_for("4d");
    assert_eq!(fired(in_berlin.world()), ["2026-01-03T08:00:00Z"]);
}

#[test]
fn business_days_move_or_skip_it() {
    // The first of February is a Sunday, the second a holiday.
    let next = format!("{BEFORE}, business_days: next, calendar: shop");
    let story = scenario().object(POLICY).definition(DefinitionKind::Calendar, SHOP).workflow(&renewal(&next));
    let story = story.record("policy", "p", json!({"ends": "2026-02-11"})).run_for("40d");
    assert_eq!(fired(story.world()), ["2026-02-03T09:00:00Z"]);
    let skipped = with_end(&format!("{BEFORE}, business_days: skip"), "2026-02-11").run_for("40d");
    assert_eq!((fired(skipped.world()), entries(skipped.world())), (vec![], vec![]));
}

#[test]
fn a_calendar_counts_as_it_is_when_the_time_comes() {
    let next = format!("{BEFORE}, business_days: next, calendar: shop");
    let story = scenario().object(POLICY).definition(DefinitionKind::Calendar, SHOP).workflow(&renewal(&next));
    let story = story.record("policy", "p", json!({"ends": "2026-02-11"})).run_for("1d");
    assert_eq!(entries(story.world()), ["2026-02-03T09:00:00Z"]);
    // Its day becomes a holiday.
    let also = |day: &str| SHOP.replace("2026-02-02", day);
    let later = story.definition(DefinitionKind::Calendar, &also("2026-02-02, 2026-02-03")).run_for("40d");
    assert_eq!(fired(later.world()), ["2026-02-04T09:00:00Z"]);
}

#[test]
fn a_day_that_becomes_a_business_day_loses_no_firing() {
    let next = format!("{BEFORE}, business_days: next, calendar: shop");
    let story = scenario().object(POLICY).definition(DefinitionKind::Calendar, SHOP).workflow(&renewal(&next));
    let story = story.record("policy", "p", json!({"ends": "2026-02-11"})).run_for("1d");
    let story = story.definition(DefinitionKind::Calendar, "calendar: shop\nweekend: [sat]").run_for("40d");
    assert_eq!(fired(story.world()), ["2026-02-03T09:00:00Z"]);
}

#[test]
fn a_changed_date_moves_the_firing_and_an_empty_one_takes_it_away() {
    let story = with_end(BEFORE, "2026-02-11").event(ends("2026-01-13")).run_for("40d");
    assert_eq!(fired(story.world()), ["2026-01-03T09:00:00Z"]);
    let later = with_end(BEFORE, "2026-01-13").run_for("1d").event(ends("2026-02-11")).run_for("40d");
    assert_eq!(fired(later.world()), ["2026-02-01T09:00:00Z"]);
    let story = with_end(BEFORE, "2026-02-11").event(updated("policy", "p", json!({"ends": null}))).run_for("40d");
    assert_eq!((fired(story.world()), entries(story.world())), (vec![], vec![]));
}

#[test]
fn a_change_that_nobody_has_evaluated_yet_lets_the_old_date_start_nothing() {
    let story = with_end(BEFORE, "2026-01-13").run_for("1d");
    let world = story.world();
    // The change is stored, and its event is lost on the way for now.
    let record = Subject { object: "policy".to_owned(), id: "p".to_owned() };
    let fields = json!({"ends": "2026-02-11"}).as_object().cloned().expect("it is an object");
    at_once(world.system.records.update(&record, &fields, None, "api")).expect("the record takes it");
    world.store.lose_messages(QueueName::Events);
    let story = story.run_for("40d");
    assert_eq!(fired(story.world()), ["2026-02-01T09:00:00Z"]);
}

#[test]
fn what_is_past_does_not_fire() {
    let set = with_end(BEFORE, "2026-02-11").run_for("5d").event(ends("2026-01-15")).run_for("40d");
    assert_eq!((fired(set.world()), entries(set.world())), (vec![], vec![]));
    let new = story(BEFORE).run_for("5d");
    let fields = json!({"ends": "2026-01-15"}).as_object().cloned().expect("it is an object");
    let new = new.event(Happening::Created { object: "policy".to_owned(), id: None, fields }).run_for("40d");
    assert_eq!(fired(new.world()), [""; 0]);
}

#[test]
fn an_activation_looks_at_the_records_that_are_there_and_fires_nothing_of_the_past() {
    let inactive = renewal(BEFORE).replace("active: true", "active: false");
    let mut story = scenario().object(POLICY).workflow(&inactive);
    for (id, ends) in [("a", "2026-01-12"), ("b", "2026-02-11"), ("c", "2026-02-12")] {
        story = story.record("policy", id, json!({"ends": ends}));
    }
    let story = story.run_for("5d");
    assert_eq!(entries(story.world()), [""; 0]);
    story.world().activate("w");
    let story = story.settle();
    assert_eq!(entries(story.world()), ["2026-02-01T09:00:00Z", "2026-02-02T09:00:00Z"]);
    assert_eq!(fired(story.run_for("40d").world()), ["2026-02-01T09:00:00Z", "2026-02-02T09:00:00Z"]);
}

#[test]
fn an_inactive_workflow_does_not_fire_and_what_was_due_meanwhile_does_not_fire_later() {
    let story = with_end(BEFORE, "2026-01-13").record("policy", "q", json!({"ends": "2026-02-11"})).run_for("1d");
    at_once(story.world().system.workflows.set_active("w", false)).expect("it is switched off");
    let story = story.run_for("5d");
    assert_eq!(fired(story.world()), [""; 0]);
    story.world().activate("w");
    assert_eq!(fired(story.run_for("40d").world()), ["2026-02-01T09:00:00Z"]);
}

#[test]
fn an_edit_of_the_trigger_moves_what_is_planned() {
    let story = with_end(BEFORE, "2026-02-11").run_for("1d");
    let story = story.workflow(&renewal("field: ends, offset: -20d, at: '10:00'")).settle();
    assert_eq!(entries(story.world()), ["2026-01-22T10:00:00Z"]);
    assert_eq!(fired(story.run_for("40d").world()), ["2026-01-22T10:00:00Z"]);
}

#[test]
fn a_trigger_that_is_taken_away_fires_nothing() {
    let story = with_end(BEFORE, "2026-02-11").run_for("1d");
    let story = story.workflow(&renewal(BEFORE).replace("soon", "other")).run_for("40d");
    let world = story.world();
    assert_eq!((fired(world), entries(world)), (vec!["2026-02-01T09:00:00Z".to_owned()], vec![]));
    assert_eq!(world.executions()[0].workflow, "w");
}

#[test]
fn each_year_it_fires_again() {
    let yearly = "field: ends, at: '09:00', every_year: true";
    let story = with_end(yearly, "1990-02-28").run_for("800d");
    assert_eq!(fired(story.world()), ["2026-02-28T09:00:00Z", "2027-02-28T09:00:00Z", "2028-02-28T09:00:00Z"]);
    let leap = with_end(yearly, "2024-02-29").run_for("800d");
    assert_eq!(fired(leap.world()), ["2026-02-28T09:00:00Z", "2027-02-28T09:00:00Z", "2028-02-29T09:00:00Z"]);
}

#[test]
fn the_filter_looks_at_the_record_when_it_fires() {
    let open = format!("{BEFORE}, filter: record.state == 'open'");
    let start = |state: &str| story(&open).record("policy", "p", json!({"ends": "2026-02-11", "state": state}));
    let closed = start("open").event(updated("policy", "p", json!({"state": "closed"}))).run_for("40d");
    assert_eq!(fired(closed.world()), [""; 0]);
    let opened = start("closed").event(updated("policy", "p", json!({"state": "open"}))).run_for("40d");
    assert_eq!(fired(opened.world()), ["2026-02-01T09:00:00Z"]);
}

#[test]
fn the_archive_takes_a_firing_away_and_gives_it_back() {
    let record = Subject { object: "policy".to_owned(), id: "p".to_owned() };
    let archived = |is_archived| Happening::Archived { record: record.clone(), is_archived };
    let story = with_end(BEFORE, "2026-02-11").event(archived(true)).settle();
    assert_eq!(entries(story.world()), [""; 0]);
    let back = story.run_for("1d").event(archived(false)).run_for("40d");
    assert_eq!(fired(back.world()), ["2026-02-01T09:00:00Z"]);
}

#[test]
fn a_forgotten_record_has_no_entry_and_fires_nothing() {
    let story = with_end(BEFORE, "2026-02-11").settle();
    assert_eq!(entries(story.world()).len(), 1);
    let record = Subject { object: "policy".to_owned(), id: "p".to_owned() };
    let order = Forget { record, cancel: false, everywhere: false, act: act() };
    let mut stage: Option<Stage> = None;
    loop {
        let done = at_once(story.world().system.forgetting.forget(&order, stage.take())).expect("it is forgotten");
        match done.next {
            Some(next) => stage = Some(next),
            None => break,
        }
    }
    assert_eq!(entries(story.world()), [""; 0]);
    let story = story.run_for("40d");
    assert_eq!((fired(story.world()), codes(story.world())), (vec![], vec![]));
}

#[test]
fn a_firing_under_a_kill_is_refused_visibly() {
    let story = with_end(BEFORE, "2026-02-11").settle();
    at_once(story.world().system.workflows.set_killed("w", true, &act())).expect("it is killed");
    let story = story.run_for("40d");
    assert_eq!((fired(story.world()), codes(story.world())), (vec![], vec!["killed".to_owned()]));
    assert_eq!(entries(story.world()), [""; 0]);
}

#[test]
fn a_crash_between_the_start_and_the_end_of_the_entry_starts_nothing_twice() {
    let story = with_end(BEFORE, "2026-02-11").run_for("31d 8h");
    let world = story.world();
    let before: Vec<_> = world.store.items(stored::TABLE);
    let entry = before.into_iter().find(|item| item.key.partition.starts_with("dates#")).expect("it is there");
    let story = story.run_for("2h");
    // The entry stands as it did before the last write.
    let put = pawl_runtime::ports::Write::Put {
        table: stored::TABLE,
        item: entry,
        expect: pawl_runtime::ports::Expect::Absent,
    };
    let durability = pawl_runtime::ports::Durability::Ordered;
    let transaction = pawl_runtime::ports::Transaction { writes: vec![put], durability };
    at_once(story.world().store.tables().transact(transaction)).expect("memory takes it");
    let story = story.run_for("10d");
    assert_eq!(fired(story.world()), ["2026-02-01T09:00:00Z"]);
    assert_eq!(entries(story.world()), [""; 0]);
}

#[test]
fn many_records_fire_in_one_minute() {
    let mut story = story("field: ends, at: '09:00'");
    for number in 0..250 {
        story = story.record("policy", &format!("p{number}"), json!({"ends": "2026-01-05"}));
    }
    let story = story.run_for("5d");
    let world = story.world();
    assert_eq!(world.executions().len(), 250);
    assert!(world.executions().iter().all(|one| one.created_at.to_string() == "2026-01-05T09:00:00Z"));
}

#[test]
fn the_operation_of_an_edit_is_told() {
    let story = with_end(BEFORE, "2026-02-11").settle();
    let listed = at_once(story.world().system.operations.list(10, None)).expect("it is listed");
    let kinds: Vec<_> = listed.items.iter().map(|one| (one.kind, one.state)).collect();
    let done = items::operation::State::Completed;
    assert_eq!(kinds, [(items::operation::Kind::Dates, done)]);
    // A save that changes no date begins none.
    let note = renewal(BEFORE) + "\n  - {id: more, type: note, text: more}";
    let story = story.workflow(&note).settle();
    assert_eq!(at_once(story.world().system.operations.list(10, None)).expect("it is listed").items.len(), 1);
    let source = Source::parse("w", &note).expect("it is YAML");
    story.world().save_workflow(&source).expect("it is right");
}
