//! The trigger `activity_overdue`: which activities fire it, when, and what takes a firing away.

use jiff::Timestamp;
use pawl_definition::DefinitionKind;
use pawl_engine::{ActivityStatus, RecordActivity, Subject};
use pawl_runtime::forget::{Forget, Stage};
use pawl_runtime::items::{date, due_activity};
use pawl_runtime::{ActivityError, NewRecordActivity};
use pawl_testkit::scenario::{Scenario, World, completed, manual, scenario, waiting};
use serde_json::{Map, json};

use crate::support::{CUSTOMER, TICKET, on_tickets, with};

const MEMO: &str = "activity: memo";

/// Scenarios begin at a midnight, on a Thursday.
const BEGINS: &str = "2026-01-01T00:00:00Z";

fn at_once<T>(future: impl Future<Output = T>) -> T {
    futures::FutureExt::now_or_never(future).expect("memory answers at once")
}

fn shop() -> Scenario {
    let shop = scenario().object(CUSTOMER).object(TICKET).definition(DefinitionKind::Activity, MEMO);
    shop.record("ticket", "t", json!({"title": "x"})).record("customer", "c", json!({"name": "Bo"}))
}

/// A workflow that notes the activity that started it.
fn listens(name: &str, object: &str, keys: &str) -> String {
    let text = "  - {id: told, type: note, text: '{{ trigger.activity.status }} {{ trigger.activity.due }}'}";
    let keys = format!("{object}\ntriggers: [{{id: late, type: activity_overdue, activity: memo{keys}}}]");
    with(&keys, text).replacen("workflow: w", &format!("workflow: {name}"), 1)
}

fn on_late_tickets(keys: &str) -> Scenario {
    shop().workflow(&listens("w", "object: ticket", keys))
}

fn ticket(id: &str) -> Subject {
    Subject { object: "ticket".to_owned(), id: id.to_owned() }
}

fn make(story: &Scenario, due: &str, records: Vec<Subject>) -> RecordActivity {
    let new =
        NewRecordActivity { activity: "memo".to_owned(), due: due.into(), records, ..NewRecordActivity::default() };
    at_once(story.world().system.record_activities.create(new, "ada")).expect("it fits")
}

fn end(story: &Scenario, id: &str, status: ActivityStatus) -> Result<RecordActivity, ActivityError> {
    at_once(story.world().system.record_activities.end(id, status, (None, Map::new()), "ada"))
}

/// What executions of a workflow noted, with the hours since the beginning.
fn noted(world: &World, workflow: &str) -> Vec<(String, f64)> {
    let begins: Timestamp = BEGINS.parse().expect("it is a time");
    let executions = world.executions().into_iter().filter(|execution| execution.workflow == workflow);
    let told = |execution: pawl_engine::Execution| {
        let note = world.trace(&execution.id).rows.iter().find_map(|row| row.note.clone()).unwrap_or_default();
        (note, (execution.created_at.duration_since(begins).as_secs_f64() / 36.0).round() / 100.0)
    };
    executions.map(told).collect()
}

/// What is stored of times that are to come.
fn stored(world: &World) -> usize {
    let is_one = |partition: &str| partition.starts_with("dates#") || partition.starts_with("due#");
    world.store.items(date::TABLE).into_iter().filter(|item| is_one(&item.key.partition)).count()
}

#[test]
fn an_activity_that_is_overdue_starts_workflows_once() {
    let story = on_late_tickets("").workflow(&listens("global", "", ""));
    let story = story.workflow(&listens("on-customers", "object: customer", ""));
    make(&story, "2h", vec![ticket("t")]);
    let story = story.run_for("1h");
    assert_eq!((noted(story.world(), "w").len(), stored(story.world())), (0, 1));
    let story = story.run_for("3d");
    let told = [("open 2026-01-01T02:00:00Z".to_owned(), 2.0)];
    assert_eq!((noted(story.world(), "w"), noted(story.world(), "global")), (told.to_vec(), told.to_vec()));
    assert_eq!(noted(story.world(), "on-customers"), [], "it is about no customer");
    assert_eq!(stored(story.world()), 0);
}

