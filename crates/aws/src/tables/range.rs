//! Ranges of sort keys as key conditions.

use pawl_runtime::ports::SortRange;
use pawl_runtime::ports::rules::MAX_KEY_PART;

/// The condition on a sort attribute: an expression to follow the one on the partition, and the values it names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SortCondition {
    pub(super) expression: String,
    pub(super) values: Vec<(&'static str, String)>,
}

impl SortCondition {
    /// The condition for a range, or none if nothing can be in it. The service takes neither an empty bound, nor one
    /// longer than a key, nor bounds the wrong way round.
    pub(super) fn of(range: &SortRange, attribute: &str, in_index: bool) -> Option<Self> {
        match range {
            SortRange::All => Some(Self::default()),
            SortRange::Prefix(prefix) if prefix.is_empty() => Some(Self::default()),
            SortRange::Prefix(prefix) if prefix.len() > MAX_KEY_PART => None,
            SortRange::Prefix(prefix) => Some(Self {
                expression: format!(" AND begins_with({attribute}, :first)"),
                values: vec![(":first", prefix.clone())],
            }),
            SortRange::Between(first, last) if last.is_empty() || first > last => None,
            SortRange::Between(first, last) => {
                let last = if in_index { past_all_ties(last) } else { last.clone() };
                Some(if first.is_empty() {
                    Self { expression: format!(" AND {attribute} <= :last"), values: vec![(":last", last)] }
                } else {
                    Self {
                        expression: format!(" AND {attribute} BETWEEN :first AND :last"),
                        values: vec![(":first", first.clone()), (":last", last)],
                    }
                })
            }
        }
    }
}

/// Whether a sort key is in a range.
pub(super) fn in_range(sort: &str, range: &SortRange) -> bool {
    match range {
        SortRange::All => true,
        SortRange::Prefix(prefix) => sort.starts_with(prefix.as_str()),
        SortRange::Between(first, last) => first.as_str() <= sort && sort <= last.as_str(),
    }
}

/// Above every stored sort key of an index that begins with this one and U+0000, and below all that are greater.
fn past_all_ties(sort: &str) -> String {
    format!("{sort}\u{1}")
}

#[cfg(test)]
mod tests {
    use pawl_runtime::ports::Key;
    use proptest::prelude::*;

    use super::super::layout::index_sort;
    use super::*;

    fn between(first: &str, last: &str) -> SortRange {
        SortRange::Between(first.to_owned(), last.to_owned())
    }

    #[test]
    fn what_the_service_refuses_is_not_asked() {
        for nothing in [between("b", "a"), between("", ""), SortRange::Prefix("x".repeat(MAX_KEY_PART + 1))] {
            assert_eq!(SortCondition::of(&nothing, "sk", false), None, "{nothing:?} is empty");
        }
        let everything = SortCondition::of(&SortRange::Prefix(String::new()), "sk", false);
        assert_eq!(everything, Some(SortCondition::default()));
        let below = SortCondition::of(&between("", "b"), "sk", false).expect("something may be there");
        assert_eq!((below.expression.as_str(), below.values), (" AND sk <= :last", vec![(":last", "b".to_owned())]));
    }

    proptest! {
        /// What the stored order of an index selects is what the order of its sort keys selects.
        #[test]
        fn ties_at_the_ends_of_a_range_belong_to_it(
            first in "[a-c]{1,3}", last in "[a-c]{1,3}", sort in "[a-c]{1,3}", partition in "\\PC{1,4}",
        ) {
            let range = between(&first, &last);
            let stored = index_sort(&sort, &Key::new(partition, "s"));
            let selected = SortCondition::of(&range, "i1s", true)
                .is_some_and(|condition| condition.values[0].1 <= stored && stored <= condition.values[1].1);
            prop_assert_eq!(selected, in_range(&sort, &range));
        }
    }
}
