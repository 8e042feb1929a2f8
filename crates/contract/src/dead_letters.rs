//! The suite of [`pawl_runtime::ports::DeadLetters`].

use std::collections::BTreeSet;

use pawl_runtime::ports::{DeadLetter, QueueName};

use super::Backend;
use super::shorthand::drain;

const ALL: [(QueueName, &str); 4] = [
    (QueueName::Events, "\"1\""),
    (QueueName::Jobs, "\"2\""),
    (QueueName::JobsHigh, "\"3\""),
    (QueueName::JobsSlow, "\"4\""),
];

/// Looks until each of these was seen; a queue need not show everything at once.
async fn seen(backend: &dyn Backend, expected: usize) -> BTreeSet<(QueueName, String)> {
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let found = backend.dead_letters().look(10).await.expect("looking succeeds");
        seen.extend(found.into_iter().map(|DeadLetter { queue, body, .. }| (queue, body)));
        if seen.len() >= expected {
            break;
        }
        backend.settle().await;
    }
    seen
}

/// What was given up is seen with its queue, again and again.
pub async fn dead_letters_are_seen_and_stay(backend: &dyn Backend) {
    for (queue, body) in ALL {
        backend.give_up(queue, body).await;
    }
    let all: BTreeSet<_> = ALL.into_iter().map(|(queue, body)| (queue, body.to_owned())).collect();
    assert_eq!(seen(backend, 3).await, all);
    assert_eq!(seen(backend, 3).await, all);
}

/// No more than asked are shown.
pub async fn no_more_than_asked_are_seen(backend: &dyn Backend) {
    for (queue, body) in ALL {
        backend.give_up(queue, body).await;
    }
    let found = backend.dead_letters().look(2).await.expect("looking succeeds");
    assert!(found.len() <= 2, "{found:?}");
}

/// A redrive puts each back on the queue from which it came.
pub async fn a_redrive_puts_them_back_on_their_queues(backend: &dyn Backend) {
    for (queue, body) in ALL {
        backend.give_up(queue, body).await;
    }
    assert_eq!(backend.dead_letters().redrive(100).await, Ok(ALL.len()));
    for (queue, body) in ALL {
        assert_eq!(drain(backend, queue).await, [body]);
    }
    assert_eq!(seen(backend, 1).await, BTreeSet::new());
}

/// A redrive stops when it has put enough back, and the next one goes on.
pub async fn a_redrive_is_bounded(backend: &dyn Backend) {
    for (queue, body) in ALL {
        backend.give_up(queue, body).await;
    }
    let mut moved = 0;
    loop {
        // A queue may show several at once.
        let more = backend.dead_letters().redrive(1).await.expect("a redrive succeeds");
        moved += more;
        if more == 0 {
            break;
        }
    }
    assert_eq!(moved, ALL.len());
}

/// Without dead letters there is nothing to do.
pub async fn nothing_is_put_back_where_nothing_died(backend: &dyn Backend) {
    assert_eq!(backend.dead_letters().look(10).await, Ok(Vec::new()));
    assert_eq!(backend.dead_letters().redrive(100).await, Ok(0));
}

/// One that is sent back is on its queue and no longer a dead letter; the others stay.
pub async fn one_is_sent_back_alone(backend: &dyn Backend) {
    for (queue, body) in ALL {
        backend.give_up(queue, body).await;
    }
    let jobs = loop {
        let found = backend.dead_letters().look(10).await.expect("looking succeeds");
        if let Some(letter) = found.into_iter().find(|letter| letter.queue == QueueName::Jobs) {
            break letter;
        }
        backend.settle().await;
    };
    assert_eq!(jobs.sent_back, 0);
    backend.dead_letters().send_back(&jobs).await.expect("sending back succeeds");
    assert_eq!(drain(backend, QueueName::Jobs).await, [jobs.body]);
    assert_eq!(drain(backend, QueueName::Events).await, Vec::<String>::new());
    assert_eq!(backend.dead_letters().redrive(100).await, Ok(ALL.len() - 1));
}
