//! Messages that were given up: what people see of them, and how they go on.

use futures::FutureExt;
use jiff::SignedDuration;
use pawl_engine::Control;
use pawl_runtime::items::operation::State;
use pawl_runtime::ports::{QueueName, QueueSource};
use pawl_runtime::{Job, Redriven};
use pawl_testkit::scenario::{Scenario, answer, completed, manual, scenario, waiting};
use serde_json::json;

use crate::support::workflow;

const STEPS: &str = "
  - {id: wait, type: delay, for: 1d}
  - {id: call, type: http_request, url: 'https://x.example', timeout: 30s}
  - {id: end, type: note, text: end}";

fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

/// Times that the sweeper sends back what nobody marked; then it is given up for good.
const SENT_BACK: u32 = 3;

/// Gives up the message that is visible now for good: its deliveries are over, and so are those after it was sent back.
fn give_up(story: &Scenario, queue: QueueName) -> String {
    let queues = &story.world().store;
    let received = at_once(queues.receive(queue, 1, SignedDuration::from_secs(60))).expect("memory is readable");
    let message = received.into_iter().next().expect("a message is visible");
    at_once(queues.delete(queue, &message.receipt)).expect("memory is writable");
    queues.give_up(queue, &message.body, SENT_BACK);
    message.body
}

fn sweep(story: &Scenario) -> usize {
    at_once(story.world().system.sweeper.sweep(None)).expect("memory is writable")
}

/// Redrives and lets the operation come to its end; how many dead letters and stalled executions it moved.
fn redrive(story: &Scenario) -> (u64, u64) {
    let system = &story.world().system;
    let Redriven { operation, messages } =
        at_once(system.installations.redrive(&story.world().act())).expect("memory is writable");
    at_once(system.evaluator.handle(&json!({"operation": operation}).to_string(), None)).expect("memory is writable");
    let operation = at_once(system.operations.read(&operation)).expect("it is readable").expect("it is there");
    assert_eq!((operation.state, operation.messages), (State::Completed, messages));
    // Another one in the same moment would be the same one.
    story.world().clock.advance(SignedDuration::from_millis(1));
    (messages, operation.executions)
}

/// A delay is over, and its job was given up.
fn stalled() -> Scenario {
    let story = scenario().workflow(&workflow(STEPS)).http(|_| answer(200)).event(manual("w")).run_for("1h");
    let story = story.expect(waiting());
    story.world().clock.advance(SignedDuration::from_hours(24));
    give_up(&story, QueueName::Jobs);
    assert_eq!(sweep(&story), 0);
    assert_eq!(story.last().state(), "waiting, stalled");
    let row = story.last().rows.pop().expect("there are rows");
    let note = "stall: its message was delivered too often without coming to an end, and is in the dead-letter queue, at \
                step wait";
    assert_eq!((row.note.as_deref(), row.actor.as_deref()), (Some(note), Some("dead-letter-queue")));
    story
}

#[test]
fn what_is_stalled_is_not_woken_and_marked_once() {
    let story = stalled();
    let rows = story.last().rows.len();
    for _ in 0..3 {
        story.world().clock.advance(SignedDuration::from_mins(10));
        assert_eq!(sweep(&story), 0);
    }
    assert_eq!((story.last().state().as_str(), story.last().rows.len()), ("waiting, stalled", rows));
    assert_eq!(story.world().store.messages(QueueName::Jobs), []);
    let marks = story.world().system.metrics.snapshot()["executions_stalled"];
    assert_eq!(marks, 1);
}

#[test]
fn a_redrive_sends_the_dead_letters_and_what_is_stalled_on_their_way() {
    let story = stalled();
    assert_eq!(redrive(&story), (1, 1));
    let story = story.run_until_idle().expect(completed().path(["wait", "call", "end"]));
    assert_eq!(story.last().state(), "completed");
    assert_eq!(redrive(&story), (0, 0));
}

#[test]
fn what_is_stalled_goes_on_when_a_person_says_so() {
    let story = stalled().control(Control::Resume).run_until_idle().expect(completed());
    // Its letter is still there, and no longer says anything about it.
    let rows = story.last().rows.len();
    sweep(&story);
    assert_eq!(story.last().rows.len(), rows);
}

