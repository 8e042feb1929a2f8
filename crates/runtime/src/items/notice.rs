//! A notice to people, committed with the transition that decided it.

use jiff::SignedDuration;

use super::{Erasure, Kept, Retention, Unreadable, body, read, sortable};
use crate::ports::{Index, IndexEntry, Item, Key, Notice, Table};
use crate::spread::Spread;

/// The table.
pub const TABLE: Table = Table::Executions;

/// The partition of all notices.
pub const PARTITION: &str = "notices";

/// The partition of those not handed on yet, in the first index.
pub const UNSENT: &str = "notices#unsent";

/// How long notices are kept.
pub const KEPT: Kept = Kept::new(Retention::For(SignedDuration::from_hours(24 * 90)), Erasure::WhenExpired);

/// The partitions that are spread: a step may write a notice in each execution.
pub const SPREAD: &[Spread] = &[Spread::keys(PARTITION), Spread::entries(Index::Gsi1, PARTITION)];

/// Its key.
pub fn key(notice: &Notice) -> Key {
    Key::new(PARTITION, format!("{}#{}", sortable(notice.at), notice.id))
}

/// As stored: version 1 until it is handed on, then 2.
pub fn item(notice: &Notice, sent: bool) -> Item {
    let key = key(notice);
    let unsent = IndexEntry { index: Index::Gsi1, partition: UNSENT.to_owned(), sort: key.sort.clone() };
    let indexes = if sent { Vec::new() } else { vec![unsent] };
    Item { key, version: if sent { 2 } else { 1 }, indexes, expires_at: KEPT.expires_at(notice.at), body: body(notice) }
}

/// Reads it.
pub fn parse(item: &Item) -> Result<Notice, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::items::arbitrary::{derived_id, few, storable, text, time};
    use crate::items::kept_of;

    fn notice() -> impl Strategy<Value = Notice> {
        let severity = select(vec!["info", "warning", "error", "critical"]).prop_map(str::to_owned);
        let id = (derived_id("exe"), any::<u64>(), 0..10).prop_map(|(id, seq, place)| format!("{id}-{seq}-{place}"));
        (id, text(), severity, text(), text(), time()).prop_map(|(id, to, severity, subject, text, at)| Notice {
            id,
            to,
            severity,
            subject,
            text,
            at,
        })
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_notice_is_read_as_it_was_stored(notice in notice(), sent in any::<bool>()) {
            let item = item(&notice, sent);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(item.indexes.is_empty(), sent, "what was sent is not among those that were not");
            prop_assert_eq!(parse(&item), Ok(notice));
        }

        #[test]
        fn notices_stand_in_the_order_of_time(one in notice(), other in notice()) {
            if sortable(one.at) < sortable(other.at) {
                prop_assert!(key(&one) < key(&other));
            }
        }
    }
}
