//! The store as [`Tables`].

use async_trait::async_trait;
use pawl_runtime::ports::rules::{validate_key, validate_keys};
use pawl_runtime::ports::{Consistency, Item, Key, Page, Query, Table, TableError, Tables, Transaction};
use tokio::sync::oneshot;

use super::read::{Read, is_live};
use super::recent::Known;
use super::request::{Change, Reply, Request};
use super::{Refused, Store, micros};

#[async_trait]
impl Tables for Store {
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        validate_key(key)?;
        if consistency == Consistency::Strong && self.inner.shared.standing.admit_reader().is_ok() {
            match self.inner.shared.recent.get(table, key) {
                Known::Item(item) => return Ok(self.live(&item)),
                Known::Absent => return Ok(None),
                Known::Unknown => {}
            }
        }
        self.read(consistency, |reply| Read::Get(table, key.clone(), reply)).await
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        validate_keys(keys)?;
        if self.inner.shared.standing.admit_reader().is_ok()
            && let Some(found) = self.inner.shared.recent.get_many(keys)
        {
            return Ok(found.iter().map(|item| item.as_ref().and_then(|item| self.live(item))).collect());
        }
        self.read(Consistency::Strong, |reply| Read::GetMany(keys.to_vec(), reply)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        query.validate()?;
        let consistency = if query.index.is_some() { Consistency::Eventual } else { query.consistency };
        if consistency == Consistency::Strong
            && self.inner.shared.standing.admit_reader().is_ok()
            && let Some(page) = self.inner.shared.recent.page(query)
        {
            return Ok(page);
        }
        self.read(consistency, |reply| Read::Query(query.clone(), reply)).await?
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        transaction.validate()?;
        let (reply, outcome) = oneshot::channel();
        self.post(Change::Transact(transaction, reply)).map_err(unavailable)?;
        outcome.await.map_err(|_| TableError::Unknown(self.refused().0))?
    }
}

impl Store {
    fn live(&self, item: &Item) -> Option<Item> {
        is_live(item, micros::floor(self.inner.shared.clock.now())).then(|| item.clone())
    }

    async fn read<T>(&self, consistency: Consistency, read: impl FnOnce(Reply<T>) -> Read) -> Result<T, TableError> {
        self.inner.shared.standing.admit_reader().map_err(unavailable)?;
        let (reply, answer) = oneshot::channel();
        match consistency {
            // Without an answer in sight the reply is dropped, which ends the wait below.
            Consistency::Strong => drop(self.inner.shared.requests.send(Request::Read(read(reply)))),
            Consistency::Eventual => self.inner.shared.readers.send(read(reply)),
        }
        answer.await.map_err(|_| unavailable(self.refused()))
    }
}

fn unavailable(Refused(reason): Refused) -> TableError {
    TableError::Unavailable(reason)
}
