//! The suite of [`pawl_runtime::ports::Queue`] and [`pawl_runtime::ports::QueueSource`].

use std::collections::BTreeSet;

use futures::future::join;
use futures::{FutureExt, pin_mut};
use jiff::SignedDuration;
use pawl_runtime::ports::rules::{MAX_DELAY, MAX_MESSAGE_BODY};
use pawl_runtime::ports::{Message, QueueError, QueueName, Received};

use super::Backend;
use super::shorthand::{drain, message, ms, pass, receive, receive_for, span, visibility};

const QUEUE: QueueName = QueueName::Jobs;

/// Most that the queue's clock may differ from the backend's.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(1);

async fn send(backend: &dyn Backend, messages: Vec<Message>) {
    backend.queue().send(QUEUE, messages).await.expect("sending succeeds");
}

fn only(received: Vec<Received>) -> Received {
    assert_eq!(received.len(), 1, "one message is there: {received:?}");
    received.into_iter().next().expect("one message is there")
}

/// Body, attempt and time of sending arrive. The queue may have a clock of its own, near to the backend's.
pub async fn a_sent_message_is_received(backend: &dyn Backend) {
    let before = backend.now();
    send(backend, vec![message("{\"größe\":1}")]).await;
    let received = only(receive(backend, QUEUE, 10).await);
    assert_eq!((received.body.as_str(), received.attempt), ("{\"größe\":1}", 1));
    let (earliest, latest) = (before - CLOCKS_DIFFER, backend.now() + CLOCKS_DIFFER);
    assert!(earliest <= received.sent_at && received.sent_at <= latest, "sent at {}", received.sent_at);
}

/// A message reaches only the queue that it was sent to.
pub async fn queues_are_separate(backend: &dyn Backend) {
    let queues =
        [(QueueName::Events, "1"), (QueueName::Jobs, "2"), (QueueName::JobsHigh, "3"), (QueueName::JobsSlow, "4")];
    for (queue, body) in queues {
        backend.queue().send(queue, vec![message(body)]).await.expect("sending succeeds");
    }
    for (queue, body) in queues {
        assert_eq!(drain(backend, queue).await, [body]);
    }
}

/// Whoever does not delete in time gets it again, counted.
pub async fn a_received_message_is_hidden_until_its_visibility_ends(backend: &dyn Backend) {
    send(backend, vec![message("1")]).await;
    let first = only(receive_for(backend, QUEUE, 10, span(backend, 2_000)).await);
    assert_eq!(receive(backend, QUEUE, 10).await, []);

    pass(backend, 2_500).await;
    let second = only(receive(backend, QUEUE, 10).await);
    assert_eq!((second.body.as_str(), second.attempt), ("1", 2));
    assert_eq!(second.sent_at, first.sent_at);
    assert_eq!(receive(backend, QUEUE, 10).await, []);
}

/// Deleting ends it, whatever its visibility was.
pub async fn a_deleted_message_never_comes_back(backend: &dyn Backend) {
    send(backend, vec![message("1")]).await;
    let received = only(receive_for(backend, QUEUE, 10, span(backend, 2_000)).await);
    backend.source().delete(QUEUE, &received.receipt).await.expect("deleting succeeds");
    pass(backend, 2_500).await;
    assert_eq!(receive(backend, QUEUE, 10).await, []);
    backend.source().delete(QUEUE, &received.receipt).await.expect("deleting again is no error");
}

/// Receipts that stand for nothing are nothing to complain of.
pub async fn an_unknown_receipt_is_no_error(backend: &dyn Backend) {
    backend.source().delete(QUEUE, "4711.1").await.expect("deleting the unknown is no error");
    backend.source().delete(QUEUE, "what is this").await.expect("deleting the unknown is no error");
    backend.source().give_back(QUEUE, "4711.1", SignedDuration::ZERO).await.expect("so is giving it back");
}

/// A delay counts from sending.
pub async fn a_delayed_message_comes_late(backend: &dyn Backend) {
    let late = Message { delay: span(backend, 3_000), ..message("late") };
    send(backend, vec![late, message("prompt")]).await;
    assert_eq!(drain(backend, QUEUE).await, ["prompt"]);
    pass(backend, 1_000).await;
    assert_eq!(drain(backend, QUEUE).await, Vec::<String>::new());
    pass(backend, 2_500).await;
    assert_eq!(drain(backend, QUEUE).await, ["late"]);
}

/// Without a delay it is there at once, counted.
pub async fn a_message_given_back_comes_again(backend: &dyn Backend) {
    send(backend, vec![message("1")]).await;
    let first = only(receive(backend, QUEUE, 10).await);
    backend.source().give_back(QUEUE, &first.receipt, SignedDuration::ZERO).await.expect("giving back succeeds");
    let second = only(receive(backend, QUEUE, 10).await);
    assert_eq!((second.body.as_str(), second.attempt), ("1", 2));
    assert_eq!(second.sent_at, first.sent_at);
}

