//! Places in a query, and the cursors by which callers name them.

use pawl_runtime::ports::{Index, Key, Query, TableError};

use super::layout::{self, Attributes, PARTITION, Source, Value, text};
use super::range::in_range;

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Its sort key in the index that is queried.
    pub(super) index_sort: Option<String>,
    /// Its primary key.
    pub(super) key: Key,
}

impl Place {
    /// Reads the place of a row of an index.
    pub(super) fn of_row(mut row: Attributes, index: Index) -> Result<Self, TableError> {
        let key = layout::read_key(&mut row)?;
        let Some(Value::Text(stored)) = row.take(layout::names(index).sort) else {
            return Err(TableError::Invalid(format!("a row of the index {index:?} has no sort key")));
        };
        let sort = stored.strip_suffix(&layout::index_sort("", &key)).unwrap_or(&stored).to_owned();
        Ok(Self { index_sort: Some(sort), key })
    }

    /// The attributes from which the service goes on in a partition of storage. Of those of one that is spread, the row stands
    /// in one only; in the others the service goes on at the same place in the order.
    pub(super) fn attributes(&self, query: &Query, partition: &str) -> Attributes {
        let mut attributes = layout::key(&self.key);
        let of_query = query.index.map_or(PARTITION, |index| layout::names(index).partition);
        attributes.insert(of_query.to_owned(), text(partition));
        if let (Some(index), Some(sort)) = (query.index, &self.index_sort) {
            let names = layout::names(index);
            attributes.insert(names.sort.to_owned(), text(&layout::index_sort(sort, &self.key)));
        }
        attributes
    }

    /// The cursor of a page that ends here.
    pub(super) fn cursor(&self) -> String {
        let parts = match &self.index_sort {
            None => vec![&self.key.sort],
            Some(sort) => vec![sort, &self.key.partition, &self.key.sort],
        };
        serde_json::to_string(&parts).expect("texts are JSON")
    }

    /// Reads a cursor of an earlier page of the same query.
    pub(super) fn of_cursor(cursor: &str, query: &Query) -> Result<Self, TableError> {
        let parts: Vec<String> = serde_json::from_str(cursor).unwrap_or_default();
        let place = match (<[String; 1]>::try_from(parts.clone()), <[String; 3]>::try_from(parts), query.index) {
            (Ok([sort]), _, None) => Some(Self { index_sort: None, key: Key::new(&query.partition, sort) }),
            (_, Ok([sort, partition, key]), Some(_)) => {
                Some(Self { index_sort: Some(sort), key: Key::new(partition, key) })
            }
            _ => None,
        };
        let place = place.filter(|place| in_range(place.index_sort.as_ref().unwrap_or(&place.key.sort), &query.range));
        place.ok_or_else(|| TableError::Invalid(format!("expected a cursor of an earlier page, found {cursor:?}")))
    }
}

#[cfg(test)]
mod tests {
    use pawl_runtime::ports::{SortRange, Table};

    use super::*;

    fn query(index: Option<Index>, range: SortRange) -> Query {
        Query { index, ..Query::of(Table::Executions, "open").range(range).limit(10).eventual() }
    }

    #[test]
    fn a_cursor_comes_back_as_its_place() {
        let primary = Place { index_sort: None, key: Key::new("open", "a\0\"b") };
        assert_eq!(Place::of_cursor(&primary.cursor(), &query(None, SortRange::All)), Ok(primary));
        let entry = Place { index_sort: Some("2026".to_owned()), key: Key::new("p", "s") };
        let by_time = query(Some(Index::Gsi2), SortRange::Prefix("20".to_owned()));
        assert_eq!(Place::of_cursor(&entry.cursor(), &by_time), Ok(entry.clone()));
        assert_eq!(entry.attributes(&by_time, "open")["i2s"], text("2026\0p\0s"));
        assert_eq!(Place::of_row(entry.attributes(&by_time, "open"), Index::Gsi2), Ok(entry));
    }

    #[test]
    fn a_spread_partition_goes_on_at_the_same_place_in_each_of_its_shards() {
        let moving = Query::of_index(Table::Executions, Index::Gsi3, "moving");
        let entry = Place { index_sort: Some("2026".to_owned()), key: Key::new("execution#a", "head") };
        for shard in ["moving|00", "moving|15"] {
            let start = entry.attributes(&moving, shard);
            assert_eq!((&start["i3p"], &start["i3s"]), (&text(shard), &text("2026\0execution#a\0head")));
            assert_eq!((&start["pk"], &start["sk"]), (&text("execution#a"), &text("head")));
        }
        let records = Query::of(Table::Records, "record#ticket");
        let start =
            Place { index_sort: None, key: Key::new("record#ticket", "t-1") }.attributes(&records, "record#ticket|07");
        assert_eq!(start, [("pk".to_owned(), text("record#ticket|07")), ("sk".to_owned(), text("t-1"))].into());
    }

    #[test]
    fn a_cursor_of_another_query_is_invalid() {
        let by_time = query(Some(Index::Gsi2), SortRange::Prefix("20".to_owned()));
        for cursor in ["[\"a\"]", "[\"19\",\"p\",\"s\"]", "[\"20\",\"p\"]", "never returned", "", "{}"] {
            let read = Place::of_cursor(cursor, &by_time);
            assert!(matches!(read, Err(TableError::Invalid(_))), "expected {cursor} to be refused, found {read:?}");
        }
    }
}
