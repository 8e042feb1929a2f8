//! Reads by key.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use pawl_runtime::ports::{Consistency, Item, Key, Table, TableError};

use super::DynamoTables;
use super::layout::{self, Attributes};
use crate::pace::Pace;

impl DynamoTables {
    pub(super) async fn read_one(
        &self,
        table: Table,
        key: &Key,
        consistency: Consistency,
    ) -> Result<Option<Item>, TableError> {
        let request = self
            .client
            .get_item()
            .table_name(self.name(table)?)
            .set_key(Some(self.any_copy(key)))
            .consistent_read(consistency == Consistency::Strong);
        let answer = self.reading(|| request.clone().send()).await?;
        let item = answer.item.map(layout::read).transpose()?;
        Ok(self.live(item))
    }

    /// Reads up to 100 items strongly, in the order asked.
    pub(super) async fn read_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        // The service refuses a key that is named twice.
        let distinct: BTreeSet<&(Table, Key)> = keys.iter().collect();
        let found = self.read_distinct(&distinct).await?;
        Ok(keys.iter().map(|key| self.live(found.get(key).cloned())).collect())
    }

    async fn read_distinct(&self, keys: &BTreeSet<&(Table, Key)>) -> Result<BTreeMap<(Table, Key), Item>, TableError> {
        let mut open: HashMap<String, KeysAndAttributes> = HashMap::new();
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        for table in keys.iter().map(|(table, _)| *table).collect::<BTreeSet<_>>() {
            let name = self.name(table)?.to_owned();
            let keys = keys.iter().filter(|(of, _)| *of == table).map(|(_, key)| self.any_copy(key)).collect();
            open.insert(name.clone(), strongly(keys));
            tables.insert(name, table);
        }
        let mut found = BTreeMap::new();
        let mut attempt = 0;
        while !open.is_empty() {
            if attempt == Pace::attempts() {
                return Err(TableError::Throttled);
            }
            if attempt > 0 {
                self.pace.pause(attempt).await;
            }
            let request = self.client.batch_get_item().set_request_items(Some(open));
            let answer = self.reading(|| request.clone().send()).await?;
            let items = answer.responses.unwrap_or_default();
            // What is left because an answer was full is no sign of a throttle.
            attempt = if items.values().all(Vec::is_empty) { attempt + 1 } else { 1 };
            for (name, items) in items {
                let table = tables.get(&name).copied().ok_or_else(|| foreign(&name))?;
                for item in items {
                    let item = layout::read(item)?;
                    found.insert((table, item.key.clone()), item);
                }
            }
            open = answer.unprocessed_keys.unwrap_or_default();
        }
        Ok(found)
    }

    /// What expired counts as absent, whether the service has deleted it or not.
    pub(super) fn live(&self, item: Option<Item>) -> Option<Item> {
        item.filter(|item| item.is_live(self.clock.now()))
    }
}

fn strongly(keys: Vec<Attributes>) -> KeysAndAttributes {
    let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
    keys.expect("the keys are set")
}

fn foreign(name: &str) -> TableError {
    TableError::Unavailable(format!("expected items of the tables asked for, found some of {name}"))
}
