//! Queries of a partition, on the writer's or a reader's connection.

use pawl_runtime::ports::{Index, Item, Page, Query, SortRange, TableError};
use rusqlite::{CachedStatement, Connection, Result};

use super::rows::{self, COLUMNS};
use super::schema::table_name;

/// The columns by which a query selects and orders.
struct Columns {
    partition: &'static str,
    sort: &'static str,
    /// The whole order.
    order: &'static [&'static str],
}

impl Columns {
    fn of(index: Option<Index>) -> Self {
        match index {
            None => Self { partition: "pk", sort: "sk", order: &["sk"] },
            Some(Index::Gsi1) => Self { partition: "i1p", sort: "i1s", order: &["i1s", "pk", "sk"] },
            Some(Index::Gsi2) => Self { partition: "i2p", sort: "i2s", order: &["i2s", "pk", "sk"] },
            Some(Index::Gsi3) => Self { partition: "i3p", sort: "i3s", order: &["i3s", "pk", "sk"] },
            Some(Index::Gsi4) => Self { partition: "i4p", sort: "i4s", order: &["i4s", "pk", "sk"] },
        }
    }
}

/// Answers a page as of a time in microseconds. The outer error is the file's, the inner one the caller's.
pub(super) fn run(connection: &Connection, query: &Query, now: i64) -> Result<std::result::Result<Page, TableError>> {
    let columns = Columns::of(query.index);
    let cursor = match query.after.as_deref().map(|cursor| read_cursor(cursor, columns.order.len())).transpose() {
        Ok(cursor) => cursor,
        Err(error) => return Ok(Err(error)),
    };
    let (low, high) = bounds(&query.range);
    let mut statement = connection.prepare_cached(&text(query, &columns, high.as_ref()))?;
    statement.raw_bind_parameter(1, &query.partition)?;
    statement.raw_bind_parameter(2, now)?;
    let limit = i64::try_from(query.limit + 1).expect("a valid limit is small");
    statement.raw_bind_parameter(3, limit)?;
    if let Some(low) = low {
        statement.raw_bind_parameter(4, low)?;
    }
    if let Some(high) = &high {
        statement.raw_bind_parameter(5, high.text())?;
    }
    for (number, part) in cursor.iter().flatten().enumerate() {
        statement.raw_bind_parameter(6 + number, part)?;
    }
    let mut items = read_all(&mut statement)?;
    let more = items.len() > query.limit;
    items.truncate(query.limit);
    let next = items.last().filter(|_| more).map(|item| write_cursor(query.index, item));
    Ok(Ok(Page { items, next }))
}

fn read_all(statement: &mut CachedStatement<'_>) -> Result<Vec<Item>> {
    let mut rows = statement.raw_query();
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(rows::read(row)?);
    }
    Ok(items)
}

fn text(query: &Query, columns: &Columns, high: Option<&High>) -> String {
    let table = table_name(query.table);
    let Columns { partition, sort, order } = columns;
    let (direction, compare) = if query.newest_first { ("DESC", "<") } else { ("ASC", ">") };
    let low = if matches!(query.range, SortRange::All) { String::new() } else { format!("AND {sort} >= ?4") };
    let high = match high {
        None => String::new(),
        Some(High::Included(_)) => format!("AND {sort} <= ?5"),
        Some(High::Excluded(_)) => format!("AND {sort} < ?5"),
    };
    let after = match (query.after.is_some(), order.len()) {
        (false, _) => String::new(),
        (true, 1) => format!("AND {sort} {compare} ?6"),
        (true, _) => format!("AND ({}) {compare} (?6, ?7, ?8)", order.join(", ")),
    };
    let order: Vec<String> = order.iter().map(|column| format!("{column} {direction}")).collect();
    format!(
        "SELECT {COLUMNS} FROM {table} WHERE {partition} = ?1 AND (expires_at IS NULL OR expires_at > ?2)
         {low} {high} {after} ORDER BY {} LIMIT ?3",
        order.join(", ")
    )
}

/// The upper end of a range.
enum High {
    Included(String),
    Excluded(String),
}

impl High {
    fn text(&self) -> &str {
        match self {
            Self::Included(text) | Self::Excluded(text) => text,
        }
    }
}

fn bounds(range: &SortRange) -> (Option<&str>, Option<High>) {
    match range {
        SortRange::All => (None, None),
        SortRange::Prefix(prefix) => (Some(prefix), successor(prefix).map(High::Excluded)),
        SortRange::Between(first, last) => (Some(first), Some(High::Included(last.clone()))),
    }
}

/// The least text above all that begin with a prefix, if there is one. Bytes of UTF-8 are ordered as characters.
fn successor(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// The values of the order's columns, as a JSON list.
fn write_cursor(index: Option<Index>, item: &Item) -> String {
    let entry = item.indexes.iter().find(|entry| Some(entry.index) == index);
    let parts = match entry {
        Some(entry) => vec![&entry.sort, &item.key.partition, &item.key.sort],
        None => vec![&item.key.sort],
    };
    serde_json::to_string(&parts).expect("strings serialize")
}

fn read_cursor(cursor: &str, parts: usize) -> std::result::Result<Vec<String>, TableError> {
    serde_json::from_str(cursor)
        .ok()
        .filter(|found: &Vec<String>| found.len() == parts)
        .ok_or_else(|| TableError::Invalid(format!("expected a cursor of an earlier page, found {cursor:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_successor_of_a_prefix_is_above_all_that_begin_so() {
        assert_eq!(successor("a#"), Some("a$".to_owned()));
        assert_eq!(successor("a\u{D7FF}"), Some("a\u{E000}".to_owned()));
        assert_eq!(successor("a\u{10FFFF}"), Some("b".to_owned()));
        assert_eq!(successor("\u{10FFFF}"), None);
        assert_eq!(successor(""), None);
    }
}