/// A lane ended, and the job that tells its parent was given up while another lane waits.
#[test]
fn what_is_stalled_by_news_and_still_has_to_wait_is_stalled_no_more_after_a_redrive() {
    const LANES: &str = "
  - id: both
    type: branch
    lanes:
      a: [{id: short, type: delay, for: 1h}]
      b: [{id: long, type: delay, for: 1d}]";
    let story = scenario().workflow(&workflow(LANES)).event(manual("w")).run_for("2h");
    let whole = story.world().executions().into_iter().find(|one| one.parent.is_none()).expect("it began").id;
    let news = json!({"execution_id": whole, "seq": 0, "news": "child_ended"});
    let is_stalled = || story.world().execution(&whole).stalled;
    story.world().store.give_up(QueueName::Jobs, &news.to_string(), SENT_BACK);
    sweep(&story);
    assert!(is_stalled());
    assert_eq!(redrive(&story), (1, 1));
    assert!(!is_stalled());
    story.run_until_idle().expect(completed());
}

#[test]
fn a_job_that_its_execution_no_longer_needs_marks_nothing() {
    let story = scenario().workflow(&workflow(STEPS)).http(|_| answer(200)).event(manual("w")).run_for("1h");
    let job = Job { execution_id: story.last().execution.id, seq: 0, again: false, news: None };
    story.world().store.give_up(QueueName::Jobs, &serde_json::to_string(&job).expect("a job is JSON"), SENT_BACK);
    sweep(&story);
    assert_eq!(story.last().state(), "waiting");
}

#[test]
fn what_is_not_due_is_woken_when_it_is_and_not_marked() {
    let story = scenario().workflow(&workflow(STEPS)).http(|_| answer(200)).event(manual("w")).run_for("1h");
    let job = Job::of(&story.last().execution);
    story.world().store.give_up(QueueName::Jobs, &serde_json::to_string(&job).expect("a job is JSON"), SENT_BACK);
    sweep(&story);
    assert_eq!(story.last().state(), "waiting");
    story.run_until_idle().expect(completed());
}

/// A job that stands in a long queue is not doubled each minute.
#[test]
fn what_was_woken_is_woken_again_after_waits_that_grow() {
    let story = scenario().workflow(&workflow(STEPS)).http(|_| answer(200)).event(manual("w")).run_for("1h");
    story.world().clock.advance(SignedDuration::from_hours(24));
    let mut woken = Vec::new();
    for minute in 0..60 {
        if sweep(&story) == 1 {
            woken.push(minute);
        }
        story.world().clock.advance(SignedDuration::from_mins(1));
    }
    assert_eq!(woken, [0, 1, 3, 7, 15, 30, 45]);
    // What went on is another transition, and woken at once when that is overdue.
    let story = story.run_until_idle().expect(completed());
    assert_eq!(sweep(&story), 0);
}

#[test]
fn what_nobody_can_read_is_left_where_it_is() {
    let story = stalled();
    for queue in [QueueName::Events, QueueName::Jobs] {
        story.world().store.give_up(queue, "no JSON", 0);
    }
    assert_eq!(sweep(&story), 0);
    assert_eq!(redrive(&story).0, 3);
}

#[test]
fn an_event_that_was_given_up_is_refused_until_it_is_sent_back() {
    let story = scenario().workflow(&workflow("  - {id: end, type: note, text: end}")).event(manual("w"));
    give_up(&story, QueueName::Events);
    for _ in 0..2 {
        sweep(&story);
        let refusals = story.world().refusals("w");
        assert_eq!(refusals.iter().map(|refusal| refusal.code.as_str()).collect::<Vec<_>>(), ["dead_letter"]);
    }
    assert_eq!(redrive(&story), (1, 0));
    let story = story.run_until_idle().expect(completed());
    assert_eq!(story.world().refusals("w"), []);
}

#[test]
fn an_event_that_started_something_all_the_same_is_not_refused() {
    let story = scenario().workflow(&workflow("  - {id: end, type: note, text: end}")).event(manual("w"));
    let body = story.world().store.messages(QueueName::Events).remove(0).body;
    let story = story.run_until_idle().expect(completed());
    story.world().store.give_up(QueueName::Events, &body, SENT_BACK);
    sweep(&story);
    assert_eq!(story.world().refusals("w"), []);
}

