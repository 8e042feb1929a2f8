//! Storage: keyed items in four tables, a few sparse indexes, conditional transactions.
//!
//! The port offers only the part of `DynamoDB` that Pawl needs, so that every backend has the
//! same keys and the embedded mode uses the real data model.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Query;
use super::rules::MAX_BODY_DEPTH;

/// A table. The names are stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Workflow heads, revisions, trigger listeners, object schemas, controls.
    Workflows,
    /// Execution heads, history rows, trigger events, waiters, refusals, guards.
    Executions,
    /// Records and their unique-value rows. A change here is a stream event.
    Records,
    /// Idempotency keys with a time to live.
    Keys,
}

/// A secondary index. Each item module in `items/` defines its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Index {
    /// First index.
    Gsi1,
    /// Second index.
    Gsi2,
    /// Third index.
    Gsi3,
    /// Fourth index.
    Gsi4,
}

/// The primary key of an item: unique in its table. Both parts are non-empty; at most 1 KiB each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Partition key.
    pub partition: String,
    /// Sort key; items of a partition are ordered by its bytes.
    pub sort: String,
}

impl Key {
    /// Makes a key.
    pub fn new(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self { partition: partition.into(), sort: sort.into() }
    }
}

/// The entry of an item in one index. Items without an entry are absent from that index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexEntry {
    /// Which index.
    pub index: Index,
    /// Partition key in the index.
    pub partition: String,
    /// Sort key in the index; need not be unique (ties are ordered by primary key). At most 1 KiB together with
    /// the primary key.
    pub sort: String,
}

/// One stored item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Primary key.
    pub key: Key,
    /// Version, counted by the writer: 1 when created, then +1 a write. Checked by [`Expect::Version`].
    pub version: u64,
    /// Index entries, at most one an index.
    pub indexes: Vec<IndexEntry>,
    /// After this time reads do not return the item, and the storage removes it when it finds the time. Kept to the
    /// microsecond. If it is a head of [`Table::Executions`], a message tells of it
    /// ([`expired_message`](super::expired_message)).
    pub expires_at: Option<Timestamp>,
    /// A JSON object as text, at most 380 KiB and 127 levels deep; [no JSON](super::rules::unreadable_body) if the store
    /// cannot read what it holds.
    pub body: String,
}

/// A condition on an item that a transaction requires. An expired item counts as absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Nothing.
    Any,
    /// No item has this key.
    Absent,
    /// Some item has this key.
    Present,
    /// The item has exactly this version.
    Version(u64),
}

/// One member of a transaction. A transaction names each (table, key) at most once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Writes the whole item.
    Put {
        /// Table.
        table: Table,
        /// The item, with the version that it will have.
        item: Item,
        /// What must hold before.
        expect: Expect,
    },
    /// Deletes; with [`Expect::Any`] an absent item is no error.
    Delete {
        /// Table.
        table: Table,
        /// Key.
        key: Key,
        /// What must hold before.
        expect: Expect,
    },
    /// Checks a condition without a change.
    Check {
        /// Table.
        table: Table,
        /// Key.
        key: Key,
        /// What must hold.
        expect: Expect,
    },
    /// Adds to a counter item (body `{"count": n}`), creating it at 0. Conflicts if the sum would exceed
    /// `at_most`; never goes below zero (clamped).
    Add {
        /// Table.
        table: Table,
        /// Key.
        key: Key,
        /// How much, may be negative.
        amount: i64,
        /// Upper bound of the result.
        at_most: Option<i64>,
    },
}

/// How long a commit waits. Order is always kept: what commits later is never durable without what came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// Returns once applied and visible to strong reads; a crash may lose the commit together with all later ones.
    Ordered,
    /// Returns once the commit and all earlier ones would survive a power failure.
    Durable,
}

/// Up to 100 writes, with bodies of at most 3 MiB together and [copies](crate::copies) counted, that commit together or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The members.
    pub writes: Vec<Write>,
    /// How long to wait.
    pub durability: Durability,
}

/// Whether a read must see every commit that returned before it (`Strong`), or may lag behind (`Eventual`).
/// An eventual read sees only what a crash of the process would keep. Indexes are always eventual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Sees all that has committed.
    Strong,
    /// May lag.
    Eventual,
}

/// A range of sort keys, by bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortRange {
    /// The whole partition.
    All,
    /// Sort keys that begin so.
    Prefix(String),
    /// From the first to the second, both included.
    Between(String, String),
}

/// One page of a query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Items in order.
    pub items: Vec<Item>,
    /// Opaque cursor; present if there may be more items.
    pub next: Option<String>,
}

/// A member of a transaction whose expectation failed, with the item as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflicted {
    /// Which write of the transaction.
    pub index: usize,
    /// The present item.
    pub current: Option<Item>,
}

/// Why a table call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Expectations failed; nothing was written. Reload and decide again.
    #[error("conflict: {} of the transaction's expectations failed", .0.len())]
    Conflict(Vec<Conflicted>),
    /// Nothing was written; try again later.
    #[error("storage is throttling")]
    Throttled,
    /// The answer was lost: the write may or may not have happened. Re-read before anything else.
    #[error("the outcome of a write is unknown: {0}")]
    Unknown(String),
    /// Storage cannot be reached; nothing was written.
    #[error("storage is unavailable: {0}")]
    Unavailable(String),
    /// A body nests so deeply that it could never be read again; nothing was written.
    #[error("the body of {}/{} nests more than {MAX_BODY_DEPTH} levels and could not be read again", .0.partition, .0.sort)]
    TooDeep(Key),
    /// The call breaks a rule of the port (too many writes, a key twice, a body over the limit).
    #[error("invalid storage call: {0}")]
    Invalid(String),
}

/// The storage port.
#[async_trait]
pub trait Tables: Send + Sync {
    /// Reads one item.
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError>;

    /// Reads up to 100 items, strongly; answers in the order asked.
    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError>;

    /// Queries a partition in order.
    async fn query(&self, query: &Query) -> Result<Page, TableError>;

    /// Commits all of the writes or none. Every put or delete in [`Table::Records`] that changes an item also
    /// yields one stream message `{"stream": {"old": item|null, "new": item|null}}` on the event queue,
    /// atomically with the commit, at least once.
    async fn transact(&self, transaction: Transaction) -> Result<(), TableError>;

    /// The same for changes of records that nobody seemed to listen to when they were decided. A store may tell of them later
    /// and together with others, where each telling costs; it tells of all of them.
    async fn transact_unheard(&self, transaction: Transaction) -> Result<(), TableError> {
        self.transact(transaction).await
    }
}
