//! What happened in runs, in numbers.

use std::collections::BTreeMap;
use std::fmt;

/// Numbers of one run or of many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    numbers: BTreeMap<String, u64>,
}

impl Counts {
    pub(super) fn add(&mut self, what: &str) {
        self.add_many(what, 1);
    }

    pub(super) fn add_many(&mut self, what: &str, number: u64) {
        match self.numbers.get_mut(what) {
            Some(count) => *count += number,
            None => {
                self.numbers.insert(what.to_owned(), number);
            }
        }
    }

    /// Adds the numbers of another run.
    pub fn merge(&mut self, other: &Self) {
        for (what, number) in &other.numbers {
            self.add_many(what, *number);
        }
    }

    /// How often something happened: `executions`, `transitions`, `crashes`, `step http_request`…
    pub fn of(&self, what: &str) -> u64 {
        self.numbers.get(what).copied().unwrap_or(0)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, number) in &self.numbers {
            writeln!(f, "{number:>9}  {what}")?;
        }
        Ok(())
    }
}
