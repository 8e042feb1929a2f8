//! What models cost the parts of an execution, of all depths together: `limits.budget` holds for the tree.
//!
//! A part adds to it with the row of a call, and reads it before the next one. The root's own calls are not in it, so an execution
//! without parts has none. It stands in the partition of the root, and goes with it.

use pawl_engine::Usage;

use super::{Erasure, Kept, Retention, history, usage};
use crate::ports::{Key, Table, Write};

/// The table.
pub const TABLE: Table = usage::TABLE;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::WithExecution, Erasure::Nothing);

/// The sort key of the tokens.
pub(super) const TOKENS: &str = "budget#tokens";

/// The sort key of the millionths of a US dollar.
pub(super) const MICROUSD: &str = "budget#microusd";

/// The keys of the counters of a root: tokens, and millionths of a US dollar. They are read as those of a day.
pub fn keys(root: &str) -> [Key; 2] {
    [TOKENS, MICROUSD].map(|sort| Key::new(history::partition(root), sort))
}

/// Adds what a call of a part has cost.
pub fn writes(root: &str, usage: Usage) -> [Write; 2] {
    usage::added(keys(root), usage)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{derived_id, few};
    use crate::items::kept_of;
    use crate::ports::Item;
    use crate::ports::rules::{counter_body, validate_key};

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn the_counters_of_a_tree_are_read_as_they_are_added_to(
            root in derived_id("exe"), tokens in 0_u64..1 << 40, microusd in 0_u64..1 << 40,
        ) {
            #[expect(clippy::cast_precision_loss, reason = "millionths of a dollar below 2^53")]
            let usage = Usage { tokens, usd: microusd as f64 / 1e6, estimated: false };
            let stored = writes(&root, usage).map(|write| match write {
                Write::Add { key, amount, .. } => {
                    Item { key, version: 1, indexes: Vec::new(), expires_at: None, body: counter_body(amount) }
                }
                other => panic!("a counter is added to, and not {other:?}"),
            });
            prop_assert!(stored.iter().all(|item| kept_of(TABLE, item) == Some(KEPT)));
            prop_assert!(stored.iter().all(|item| validate_key(&item.key).is_ok()));
            prop_assert_eq!(stored.each_ref().map(|item| item.key.clone()), keys(&root));
            prop_assert_eq!(usage::parse(&stored.map(Some)), Ok(usage));
        }
    }
}
