//! What workflows listen on: one item a term, and beside them the dimensions of a topic that are in use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Erasure, Kept, Retention, Unreadable, body, read};
use crate::ports::{Item, Key, Table};

/// The table.
pub const TABLE: Table = Table::Workflows;

/// How long it is kept, and what of a person it may hold.
pub const KEPT: Kept = Kept::new(Retention::UntilDone, Erasure::Nothing);

/// Before all terms in the order of the partition. Stored, do not rename.
const DIMENSIONS: &str = "!dimensions";

/// The dimensions under which workflows are listed on a topic, each with the number of its items.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dimensions {
    /// By dimension.
    pub used: BTreeMap<String, u64>,
}

/// The partition of a topic.
pub fn partition(topic: &str) -> String {
    format!("listen#{topic}")
}

/// The topic of a term.
pub fn topic_of(term: &str) -> &str {
    term.split_once('|').map_or(term, |(topic, _)| topic)
}

/// The dimension of a term.
pub fn dimension_of(term: &str) -> &str {
    term.split('|').nth(1).unwrap_or_default()
}

/// The key of a workflow under a term.
pub fn key(term: &str, workflow: &str) -> Key {
    let (topic, rest) = term.split_once('|').unwrap_or((term, ""));
    Key::new(partition(topic), format!("{rest}|{workflow}"))
}

/// A workflow under a term, as stored.
pub fn item(term: &str, workflow: &str) -> Item {
    Item { key: key(term, workflow), version: 1, indexes: Vec::new(), expires_at: None, body: "{}".to_owned() }
}

/// The dimension, the values and the workflow of an item; none of the dimensions themselves.
pub fn parse(item: &Item) -> Option<(&str, &str, &str)> {
    let (dimension, rest) = item.key.sort.split_once('|')?;
    let (values, workflow) = rest.split_once('|')?;
    Some((dimension, values, workflow))
}

/// The sort keys of the items of a dimension; of some values, or of all, begin so.
pub fn prefix(dimension: &str, values: Option<&str>) -> String {
    values.map_or_else(|| format!("{dimension}|"), |values| format!("{dimension}|{values}|"))
}

/// The key of the dimensions of a topic. They come first in its partition.
pub fn dimensions_key(topic: &str) -> Key {
    Key::new(partition(topic), DIMENSIONS)
}

/// Dimensions as stored.
pub fn dimensions_item(topic: &str, dimensions: &Dimensions, version: u64) -> Item {
    let key = dimensions_key(topic);
    Item { key, version, indexes: Vec::new(), expires_at: None, body: body(dimensions) }
}

/// Reads dimensions.
pub fn parse_dimensions(item: &Item) -> Result<Dimensions, Unreadable> {
    read(item)
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::items::arbitrary::{few, object_id, storable, workflow_id};
    use crate::items::kept_of;

    #[test]
    fn an_item_tells_its_term_and_comes_after_the_dimensions() {
        let term = "object/ticket|field_updated;as:trigger.changes.stage.to|closed";
        let item = item(term, "w-1");
        assert_eq!(parse(&item), Some(("field_updated;as:trigger.changes.stage.to", "closed", "w-1")));
        assert_eq!(
            (topic_of(term), dimension_of(term)),
            ("object/ticket", "field_updated;as:trigger.changes.stage.to")
        );
        assert!(item.key.sort.starts_with(&prefix(dimension_of(term), Some("closed"))));
        let dimensions = dimensions_item("object/ticket", &Dimensions::default(), 1);
        assert_eq!((dimensions.key.partition.as_str(), parse(&dimensions)), ("listen#object/ticket", None));
        assert!(dimensions.key.sort < item.key.sort);
    }

    /// A term: topic, dimension and values, of the signs that `pawl_engine` puts into one.
    fn term() -> impl Strategy<Value = (String, String, String)> {
        let probe = "(has|as|in|text|number):(trigger|record)(\\.[A-Za-z0-9_-]{1,8}){1,3}";
        let dimension = ("[a-z_]{1,16}", vec(probe, 0..3)).prop_map(|(kind, probes)| {
            probes.into_iter().fold(kind, |dimension, probe| format!("{dimension};{probe}"))
        });
        let values = vec("[A-Za-z0-9_.@+-]{0,40}", 0..3).prop_map(|values| values.join("&"));
        (object_id().prop_map(|object| pawl_engine::ids::object_topic(&object)), dimension, values)
    }

    proptest! {
        #![proptest_config(few())]

        #[test]
        fn a_listener_is_read_as_it_was_stored(term in term(), workflow in workflow_id()) {
            let (topic, dimension, values) = term;
            let written = format!("{topic}|{dimension}|{values}");
            let item = item(&written, &workflow);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse(&item), Some((&*dimension, &*values, &*workflow)));
            prop_assert_eq!((topic_of(&written), dimension_of(&written)), (&*topic, &*dimension));
            prop_assert_eq!(&item.key.partition, &partition(&topic));
            prop_assert!(item.key.sort.starts_with(&prefix(&dimension, Some(&values))));
            prop_assert!(item.key.sort.starts_with(&prefix(&dimension, None)));
            prop_assert!(dimensions_key(&topic) < item.key, "the dimensions come first");
        }

        #[test]
        fn a_listener_is_found_by_its_values_alone(one in term(), other in term(), workflow in workflow_id()) {
            let (topic, dimension, values) = &one;
            let item = item(&format!("{topic}|{dimension}|{values}"), &workflow);
            let found = item.key.sort.starts_with(&prefix(&other.1, Some(&other.2)));
            prop_assert_eq!(found, (dimension, values) == (&other.1, &other.2));
        }

        #[test]
        fn dimensions_are_read_as_they_were_stored(
            used in btree_map(term().prop_map(|(_, dimension, _)| dimension), any::<u64>(), 0..4),
            object in object_id(), version in 1_u64..,
        ) {
            let dimensions = Dimensions { used };
            let item = dimensions_item(&pawl_engine::ids::object_topic(&object), &dimensions, version);
            prop_assert_eq!(storable(&item), Ok(()));
            prop_assert_eq!(kept_of(TABLE, &item), Some(KEPT));
            prop_assert_eq!(parse_dimensions(&item), Ok(dimensions));
            prop_assert_eq!(parse(&item), None);
        }
    }
}
