//! A step that waits on a topic: for every event there, or for changes of one field.

use super::{Erasure, Kept, Retention};
use crate::ports::{Item, Key, SortRange, Table};

/// The table.
pub const TABLE: Table = Table::Executions;

/// How long it is kept, and what of a person it may hold: the key of a signal may be a value of a record.
pub const KEPT: Kept = Kept::new(Retention::UntilDone, Erasure::WithExecution);

/// Before the field in the sort key of one that waits for a field. It is above all ids of executions. Stored, do not
/// change.
const FIELD: &str = "~";

/// The partition of a topic.
pub fn partition(topic: &str) -> String {
    format!("waiter#{topic}")
}

/// Its key. The sort key is the execution's id, or `~<field>|<execution>` of one that listens on `<field>|<topic>`: no
/// field has a slash, and every topic has one before its ids.
pub fn key(listens_on: &str, execution: &str) -> Key {
    match listens_on.split_once('|').filter(|(field, _)| !field.contains('/')) {
        Some((field, topic)) => Key::new(partition(topic), format!("{FIELD}{field}|{execution}")),
        None => Key::new(partition(listens_on), execution),
    }
}

/// As stored.
pub fn item(listens_on: &str, execution: &str) -> Item {
    Item { key: key(listens_on, execution), version: 1, indexes: Vec::new(), expires_at: None, body: "{}".to_owned() }
}

/// The field, if it waits for one, and the execution.
pub fn parse(item: &Item) -> (Option<&str>, &str) {
    let sort = &item.key.sort;
    match sort.strip_prefix(FIELD).and_then(|rest| rest.split_once('|')) {
        Some((field, execution)) => (Some(field), execution),
        None => (None, sort),
    }
}

/// Those who wait for every event.
pub fn for_everything() -> SortRange {
    SortRange::Between(" ".to_owned(), FIELD.to_owned())
}

/// Those who wait for a field.
pub fn for_field(field: &str) -> SortRange {
    SortRange::Prefix(format!("{FIELD}{field}|"))
}

#[cfg(test)]
mod tests {
    use pawl_engine::event::waiting_on;
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{derived_id, few, field_name, storable, subject, topic};
    use crate::items::kept_of;

    #[test]
    fn an_item_tells_who_waits_for_what() {
        let (field, any) = (item("status|record/ticket/t|1", "exe_1"), item("record/ticket/t|1", "exe_2"));
        assert_eq!((parse(&field), parse(&any)), ((Some("status"), "exe_1"), (None, "exe_2")));
        assert_eq!(field.key.partition, any.key.partition);
        assert!(any.key.sort.as_str() < FIELD && field.key.sort.as_str() > FIELD);
    }

    /// Whether a query of this range meets a key.
    fn meets(range: &SortRange, key: &Key) -> bool {
        match range {
            SortRange::All => true,
            SortRange::Prefix(prefix) => key.sort.starts_with(prefix),
            SortRange::Between(from, to) => (from..=to).contains(&&key.sort),
        }
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_waiter_is_read_as_it_was_stored(topic in topic(), execution in derived_id("exe")) {
            let item = item(&topic, &execution);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item).1, execution);
            let listens_on = parse(&item).0.map(|field| format!("{field}|"));
            let of_topic = format!("{}{}", listens_on.unwrap_or_default(), item.key.partition.replacen("waiter#", "", 1));
            prop_assert_eq!(of_topic, topic);
        }

        #[test]
        fn those_who_wait_for_a_field_and_those_who_wait_for_all_stand_apart(
            record in subject(), field in field_name(), other in field_name(), execution in derived_id("exe"),
        ) {
            let any = key(&record.topic(), &execution);
            let one = key(&waiting_on(&record.topic(), &field), &execution);
            prop_assert_eq!(&any.partition, &partition(&record.topic()));
            prop_assert_eq!(&any.partition, &one.partition);
            prop_assert_eq!((meets(&for_everything(), &any), meets(&for_everything(), &one)), (true, false));
            prop_assert_eq!((meets(&for_field(&field), &any), meets(&for_field(&field), &one)), (false, true));
            prop_assert_eq!(meets(&for_field(&other), &one), field == other);
        }
    }
}
