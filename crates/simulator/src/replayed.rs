//! Decides every execution again from its rows.

use std::sync::Arc;

use futures::FutureExt;
use pawl_runtime::{Catalog, Error, History, Metrics, Recorded, UnreadableItems};

use super::hub::Hub;
use super::monitor::Broken;

/// Each execution comes out of its rows as its head stands there. Storage is looked at as it is: what readers cannot read
/// for a while is there all the same.
pub(super) fn check(hub: &Hub, ids: &[String], broken: &mut Vec<Broken>) {
    let unreadable = Arc::new(UnreadableItems::new(Arc::new(Metrics::default())));
    let catalog = Catalog::new(hub.store.tables(), unreadable.clone());
    let history = History::new(hub.store.tables(), hub.store.blobs(), unreadable);
    for id in ids {
        let recorded = Recorded::read(&catalog, &history, id).now_or_never().expect("memory answers at once");
        if let Err(why) = decided_again(recorded) {
            broken.push((11, format!("{id}: {why}")));
        }
    }
}

fn decided_again(recorded: Result<Option<Recorded>, Error>) -> Result<(), String> {
    let recorded = recorded.map_err(|error| error.to_string())?.ok_or("it is not there")?;
    recorded.check().map_err(|error| error.to_string())
}
