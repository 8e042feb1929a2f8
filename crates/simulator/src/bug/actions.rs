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
