//! Activities about records: made, logged and canceled by steps and by people, and forgotten with their records.

use pawl_definition::{DefinitionKind, Source};
use pawl_engine::{ActivityStatus, RecordActivity, Subject};
use pawl_runtime::forget::{Forget, Stage};
use pawl_runtime::{ActivityError, ActivityFilter, DefinitionError, NewRecordActivity};
use pawl_testkit::scenario::{Scenario, completed, manual, paused, scenario, waiting};
use serde_json::{Map, Value, json};

use crate::support::{CUSTOMER, TICKET, on_tickets, with};

const CALL: &str = "
activity: call
objects: [ticket]
fields:
  topic: {type: text, required: true}
  minutes: {type: number, default: '5'}
";

const MEMO: &str = "activity: memo";

const PEOPLE: &str = "members: [{member: ada}, {member: bob}, {member: cyd, active: false}]";

fn at_once<T>(future: impl Future<Output = T>) -> T {
    futures::FutureExt::now_or_never(future).expect("memory answers at once")
}

fn shop() -> Scenario {
    let shop = scenario().object(CUSTOMER).object(TICKET).definition(DefinitionKind::People, PEOPLE);
    shop.definition(DefinitionKind::Activity, CALL).definition(DefinitionKind::Activity, MEMO)
}

fn run(steps: &str) -> Scenario {
    let story = shop().workflow(&on_tickets(steps)).record("ticket", "t", json!({"title": "broken"}));
    story.event(manual("w").on("ticket", "t")).run_until_idle()
}

fn ticket(id: &str) -> Subject {
    Subject { object: "ticket".to_owned(), id: id.to_owned() }
}

fn new(activity: &str, fields: &Value) -> NewRecordActivity {
    let fields = fields.as_object().cloned().expect("a mapping");
    NewRecordActivity {
        activity: activity.to_owned(),
        fields,
        records: vec![ticket("t")],
        ..NewRecordActivity::default()
    }
}

fn make(story: &Scenario, new: NewRecordActivity) -> Result<RecordActivity, ActivityError> {
    at_once(story.world().system.record_activities.create(new, "ada"))
}

fn listed(story: &Scenario, filter: &ActivityFilter) -> Vec<String> {
    let listed = at_once(story.world().system.record_activities.list(filter, 50, None)).expect("memory is readable");
    listed.items.into_iter().map(|activity| activity.id).collect()
}

fn code(story: &Scenario, step: &str) -> (String, String) {
    let error = story.last().execution.steps[step].error.clone().expect("it failed");
    (error.code.as_str().to_owned(), error.message)
}

#[test]
fn a_step_makes_an_activity_with_its_own_transaction() {
    let steps = "
  - {id: call, type: create_activity, activity: call, due: 2d, assignee: '{{ \"ada\" }}', note: 'Call about {{ record.title }}', fields: {topic: '{{ record.title }}', minutes: '15'}}";
    let story = run(steps).expect(completed());
    let made = story.world().activities();
    let [made] = made.as_slice() else { panic!("one was made: {made:?}") };
    let view = made.view();
    assert_eq!((&view["status"], &view["assignee"]), (&json!("open"), &json!("ada")));
    assert_eq!(view["fields"], json!({"topic": "broken", "minutes": 15}));
    assert_eq!(view["records"], json!({"ticket": {"object": "ticket", "id": "t"}}));
    assert_eq!(made.note.as_deref(), Some("Call about broken"));
    assert_eq!(made.due, Some(made.created_at + jiff::SignedDuration::from_hours(48)));
    assert_eq!(story.last().execution.steps["call"].output, view, "the output is the activity");
}

#[test]
fn one_that_is_logged_is_done_already() {
    let story = run("  - {id: memo, type: log_activity, activity: memo, note: done}").expect(completed());
    let made = &story.world().activities()[0];
    assert_eq!((made.status, made.ended_at, made.due), (ActivityStatus::Logged, Some(made.created_at), None));
}

