//! Items that were read or written lately, and short pages of partitions, so that strong reads of what is being worked on
//! need no other thread.
//!
//! Only the writer puts anything here, in the order in which it applies changes and before it answers them: whoever
//! looks after a commit returned finds that commit or a later one. What is not here is asked of the writer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pawl_runtime::ports::{Item, Key, Page, Query, Table};

use super::schema::{TABLES, table_index};

/// Half of what is kept, in bytes of bodies.
const GENERATION: usize = 4 * 1024 * 1024;

/// Longer bodies are not kept.
const LONGEST: usize = 64 * 1024;

/// What an entry weighs beside its body, roughly.
const OVERHEAD: usize = 256;

/// Longest page that is kept, in items and in bytes of bodies. Most are empty: nobody waits for a record, nobody listens.
const PAGE_ITEMS: usize = 64;
const PAGE_BYTES: usize = 8 * 1024;

/// Pages of one partition that are kept.
const PAGES: usize = 8;

/// What is known of a key.
#[derive(Clone)]
pub(super) enum Known {
    /// This item stands there, though it may have expired.
    Item(Arc<Item>),
    /// Nothing stands there.
    Absent,
    /// Not kept; ask the writer.
    Unknown,
}

/// What became known of a key.
pub(super) struct News {
    pub(super) table: Table,
    pub(super) key: Key,
    pub(super) known: Known,
}

/// Two generations: when the younger is full it becomes the older, and what was in that is forgotten.
#[derive(Default)]
pub(super) struct Recent {
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: [HashMap<Key, Known>; TABLES.len()],
    old: [HashMap<Key, Known>; TABLES.len()],
    weight: usize,
    pages: Pages,
}

/// What queries of partitions found, by partition, until something is written there.
#[derive(Default)]
struct Pages {
    partitions: [HashMap<String, Vec<(Query, Page)>>; TABLES.len()],
    weight: usize,
}

impl Recent {
    /// What is known of a key.
    pub(super) fn get(&self, table: Table, key: &Key) -> Known {
        self.lock().get(table, key)
    }

    /// What stands at all of the keys, as of one moment; nothing if it is not known of one of them.
    pub(super) fn get_many(&self, keys: &[(Table, Key)]) -> Option<Vec<Option<Arc<Item>>>> {
        let mut generations = self.lock();
        keys.iter()
            .map(|(table, key)| match generations.get(*table, key) {
                Known::Item(item) => Some(Some(item)),
                Known::Absent => Some(None),
                Known::Unknown => None,
            })
            .collect()
    }

    /// What a query of a partition finds, if it is known.
    pub(super) fn page(&self, query: &Query) -> Option<Page> {
        self.lock().pages.get(query)
    }

    /// Takes what a query of a partition, not of an index, has found.
    pub(super) fn learn_page(&self, query: &Query, page: &Page) {
        self.lock().pages.keep(query, page);
    }

    /// Takes what belongs together at one moment.
    pub(super) fn learn(&self, news: impl IntoIterator<Item = News>) {
        let mut generations = self.lock();
        for News { table, key, known } in news {
            generations.learn(table, key, known);
        }
    }

    /// Forgets everything: what was learnt may not be what the file says.
    pub(super) fn clear(&self) {
        *self.lock() = Generations::default();
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn get(&mut self, table: Table, key: &Key) -> Known {
        let table = table_index(table);
        if let Some(known) = self.young[table].get(key) {
            return known.clone();
        }
        match self.old[table].remove_entry(key) {
            None => Known::Unknown,
            Some((key, known)) => {
                self.keep(table, key, known.clone());
                known
            }
        }
    }

    fn learn(&mut self, table: Table, key: Key, known: Known) {
        let table = table_index(table);
        self.pages.partitions[table].remove(&key.partition);
        self.old[table].remove(&key);
        match known {
            Known::Item(item) if item.body.len() <= LONGEST => self.keep(table, key, Known::Item(item)),
            Known::Absent => self.keep(table, key, Known::Absent),
            Known::Item(_) | Known::Unknown => drop(self.young[table].remove(&key)),
        }
    }

    /// The weight counts what was added since the generation began, so it is never too low.
    fn keep(&mut self, table: usize, key: Key, known: Known) {
        self.weight += OVERHEAD + if let Known::Item(item) = &known { item.body.len() } else { 0 };
        self.young[table].insert(key, known);
        if self.weight > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
    }
}

impl Pages {
    fn get(&self, query: &Query) -> Option<Page> {
        let pages = self.partitions[table_index(query.table)].get(&query.partition)?;
        pages.iter().find(|(known, _)| known == query).map(|(_, page)| page.clone())
    }

