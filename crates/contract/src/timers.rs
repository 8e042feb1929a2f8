//! The suite of [`pawl_runtime::ports::Timers`].

use std::collections::BTreeSet;

use pawl_runtime::ports::{Message, QueueName, Timer, TimerError};

use super::Backend;
use super::shorthand::{drain, message, ms, pass, span};

const QUEUE: QueueName = QueueName::Jobs;

/// A timer that is due so many milliseconds from now.
fn timer(backend: &dyn Backend, name: &str, after: i64, body: &str) -> Timer {
    let due = backend.now() + span(backend, after);
    Timer { name: name.to_owned(), due, queue: QUEUE, message: message(body) }
}

async fn set(backend: &dyn Backend, timer: Timer) {
    backend.timers().set(timer).await.expect("setting succeeds");
}

/// Never early; and once due it arrives.
pub async fn a_timer_fires_when_due_and_not_before(backend: &dyn Backend) {
    set(backend, timer(backend, "a", 3_000, "1")).await;
    assert_eq!(drain(backend, QUEUE).await, Vec::<String>::new());
    pass(backend, 2_000).await;
    assert_eq!(drain(backend, QUEUE).await, Vec::<String>::new());
    pass(backend, 1_500).await;
    assert_eq!(drain(backend, QUEUE).await, ["1"]);
}

/// Fired is gone.
pub async fn a_timer_fires_once(backend: &dyn Backend) {
    set(backend, timer(backend, "a", 1_000, "1")).await;
    pass(backend, 1_500).await;
    assert_eq!(drain(backend, QUEUE).await, ["1"]);
    pass(backend, 5_000).await;
    assert_eq!(drain(backend, QUEUE).await, Vec::<String>::new());
}

/// What should have fired already fires now, in place of what stood under its name; the message's own delay is ignored.
pub async fn a_timer_in_the_past_fires_at_once(backend: &dyn Backend) {
    set(backend, timer(backend, "a", 3_000, "replaced")).await;
    let mut past = timer(backend, "a", -3_600_000, "1");
    past.message = Message { delay: ms(60_000), ..past.message };
    set(backend, past).await;
    assert_eq!(drain(backend, QUEUE).await, ["1"]);
    pass(backend, 3_500).await;
    assert_eq!(drain(backend, QUEUE).await, Vec::<String>::new());
}

/// The last set counts, be it later or earlier, and the earlier message is never sent.
pub async fn setting_a_name_again_replaces_the_timer(backend: &dyn Backend) {
    set(backend, timer(backend, "a", 1_000, "first")).await;
    set(backend, timer(backend, "a", 4_000, "second")).await;
    set(backend, timer(backend, "b", 9_000, "third")).await;
    set(backend, timer(backend, "b", 2_000, "fourth")).await;
    pass(backend, 2_500).await;
    assert_eq!(drain(backend, QUEUE).await, ["fourth"]);
    pass(backend, 2_000).await;
    assert_eq!(drain(backend, QUEUE).await, ["second"]);
    pass(backend, 6_000).await;
    assert_eq!(drain(backend, QUEUE).await, Vec::<String>::new());
}

/// Only the named one is cancelled.
pub async fn a_cancelled_timer_does_not_fire(backend: &dyn Backend) {
    set(backend, timer(backend, "a", 1_000, "1")).await;
    set(backend, timer(backend, "b", 1_000, "2")).await;
    backend.timers().cancel("a").await.expect("canceling succeeds");
    pass(backend, 1_500).await;
    assert_eq!(drain(backend, QUEUE).await, ["2"]);
}

/// Neither never set nor already fired is an error.
pub async fn canceling_an_unknown_name_is_no_error(backend: &dyn Backend) {
    backend.timers().cancel("never-set").await.expect("canceling the unknown is no error");
    set(backend, timer(backend, "a", -1, "1")).await;
    assert_eq!(drain(backend, QUEUE).await, ["1"]);
    backend.timers().cancel("a").await.expect("canceling what has fired is no error");
}

/// A name is free once its timer has fired.
pub async fn a_name_can_be_used_again_after_firing(backend: &dyn Backend) {
    for body in ["1", "2"] {
        set(backend, timer(backend, "a", 1_000, body)).await;
        pass(backend, 1_500).await;
        assert_eq!(drain(backend, QUEUE).await, [body]);
    }
}

/// Each timer names its queue.
pub async fn timers_reach_the_queue_they_name(backend: &dyn Backend) {
    let queues =
        [(QueueName::Events, "1"), (QueueName::Jobs, "2"), (QueueName::JobsHigh, "3"), (QueueName::JobsSlow, "4")];
    for (queue, body) in queues {
        set(backend, Timer { queue, ..timer(backend, body, 1_000, body) }).await;
    }
    pass(backend, 1_500).await;
    for (queue, body) in queues {
        assert_eq!(drain(backend, queue).await, [body]);
    }
}

/// Timers of one instant do not push each other aside.
pub async fn many_timers_due_together_all_fire(backend: &dyn Backend) {
    let due = backend.now() + span(backend, 2_000);
    for number in 0..250 {
        let body = number.to_string();
        set(backend, Timer { due, ..timer(backend, &format!("t{number}"), 0, &body) }).await;
    }
    pass(backend, 2_500).await;
    let bodies = drain(backend, QUEUE).await;
    assert_eq!(bodies.len(), 250);
    assert_eq!(bodies.into_iter().collect::<BTreeSet<_>>().len(), 250);
}

/// Names are what every scheduler takes.
pub async fn a_bad_name_is_invalid(backend: &dyn Backend) {
    for name in ["", "a b", "ä", &"x".repeat(65)] {
        let outcome = backend.timers().set(timer(backend, name, 0, "1")).await;
        assert!(matches!(outcome, Err(TimerError::Invalid(_))), "expected an invalid call, found {outcome:?}");
    }
    set(backend, timer(backend, &"x".repeat(64), 0, "1")).await;
    set(backend, timer(backend, "A-z_0.9", 0, "2")).await;
}
