//! Calls that may last long are made by jobs of a queue of their own, where the installation makes them apart.

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_engine::{Control, Status};
use pawl_runtime::ports::{QueueName, QueueSource};
use pawl_testkit::scenario::{Scenario, answer, completed, manual, says, scenario};

use crate::support::with;

const ASK: &str = "
  - {id: count, type: set_variables, values: {n: 8}}
  - {id: ask, type: call_llm, model: test/model, prompt: 'How urgent is {{ vars.n }}?'}
  - {id: end, type: note, text: end}";

fn fetch(timeout: &str) -> String {
    format!("\n  - {{id: fetch, type: http_request, url: 'https://x.example'{timeout}}}")
}

/// A story in which an event has become a job, and that job was handled once.
fn begun(story: Scenario, steps: &str) -> Scenario {
    let keys = "variables: [{name: n, type: number, default: 7}]";
    let story = story.workflow(&with(keys, steps)).event(manual("w"));
    for queue in [QueueName::Events, QueueName::Jobs] {
        handle(&story, queue);
    }
    story
}

/// Handles the first message of a queue, which stays there, as after a crash before it was deleted.
fn handle(story: &Scenario, queue: QueueName) {
    let world = story.world();
    let body = world.store.messages(queue).remove(0).body;
    let handled = world.system.handle(queue, &body, None).now_or_never();
    handled.expect("memory answers at once").expect("it is handled");
}

fn slow(story: &Scenario) -> usize {
    story.world().store.messages(QueueName::JobsSlow).len()
}

/// What was decided before the call is committed with the hand-over; the call is neither claimed nor made.
#[test]
fn a_model_is_asked_by_a_job_of_the_slow_queue() {
    let story = begun(scenario().slow_apart().model(|_| says("very")), ASK);
    assert_eq!((slow(&story), story.world().models.requests().len()), (1, 0));
    let execution = story.world().executions().remove(0);
    assert_eq!((execution.cursor.as_deref(), execution.leases.is_empty()), (Some("ask"), true));
    assert_eq!(execution.variables["n"], 8);

    handle(&story, QueueName::JobsSlow);
    assert_eq!(story.world().models.requests().len(), 1);
    // The messages that were handled are delivered again: nothing is asked twice.
    let story = story.run_until_idle().expect(completed().path(["count", "ask", "end"]));
    assert_eq!(story.world().models.requests().len(), 1);
}

/// A crash after the commit, before its job was sent: the job that is delivered again makes good for it.
#[test]
fn a_hand_over_that_is_lost_is_made_again() {
    let story = begun(scenario().slow_apart().model(|_| says("very")), ASK);
    let memory = &story.world().store;
    let lost = memory.receive(QueueName::JobsSlow, 1, SignedDuration::from_secs(60)).now_or_never();
    let lost = lost.expect("memory answers at once").expect("it is readable").remove(0);
    memory
        .delete(QueueName::JobsSlow, &lost.receipt)
        .now_or_never()
        .expect("memory answers at once")
        .expect("it is gone");
    handle(&story, QueueName::Jobs);
    let story = story.run_until_idle().expect(completed().path(["count", "ask", "end"]));
    assert_eq!(story.world().models.requests().len(), 1);
}

/// Its author says how long a request may last; without a word it is short.
#[test]
fn a_request_is_made_apart_if_it_may_last_long() {
    for (timeout, apart) in [("", 0), (", timeout: 60s", 0), (", timeout: 2m", 1)] {
        let story = begun(scenario().slow_apart().http(|_| answer(200)), &fetch(timeout));
        assert_eq!((slow(&story), story.world().http.calls().len()), (apart, 1 - apart), "{timeout:?}");
        story.run_until_idle().expect(completed().path(["fetch"]));
    }
}

#[test]
fn a_kill_between_hand_over_and_call_is_obeyed() {
    let story = begun(scenario().slow_apart().model(|_| says("very")), ASK).control(Control::Kill);
    handle(&story, QueueName::JobsSlow);
    assert_eq!(story.world().models.requests().len(), 0);
    assert_ne!(story.last().execution.status, Status::Completed);
}

#[test]
fn one_process_without_batches_makes_every_call_where_it_is() {
    let story = begun(scenario().model(|_| says("very")), ASK);
    assert_eq!((slow(&story), story.world().models.requests().len()), (0, 1));
    story.run_until_idle().expect(completed());
}
