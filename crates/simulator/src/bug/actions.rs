//! Mistakes about tracked actions.

use pawl_runtime::items;
use pawl_runtime::ports::Item;

/// An action that does not know whom it touches next.
pub(super) fn without_batch(item: &mut Item) {
    if item.key.sort == "operation"
        && let Ok(mut operation) = items::operation::parse(item)
    {
        operation.action.iter_mut().for_each(|action| action.batch.clear());
        *item = items::operation::item(&operation);
    }
}

/// Nothing is deleted from these partitions.
pub(super) fn without_deletes(writes: &mut Vec<pawl_runtime::ports::Write>, partitions: &[&str]) {
    use pawl_runtime::ports::Write;
    let is_meant = |key: &str| partitions.iter().any(|partition| key.starts_with(partition));
    writes.retain(|write| !matches!(write, Write::Delete { key, .. } if is_meant(&key.partition)));
}