/// It comes after its delay, as if it had not been received, but for the count of how often it was put off.
pub async fn a_message_put_off_comes_again_uncounted(backend: &dyn Backend) {
    send(backend, vec![message("1")]).await;
    for put_off in 0..3 {
        let received = only(receive(backend, QUEUE, 10).await);
        assert_eq!((received.body.as_str(), received.attempt, received.put_off), ("1", 1, put_off));
        backend.source().put_off(QUEUE, &received, span(backend, 2_000)).await.expect("putting off succeeds");
        assert_eq!(receive(backend, QUEUE, 10).await, []);
        pass(backend, 2_500).await;
    }
    assert_eq!(drain(backend, QUEUE).await, ["1"]);
}

/// With a delay it stays hidden for so long, be that shorter or longer than its visibility.
pub async fn a_message_given_back_later_comes_later(backend: &dyn Backend) {
    send(backend, vec![message("1")]).await;
    let first = only(receive_for(backend, QUEUE, 10, span(backend, 1_000)).await);
    backend.source().give_back(QUEUE, &first.receipt, span(backend, 3_000)).await.expect("giving back succeeds");
    pass(backend, 1_500).await;
    assert_eq!(receive(backend, QUEUE, 10).await, []);

    pass(backend, 2_000).await;
    let second = only(receive(backend, QUEUE, 10).await);
    assert_eq!((second.body.as_str(), second.attempt), ("1", 2));
    backend.source().delete(QUEUE, &second.receipt).await.expect("deleting succeeds");
    backend.pass(visibility(backend)).await;
    assert_eq!(receive(backend, QUEUE, 10).await, []);
}

/// `max` bounds what one call takes; the rest stays for others.
pub async fn no_more_than_asked_are_received(backend: &dyn Backend) {
    send(backend, (0..5).map(|number| message(&number.to_string())).collect()).await;
    let mut bodies = BTreeSet::new();
    for _ in 0..5 {
        let received = receive(backend, QUEUE, 2).await;
        assert!(received.len() <= 2, "at most two: {received:?}");
        bodies.extend(received.into_iter().map(|received| received.body));
    }
    assert_eq!(bodies.len(), 5);
}

/// One call may send many; each arrives, and none twice.
pub async fn many_messages_all_arrive_once(backend: &dyn Backend) {
    send(backend, (0..250).map(|number| message(&number.to_string())).collect()).await;
    let bodies = drain(backend, QUEUE).await;
    assert_eq!(bodies.len(), 250);
    assert_eq!(bodies.into_iter().collect::<BTreeSet<_>>().len(), 250);
}

/// A receiver that found nothing gets what is sent while it waits.
pub async fn a_waiting_receiver_is_woken(backend: &dyn Backend) {
    let receiving = backend.source().receive(QUEUE, 10, visibility(backend));
    let sending = async {
        backend.settle().await;
        send(backend, vec![message("1")]).await;
    };
    let (received, ()) = join(receiving, sending).await;
    assert_eq!(only(received.expect("receiving succeeds")).body, "1");
}

/// A receive that is dropped while it waits takes nothing with it.
pub async fn a_receiver_that_stops_waiting_loses_nothing(backend: &dyn Backend) {
    {
        let receiving = backend.source().receive(QUEUE, 10, visibility(backend));
        pin_mut!(receiving);
        assert!(receiving.as_mut().now_or_never().is_none(), "nothing is there yet");
        send(backend, vec![message("1")]).await;
    }
    assert_eq!(drain(backend, QUEUE).await, ["1"]);
}

/// A body of exactly the limit arrives, one byte more is refused.
pub async fn a_body_over_the_limit_is_invalid(backend: &dyn Backend) {
    let outcome = backend.queue().send(QUEUE, vec![message(&"1".repeat(MAX_MESSAGE_BODY + 1))]).await;
    assert!(matches!(outcome, Err(QueueError::Invalid(_))), "expected an invalid call, found {outcome:?}");
    send(backend, vec![message(&"1".repeat(MAX_MESSAGE_BODY))]).await;
    assert_eq!(only(receive(backend, QUEUE, 10).await).body.len(), MAX_MESSAGE_BODY);
}

/// Delays are 0 to 15 minutes.
pub async fn a_delay_out_of_bounds_is_invalid(backend: &dyn Backend) {
    for delay in [ms(-1), MAX_DELAY + ms(1)] {
        let outcome = backend.queue().send(QUEUE, vec![Message { delay, ..message("1") }]).await;
        assert!(matches!(outcome, Err(QueueError::Invalid(_))), "expected an invalid call, found {outcome:?}");
    }
    send(backend, vec![Message { delay: MAX_DELAY, ..message("1") }]).await;
}
