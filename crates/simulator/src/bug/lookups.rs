//! Mistakes with records that expressions look up.

use pawl_runtime::items;
use pawl_runtime::ports::Item;
use serde_json::Value;

/// A head whose rows do not keep what was looked up.
pub(super) fn unobserved(item: &mut Item) {
    if let Ok(Some((head, mut rows))) = items::execution::parse_whole(item) {
        let observed = rows.iter_mut().filter_map(|row| row.observed.as_array_mut()).flatten();
        observed.filter_map(Value::as_object_mut).for_each(|observed| drop(observed.remove("look")));
        *item = items::execution::changed(item, &head, &rows).expect("it was just read");
    }
}
