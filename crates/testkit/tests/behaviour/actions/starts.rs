//! Actions that start a workflow on many records.

use pawl_definition::DefinitionKind;
use pawl_engine::Status;
use pawl_runtime::items::operation::State;
use pawl_runtime::ports::{QueueName, Table};
use pawl_runtime::{ActionError, Counts, NewAction, StartRecords, Starts, Task, items};
use pawl_testkit::scenario::{Scenario, answer, scenario};
use serde_json::{Map, json};

use super::{FEW, action, all_done, asked, at_once, begin, drain, in_state, operation, results, state};
use crate::loops::crowd::Mortal;
use crate::support::{CUSTOMER, TICKET, on_tickets, on_tickets_with};

const END: &str = "
  - {id: end, type: note, text: end}";

/// So many tickets, every third of which is urgent.
fn tickets(count: usize, workflow: &str) -> Scenario {
    let story = scenario().object(CUSTOMER).object(TICKET).workflow(workflow).http(|_| answer(200));
    (0..count).fold(story, |story, number| {
        let priority = if number % 3 == 0 { 1 } else { 2 };
        story.record("ticket", &format!("t{number:03}"), json!({"status": "new", "priority": priority}))
    })
}

fn starts(records: StartRecords) -> Task {
    let (workflow, object) = ("w".to_owned(), "ticket".to_owned());
    Task::Start(Starts { workflow, object, records, values: Map::new() })
}

fn by_where(source: &str) -> Task {
    starts(StartRecords::Where(source.to_owned()))
}

fn listed(ids: &[&str], story: &Scenario) -> NewAction {
    let listed: Vec<_> = ids.iter().map(|id| (*id).to_owned()).collect();
    let task = starts(StartRecords::listed(&listed));
    NewAction { listed, ..asked(task, story) }
}

/// Records on which an execution was made, each once.
fn started_on(story: &Scenario) -> Vec<String> {
    let mut records: Vec<_> =
        story.world().executions().into_iter().map(|e| e.record.expect("it has one").id).collect();
    records.sort();
    records
}

#[test]
fn a_workflow_starts_on_the_records_for_which_an_expression_is_true() {
    let story = tickets(90, &on_tickets(END));
    let id = begin(&story, asked(by_where("record.priority == 1 && record.status == 'new'"), &story)).id;
    let story = story.run_until_idle();
    assert_eq!(state(story.world(), &id), all_done(30));
    assert_eq!(action(story.world(), &id).preview.count, 30);
    assert_eq!(in_state(story.world(), Status::Completed), 30);
    assert_eq!(started_on(&story)[..3], ["t000", "t003", "t006"]);
}

#[test]
fn a_workflow_starts_on_the_records_of_a_group_as_it_was_when_the_action_began() {
    let urgent = "group: urgent\nobject: ticket\nwhere: record.priority == 1";
    let story = tickets(90, &on_tickets(END)).definition(DefinitionKind::Group, urgent);
    let records = StartRecords::Group { group: "urgent".to_owned(), test: "record.priority == 1".to_owned() };
    let id = begin(&story, asked(starts(records), &story)).id;
    let story = story.definition(DefinitionKind::Group, &urgent.replace("== 1", "== 2")).run_until_idle();
    assert_eq!(state(story.world(), &id), all_done(30));
    assert_eq!(started_on(&story)[..3], ["t000", "t003", "t006"]);
}

#[test]
fn a_workflow_starts_on_listed_records_and_tells_which_are_not_there() {
    let story = tickets(9, &on_tickets(END));
    let id = begin(&story, listed(&["t001", "t404", "t008"], &story)).id;
    let story = story.run_until_idle();
    let counts = Counts { selected: 3, done: 2, refused: 1, ..Counts::default() };
    assert_eq!(state(story.world(), &id), (State::Completed, counts));
    assert_eq!(results(story.world(), &id), [("t404".to_owned(), "no_record".to_owned())]);
    assert_eq!(started_on(&story), ["t001", "t008"]);
    let preview = action(story.world(), &id).preview;
    assert_eq!((preview.count, preview.refused, preview.reasons[0].reason.code.as_str()), (3, 1, "no_record"));
}

