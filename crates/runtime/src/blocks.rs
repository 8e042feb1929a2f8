//! Limits whose counter is split into blocks.
//!
//! The counter of a limit is written in the transaction of what it counts, and of two transactions that write one item at
//! the same time `DynamoDB` cancels one: an item takes about a hundred a second, however many functions run. So a limit that
//! is high enough to be used more often is split. Each block is an item of its own with a share of the limit, and the shares
//! add up to the limit; so it is never exceeded, although nobody reads all blocks in one moment.
//!
//! The units of a limit are numbered, and a unit belongs to one block whatever the limit is. So a raised limit takes nothing
//! from a block, and a lowered one leaves some blocks with more in use than their share: those take nothing new.

use pawl_engine::ids;

/// Most blocks of one limit. With them, a thousand starts and ends a second are about sixty transactions a second and block.
pub(crate) const BLOCKS_MOST: u8 = 32;

/// How many units of a limit make a block. What is counted stands in blocks by these sizes: another size would count anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSizes {
    /// Starts of `limits.starts`. Each is written once.
    pub starts: u32,
    /// Slots of `limits.concurrency`. Each is written twice, when it is taken and when it is given back.
    pub slots: u32,
}

impl Default for BlockSizes {
    fn default() -> Self {
        // A limit of 1,000 a second is 20 and 32 blocks, with 50 and 63 transactions a second each.
        Self { starts: 50, slots: 25 }
    }
}

/// The blocks of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blocks {
    limit: u32,
    size: u32,
}

impl Blocks {
    /// Splits a limit into blocks of a size, or larger ones if they would be too many.
    pub(crate) fn new(limit: u32, size: u32) -> Self {
        Self { limit: limit.max(1), size: size.max(1) }
    }

    /// How many there are.
    pub(crate) fn count(self) -> u8 {
        u8::try_from(self.limit.div_ceil(self.size)).unwrap_or(u8::MAX).min(BLOCKS_MOST)
    }

    /// The share of a block in the limit; 0 of a block that the limit does not reach.
    pub(crate) fn share(self, block: u8) -> u32 {
        if block >= BLOCKS_MOST {
            return 0;
        }
        let before = self.size.saturating_mul(block.into());
        let own = self.limit.saturating_sub(before).min(self.size);
        let over = self.limit.saturating_sub(self.dealt_in_blocks());
        let (each, rest) = (over / u32::from(BLOCKS_MOST), over % u32::from(BLOCKS_MOST));
        own + each + u32::from(u32::from(block) < rest)
    }

    /// The block in which an execution is counted if there is room: as often one as its share is large.
    pub(crate) fn home(self, execution: &str) -> u8 {
        self.of_unit(ids::number_below(&["block", execution], self.limit))
    }

    /// Another block, drawn the same way; with some luck the same.
    pub(crate) fn second(self, execution: &str) -> u8 {
        self.of_unit(ids::number_below(&["second block", execution], self.limit))
    }

    /// All blocks but one, from the next one on.
    pub(crate) fn others(self, block: u8) -> impl Iterator<Item = u8> {
        let count = self.count();
        (1..=count)
            .map(move |after| (u16::from(block) + u16::from(after)) % u16::from(count))
            .filter_map(move |other| u8::try_from(other).ok().filter(|other| *other != block))
    }

    /// Units up to here fill one block after another; those beyond are dealt out one by one.
    fn dealt_in_blocks(self) -> u32 {
        self.size.saturating_mul(BLOCKS_MOST.into())
    }

    fn of_unit(self, unit: u32) -> u8 {
        let in_blocks = unit < self.dealt_in_blocks();
        let block = if in_blocks { unit / self.size } else { unit % u32::from(BLOCKS_MOST) };
        u8::try_from(block).expect("it is below the most blocks")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn shares(blocks: Blocks) -> Vec<u32> {
        (0..=BLOCKS_MOST).map(|block| blocks.share(block)).take_while(|share| *share > 0).collect()
    }

    #[test]
    fn a_low_limit_is_one_item_and_a_thousand_a_second_stay_below_what_an_item_takes() {
        let BlockSizes { starts, slots } = BlockSizes::default();
        assert_eq!(shares(Blocks::new(25, slots)), [25]);
        assert_eq!(shares(Blocks::new(60, slots)), [25, 25, 10]);
        assert_eq!(shares(Blocks::new(0, slots)), [1], "a limit of none would be no limit");
        let (starts, slots) = (Blocks::new(1_000, starts), Blocks::new(1_000, slots));
        assert_eq!((starts.count(), slots.count()), (20, 32), "cargo xtask bench aws-scale says so too");
        assert_eq!(shares(starts), [50; 20]);
        assert_eq!((slots.share(0), slots.share(7), slots.share(8), slots.share(31)), (32, 32, 31, 31));
        assert_eq!(Blocks::new(u32::MAX, 1).count(), BLOCKS_MOST);
    }

    #[test]
    fn each_block_is_the_home_of_as_many_as_it_has_a_share_of() {
        let blocks = Blocks::new(110, 50);
        let mut homes = BTreeMap::<u8, u32>::new();
        for number in 0..11_000 {
            *homes.entry(blocks.home(&format!("exe_{number}"))).or_default() += 1;
        }
        let expected = [4_850..5_150, 4_850..5_150, 930..1_070];
        assert_eq!(homes.len(), 3);
        assert!(homes.values().zip(expected).all(|(count, about)| about.contains(count)), "{homes:?}");
        let second = |number: u32| blocks.second(&format!("exe_{number}"));
        assert!((0..100).any(|number| second(number) != blocks.home(&format!("exe_{number}"))));
    }

    proptest! {
        #[test]
        fn the_shares_add_up_to_the_limit(limit in 1_u32..100_000, size in 1_u32..200) {
            let blocks = Blocks::new(limit, size);
            let shares = shares(blocks);
            prop_assert_eq!(shares.iter().sum::<u32>(), limit);
            prop_assert_eq!(shares.len(), usize::from(blocks.count()));
        }

        /// Else a raised limit would leave a block with more in use than its share, and the limit would be exceeded.
        #[test]
        fn a_higher_limit_takes_nothing_from_a_block(
            limit in 1_u32..10_000, more in 0_u32..10_000, size in 1_u32..200, block in 0_u8..BLOCKS_MOST,
        ) {
            let (low, high) = (Blocks::new(limit, size), Blocks::new(limit + more, size));
            prop_assert!(low.share(block) <= high.share(block));
        }

        #[test]
        fn the_other_blocks_are_all_but_one(limit in 1_u32..10_000, size in 1_u32..200, execution in "[a-z0-9]{1,8}") {
            let blocks = Blocks::new(limit, size);
            let home = blocks.home(&execution);
            prop_assert!(home < blocks.count() && blocks.second(&execution) < blocks.count());
            let others: Vec<_> = blocks.others(home).collect();
            let all: BTreeSet<_> = others.iter().copied().chain([home]).collect();
            prop_assert_eq!(all, (0..blocks.count()).collect::<BTreeSet<_>>());
            prop_assert_eq!(others.len() + 1, usize::from(blocks.count()));
        }

        /// A block that a lowered limit no longer reaches still gets back what it gave; the others go on from it.
        #[test]
        fn a_block_that_is_gone_has_no_share(limit in 1_u32..1_000, size in 1_u32..200, block in 0_u8..=u8::MAX) {
            let blocks = Blocks::new(limit, size);
            prop_assert_eq!(blocks.share(block) == 0, block >= blocks.count());
        }
    }
}
