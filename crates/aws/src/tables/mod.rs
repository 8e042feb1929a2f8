//! Tables on `DynamoDB`.
//!
//! - [`layout`]: how an item is stored.
//! - [`condition`]: expectations as expressions.
//! - [`write`]: single writes, which cost half of a transaction; [`transact`]: several writes.
//! - [`read`], [`query`]: reads; [`shards`], [`merge`]: partitions that are kept in several, and read as one;
//!   [`copies`]: items that are kept several times.

mod condition;
mod copies;
mod counter;
mod cursor;
pub(crate) mod layout;
mod merge;
mod packing;
mod query;
mod range;
mod read;
mod shards;
mod transact;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use pawl_runtime::copies::copies_of;
use pawl_runtime::ports::rules::{validate_key, validate_keys};
use pawl_runtime::ports::{Clock, Consistency, Item, Key, Page, Query, Random, Table, TableError, Tables, Transaction};

use crate::config::TableNames;
use crate::failure::Failure;
use crate::pace::{Exhausted, Pace};
use layout::{Attributes, Heard};
use transact::Counters;

/// Tables on `DynamoDB`.
///
/// It repeats failed calls itself, since what may be repeated depends on the call, and since only whoever counts the
/// attempts can recognise its own lost answer: a conditional write that finds what it was to write has succeeded
/// before. What it cannot know it reports as [`TableError::Unknown`].
#[derive(Clone)]
pub struct DynamoTables {
    client: Client,
    names: TableNames,
    clock: Arc<dyn Clock>,
    pace: Pace,
}

impl DynamoTables {
    /// Makes the client. The clock decides what has expired; chance spreads repeats and marks transactions.
    pub fn new(sdk: &SdkConfig, names: TableNames, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let config = aws_sdk_dynamodb::config::Builder::from(sdk).retry_config(RetryConfig::disabled()).build();
        Self { client: Client::from_conf(config), names, clock, pace: Pace::new(random) }
    }

    fn name(&self, table: Table) -> Result<&str, TableError> {
        let name = self.names.0.get(&table).map(String::as_str);
        name.ok_or_else(|| TableError::Invalid(format!("the table {table:?} is not configured for this function")))
    }

    /// The attributes of a key to read: of an item that is copied those of any copy, so that all are read about as often.
    fn any_copy(&self, key: &Key) -> Attributes {
        copies::key(key, self.pace.one_of(copies_of(key)))
    }

    /// Repeats a read.
    async fn reading<T, E, F>(&self, call: impl Fn() -> F) -> Result<T, TableError>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.pace.call(true, call).await.map_err(|Exhausted { failure, .. }| match failure {
            Failure::Throttled => TableError::Throttled,
            failure => refused(&failure),
        })
    }
}

#[async_trait]
impl Tables for DynamoTables {
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        validate_key(key)?;
        self.read_one(table, key, consistency).await
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        validate_keys(keys)?;
        self.read_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        query.validate()?;
        self.read_page(query).await
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        self.commit_all(transaction, Heard::Perhaps).await
    }

    async fn transact_unheard(&self, transaction: Transaction) -> Result<(), TableError> {
        self.commit_all(transaction, Heard::Unlikely).await
    }
}

impl DynamoTables {
    async fn commit_all(&self, transaction: Transaction, heard: Heard) -> Result<(), TableError> {
        transaction.validate()?;
        // Whatever the service acknowledged is durable, so the durability asked for makes no difference.
        let mut writes = transaction.writes;
        match &writes[..] {
            [] => Ok(()),
            [write] if copies_of(write.address().1) == 1 => self.write_one(writes.remove(0), heard).await,
            _ => self.write_many(&writes, heard, Counters::new()).await,
        }
    }
}

/// What a failed write that changed nothing is to the caller, or one whose outcome is unknown.
fn write_error<E>(exhausted: &Exhausted<E>) -> TableError {
    match &exhausted.failure {
        Failure::Unknown(story) => TableError::Unknown(story.clone()),
        failure if exhausted.in_doubt => TableError::Unknown(format!("an answer was lost, and then: {failure}")),
        Failure::Throttled => TableError::Throttled,
        failure => refused(failure),
    }
}

fn refused(failure: &Failure) -> TableError {
    match failure {
        Failure::Refused { code, message } if code == "ValidationException" => TableError::Invalid(message.clone()),
        failure => TableError::Unavailable(failure.to_string()),
    }
}