#[test]
fn a_call_that_would_not_end_in_time_is_handed_over_before_it_is_claimed() {
    let steps = "
  - {id: first, type: note, text: first}
  - {id: call, type: http_request, url: 'https://x.example', timeout: 30s}";
    let story = scenario().workflow(&workflow(steps)).http(|_| answer(200)).event(manual("w"));
    let system = &story.world().system;
    let event = story.world().store.messages(QueueName::Events).remove(0).body;
    at_once(system.handle(QueueName::Events, &event, None)).expect("memory is writable");
    let next = || story.world().store.messages(QueueName::Jobs).pop().expect("a job is under way").body;
    let soon = story.world().now() + SignedDuration::from_secs(5);

    at_once(system.handle(QueueName::Jobs, &next(), Some(soon))).expect("memory is writable");
    let head = story.last().execution;
    assert_eq!((head.cursor.as_deref(), head.leases.is_empty()), (Some("call"), true));
    assert_eq!(story.world().http.calls().len(), 0);
    assert_eq!(next(), serde_json::to_string(&Job::of(&story.last().execution)).expect("a job is JSON"));

    // The next one would have no more time: it is made.
    at_once(system.handle(QueueName::Jobs, &next(), Some(soon))).expect("memory is writable");
    assert_eq!(story.world().http.calls().len(), 1);
    story.run_until_idle().expect(completed().path(["first", "call"]));
}

/// Bug: what died while its function could not run stayed a dead letter until a person redrove it.
#[test]
fn what_no_worker_marked_is_sent_back_by_the_sweeper() {
    let story = scenario().workflow(&workflow(STEPS)).http(|_| answer(200)).event(manual("w")).run_for("1h");
    story.world().clock.advance(SignedDuration::from_hours(24));
    let queues = &story.world().store;
    let received = at_once(queues.receive(QueueName::Jobs, 1, SignedDuration::from_secs(60))).expect("it is readable");
    at_once(queues.delete(QueueName::Jobs, &received[0].receipt)).expect("memory is writable");
    queues.give_up(QueueName::Jobs, &received[0].body, SENT_BACK - 1);
    sweep(&story);
    assert_eq!(story.last().state(), "waiting");
    let story = story.run_until_idle().expect(completed().path(["wait", "call", "end"]));
    assert_eq!(redrive(&story).0, 0);
}

#[test]
fn an_event_that_no_worker_refused_is_sent_back_by_the_sweeper() {
    let story = scenario().workflow(&workflow("  - {id: end, type: note, text: end}")).event(manual("w"));
    let body = story.world().store.messages(QueueName::Events).remove(0).body;
    let received = at_once(story.world().store.receive(QueueName::Events, 1, SignedDuration::from_secs(60)));
    at_once(story.world().store.delete(QueueName::Events, &received.expect("it is readable")[0].receipt))
        .expect("it is");
    story.world().store.give_up(QueueName::Events, &body, 0);
    sweep(&story);
    assert_eq!(story.world().refusals("w"), []);
    story.run_until_idle().expect(completed());
}

/// What a worker marked died of a cause of its own: sending it back would only repeat that.
#[test]
fn what_a_worker_marked_is_not_sent_back() {
    let story = stalled();
    let job = serde_json::to_string(&Job::of(&story.last().execution)).expect("a job is JSON");
    redrive(&story);
    let received = at_once(story.world().store.receive(QueueName::Jobs, 9, SignedDuration::from_secs(60)));
    for message in received.expect("it is readable") {
        at_once(story.world().store.delete(QueueName::Jobs, &message.receipt)).expect("memory is writable");
    }
    let marked = Job { seq: story.last().execution.seq, ..serde_json::from_str(&job).expect("it is a job") };
    story.world().store.give_up(QueueName::Jobs, &serde_json::to_string(&marked).expect("a job is JSON"), 0);
    sweep(&story);
    assert_eq!(story.world().store.messages(QueueName::Jobs), []);
    assert_eq!(redrive(&story).0, 1);
}
