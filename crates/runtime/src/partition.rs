//! Reads partitions, strongly.

use crate::ports::{Item, Pages, Query, SortRange, Table, TableError, Tables};

/// One partition of a table.
#[derive(Clone, Copy)]
pub(crate) struct Partition<'a> {
    pub(crate) tables: &'a dyn Tables,
    pub(crate) table: Table,
    pub(crate) name: &'a str,
}

impl Partition<'_> {
    /// All items of a range, in order.
    pub(crate) async fn all(self, range: SortRange) -> Result<Vec<Item>, TableError> {
        Pages::of(self.tables, Query::of(self.table, self.name).range(range)).all().await
    }

    /// The first items of the partition, and whether there are more.
    pub(crate) async fn first(self, most: usize) -> Result<(Vec<Item>, bool), TableError> {
        let page = self.tables.query(&Query::of(self.table, self.name).limit(most)).await?;
        Ok((page.items, page.next.is_some()))
    }
}