#[test]
fn an_activity_that_ends_in_time_is_never_overdue() {
    let story = on_late_tickets("").workflow(&listens("later", "object: ticket", ", after: 1h"));
    let [logged, canceled, late] = ["1h", "1h", "1h"].map(|due| make(&story, due, vec![ticket("t")]).id);
    end(&story, &logged, ActivityStatus::Logged).expect("it is open");
    end(&story, &canceled, ActivityStatus::Canceled).expect("it is open");
    let story = story.run_for("90m");
    assert_eq!(noted(story.world(), "w").len(), 1);
    // It ends before the other trigger fires.
    end(&story, &late, ActivityStatus::Logged).expect("it is open");
    let story = story.run_for("3d");
    assert_eq!((noted(story.world(), "w").len(), noted(story.world(), "later").len()), (1, 0));
    assert_eq!(stored(story.world()), 0);
}

#[test]
fn a_trigger_may_fire_later_and_on_business_days() {
    // The 3rd is a Saturday.
    let keys = ", after: 2d, filter: 'trigger.activity.status == \"open\"'";
    let story = on_late_tickets(keys).workflow(&listens("days", "object: ticket", ", business_days: next"));
    let story = story.workflow(&listens("skipped", "object: ticket", ", business_days: skip"));
    let story = story.workflow(&listens("both", "", ", after: 1d, business_days: next, calendar: ['2026-01-05']"));
    make(&story, "2026-01-03T10:00:00Z", vec![ticket("t")]);
    make(&story, "2026-01-07T10:00:00Z", vec![ticket("t")]);
    let story = story.run_for("20d");
    let hours = |workflow: &str| noted(story.world(), workflow).into_iter().map(|(_, at)| at).collect::<Vec<_>>();
    assert_eq!(hours("w"), [58.0 + 48.0, 154.0 + 48.0]);
    assert_eq!(hours("days"), [58.0 + 48.0, 154.0]);
    assert_eq!(hours("skipped"), [154.0]);
    assert_eq!(hours("both"), [58.0 + 72.0, 154.0 + 24.0]);
    assert_eq!(stored(story.world()), 0);
}

#[test]
fn what_was_overdue_before_the_activation_does_not_fire() {
    for keys in ["", ", after: 3h"] {
        let story = on_late_tickets(keys);
        let switch = |story: &Scenario, active| {
            at_once(story.world().system.workflows.set_active("w", active)).expect("it can be switched");
        };
        switch(&story, false);
        make(&story, "1h", vec![ticket("t")]);
        make(&story, "4h", vec![ticket("t")]);
        let story = story.run_for("2h");
        switch(&story, true);
        let story = story.run_for("3d");
        let due: Vec<_> = noted(story.world(), "w").into_iter().map(|(note, _)| note).collect();
        assert_eq!(due, ["open 2026-01-01T04:00:00Z"], "with {keys:?}");
    }
}

#[test]
fn another_time_moves_the_firing() {
    let story = on_late_tickets("").workflow(&listens("later", "object: ticket", ", after: 1d"));
    let activity = make(&story, "1h", vec![ticket("t")]);
    let activities = |story: &Scenario| story.world().system.record_activities.clone();
    let moved = at_once(activities(&story).reschedule(&activity.id, &"5h".into())).expect("it is open");
    assert_eq!((moved.version, moved.due.map(|due| due.to_string())), (2, Some("2026-01-01T05:00:00Z".to_owned())));
    let story = story.run_for("4h");
    assert_eq!(noted(story.world(), "w"), []);
    let story = story.run_for("2h");
    assert_eq!(noted(story.world(), "w"), [("open 2026-01-01T05:00:00Z".to_owned(), 5.0)]);
    // It has waited for the other trigger for an hour.
    at_once(activities(&story).reschedule(&activity.id, &"2026-01-01T20:00:00Z".into())).expect("it is open");
    let story = story.run_for("6d");
    assert_eq!(noted(story.world(), "later"), [("open 2026-01-01T20:00:00Z".to_owned(), 44.0)]);
    assert_eq!(noted(story.world(), "w").len(), 2, "it is overdue again");
    at_once(activities(&story).reschedule(&activity.id, &json!(null))).expect("it is open");
    end(&story, &activity.id, ActivityStatus::Logged).expect("it is open");
    let ended = at_once(activities(&story).reschedule(&activity.id, &"1d".into()));
    assert!(matches!(ended, Err(ActivityError::Ended(ActivityStatus::Logged))), "{ended:?}");
}

#[test]
fn an_activity_that_is_made_late_is_overdue_at_once() {
    let story = on_late_tickets("").run_for("5h");
    make(&story, "2026-01-01T02:00:00Z", vec![ticket("t")]);
    assert_eq!(noted(story.run_for("1h").world(), "w"), [("open 2026-01-01T02:00:00Z".to_owned(), 5.0)]);
}

