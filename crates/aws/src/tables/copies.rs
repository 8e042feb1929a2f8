//! Items that are stored in [copies](pawl_runtime::copies). The names are stored, do not rename.
//!
//! The first copy has the item's own key. The others stand in partitions of their own, `copy#01#<partition>` and so on, and
//! keep the item's entries in indexes under other names, so that the indexes hold the item once.

use aws_sdk_dynamodb::types::AttributeValue;
use pawl_runtime::copies::copies_of;
use pawl_runtime::ports::{Item, Key};

use super::layout::{self, Attributes, INDEXES, PARTITION, text};

/// Before the partition of a copy, with its number.
const PREFIX: &str = "copy#";

/// The attributes of the key of a copy, counted from 0.
pub(super) fn key(of: &Key, copy: u8) -> Attributes {
    let mut attributes = layout::key(of);
    if copy > 0 {
        attributes.insert(PARTITION.to_owned(), partition(of, copy));
    }
    attributes
}

/// The attributes of a copy of an item.
pub(super) fn write(item: &Item, copy: u8) -> Attributes {
    let mut attributes = layout::write(item);
    if copy > 0 {
        attributes.insert(PARTITION.to_owned(), partition(&item.key, copy));
        for (_, names) in &INDEXES {
            for (name, copied) in [(names.partition, names.copied_partition), (names.sort, names.copied_sort)] {
                let moved = attributes.remove(name).map(|value| (copied.to_owned(), value));
                attributes.extend(moved);
            }
        }
    }
    attributes
}

/// The item's key, given the key of one of its copies or its own.
pub(super) fn original(key: Key) -> Key {
    let numbered = key.partition.strip_prefix(PREFIX).and_then(|rest| rest.split_once('#'));
    match numbered.map(|(_, partition)| Key::new(partition, &key.sort)) {
        Some(original) if copies_of(&original) > 1 => original,
        _ => key,
    }
}

fn partition(of: &Key, copy: u8) -> AttributeValue {
    text(&format!("{PREFIX}{copy:02}#{}", of.partition))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pawl_runtime::copies::COPIES;
    use pawl_runtime::items::workflow::{ALL, head_key};
    use pawl_runtime::ports::{Index, IndexEntry};

    use super::*;

    #[test]
    fn each_copy_is_read_as_the_item_and_only_the_first_is_in_its_indexes() {
        let entry = IndexEntry { index: Index::Gsi1, partition: ALL.to_owned(), sort: "triage".to_owned() };
        let body = "{}".to_owned();
        let item = Item { key: head_key("triage"), version: 3, indexes: vec![entry], expires_at: None, body };
        let copies: Vec<_> = (0..COPIES).map(|copy| write(&item, copy)).collect();
        assert_eq!(copies[0], layout::write(&item));
        assert_eq!(copies[3]["pk"], text("copy#03#workflow#triage"));
        for (number, copy) in (0..COPIES).zip(&copies) {
            assert_eq!(copy.contains_key("i1p"), number == 0);
            assert!(key(&item.key, number).iter().all(|(name, value)| copy[name] == *value), "it has its key");
            assert_eq!(layout::read(copy.clone()), Ok(item.clone()));
        }
        let partitions: BTreeSet<_> = copies.iter().filter_map(|copy| copy["pk"].as_s().ok()).collect();
        assert_eq!(partitions.len(), usize::from(COPIES), "each has a partition of its own");
    }

    #[test]
    fn a_key_that_begins_as_a_copy_is_none_unless_its_item_is_copied() {
        for (partition, sort) in
            [("copy#01#execution#a", "head"), ("copy#", "head"), ("copy#01#workflow#a", "revision#1")]
        {
            assert_eq!(original(Key::new(partition, sort)), Key::new(partition, sort));
        }
    }
}
