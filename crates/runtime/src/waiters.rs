//! Which waiting executions an event wakes.

use std::collections::BTreeSet;

use pawl_engine::Event;

use crate::items::waiter;
use crate::partition::Partition;
use crate::ports::{SortRange, TableError, Tables};

/// Those of a topic who are read before it is asked what the event changed.
const FIRST: usize = 32;
/// An event that changed more fields reads all who wait on its topic.
const MOST_FIELDS: usize = 16;

/// The executions that an event wakes, by id.
pub(crate) async fn of(tables: &dyn Tables, event: &Event) -> Result<BTreeSet<String>, TableError> {
    let fields = event.changed_fields();
    let mut woken = BTreeSet::new();
    for topic in event.waiter_topics() {
        woken.extend(on_topic(tables, &topic, fields.as_deref()).await?);
    }
    Ok(woken)
}

async fn on_topic(tables: &dyn Tables, topic: &str, fields: Option<&[&str]>) -> Result<BTreeSet<String>, TableError> {
    let partition = Partition { tables, table: waiter::TABLE, name: &waiter::partition(topic) };
    let (mut found, more) = partition.first(FIRST).await?;
    if more {
        found = match fields {
            Some(fields) if fields.len() <= MOST_FIELDS => {
                let mut found = partition.all(waiter::for_everything()).await?;
                for field in fields {
                    found.extend(partition.all(waiter::for_field(field)).await?);
                }
                found
            }
            _ => partition.all(SortRange::All).await?,
        };
    }
    let wakes = |field: &str| fields.is_none_or(|fields| fields.contains(&field));
    let woken = found.iter().map(waiter::parse).filter(|(field, _)| field.is_none_or(wakes));
    Ok(woken.map(|(_, execution)| execution.to_owned()).collect())
}
