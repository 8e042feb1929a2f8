//! Which waiting executions an event wakes.

use std::collections::BTreeSet;

use pawl_engine::Event;

use crate::items::waiter;
use crate::partition::Partition;
use crate::ports::{Item, Query, SortRange, TableError, Tables};

/// Those of a topic who are read before it is asked what the event changed.
const FIRST: usize = 32;
/// An event that changed more fields reads all who wait on its topic.
const MOST_FIELDS: usize = 16;

/// The executions that wait for an event.
pub(crate) struct Listening<'a> {
    tables: &'a dyn Tables,
    event: &'a Event,
    fields: Option<Vec<&'a str>>,
}

/// A place in the lists of those who wait for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of a list.
    pub(crate) list: usize,
    /// The cursor of its next page; none is the first one.
    pub(crate) after: Option<String>,
}

impl<'a> Listening<'a> {
    /// For an event.
    pub(crate) fn to(tables: &'a dyn Tables, event: &'a Event) -> Self {
        Self { tables, event, fields: event.changed_fields() }
    }

    /// The executions that the event wakes, by id, if they are no more than so many.
    pub(crate) async fn few(&self, most: usize) -> Result<Option<BTreeSet<String>>, TableError> {
        let mut woken = BTreeSet::new();
        for topic in self.event.waiter_topics() {
            let name = waiter::partition(&topic);
            let partition = Partition { tables: self.tables, table: waiter::TABLE, name: &name };
            let (first, more) = partition.first(FIRST).await?;
            if !more {
                woken.extend(self.woken(&first));
                continue;
            }
            for range in self.ranges() {
                let mut after = None;
                loop {
                    let page = self.tables.query(&query(&topic, range.clone(), most + 1).after(after)).await?;
                    woken.extend(self.woken(&page.items));
                    after = page.next;
                    if woken.len() > most {
                        return Ok(None);
                    }
                    if after.is_none() {
                        break;
                    }
                }
            }
        }
        Ok((woken.len() <= most).then_some(woken))
    }

    /// The executions of the page at a place, by id, and the next place; `None` after the last one.
    pub(crate) async fn page(
        &self,
        place: &Place,
        limit: usize,
    ) -> Result<(BTreeSet<String>, Option<Place>), TableError> {
        let (topics, ranges) = (self.event.waiter_topics(), self.ranges());
        let lists: Vec<_> = topics.iter().flat_map(|topic| ranges.iter().map(move |range| (topic, range))).collect();
        let Some((topic, range)) = lists.get(place.list) else { return Ok((BTreeSet::new(), None)) };
        let page = self.tables.query(&query(topic, (*range).clone(), limit).after(place.after.clone())).await?;
        let next = match page.next {
            Some(next) => Some(Place { list: place.list, after: Some(next) }),
            None if place.list + 1 < lists.len() => Some(Place { list: place.list + 1, after: None }),
            None => None,
        };
        Ok((self.woken(&page.items).collect(), next))
    }

    /// Where those stand, within a topic, whom the event may wake.
    fn ranges(&self) -> Vec<SortRange> {
        match &self.fields {
            Some(fields) if fields.len() <= MOST_FIELDS => {
                let of_fields = fields.iter().map(|field| waiter::for_field(field));
                std::iter::once(waiter::for_everything()).chain(of_fields).collect()
            }
            _ => vec![SortRange::All],
        }
    }

    fn woken<'b>(&'b self, items: &'b [Item]) -> impl Iterator<Item = String> + 'b {
        let wakes = |field: &str| self.fields.as_ref().is_none_or(|fields| fields.contains(&field));
        let woken = items.iter().map(waiter::parse).filter(move |(field, _)| field.is_none_or(wakes));
        woken.map(|(_, execution)| execution.to_owned())
    }
}

fn query(topic: &str, range: SortRange, limit: usize) -> Query {
    Query::of(waiter::TABLE, waiter::partition(topic)).range(range).limit(limit)
}
