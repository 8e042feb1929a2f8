//! Counters: what the service cannot add by itself.

use pawl_runtime::ports::rules::{add_to_counter, counter_body};
use pawl_runtime::ports::{Item, Key, TableError};

/// What comes of adding to what stands there.
pub(super) enum Sum {
    /// The item as it will be: the service refused only because the sum is clamped, or the item expired or is not
    /// stored as a number.
    Within(Item),
    /// More than the bound.
    Above,
}

/// Adds to the live item that stands at a key, if any.
pub(super) fn add(key: &Key, current: Option<&Item>, amount: i64, at_most: Option<i64>) -> Result<Sum, TableError> {
    let Some(count) = add_to_counter(current.map(|item| item.body.as_str()), amount, at_most)? else {
        return Ok(Sum::Above);
    };
    let body = counter_body(count);
    Ok(Sum::Within(match current {
        Some(item) => Item { version: item.version + 1, body, ..item.clone() },
        None => Item { key: key.clone(), version: 1, indexes: Vec::new(), expires_at: None, body },
    }))
}
