//! The history of a record has each of its versions once, and leads to what the record is.

use std::collections::BTreeMap;

use pawl_definition::value;
use pawl_engine::{Record, RecordWrite};
use pawl_runtime::items;
use pawl_runtime::items::record_change::{self, ChangedBy, RecordChange};
use pawl_runtime::ports::{Item, Table, Write};
use serde_json::Value;

use crate::hub::Hub;
use crate::monitor::Broken;

/// Checks the history of each record that can be read and was not forgotten.
pub(super) fn check(hub: &Hub, broken: &mut Vec<Broken>) {
    let mut changes: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for item in hub.store.items(record_change::TABLE) {
        if item.key.partition.starts_with("changes#") {
            changes.entry(item.key.partition.clone()).or_default().push(item);
        }
    }
    let records = hub.store.items(Table::Records);
    let records = records.iter().filter_map(|item| items::record::parse(item).ok());
    for record in records.filter(|record| record.forgotten.is_none()) {
        let of_record = changes.remove(&record_change::partition(&record.subject())).unwrap_or_default();
        let Ok(history) = of_record.iter().map(record_change::parse).collect::<Result<Vec<_>, _>>() else { continue };
        if let Err(why) = leads_to(&history, &record) {
            broken.push((1, format!("the history of {}: {why}", record.subject())));
        }
    }
}

fn leads_to(history: &[RecordChange], record: &Record) -> Result<(), String> {
    let versions: Vec<_> = history.iter().map(|change| change.version).collect();
    if versions != (1..=record.version).collect::<Vec<_>>() {
        return Err(format!("expected versions up to {}, found {versions:?}", record.version));
    }
    let mut fields: BTreeMap<String, Value> = BTreeMap::new();
    for change in history {
        for (name, change_of) in &change.changes {
            if !value::unchanged(change_of.from.as_ref(), fields.get(name)) {
                return Err(format!("version {} changed {name} from another value than it had", change.version));
            }
            match &change_of.to {
                Some(to) => drop(fields.insert(name.clone(), to.clone())),
                None => drop(fields.remove(name)),
            }
        }
    }
    let found = values(record);
    if fields == found { Ok(()) } else { Err(format!("it leads to {fields:?}, and the record has {found:?}")) }
}

/// The values of a record, as its history holds them.
fn values(record: &Record) -> BTreeMap<String, Value> {
    let made = RecordWrite { before: None, after: record.clone() };
    let Write::Put { item, .. } = record_change::write(&made, ChangedBy::default()) else { return BTreeMap::new() };
    let change = record_change::parse(&item).expect("it was just made");
    change.changes.into_iter().filter_map(|(name, change)| Some((name, change.to?))).collect()
}