#[test]
fn a_date_is_due_at_its_end_and_a_day_without_business_moves_on() {
    // It begins on 1 January 2026, a Thursday.
    let due = |keys: &str| {
        let story =
            run(&format!("  - {{id: memo, type: create_activity, activity: memo, {keys}}}")).expect(completed());
        story.world().activities()[0].due.map(|due| due.to_string())
    };
    assert_eq!(due("due: 2026-01-03").as_deref(), Some("2026-01-03T23:59:59Z"));
    assert_eq!(due("due: 2026-01-03, business_days: true").as_deref(), Some("2026-01-05T23:59:59Z"));
    assert_eq!(
        due("due: 2026-01-02, calendar: ['2026-01-02'], business_days: true").as_deref(),
        Some("2026-01-05T23:59:59Z")
    );
    assert_eq!(due("due: '{{ date(\"2026-01-09\") }}'").as_deref().map(|due| &due[..10]), Some("2026-01-09"));
    assert_eq!(due("due: '{{ null }}'"), None);
}

#[test]
fn what_does_not_fit_its_type_makes_nothing() {
    let cases = [
        ("activity: call, fields: {topic: x, minutes: '{{ record.title }}'}", "wrong_type", "fields.minutes"),
        ("activity: call, fields: {topic: '{{ \"\" }}'}", "required_field", "fields.topic"),
        ("activity: memo, records: {customer: '{{ \"gone\" }}'}", "no_record", "records.customer"),
        ("activity: memo, due: '{{ record.title }}'", "wrong_type", "due"),
        ("activity: memo, assignee: '{{ record.title }}'", "unknown_member", "assignee"),
        ("activity: memo, assignee: '{{ \"cyd\" }}'", "nobody_to_choose", "assignee"),
    ];
    for (keys, expected, place) in cases {
        let story = run(&format!("  - {{id: a, type: create_activity, {keys}}}")).expect(paused());
        let (code, message) = code(&story, "a");
        assert_eq!(code, expected, "{message}");
        assert!(message.contains(&format!("`{place}`")), "{message}");
        assert_eq!(story.world().activities(), [], "{keys}");
    }
}

#[test]
fn an_activity_may_be_about_other_records_too() {
    let steps = "
  - {id: memo, type: create_activity, activity: memo, records: {customer: '{{ \"c\" }}'}}";
    let story = shop().record("customer", "c", json!({"name": "Bo"})).record("ticket", "t", json!({"title": "x"}));
    let story =
        story.workflow(&on_tickets(steps)).event(manual("w").on("ticket", "t")).run_until_idle().expect(completed());
    let customer = Subject { object: "customer".to_owned(), id: "c".to_owned() };
    for record in [customer, ticket("t")] {
        let filter = ActivityFilter { record: Some(record), ..ActivityFilter::default() };
        assert_eq!(listed(&story, &filter).len(), 1);
    }
    // A global workflow says which.
    let global = with("", "  - {id: memo, type: create_activity, activity: memo, records: {ticket: '{{ \"t\" }}'}}");
    story
        .workflow(&global.replacen("workflow: w", "workflow: g", 1))
        .event(manual("g"))
        .run_until_idle()
        .expect(completed().of("g"));
}

#[test]
fn open_activities_of_a_type_are_canceled_and_others_stay() {
    let steps = "
  - {id: one, type: create_activity, activity: memo}
  - {id: two, type: create_activity, activity: call, fields: {topic: x}}
  - {id: done, type: log_activity, activity: memo}
  - {id: cancel, type: cancel_activities, activities: [memo]}
  - {id: none, type: cancel_activities, activities: [memo]}
  - {id: all, type: cancel_activities, target: '{{ record }}'}";
    let story = run(steps).expect(completed());
    let status: Vec<_> = story.world().activities().into_iter().map(|one| (one.activity, one.status)).collect();
    let count = |activity: &str, wanted| status.iter().filter(|(word, is)| word == activity && *is == wanted).count();
    assert_eq!(count("memo", ActivityStatus::Canceled), 1);
    assert_eq!(count("memo", ActivityStatus::Logged), 1);
    assert_eq!(count("call", ActivityStatus::Canceled), 1);
    let output = |step: &str| story.last().execution.steps[step].output["activities"].as_array().map(Vec::len);
    assert_eq!((output("cancel"), output("none"), output("all")), (Some(1), Some(0), Some(1)));
}

