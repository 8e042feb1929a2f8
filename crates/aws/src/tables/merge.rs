//! Rows of several partitions in one order.

use std::collections::VecDeque;

use super::layout::Attributes;

/// The partitions of storage that a query reads, each with the rows that were read of it and not yet taken.
pub(super) struct Merge<R> {
    parts: Vec<Part<R>>,
    newest_first: bool,
}

struct Part<R> {
    partition: String,
    /// Rows by their sort attribute, in the order of the query.
    rows: VecDeque<(String, R)>,
    /// From where it is read on; none at its beginning.
    start: Option<Attributes>,
    is_read: bool,
}

/// A partition of which the next rows are needed.
pub(super) struct Hungry {
    /// Which.
    pub(super) part: usize,
    /// Its name.
    pub(super) partition: String,
    /// From where to read on.
    pub(super) start: Option<Attributes>,
}

impl<R> Merge<R> {
    /// Of these partitions, each from its start.
    pub(super) fn of(parts: impl Iterator<Item = (String, Option<Attributes>)>, newest_first: bool) -> Self {
        let part = |(partition, start)| Part { partition, rows: VecDeque::new(), start, is_read: false };
        Self { parts: parts.map(part).collect(), newest_first }
    }

    /// How many rows each partition is asked for so that there are about so many in all: a little more than its share, since
    /// none can be taken while a partition has no row to compare.
    pub(super) fn share(&self, rows: usize) -> usize {
        let parts = self.parts.len();
        let mean = rows.div_ceil(parts.max(1));
        if parts == 1 { rows } else { rows.min(mean + mean.isqrt()) }
    }

    /// Takes at most so many rows, as far as it is known which is the next.
    pub(super) fn take(&mut self, most: usize) -> Vec<R> {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some(part) = self.next()
            && let Some((_, row)) = self.parts[part].rows.pop_front()
        {
            taken.push(row);
        }
        taken
    }

    /// The partition that has the next row; none while one that is not read to its end has no row.
    fn next(&self) -> Option<usize> {
        if self.parts.iter().any(Part::is_hungry) {
            return None;
        }
        let heads = self.parts.iter().enumerate().filter_map(|(at, part)| Some((&part.rows.front()?.0, at)));
        let (_, part) = if self.newest_first { heads.max() } else { heads.min() }?;
        Some(part)
    }

    /// The partitions of which rows are needed before another one can be taken.
    pub(super) fn hungry(&self) -> Vec<Hungry> {
        let hungry = self.parts.iter().enumerate().filter(|(_, part)| part.is_hungry());
        let ask = |(at, part): (usize, &Part<R>)| Hungry {
            part: at,
            partition: part.partition.clone(),
            start: part.start.clone(),
        };
        hungry.map(ask).collect()
    }

    /// Adds the next rows of a partition, and from where it is read on; none at its end.
    pub(super) fn add(&mut self, part: usize, rows: impl IntoIterator<Item = (String, R)>, next: Option<Attributes>) {
        let part = &mut self.parts[part];
        part.rows.extend(rows);
        part.is_read = next.is_none();
        part.start = next;
    }

    /// Whether there may be rows that were not taken.
    pub(super) fn has_more(&self) -> bool {
        self.parts.iter().any(|part| !part.is_read || !part.rows.is_empty())
    }
}

impl<R> Part<R> {
    fn is_hungry(&self) -> bool {
        !self.is_read && self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    /// Reads all rows in takes of a size, from partitions that answer so many at once.
    fn read(parts: &[Vec<String>], newest_first: bool, take: usize) -> Vec<String> {
        let names = (0..parts.len()).map(|at| (at.to_string(), None));
        let mut merge = Merge::of(names, newest_first);
        let mut read = vec![0; parts.len()];
        let mut found = Vec::new();
        while merge.has_more() {
            let taken = merge.take(take);
            assert!(taken.len() <= take, "no more is taken than asked for");
            found.extend(taken);
            for Hungry { part, partition, start } in merge.hungry() {
                assert_eq!((partition, start.is_some()), (part.to_string(), read[part] > 0), "it goes on where it was");
                let end = parts[part].len().min(read[part] + merge.share(take));
                let rows = parts[part][read[part]..end].iter().map(|row| (row.clone(), row.clone()));
                read[part] = end;
                merge.add(part, rows, (end < parts[part].len()).then(Attributes::new));
            }
        }
        found
    }

    proptest! {
        #[test]
        fn rows_of_all_partitions_come_in_one_order(
            rows in btree_set("[a-c]{1,4}", 0..40), of in vec(0_usize..5, 40), newest_first in any::<bool>(), take in 1_usize..9,
        ) {
            let mut parts = vec![Vec::new(); 5];
            let mut expected: Vec<_> = rows.into_iter().collect();
            if newest_first {
                expected.reverse();
            }
            for (row, part) in expected.iter().zip(of) {
                parts[part].push(row.clone());
            }
            prop_assert_eq!(read(&parts, newest_first, take), expected);
        }
    }

    #[test]
    fn a_page_of_many_partitions_asks_for_little_more_than_a_page() {
        let merge = |parts: usize| Merge::<()>::of((0..parts).map(|at| (at.to_string(), None)), false);
        assert_eq!(merge(1).share(100), 100);
        assert_eq!([1, 20, 100, 1_000].map(|rows| merge(16).share(rows)), [1, 3, 9, 70]);
    }
}