    /// Keeps a short page. What expires is not kept: time would make it wrong.
    fn keep(&mut self, query: &Query, page: &Page) {
        let bytes: usize = page.items.iter().map(|item| item.body.len()).sum();
        let is_short = page.items.len() <= PAGE_ITEMS && bytes <= PAGE_BYTES;
        if !is_short || page.items.iter().any(|item| item.expires_at.is_some()) {
            return;
        }
        self.weight += OVERHEAD * (2 + page.items.len()) + bytes;
        if self.weight > GENERATION {
            *self = Self::default();
        }
        let pages = self.partitions[table_index(query.table)].entry(query.partition.clone()).or_default();
        if pages.len() < PAGES {
            pages.push((query.clone(), page.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: usize, body: usize) -> News {
        let item = Item {
            key: Key::new("p", number.to_string()),
            version: 1,
            indexes: Vec::new(),
            expires_at: None,
            body: "x".repeat(body),
        };
        News { table: Table::Records, key: item.key.clone(), known: Known::Item(Arc::new(item)) }
    }

    fn is_known(recent: &Recent, number: usize) -> bool {
        matches!(recent.get(Table::Records, &Key::new("p", number.to_string())), Known::Item(_))
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let recent = Recent::default();
        for number in 0..1_000 {
            recent.learn([item(number, 40_000)]);
            assert!(is_known(&recent, 0), "the first is read again and again");
        }
        assert!(!is_known(&recent, 500));
        assert!(is_known(&recent, 999));
    }

    #[test]
    fn what_is_too_long_or_unknown_leaves_nothing_stale() {
        let recent = Recent::default();
        recent.learn([item(1, 10), item(2, 10)]);
        let unknown = News { known: Known::Unknown, ..item(2, 10) };
        recent.learn([item(1, LONGEST + 1), unknown]);
        assert!(!is_known(&recent, 1) && !is_known(&recent, 2));
    }

    fn query(partition: &str) -> Query {
        Query::of(Table::Records, partition).limit(10)
    }

    fn page(items: Vec<News>) -> Page {
        let item = |news: News| match news.known {
            Known::Item(item) => Item::clone(&item),
            Known::Absent | Known::Unknown => unreachable!("these are items"),
        };
        Page { items: items.into_iter().map(item).collect(), next: None }
    }

    #[test]
    fn a_page_is_known_until_something_is_written_in_its_partition() {
        let recent = Recent::default();
        let found = page(vec![item(1, 10)]);
        recent.learn_page(&query("p"), &found);
        recent.learn_page(&query("q"), &Page::default());
        assert_eq!(recent.page(&query("p")), Some(found));
        assert_eq!(recent.page(&Query { limit: 11, ..query("p") }), None, "another question");
        recent.learn([News { known: Known::Unknown, ..item(2, 10) }]);
        assert_eq!((recent.page(&query("p")), recent.page(&query("q"))), (None, Some(Page::default())));
        recent.clear();
        assert_eq!(recent.page(&query("q")), None);
    }

    #[test]
    fn what_expires_or_is_long_is_no_page() {
        let recent = Recent::default();
        let mut mortal = page(vec![item(1, 10)]);
        mortal.items[0].expires_at = Some(jiff::Timestamp::UNIX_EPOCH);
        for page in [mortal, page(vec![item(1, PAGE_BYTES + 1)]), page((0..100).map(|n| item(n, 1)).collect())] {
            recent.learn_page(&query("p"), &page);
            assert_eq!(recent.page(&query("p")), None);
        }
    }

    #[test]
    fn several_are_known_only_together() {
        let recent = Recent::default();
        recent.learn([item(1, 10), News { known: Known::Absent, ..item(2, 10) }]);
        let keys = [1, 2, 3].map(|number: usize| (Table::Records, Key::new("p", number.to_string())));
        assert_eq!(
            recent.get_many(&keys[..2]).map(|found| found.iter().map(Option::is_some).collect()),
            Some(vec![true, false])
        );
        assert_eq!(recent.get_many(&keys), None);
    }
}
