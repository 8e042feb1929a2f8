//! Events that were collected: each is a part of one execution, or of one start that was refused, and of no other.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use pawl_engine::ids;
use pawl_runtime::ports::Item;
use pawl_runtime::{History, Metrics, UnreadableItems};
use serde_json::Value;

use crate::hub::Hub;
use crate::monitor::{Broken, Monitor};

/// Checks a world that does not move any more.
pub(super) fn check(hub: &Hub, monitor: &Monitor, stored: &[Item], broken: &mut Vec<Broken>) {
    if let Some(window) =
        stored.iter().find(|item| item.key.partition.starts_with("debounce#") && item.key.sort == "window")
    {
        broken.push((2, format!("{}: a window is open, and nothing closes it", window.key.partition)));
        return;
    }
    let mut collected: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for ((event, _), execution) in &monitor.debounced {
        collected.entry(execution).or_default().push(event);
    }
    let history = History::new(
        hub.store.tables(),
        hub.store.blobs(),
        Arc::new(UnreadableItems::new(Arc::new(Metrics::default()))),
    );
    for (execution, events) in collected {
        // The refusal may have expired since.
        let is_it = |(event, workflow): &(String, String)| ids::execution_id(event, workflow) == *execution;
        let refused = || monitor.refusals.iter().any(is_it);
        let Some(head) = monitor.heads.get(execution) else {
            if !monitor.has_begun(execution) && !refused() {
                broken.push((2, format!("{execution}: {events:?} were collected, and nothing came of them")));
            }
            continue;
        };
        if head.forgotten.is_some() {
            continue;
        }
        let found = history.event(execution).now_or_never().expect("memory answers at once").ok().flatten();
        let Some(found) = found else {
            broken.push((2, format!("{execution}: has no event")));
            continue;
        };
        let listed = found.data.get("events").and_then(Value::as_array).into_iter().flatten();
        let mut listed: Vec<_> = listed.filter_map(|event| event.get("id").and_then(Value::as_str)).collect();
        listed.sort_unstable();
        if listed != events {
            broken.push((2, format!("{execution}: {events:?} were collected, and it starts by {listed:?}")));
        }
    }
}