#[test]
fn a_round_moves_with_the_activity_that_uses_it() {
    let steps = "
  - {id: each, type: for_each, items: [1, 2, 3], do: [{id: memo, type: create_activity, activity: memo, assignee: {round_robin: everyone}}]}";
    let story = run(steps).expect(completed());
    let mut assignees: Vec<_> = story.world().activities().into_iter().filter_map(|one| one.assignee).collect();
    assignees.sort();
    assert_eq!(assignees, ["ada", "ada", "bob"]);
}

#[test]
fn people_make_and_log_activities_once() {
    let story = shop().record("ticket", "t", json!({"title": "x"}));
    let activities = &story.world().system.record_activities;
    let made = make(&story, new("call", &json!({"topic": "x"}))).expect("it fits");
    let log =
        |fields: Map<String, Value>| at_once(activities.end(&made.id, ActivityStatus::Logged, (None, fields), "bob"));
    let wrong = json!({"minutes": "many"}).as_object().cloned().expect("a mapping");
    assert!(matches!(log(wrong), Err(ActivityError::Invalid(error)) if error.place() == Some("fields.minutes")));
    let fields = json!({"minutes": 7}).as_object().cloned().expect("a mapping");
    let logged = log(fields).expect("it is open");
    assert_eq!(
        (logged.status, logged.ended_by.as_deref(), &logged.fields["minutes"]),
        (ActivityStatus::Logged, Some("bob"), &json!(7))
    );
    assert_eq!(log(Map::new()).expect("it is logged already"), logged, "a repeat changes nothing");
    let canceled = at_once(activities.end(&made.id, ActivityStatus::Canceled, (None, Map::new()), "bob"));
    assert!(matches!(canceled, Err(ActivityError::Ended(ActivityStatus::Logged))), "{canceled:?}");

    let unknown = NewRecordActivity { records: vec![ticket("gone")], ..new("call", &json!({"topic": "x"})) };
    assert!(matches!(make(&story, unknown), Err(ActivityError::NoRecord(_))));
    assert!(matches!(make(&story, new("visit", &json!({}))), Err(ActivityError::UnknownType(_))));
    let nobody = NewRecordActivity { assignee: Some("eve".to_owned()), ..new("memo", &json!({})) };
    assert!(matches!(make(&story, nobody), Err(ActivityError::Invalid(error)) if error.code == "unknown_member"));
    let about_none = NewRecordActivity { records: Vec::new(), ..new("memo", &json!({})) };
    assert!(matches!(make(&story, about_none), Err(ActivityError::Invalid(error)) if error.place() == Some("records")));
    let named = NewRecordActivity { id: Some("a-1".to_owned()), ..new("memo", &json!({})) };
    make(&story, named.clone()).expect("the id is free");
    assert!(matches!(make(&story, named), Err(ActivityError::Duplicate)));
}