#[test]
fn each_record_is_started_on_once_wherever_a_process_dies() {
    let mut deaths = 0;
    for dies_at in 0.. {
        let story = tickets(7, &on_tickets(END));
        let world = story.world();
        let id = begin(&story, asked(by_where("record.status == 'new'"), &story)).id;
        let mortal = Mortal::that_dies_at_write(world, FEW, dies_at);
        drain(world, &mortal.system);
        let story = story.run_until_idle();
        assert_eq!(state(story.world(), &id), all_done(7), "dies at write {dies_at}");
        assert_eq!(started_on(&story).len(), 7, "dies at write {dies_at}");
        assert_eq!(in_state(story.world(), Status::Completed), 7, "dies at write {dies_at}");
        if !mortal.is_dead() {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 20, "{deaths} writes");
}

#[test]
fn a_start_that_a_guard_refuses_is_told_with_the_reason() {
    let story = tickets(3, &on_tickets_with("limits: {reentry: once_per_record}", END));
    let first = begin(&story, listed(&["t001"], &story)).id;
    let story = story.run_until_idle();
    assert_eq!(state(story.world(), &first), all_done(1));
    let second = begin(&story, asked(by_where("true"), &story)).id;
    let story = story.run_until_idle();
    let counts = Counts { selected: 3, done: 2, refused: 1, ..Counts::default() };
    assert_eq!(state(story.world(), &second), (State::Completed, counts));
    assert_eq!(results(story.world(), &second), [("t001".to_owned(), "reentry".to_owned())]);
    assert_eq!(action(story.world(), &second).preview.refused, 1, "the preview knew it");
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_so_is_one_on_which_the_expression_fails() {
    let story = tickets(3, &on_tickets(END));
    let subject = pawl_engine::Subject { object: "ticket".to_owned(), id: "t001".to_owned() };
    story.world().store.damage(Table::Records, &items::record::key(&subject), "no JSON");
    let id = begin(&story, asked(by_where("10 / (record.priority - 2) != 0"), &story)).id;
    let story = story.run_until_idle();
    let world = story.world();
    assert_eq!(state(world, &id).1, Counts { selected: 3, done: 1, failed: 2, ..Counts::default() });
    let mut told = results(world, &id);
    told.sort();
    let expected = [("t001", "unreadable_item"), ("t002", "filter_error")];
    assert_eq!(told, expected.map(|(id, code)| (id.to_owned(), code.to_owned())));
}

#[test]
fn a_filter_of_records_is_checked_before_anything_starts() {
    let story = tickets(3, &on_tickets(END));
    for wrong in ["record.priorty == 1", "record.priority ==", "trigger.x == 1", "record.priority", "secret('k') == ''"]
    {
        let refused = at_once(story.world().system.operations.begin_action(asked(by_where(wrong), &story)));
        assert!(matches!(refused, Err(ActionError::BadFilter { path: "where", .. })), "{wrong}: {refused:?}");
    }
    let none = at_once(story.world().system.operations.begin_action(listed(&[], &story)));
    assert_eq!(none, Err(ActionError::EmptyFilter));
    assert_eq!(story.world().store.messages(QueueName::Events), []);
}

#[test]
fn a_thousand_starts_lose_none_although_processes_die() {
    let story = tickets(1_000, &on_tickets(END));
    let id = begin(&story, asked(by_where("record.status == 'new'"), &story)).id;
    let world = story.world();
    for dies_at in [50, 777, 1_500] {
        let mortal = Mortal::that_dies_at_write(world, FEW, dies_at);
        drain(world, &mortal.system);
    }
    let story = story.run_until_idle();
    assert_eq!(operation(story.world(), &id).executions, 1_000);
    let mut records = started_on(&story);
    records.dedup();
    assert_eq!(records.len(), 1_000);
}
