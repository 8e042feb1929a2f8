//! Tables in memory.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pawl_runtime::ports::rules::{add_to_counter, counter_body, validate_key, validate_keys};
use pawl_runtime::ports::{
    Conflicted, Consistency, Index, Item, Key, Message, Page, Query, QueueName, SortRange, Table, TableError, Tables,
    Transaction, Write, stream_message,
};

use super::MemoryStore;
use super::state::State;

#[async_trait]
impl Tables for MemoryStore {
    async fn get(&self, table: Table, key: &Key, _consistency: Consistency) -> Result<Option<Item>, TableError> {
        validate_key(key)?;
        Ok(self.lock().live(table, key, self.now()).cloned())
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        validate_keys(keys)?;
        let (state, now) = (self.lock(), self.now());
        Ok(keys.iter().map(|(table, key)| state.live(*table, key, now).cloned()).collect())
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        query.validate()?;
        self.lock().query(query, self.now())
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        self.commit(transaction, SignedDuration::ZERO)
    }

    async fn transact_unheard(&self, transaction: Transaction) -> Result<(), TableError> {
        self.commit(transaction, UNHEARD_FOR)
    }
}

/// How much later it tells of changes that nobody seems to listen to: as an installation on AWS does by default.
pub const UNHEARD_FOR: SignedDuration = SignedDuration::from_secs(60);

impl MemoryStore {
    fn commit(&self, transaction: Transaction, delay: SignedDuration) -> Result<(), TableError> {
        transaction.validate()?;
        let streamed = self.lock().transact(transaction, (self.now(), delay))?;
        if streamed {
            self.ring();
        }
        Ok(())
    }
}

/// What a write does once every expectation holds.
enum Change {
    Put(Table, Item),
    Delete(Table, Key),
    Nothing,
}

impl State {
    fn live(&self, table: Table, key: &Key, now: Timestamp) -> Option<&Item> {
        self.items.get(&table)?.get(key).filter(|item| item.is_live(now))
    }

    /// Commits all or nothing, and tells of changes of records after a delay; answers whether it tells of any.
    fn transact(
        &mut self,
        transaction: Transaction,
        (now, delay): (Timestamp, SignedDuration),
    ) -> Result<bool, TableError> {
        let mut changes = Vec::new();
        let mut conflicts = Vec::new();
        for (index, write) in transaction.writes.into_iter().enumerate() {
            let (table, key) = write.address();
            let current = self.live(table, key, now);
            if decide(&write, current)? {
                changes.push(change(write, current)?);
            } else {
                conflicts.push(Conflicted { index, current: current.cloned() });
            }
        }
        if !conflicts.is_empty() {
            return Err(TableError::Conflict(conflicts));
        }
        let before = self.last_message;
        for change in changes {
            self.apply(change, (now, delay));
        }
        Ok(self.last_message > before)
    }

    fn apply(&mut self, change: Change, (now, delay): (Timestamp, SignedDuration)) {
        let (table, key, new) = match change {
            Change::Put(table, item) => (table, item.key.clone(), Some(item)),
            Change::Delete(table, key) => (table, key, None),
            Change::Nothing => return,
        };
        if table == Table::Records {
            let message = stream_message(self.live(table, &key, now), new.as_ref());
            if let Some(message) = message {
                self.send(QueueName::Events, Message { delay, ..message }, now);
            }
        }
        let expires_at = new.as_ref().and_then(|item| item.expires_at);
        self.first_expiry = self.first_expiry.into_iter().chain(expires_at).min();
        let items = self.items.entry(table).or_default();
        match new {
            Some(item) => items.insert(key, item),
            None => items.remove(&key),
        };
    }

    fn query(&self, query: &Query, now: Timestamp) -> Result<Page, TableError> {
        let after = query.after.as_deref().map(read_cursor).transpose()?;
        let mut found: Vec<(&str, &Item)> = self
            .items
            .get(&query.table)
            .into_iter()
            .flat_map(|items| items.values())
            .filter(|item| item.is_live(now))
            .filter_map(|item| Some((place(item, query.index, &query.partition)?, item)))
            .filter(|(sort, _)| in_range(sort, &query.range))
            .collect();
        found.sort_by(|left, right| (left.0, &left.1.key).cmp(&(right.0, &right.1.key)));
        if query.newest_first {
            found.reverse();
        }
        if let Some((sort, key)) = &after {
            let passed = |found: &(&str, &Item)| {
                let order = (found.0, &found.1.key).cmp(&(sort.as_str(), key));
                if query.newest_first { order.is_ge() } else { order.is_le() }
            };
            found.retain(|found| !passed(found));
        }
        let more = found.len() > query.limit;
        found.truncate(query.limit);
        let next = found.last().filter(|_| more).map(|(sort, item)| write_cursor(sort, &item.key));
        Ok(Page { items: found.into_iter().map(|(_, item)| item.clone()).collect(), next })
    }
}

fn decide(write: &Write, current: Option<&Item>) -> Result<bool, TableError> {
    match write {
        Write::Put { expect, .. } | Write::Delete { expect, .. } | Write::Check { expect, .. } => {
            Ok(expect.holds(current.map(|item| item.version)))
        }
        Write::Add { amount, at_most, .. } => {
            Ok(add_to_counter(current.map(|item| item.body.as_str()), *amount, *at_most)?.is_some())
        }
    }
}

fn change(write: Write, current: Option<&Item>) -> Result<Change, TableError> {
    Ok(match write {
        Write::Put { table, mut item, .. } => {
            item.indexes.sort_by_key(|entry| entry.index);
            Change::Put(table, item)
        }
        Write::Delete { table, key, .. } => Change::Delete(table, key),
        Write::Check { .. } => Change::Nothing,
        Write::Add { table, key, amount, .. } => {
            let empty = Item { key, version: 0, indexes: Vec::new(), expires_at: None, body: counter_body(0) };
            let item = current.cloned().unwrap_or(empty);
            let count = add_to_counter(Some(&item.body), amount, None)?.expect("a sum without a bound is within it");
            Change::Put(table, Item { version: item.version + 1, body: counter_body(count), ..item })
        }
    })
}

/// Where an item stands in a partition of the primary key or an index, if it does.
fn place<'a>(item: &'a Item, index: Option<Index>, partition: &str) -> Option<&'a str> {
    match index {
        None => (item.key.partition == partition).then_some(item.key.sort.as_str()),
        Some(index) => item
            .indexes
            .iter()
            .find(|entry| entry.index == index && entry.partition == partition)
            .map(|entry| entry.sort.as_str()),
    }
}

fn in_range(sort: &str, range: &SortRange) -> bool {
    match range {
        SortRange::All => true,
        SortRange::Prefix(prefix) => sort.starts_with(prefix.as_str()),
        SortRange::Between(first, last) => first.as_str() <= sort && sort <= last.as_str(),
    }
}

fn write_cursor(sort: &str, key: &Key) -> String {
    serde_json::to_string(&(sort, &key.partition, &key.sort)).expect("strings serialize")
}

fn read_cursor(cursor: &str) -> Result<(String, Key), TableError> {
    let (sort, partition, key): (String, String, String) = serde_json::from_str(cursor)
        .map_err(|_| TableError::Invalid(format!("expected a cursor of an earlier page, found {cursor:?}")))?;
    Ok((sort, Key::new(partition, key)))
}
