//! What storage does by itself with items that have expired. On AWS the service does it, within days, and its stream tells.

use jiff::SignedDuration;
use pawl_runtime::ports::{ExpiredMessage, Item, Key, QueueName};

use super::Backend;
use super::shorthand::{committed, drain, item, put};

/// A head that has expired is removed, with one message that names it; of other items that expire nobody is told, and what
/// has not expired stays.
pub async fn a_head_that_expired_is_removed_and_told_of(backend: &dyn Backend) {
    let soon = Some(backend.now() + SignedDuration::from_secs(2));
    let later = Some(backend.now() + SignedDuration::from_secs(60));
    let head = Item { expires_at: soon, ..item("execution#1", "head") };
    let other = Item { expires_at: soon, ..item("execution#1", "event") };
    let lasting = Item { expires_at: later, ..item("execution#2", "head") };
    committed(backend, vec![put(&head), put(&other), put(&lasting), put(&item("execution#3", "head"))]).await;
    assert_eq!(told(backend).await, [], "nothing has expired yet");

    backend.pass(SignedDuration::from_secs(20)).await;
    backend.settle().await;
    assert_eq!(told(backend).await, [head.key]);

    backend.pass(SignedDuration::from_secs(20)).await;
    backend.settle().await;
    assert_eq!(told(backend).await, [], "it is told once");

    backend.pass(SignedDuration::from_secs(60)).await;
    backend.settle().await;
    assert_eq!(told(backend).await, [lasting.key]);
}

async fn told(backend: &dyn Backend) -> Vec<Key> {
    let bodies = drain(backend, QueueName::Events).await;
    let read = |body: &String| serde_json::from_str::<ExpiredMessage>(body).map(|message| message.expired);
    bodies.iter().map(|body| read(body).expect("a message of an expired head parses")).collect()
}
