//! Items that storage keeps in several copies, because each transition reads them strongly.
//!
//! A partition of `DynamoDB` takes 3,000 reads a second, and an item cannot be split. Each look at the kill switches reads
//! the controls of the installation and the head of a workflow. So a store with such a limit writes these items in
//! [copies](COPIES), in one transaction, and reads any of them: a strong read of each sees all that was committed before it.
//! Callers see one item. Its copies count as writes of a transaction on every backend.

use crate::items::{installation, workflow};
use crate::ports::Key;

/// Copies of an item, the first one included. A transaction has 100 writes, and these are so many of them.
pub const COPIES: u8 = 16;

/// Items that are copied: those of one kind of partition with one sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The word with which their partitions begin.
    pub kind: &'static str,
    /// Their sort key.
    pub sort: &'static str,
}

/// What the modules of items declare.
const DECLARED: [Copied; 2] = [installation::COPIED, workflow::COPIED];

/// In how many copies an item is stored; 1 if it is not copied.
pub fn copies_of(key: &Key) -> u8 {
    let kind = key.partition.split_once('#').map_or(key.partition.as_str(), |(kind, _)| kind);
    let is_copied = DECLARED.iter().any(|copied| copied.kind == kind && copied.sort == key.sort);
    if is_copied { COPIES } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::execution;

    #[test]
    fn what_each_transition_reads_is_copied_and_nothing_else() {
        assert_eq!(copies_of(&installation::key()), COPIES);
        assert_eq!(copies_of(&workflow::head_key("triage")), COPIES);
        assert_eq!(copies_of(&workflow::revision_key("triage", 1)), 1, "revisions are kept in memory");
        assert_eq!(copies_of(&execution::key("exe_1")), 1);
    }
}
