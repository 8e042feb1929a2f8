//! What the writer is asked.

use pawl_runtime::ports::{Message, QueueName, TableError, Timer, Transaction};
use tokio::sync::oneshot;

use super::condition::Session;
use super::failure::Failure;
use super::read::Read;

/// Where an answer goes. One that is dropped without an answer means that the store has stopped.
pub(super) type Reply<T> = oneshot::Sender<T>;

/// Gives an answer; whoever asked may have gone.
pub(super) fn answer<T>(reply: Reply<T>, value: T) {
    drop(reply.send(value));
}

/// A message to the writer. All are handled strictly in the order in which they were sent.
pub(super) enum Request {
    /// A strong read.
    Read(Read),
    /// A write, and in which session its sender began.
    Change(Change, Session),
    /// Receivers made room for messages that are due.
    RoomWasMade,
    /// Moves what is due, commits, and answers.
    Settle(Reply<()>),
    /// The flusher is idle again.
    Flushed,
    /// The checkpointer is idle again.
    Checkpointed,
    /// Another thread met an error in a session, after which nothing can be promised.
    Fail(u64, Failure),
    /// Commits, makes everything durable, and ends.
    Shutdown,
}

/// A write. Those without an answer need none: whatever commits later has them before it.
pub(super) enum Change {
    /// Commits a transaction.
    Transact(Transaction, Reply<Result<(), TableError>>),
    /// Sends messages; answers only to slow down a sender who is far ahead.
    Send(QueueName, Vec<Message>, Option<Reply<()>>),
    /// Deletes a message.
    Delete(i64),
    /// Makes a message that was received deliverable again.
    GiveBack(GivenBack),
    /// Sets a timer; answers as `Send` does.
    SetTimer(Timer, Option<Reply<()>>),
    /// Cancels a timer.
    CancelTimer(String),
}

/// A message on its way back to its queue.
pub(super) struct GivenBack {
    pub(super) queue: QueueName,
    pub(super) id: i64,
    /// How often it was received, as far as that counts.
    pub(super) attempt: u32,
    /// It is put off.
    pub(super) put_off: bool,
    /// Not delivered before this, in microseconds.
    pub(super) due: i64,
}
