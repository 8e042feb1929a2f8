//! What a suite needs of a backend under test.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pawl_runtime::ports::{Blobs, DeadLetters, Key, Queue, QueueName, QueueSource, Secrets, Table, Tables, Timers};

/// A fresh, empty backend. A suite uses only its own ports (the tables' suite also receives from the queue), so a
/// backend that lacks a port may panic in its accessor.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Its tables.
    fn tables(&self) -> &dyn Tables;

    /// The sending side of its queues.
    fn queue(&self) -> &dyn Queue;

    /// The receiving side of its queues.
    fn source(&self) -> &dyn QueueSource;

    /// Its timers.
    fn timers(&self) -> &dyn Timers;

    /// Its blobs.
    fn blobs(&self) -> &dyn Blobs;

    /// Its secrets; the suite's backend knows `{"contract": "a secret value"}` and nothing else.
    fn secrets(&self) -> &dyn Secrets;

    /// What its queues gave up.
    fn dead_letters(&self) -> &dyn DeadLetters {
        unreachable!("this backend keeps no dead letters")
    }

    /// Makes a message a dead letter of a queue.
    async fn give_up(&self, queue: QueueName, body: &str) {
        unreachable!("this backend keeps no dead letters, so {body} of {queue:?} cannot become one")
    }

    /// Damages the stored body of an item, as a fault of storage does: no call of the port could write it.
    async fn damage(&self, table: Table, key: &Key);

    /// The time that it lives on.
    fn now(&self) -> Timestamp;

    /// How many times longer the suites' spans are here. Where calls take time, the seconds of a suite are too few to
    /// tell before from after.
    fn stretch(&self) -> i32 {
        1
    }

    /// Lets time pass: moves a virtual clock, or waits.
    async fn pass(&self, span: SignedDuration);

    /// Waits until eventual reads and indexes show what has committed, and what is due can be received.
    async fn settle(&self);
}
