//! What must hold of forks at rest: each stands in the list of its original, and nothing else does.

use std::collections::BTreeSet;

use pawl_runtime::items;
use pawl_runtime::ports::{Item, Key};

use crate::monitor::{Broken, Monitor};

/// Checks it.
pub(super) fn check(monitor: &Monitor, items: &[Item], broken: &mut Vec<Broken>) {
    let forks = monitor.heads.values().filter_map(|head| Some((head, head.fork.as_ref()?)));
    let there = forks.filter(|(_, fork)| monitor.heads.contains_key(&fork.execution));
    let expected: BTreeSet<Key> = there.map(|(head, fork)| items::fork::key(&fork.execution, &head.id)).collect();
    let listed: BTreeSet<&Key> =
        items.iter().filter(|item| items::fork::id(item).is_some()).map(|item| &item.key).collect();
    if let Some(key) = expected.iter().find(|key| !listed.contains(key)) {
        broken.push((8, format!("{}: does not list its {}", key.partition, key.sort)));
    }
    // A fork may have expired before its original.
    let id = |key: &Key| key.sort.trim_start_matches(items::fork::PREFIX).to_owned();
    if let Some(key) = listed.into_iter().find(|key| !monitor.has_begun(&id(key))) {
        broken.push((8, format!("{}: lists {}, which never began", key.partition, key.sort)));
    }
}
