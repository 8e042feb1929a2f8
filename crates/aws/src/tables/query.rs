//! Queries of a partition.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use futures::future::try_join_all;
use pawl_runtime::ports::rules::MAX_KEYS;
use pawl_runtime::ports::{Consistency, Index, Item, Page, Query, TableError};

use super::cursor::Place;
use super::layout::{self, Attributes, PARTITION, SORT, text};
use super::merge::{Hungry, Merge};
use super::range::{SortCondition, in_range};
use super::{DynamoTables, shards};

/// Rows read at once at least, after a page turned out to hold some that are not to be shown.
const ROWS_LEAST: usize = 50;

impl DynamoTables {
    /// Answers a page. An index holds keys only, so that an update which moves nothing costs nothing there; its rows
    /// are followed by a strong read of their items, and those that have moved on meanwhile are left out.
    pub(super) async fn read_page(&self, query: &Query) -> Result<Page, TableError> {
        let after = query.after.as_deref().map(|cursor| Place::of_cursor(cursor, query)).transpose()?;
        let Some(request) = self.request(query)? else { return Ok(Page::default()) };
        let parts = shards::all(query.index, &query.partition).into_iter().map(|partition| {
            let start = after.as_ref().map(|place| place.attributes(query, &partition));
            (partition, start)
        });
        let mut rows = Merge::of(parts, query.newest_first);
        let mut items = Vec::new();
        let mut rows_most = query.limit;
        loop {
            let found = self.next_rows(&request, query.index, &mut rows, rows_most).await?;
            let found = self.shown(query, found).await?;
            let count = found.len();
            for (at, (place, item)) in found.into_iter().enumerate() {
                items.extend(item);
                let more = at + 1 < count || rows.has_more();
                if items.len() == query.limit && more {
                    return Ok(Page { items, next: Some(place.cursor()) });
                }
            }
            if !rows.has_more() {
                return Ok(Page { items, next: None });
            }
            rows_most = (query.limit - items.len()).max(ROWS_LEAST);
        }
    }

    /// The next rows in the order of a query, so many if there are: of all partitions that stand for the one, asked in
    /// parallel.
    async fn next_rows(
        &self,
        request: &QueryFluentBuilder,
        index: Option<Index>,
        rows: &mut Merge<Attributes>,
        most: usize,
    ) -> Result<Vec<Attributes>, TableError> {
        let sort = index.map_or(SORT, |index| layout::names(index).sort);
        let mut taken = Vec::new();
        loop {
            taken.extend(rows.take(most - taken.len()));
            let hungry = rows.hungry();
            if taken.len() == most || hungry.is_empty() {
                return Ok(taken);
            }
            let limit = i32::try_from(rows.share(most - taken.len())).expect("a valid limit is small");
            let asked = hungry.into_iter().map(async |Hungry { part, partition, start }| {
                let request = request.clone().limit(limit).set_exclusive_start_key(start);
                let request = request.expression_attribute_values(":partition", text(&partition));
                Ok::<_, TableError>((part, self.reading(|| request.clone().send()).await?))
            });
            for (part, answer) in try_join_all(asked).await? {
                let found = answer.items.unwrap_or_default().into_iter();
                let found = found.map(|row| Ok((place_in_order(&row, sort)?, row)));
                rows.add(part, found.collect::<Result<Vec<_>, TableError>>()?, answer.last_evaluated_key);
            }
        }
    }

    /// The request of a query for `:partition`, or none if nothing can be in its range.
    fn request(&self, query: &Query) -> Result<Option<QueryFluentBuilder>, TableError> {
        let mut request = self.client.query().table_name(self.name(query.table)?);
        let (partition, sort) = match query.index.map(layout::names) {
            None => {
                request = request.consistent_read(query.consistency == Consistency::Strong);
                (PARTITION, SORT)
            }
            Some(names) => {
                request = request.index_name(names.index);
                (names.partition, names.sort)
            }
        };
        let Some(condition) = SortCondition::of(&query.range, sort, query.index.is_some()) else { return Ok(None) };
        for (name, value) in condition.values {
            request = request.expression_attribute_values(name, text(&value));
        }
        Ok(Some(
            request
                .key_condition_expression(format!("{partition} = :partition{}", condition.expression))
                .scan_index_forward(!query.newest_first),
        ))
    }

    /// The places of rows, each with its item unless that is not to be shown.
    async fn shown(&self, query: &Query, rows: Vec<Attributes>) -> Result<Vec<(Place, Option<Item>)>, TableError> {
        let Some(index) = query.index else {
            let items = rows.into_iter().map(layout::read);
            let place = |item: Item| (Place { index_sort: None, key: item.key.clone() }, self.live(Some(item)));
            return items.map(|item| item.map(place)).collect();
        };
        let places: Vec<_> = rows.into_iter().map(|row| Place::of_row(row, index)).collect::<Result<_, _>>()?;
        let keys: Vec<_> = places.iter().map(|place| (query.table, place.key.clone())).collect();
        let read = try_join_all(keys.chunks(MAX_KEYS).map(|keys| self.read_many(keys))).await?;
        // While an entry moves, an index may hold an item twice.
        let mut seen = BTreeSet::new();
        let mut shows = |item: &Item| stands_in(item, index, query) && seen.insert(item.key.clone());
        let items = read.into_iter().flatten().map(|item| item.filter(&mut shows));
        Ok(places.into_iter().zip(items).collect())
    }
}

/// By what a row is ordered in its partition: no two have the same.
fn place_in_order(row: &Attributes, sort: &str) -> Result<String, TableError> {
    let place = row.get(sort).and_then(|value| value.as_s().ok());
    place.cloned().ok_or_else(|| TableError::Invalid(format!("a row has no sort key {sort}")))
}

/// Whether an item's present entry belongs to a query; the index lags behind.
fn stands_in(item: &Item, index: Index, query: &Query) -> bool {
    let belongs = |partition: &str, sort: &str| partition == query.partition && in_range(sort, &query.range);
    item.indexes.iter().any(|entry| entry.index == index && belongs(&entry.partition, &entry.sort))
}
