//! Tables under watch.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use pawl_runtime::items;
use pawl_runtime::ports::rules::{MAX_ITEM_BODY, MAX_TRANSACTION_BODY};
use pawl_runtime::ports::{
    BlobKey, BlobOwner, Consistency, Durability, Item, Key, Page, Query, Table, TableError, Tables, Transaction, Write,
};
use serde_json::Value;

use crate::bug::Bug;
use crate::hub::{Fate, Hub};
use pawl_testkit::memory::MemoryStore;

/// Tables whose calls take time, fail, and are watched.
pub(super) struct WatchedTables {
    hub: Arc<Hub>,
    inner: Arc<dyn Tables>,
}

impl WatchedTables {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        let inner = hub.store.tables();
        Self { hub, inner }
    }

    async fn reads(&self) -> Result<(), TableError> {
        self.hub.pause().await;
        match self.hub.fate(false) {
            Fate::Through => Ok(()),
            _ => Err(TableError::Throttled),
        }
    }

    /// Whoever reads a workflow's head together with the controls of the installation looks at the kill switches.
    fn looked(&self, keys: &[(Table, Key)], found: &[Option<Item>]) {
        let controls = keys.iter().position(|(_, key)| *key == items::installation::key());
        let head = keys.iter().position(|(_, key)| key.partition.starts_with("workflow#") && key.sort == "head");
        let (Some(controls), Some(head)) = (controls, head) else { return };
        let killed_all = found[controls].as_ref().and_then(|item| items::installation::parse(item).ok());
        let killed = found[head].as_ref().and_then(|item| items::workflow::parse_head(item).ok());
        let killed =
            killed_all.is_some_and(|all| all.killed.is_some()) || killed.is_some_and(|head| head.killed.is_some());
        let workflow = keys[head].1.partition.trim_start_matches("workflow#").to_owned();
        let mut state = self.hub.lock();
        let who = state.who;
        state.monitor.looked(who, &workflow, killed);
        let heads = found.iter().flatten().filter(|item| items::execution::id(&item.key).is_some());
        state.monitor.read(who, heads.filter_map(|item| items::execution::parse(item).ok().flatten()));
    }

    async fn apply(&self, transaction: Transaction, unheard: bool) -> Result<(), TableError> {
        let described = describe(&transaction);
        let refused = self.hub.lock().unreadable.refuses(&transaction);
        let result = match refused {
            Some(error) => Err(error),
            None if unheard => self.inner.transact_unheard(transaction.clone()).await,
            None => self.inner.transact(transaction.clone()).await,
        };
        match &result {
            Ok(()) => self.hub.note(&format!("commits {described}")),
            Err(error) => self.hub.note(&format!("cannot commit {described}: {error}")),
        }
        if result.is_ok() {
            self.watch(&transaction);
        }
        result
    }

    /// No item is larger than storage takes, nor are all of a transaction together.
    fn check_sizes(&self, transaction: &Transaction) {
        let body = |write: &Write| if let Write::Put { item, .. } = write { item.body.len() } else { 0 };
        let all: usize = transaction.writes.iter().map(body).sum();
        if let Some(write) = transaction.writes.iter().find(|write| body(write) > MAX_ITEM_BODY) {
            let text = format!("an item of {} bytes is written; storage takes {MAX_ITEM_BODY}", body(write));
            self.hub.violate(7, format!("{}: {text}", word(write)));
        } else if all > MAX_TRANSACTION_BODY {
            self.hub
                .violate(7, format!("a transaction of {all} bytes is written; storage takes {MAX_TRANSACTION_BODY}"));
        }
    }

    fn watch(&self, transaction: &Transaction) {
        let now = self.hub.now();
        let mut state = self.hub.lock();
        let who = state.who;
        state.unreadable.written(transaction);
        let broken = state.monitor.observe(who, now, transaction);
        if transaction.durability == Durability::Durable && state.profile.power_loss > 0 {
            state.durable = Some((self.hub.store.checkpoint(), state.monitor.clone()));
        }
        drop(state);
        for (number, text) in broken {
            self.hub.violate(number, text);
        }
    }
}

#[async_trait]
impl Tables for WatchedTables {
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        self.reads().await?;
        let mut found = self.inner.get(table, key, consistency).await;
        if let Ok(Some(item)) = &mut found {
            self.hub.show(vec![(table, item)]);
        }
        self.hub.pause().await;
        found
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        self.reads().await?;
        let mut found = self.inner.get_many(keys).await?;
        self.looked(keys, &found);
        let of_decision = keys.iter().any(|(_, key)| *key == items::installation::key());
        for ((_, key), item) in keys.iter().zip(&mut found) {
            Bug::blind(self.hub.bug, key, item, of_decision);
        }
        let tables = keys.iter().map(|(table, _)| *table);
        self.hub.show(tables.zip(&mut found).filter_map(|(table, item)| Some((table, item.as_mut()?))).collect());
        self.hub.pause().await;
        Ok(found)
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        self.reads().await?;
        let mut page = match self.hub.lagging().filter(|_| query.index.is_some()) {
            Some(lagging) => lagging.tables().query(query).await,
            None => self.inner.query(query).await,
        }?;
        let is_broken = self.hub.show(page.items.iter_mut().map(|item| (query.table, item)).collect());
        self.hub.pause().await;
        if is_broken && self.hub.bug == Some(Bug::UnreadableStopsListing) {
            return Err(TableError::Invalid("an item of the page cannot be read".to_owned()));
        }
        Ok(page)
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        self.commit(transaction, false).await
    }

    async fn transact_unheard(&self, transaction: Transaction) -> Result<(), TableError> {
        self.commit(transaction, true).await
    }
}