#[test]
fn an_edit_counts_for_what_is_overdue_already_too() {
    let story = on_late_tickets(", after: 1d");
    make(&story, "1h", vec![ticket("t")]);
    let story = story.run_for("2h").workflow(&listens("w", "object: ticket", ", after: 2d")).run_for("9d");
    assert_eq!(noted(story.world(), "w"), [("open 2026-01-01T01:00:00Z".to_owned(), 49.0)]);
    let story = on_late_tickets(", after: 1d");
    make(&story, "1h", vec![ticket("t")]);
    let story = story.run_for("2h").workflow(&listens("w", "object: ticket", "")).run_for("9d");
    assert_eq!((noted(story.world(), "w"), stored(story.world())), (Vec::new(), 0), "its time was over");
}

#[test]
fn a_goal_waits_until_an_activity_about_its_record_is_overdue() {
    let steps = "
  - {id: memo, type: create_activity, activity: memo, due: 2h}
  - {id: late, type: goal, on: [{id: due, type: activity_overdue, activity: memo}], timeout: 3d}";
    let story = shop().record("ticket", "u", json!({})).workflow(&on_tickets(steps));
    let story = story.event(manual("w").on("ticket", "t")).settle().expect(waiting());
    make(&story, "1h", vec![ticket("u")]);
    let story = story.run_for("90m").expect(waiting());
    story.run_for("1h").expect(completed().path(["memo", "late:met"]));
}

#[test]
fn a_chain_of_overdue_activities_ends() {
    let makes = "  - {id: again, type: create_activity, activity: memo, due: 1m}";
    let keys = "object: ticket\ntriggers: [{id: late, type: activity_overdue, activity: memo}]";
    let story = shop().workflow(&with(keys, makes)).event(manual("w").on("ticket", "t")).run_for("2d");
    let count = story.world().executions().len();
    assert!((2..=20).contains(&count), "{count} executions");
    assert!(!story.world().refusals("w").is_empty(), "the last one is refused visibly");
}

#[test]
fn why_not_says_when_an_open_activity_fires() {
    let story = on_late_tickets(", after: 1h");
    make(&story, "5h", vec![ticket("t")]);
    make(&story, "2h", vec![ticket("t")]);
    let fires = |story: &Scenario| {
        let why = at_once(story.world().system.evaluator.why_not("w", &ticket("t"))).expect("memory is readable");
        why.expect("there is the workflow").triggers[0].fires_at.map(|at| at.to_string())
    };
    assert_eq!(fires(&story).as_deref(), Some("2026-01-01T03:00:00Z"));
    let story = story.run_for("4h");
    assert_eq!(fires(&story).as_deref(), Some("2026-01-01T06:00:00Z"));
}

#[test]
fn the_time_goes_with_an_activity_that_is_forgotten() {
    let story = on_late_tickets("");
    make(&story, "2h", vec![ticket("t")]);
    let order = Forget { record: ticket("t"), cancel: false, everywhere: false, act: story.world().act() };
    let mut stage: Option<Stage> = None;
    loop {
        let done = at_once(story.world().system.forgetting.forget(&order, stage.take())).expect("it is forgotten");
        match done.next {
            Some(next) => stage = Some(next),
            None => break,
        }
    }
    assert_eq!(stored(story.world()), 0);
    assert_eq!(noted(story.run_for("1d").world(), "w"), []);
}

#[test]
fn a_stored_time_follows_the_activity() {
    let story = on_late_tickets("");
    let before = make(&story, "2h", vec![ticket("t")]);
    let moved = RecordActivity { due: before.due.map(|at| at + jiff::SignedDuration::from_hours(1)), ..before.clone() };
    let never = RecordActivity { due: None, ..before.clone() };
    let ended = before.end(ActivityStatus::Canceled, (Timestamp::UNIX_EPOCH, None)).expect("it is open");
    let puts = |before: Option<&RecordActivity>, after: Option<&RecordActivity>| {
        due_activity::follow(before, after).map(|write| matches!(write, pawl_runtime::ports::Write::Put { .. }))
    };
    assert_eq!(puts(None, Some(&before)), Some(true));
    assert_eq!(puts(Some(&before), Some(&moved)), Some(true));
    assert_eq!(puts(Some(&before), Some(&before)), None);
    for gone in [Some(&never), Some(&ended), None] {
        assert_eq!(puts(Some(&before), gone), Some(false));
    }
    assert_eq!(puts(None, Some(&never)), None);
}
