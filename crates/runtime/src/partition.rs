//! Reads partitions, strongly.

use crate::ports::{Consistency, Item, Query, SortRange, Table, TableError, Tables};

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
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (items, next) = self.page(range.clone(), 1_000, after).await?;
            found.extend(items);
            after = next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// The first items of the partition, and whether there are more.
    pub(crate) async fn first(self, most: usize) -> Result<(Vec<Item>, bool), TableError> {
        let (items, next) = self.page(SortRange::All, most, None).await?;
        Ok((items, next.is_some()))
    }

    async fn page(
        self,
        range: SortRange,
        limit: usize,
        after: Option<String>,
    ) -> Result<(Vec<Item>, Option<String>), TableError> {
        let query = Query {
            table: self.table,
            index: None,
            partition: self.name.to_owned(),
            range,
            newest_first: false,
            limit,
            after,
            consistency: Consistency::Strong,
        };
        let page = self.tables.query(&query).await?;
        Ok((page.items, page.next))
    }
}
