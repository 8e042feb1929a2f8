//! A step in which process after process dies: it is put aside, and waits for a person.

use futures::FutureExt;
use pawl_engine::{Control, DEATHS_MOST};
use pawl_runtime::ports::{Durability, Expect, QueueName, Transaction, Write};
use pawl_runtime::{Job, items};
use pawl_testkit::scenario::{Scenario, answer, completed, dies, manual, scenario, waiting};

use crate::heads::changed_head;
use crate::support::workflow;

const CALL: &str = "
  - {id: call, type: http_request, url: 'https://x.example'}
  - {id: end, type: note, text: end}";

/// The story of a call in which so many processes die, one after another.
fn dying(times: usize) -> Scenario {
    let mut replies = std::iter::repeat_with(dies).take(times);
    let story = scenario().workflow(&workflow(CALL)).http(move |_| replies.next().unwrap_or_else(|| answer(200)));
    story.event(manual("w")).run_until_idle()
}

#[test]
fn a_step_in_which_five_processes_die_in_a_row_is_stalled() {
    let story = dying(100);
    assert_eq!(story.last().state(), "running, stalled");
    assert_eq!(story.world().http.calls().len(), 5);
    let row = story.last().rows.pop().expect("there are rows");
    let note = "stall: the process died 5 times in a row in step call";
    assert_eq!((row.note.as_deref(), row.actor.as_deref()), (Some(note), Some("executor")));
    // Neither the sweeper nor an old job brings it back.
    let story = story.run_for("3d");
    assert_eq!((story.last().state().as_str(), story.world().http.calls().len()), ("running, stalled", 5));
    assert_eq!(story.world().system.metrics.snapshot()["executions_stalled"], 1);
}

#[test]
fn four_deaths_are_survived() {
    let story = dying(4).expect(completed().path(["call", "end"]));
    assert_eq!(story.world().http.calls().len(), 5);
    assert_eq!(story.last().execution.deaths, 0);
}

#[test]
fn an_operator_who_retries_or_resumes_gives_it_five_more() {
    for control in [Control::Retry, Control::Resume] {
        let story = dying(7).control(control).run_until_idle().expect(completed());
        assert_eq!(story.world().http.calls().len(), 8);
    }
    let story = dying(100).control(Control::Retry).run_until_idle();
    assert_eq!((story.last().state().as_str(), story.world().http.calls().len()), ("running, stalled", 9));
    let story = story.control(Control::Cancel).run_until_idle();
    assert_eq!(story.last().state(), "canceled");
}

/// An execution that stands before a step, and its job.
fn before_a_step() -> (Scenario, Job) {
    let steps = "  - {id: wait, type: delay, for: 1d}\n  - {id: end, type: note, text: end}";
    let story = scenario().workflow(&workflow(steps)).event(manual("w")).run_for("1h").expect(waiting());
    story.world().clock.advance(jiff::SignedDuration::from_hours(24));
    let job = Job::of(&story.last().execution);
    (story, job)
}

fn deliver_again(story: &Scenario, job: &Job) {
    let body = serde_json::to_string(job).expect("a job is JSON");
    let handled = story.world().system.deliver(QueueName::Jobs, &body, true, None);
    handled.now_or_never().expect("memory answers at once").expect("it is handled");
}

/// A pure step claims nothing: its deaths are counted when its job is delivered again.
#[test]
fn deaths_in_a_pure_step_count_as_well() {
    let (story, job) = before_a_step();
    let mut head = story.last().execution;
    head.deaths = DEATHS_MOST - 1;
    head.version += 1;
    let rows = story.last().rows;
    let item = changed_head(story.world(), &head, &rows);
    let put = Write::Put { table: items::execution::TABLE, item, expect: Expect::Any };
    let written =
        story.world().system.ports.tables.transact(Transaction { writes: vec![put], durability: Durability::Durable });
    written.now_or_never().expect("memory answers at once").expect("it is written");
    deliver_again(&story, &job);
    assert_eq!(story.last().state(), "waiting, stalled");
    let story = story.control(Control::Retry).run_until_idle().expect(completed());
    assert_eq!(story.last().execution.deaths, 0);
}

#[test]
fn a_job_that_is_delivered_again_and_outlived_counts_no_death() {
    let (story, job) = before_a_step();
    story.world().control(&job.execution_id, &Control::Pause).expect("it waits");
    let paused = Job::of(&story.last().execution);
    deliver_again(&story, &paused);
    assert_eq!(story.last().execution.deaths, 0);
    let story = story.control(Control::Resume);
    deliver_again(&story, &Job::of(&story.last().execution));
    assert_eq!(story.expect(completed()).last().execution.deaths, 0);
}