impl WatchedTables {
    async fn commit(&self, transaction: Transaction, unheard: bool) -> Result<(), TableError> {
        let begins_to_wait = transaction
            .writes
            .iter()
            .any(|write| matches!(write, Write::Put { item, .. } if item.key.partition.starts_with("waiter#")));
        let is_contended = transaction.writes.iter().any(|write| write.address().1.partition.starts_with("guard#"));
        self.hub.pause_before_commit(begins_to_wait, is_contended).await;
        let fate = self.hub.fate(true);
        let mut transactions = Bug::corrupt(self.hub.bug, transaction);
        if self.hub.bug == Some(Bug::OversizedStored) {
            for transaction in &mut transactions {
                inline(&self.hub.store, transaction);
            }
        }
        for transaction in &transactions {
            self.check_sizes(transaction);
        }
        let result = match fate {
            Fate::Refused => Err(TableError::Throttled),
            Fate::RequestLost => Err(TableError::Unknown("the request was lost".to_owned())),
            Fate::Through | Fate::AnswerLost => {
                let mut result = Ok(());
                for transaction in transactions {
                    result = self.apply(transaction, unheard).await;
                    if result.is_err() {
                        break;
                    }
                    self.hub.pause().await;
                }
                result
            }
        };
        if let Err(error @ (TableError::Throttled | TableError::Unknown(_))) = &result {
            self.hub.note(&format!("commit fails: {error}"));
        }
        let result = match (fate, result) {
            (Fate::AnswerLost, Ok(())) => {
                self.hub.note("commit happened, but its answer is lost");
                Err(TableError::Unknown("the answer was lost".to_owned()))
            }
            (_, result) => result,
        };
        if self.hub.bug == Some(Bug::UnknownIsSuccess) && matches!(result, Err(TableError::Unknown(_))) {
            return Ok(());
        }
        result
    }
}

/// Puts large values back in the place of what refers to them.
fn inline(store: &MemoryStore, transaction: &mut Transaction) {
    for write in &mut transaction.writes {
        let Write::Put { item, .. } = write else { continue };
        if let Some(id) = item.key.partition.strip_prefix("execution#")
            && item.body.contains("\"$pawl_blob\"")
            && let Ok(mut body) = serde_json::from_str::<Value>(&item.body)
        {
            inline_value(store, &BlobOwner::execution(id), &mut body);
            item.body = body.to_string();
        }
    }
}

fn inline_value(store: &MemoryStore, owner: &BlobOwner, value: &mut Value) {
    let hash = value.get("$pawl_blob").and_then(Value::as_str);
    let key = hash.and_then(|hash| BlobKey::new(owner, hash).ok());
    if let Some(Ok(content)) = key.and_then(|key| store.blobs().get(&key).now_or_never()) {
        *value = serde_json::from_slice(&content).expect("what was offloaded is JSON");
        return;
    }
    match value {
        Value::Object(keys) => keys.values_mut().for_each(|value| inline_value(store, owner, value)),
        Value::Array(list) => list.iter_mut().for_each(|value| inline_value(store, owner, value)),
        _ => {}
    }
}

/// The writes in few words.
fn describe(transaction: &Transaction) -> String {
    let words: Vec<_> = transaction.writes.iter().map(word).collect();
    let how = if transaction.durability == Durability::Durable { "durably " } else { "" };
    format!("{how}[{}]", words.join(", "))
}

fn word(write: &Write) -> String {
    let (table, key) = write.address();
    match write {
        Write::Put { item, .. } if table == Table::Executions && key.sort == "head" => head_word(item),
        Write::Put { item, .. } => format!("{}/{} v{}", key.partition, key.sort, item.version),
        Write::Delete { .. } => format!("-{}/{}", key.partition, key.sort),
        Write::Check { expect, .. } => format!("?{}/{} {expect:?}", key.partition, key.sort),
        Write::Add { amount, .. } => format!("{}/{} {amount:+}", key.partition, key.sort),
    }
}

fn head_word(item: &Item) -> String {
    let head = match items::execution::parse(item) {
        Ok(Some(head)) => head,
        Ok(None) => {
            let code =
                items::refusal::parse(item).ok().flatten().map_or("unreadable".to_owned(), |refusal| refusal.code);
            return format!("a refusal ({code}) in the place of {}", item.key.partition);
        }
        Err(_) => return "an unreadable head".to_owned(),
    };
    let cursor = head.cursor.as_deref().unwrap_or("-");
    let lease = head.leases.until().map_or(String::new(), |until| format!(" leased until {until}"));
    format!("{} v{} seq {} {} at {cursor} wakes {:?}{lease}", head.id, head.version, head.seq, head.status, head.wake)
}