#[test]
fn open_ones_are_listed_first_by_the_time_at_which_they_are_due() {
    let story = shop().record("ticket", "t", json!({"title": "x"}));
    let due = |id: &str, due: Value, assignee: Option<&str>| {
        let assignee = assignee.map(str::to_owned);
        make(&story, NewRecordActivity { id: Some(id.to_owned()), due, assignee, ..new("memo", &json!({})) })
            .expect("it fits");
    };
    due("late", json!("5d"), Some("ada"));
    due("never", Value::Null, Some("ada"));
    due("soon", json!("1d"), Some("ada"));
    due("other", json!("2d"), Some("bob"));
    due("done", json!("1h"), Some("ada"));
    at_once(story.world().system.record_activities.end("done", ActivityStatus::Logged, (None, Map::new()), "ada"))
        .expect("it is open");
    let of_ada = ActivityFilter { assignee: Some("ada".to_owned()), ..ActivityFilter::default() };
    assert_eq!(listed(&story, &of_ada), ["soon", "late", "never", "done"]);
    let of_record =
        ActivityFilter { record: Some(ticket("t")), status: Some(ActivityStatus::Open), ..ActivityFilter::default() };
    assert_eq!(listed(&story, &of_record), ["soon", "other", "late", "never"]);
    let logged = ActivityFilter { status: Some(ActivityStatus::Logged), ..ActivityFilter::default() };
    assert_eq!(listed(&story, &logged), ["done"]);
    let calls = ActivityFilter { activity: Some("call".to_owned()), ..ActivityFilter::default() };
    assert_eq!(listed(&story, &calls), [""; 0]);
    // Page by page each comes once.
    let activities = &story.world().system.record_activities;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = at_once(activities.list(&of_ada, 1, after)).expect("memory is readable");
        seen.extend(page.items.into_iter().map(|one| one.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["soon", "late", "never", "done"]);
}

#[test]
fn a_type_that_a_workflow_names_is_not_deleted() {
    let story = shop().workflow(&on_tickets("  - {id: memo, type: log_activity, activity: memo}"));
    let definitions = &story.world().system.definitions;
    let deleted = at_once(definitions.delete(DefinitionKind::Activity, "memo", (None, "ada")));
    assert!(matches!(deleted, Err(DefinitionError::InUse(..))), "{deleted:?}");
    at_once(definitions.delete(DefinitionKind::Activity, "call", (None, "ada"))).expect("nobody names it");
}

#[test]
fn a_type_that_is_saved_counts_for_the_next_activity() {
    let steps = "
  - {id: call, type: create_activity, activity: call, fields: {topic: x}}";
    let story = run(steps).expect(completed());
    let stricter = CALL.replace("default: '5'", "required: true");
    let source = Source::parse("call.activity.yaml", &stricter).expect("it is YAML");
    story.world().save_definition(DefinitionKind::Activity, &source).expect("it has no mistakes");
    let story = story.event(manual("w").on("ticket", "t")).run_until_idle().expect(paused());
    assert_eq!(code(&story, "call").0, "required_field");
    assert_eq!(story.world().activities().len(), 1);
}

/// Forgets a record, page by page.
fn forget(story: &Scenario, record: Subject) {
    let order = Forget { record, cancel: false, everywhere: false, act: story.world().act() };
    let mut stage: Option<Stage> = None;
    loop {
        let done = at_once(story.world().system.forgetting.forget(&order, stage.take())).expect("it is forgotten");
        match done.next {
            Some(next) => stage = Some(next),
            None => break,
        }
    }
}

#[test]
fn an_activity_goes_with_its_last_record_and_loses_its_values_with_each() {
    let customer = Subject { object: "customer".to_owned(), id: "c".to_owned() };
    let story = shop().record("ticket", "t", json!({"title": "x"})).record("customer", "c", json!({"name": "Bo"}));
    let records = vec![ticket("t"), customer.clone()];
    let note = Some("Bo is angry".to_owned());
    let both = NewRecordActivity { records, note, id: Some("both".to_owned()), ..new("memo", &json!({})) };
    make(&story, both).expect("it fits");
    make(&story, NewRecordActivity { id: Some("one".to_owned()), ..new("call", &json!({"topic": "Bo"})) })
        .expect("it fits");
    forget(&story, ticket("t"));
    let left = story.world().activities();
    let [left] = left.as_slice() else { panic!("one is about the customer: {left:?}") };
    assert_eq!((left.id.as_str(), &left.note, left.records.as_slice()), ("both", &None, [customer.clone()].as_slice()));
    let of_ticket = ActivityFilter { record: Some(ticket("t")), ..ActivityFilter::default() };
    assert_eq!(listed(&story, &of_ticket), [""; 0]);
    let of_customer = ActivityFilter { record: Some(customer.clone()), ..ActivityFilter::default() };
    assert_eq!(listed(&story, &of_customer), ["both"]);
    assert!(matches!(make(&story, new("memo", &json!({}))), Err(ActivityError::NoRecord(_))), "none comes after that");
    forget(&story, customer);
    assert_eq!(story.world().activities(), []);
}

/// A workflow that notes the activity that started it.
fn hears(name: &str, keys: &str) -> String {
    let text = "  - {id: told, type: note, text: '{{ trigger.activity.activity }} {{ trigger.activity.logged_by }} \
                {{ trigger.activity.records.ticket.id }} {{ trigger.activity.note }}'}";
    let keys = format!("{keys}\ntriggers: [{{id: called, type: activity_logged, activity: memo}}]");
    with(&keys, text).replacen("workflow: w", &format!("workflow: {name}"), 1)
}

/// What executions of a workflow noted, each with its record.
fn noted(story: &Scenario, workflow: &str) -> Vec<(String, Option<String>)> {
    let executions = story.world().executions().into_iter().filter(|execution| execution.workflow == workflow);
    let told = |execution: pawl_engine::Execution| {
        let trace = story.world().trace(&execution.id);
        let note = trace.rows.iter().find_map(|row| row.note.clone());
        (note.unwrap_or_default(), execution.record.map(|record| record.to_string()))
    };
    executions.map(told).collect()
}

fn log(story: &Scenario, activity: &str, record: Subject) {
    story
        .world()
        .log_activity((activity, record), (Some("done".to_owned()), Map::new()), "ada")
        .expect("it can be logged");
}

#[test]
fn an_activity_that_is_logged_starts_workflows_once() {
    let story = shop().record("ticket", "t", json!({"title": "x"})).record("customer", "c", json!({"name": "Bo"}));
    let story = story.workflow(&hears("on_tickets", "object: ticket").replace("on_tickets", "on-tickets"));
    let story = story.workflow(&hears("global", "")).workflow(&hears("on-customers", "object: customer"));
    let made = make(&story, new("memo", &json!({}))).expect("it fits");
    let story = story.settle();
    assert_eq!(noted(&story, "global"), [], "it is open");
    log(&story, "memo", ticket("t"));
    let activities = &story.world().system.record_activities;
    at_once(activities.end(&made.id, ActivityStatus::Logged, (None, Map::new()), "bob")).expect("it is logged already");
    let story = story.settle();
    let text = "memo ada t done".to_owned();
    assert_eq!(noted(&story, "on-tickets"), [(text.clone(), Some("ticket/t".to_owned()))]);
    assert_eq!(noted(&story, "global"), [(text, None)]);
    assert_eq!(noted(&story, "on-customers"), [], "it is about no customer");
    // Another type, and one that is canceled, start nothing.
    make(&story, NewRecordActivity { logged: true, ..new("call", &json!({"topic": "x"})) }).expect("it fits");
    let other = make(&story, new("memo", &json!({}))).expect("it fits");
    at_once(story.world().system.record_activities.end(&other.id, ActivityStatus::Canceled, (None, Map::new()), "bob"))
        .expect("it is open");
    let story = story.settle();
    assert_eq!((noted(&story, "on-tickets").len(), noted(&story, "global").len()), (1, 1));
}

#[test]
fn a_step_that_logs_an_activity_starts_workflows_and_none_for_ever() {
    let logs = "  - {id: memo, type: log_activity, activity: memo}";
    let keys = "object: ticket\ntriggers: [{id: again, type: activity_logged, activity: memo}]";
    let story = shop().workflow(&with(keys, logs)).record("ticket", "t", json!({"title": "x"}));
    let story = story.event(manual("w").on("ticket", "t")).run_until_idle();
    let count = story.world().executions().len();
    assert!((2..=20).contains(&count), "{count} executions");
    assert!(!story.world().refusals("w").is_empty(), "the last one is refused visibly");
}

#[test]
fn a_goal_waits_for_an_activity_about_its_record() {
    let steps = "
  - {id: memo, type: create_activity, activity: memo}
  - {id: done, type: goal, on: [{id: logged, type: activity_logged, activity: memo}], timeout: 3d}";
    let story = shop().workflow(&on_tickets(steps)).record("ticket", "t", json!({"title": "x"})).record(
        "ticket",
        "u",
        json!({}),
    );
    let story = story.event(manual("w").on("ticket", "t")).settle().expect(waiting());
    log(&story, "memo", ticket("u"));
    let story = story.settle().expect(waiting());
    log(&story, "memo", ticket("t"));
    story.settle().expect(completed().path(["memo", "done:met"]));
}

#[test]
fn a_log_that_is_told_after_a_record_was_forgotten_shows_nothing_of_it() {
    let story = shop().record("ticket", "t", json!({"title": "x"})).record("customer", "c", json!({"name": "Bo"}));
    let story = story.workflow(&hears("global", ""));
    let customer = Subject { object: "customer".to_owned(), id: "c".to_owned() };
    let both = NewRecordActivity {
        logged: true,
        note: Some("secret".to_owned()),
        records: vec![ticket("t"), customer.clone()],
        ..new("memo", &json!({}))
    };
    make(&story, both).expect("it fits");
    // The event of the log is not evaluated yet.
    forget(&story, customer);
    let story = story.settle();
    assert_eq!(noted(&story, "global"), [("memo ada t ".to_owned(), None)]);
}
