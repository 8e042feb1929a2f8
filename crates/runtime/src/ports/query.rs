//! Queries of one partition, and their pages.

use super::rules::MAX_PAGE;
use super::{Consistency, Index, Item, SortRange, Table, TableError, Tables};

/// A query of one partition of a table or of one of its indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Table.
    pub table: Table,
    /// An index, or the primary key.
    pub index: Option<Index>,
    /// The partition.
    pub partition: String,
    /// The range of sort keys.
    pub range: SortRange,
    /// Descending order.
    pub newest_first: bool,
    /// At most this many items, 1–1,000.
    pub limit: usize,
    /// Continues after the page that returned this cursor.
    pub after: Option<String>,
    /// Only for queries by primary key; reads of an index are always eventual.
    pub consistency: Consistency,
}

impl Query {
    /// A whole partition of a table, in order, read strongly, with the most items a page.
    pub fn of(table: Table, partition: impl Into<String>) -> Self {
        Self {
            table,
            index: None,
            partition: partition.into(),
            range: SortRange::All,
            newest_first: false,
            limit: MAX_PAGE,
            after: None,
            consistency: Consistency::Strong,
        }
    }

    /// A whole partition of an index, in order, with the most items a page.
    pub fn of_index(table: Table, index: Index, partition: impl Into<String>) -> Self {
        Self { index: Some(index), ..Self::of(table, partition) }.eventual()
    }

    /// The same, of these sort keys.
    #[must_use]
    pub fn range(self, range: SortRange) -> Self {
        Self { range, ..self }
    }

    /// The same, in descending order.
    #[must_use]
    pub fn newest_first(self) -> Self {
        Self { newest_first: true, ..self }
    }

    /// The same, with at most so many items a page.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The same, after the page that returned this cursor.
    #[must_use]
    pub fn after(self, after: Option<String>) -> Self {
        Self { after, ..self }
    }

    /// The same, by a read that may lag behind.
    #[must_use]
    pub fn eventual(self) -> Self {
        Self { consistency: Consistency::Eventual, ..self }
    }
}

/// A query, page after page.
pub struct Pages<'a> {
    tables: &'a dyn Tables,
    /// None after the last page.
    query: Option<Query>,
}

impl<'a> Pages<'a> {
    /// The pages of a query, from its beginning.
    pub fn of(tables: &'a dyn Tables, query: Query) -> Self {
        Self { tables, query: Some(query) }
    }

    /// The items of the next page; `None` after the last one. A page may be empty although others follow.
    pub async fn next(&mut self) -> Result<Option<Vec<Item>>, TableError> {
        let Some(query) = self.query.take() else { return Ok(None) };
        let page = self.tables.query(&query).await?;
        self.query = page.next.map(|next| query.after(Some(next)));
        Ok(Some(page.items))
    }

    /// Whether the page that was read last was not the last one.
    pub fn has_more(&self) -> bool {
        self.query.is_some()
    }

    /// The items of all pages that are left, together.
    pub async fn all(mut self) -> Result<Vec<Item>, TableError> {
        let mut found = Vec::new();
        while let Some(items) = self.next().await? {
            found.extend(items);
        }
        Ok(found)
    }
}
