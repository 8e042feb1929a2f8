//! What came of a file of cases.

use std::fmt::{self, Display};
use std::time::Duration;

use jiff::SignedDuration;
use pawl_definition::Problem;

use crate::scenario::elapsed;

/// What came of a file of cases.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseReport {
    /// The file as it was named.
    pub file: String,
    /// What is wrong with the file, its workflow or its objects; then no case ran.
    pub problems: Vec<Problem>,
    /// The cases in the order of the file.
    pub cases: Vec<CaseResult>,
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Whether all was as expected.
    pub passed: bool,
    /// What was not, in words, with the difference of the path taken.
    pub difference: Option<String>,
    /// The path taken.
    pub path: Vec<String>,
    /// Real time that it took.
    pub duration: Duration,
    /// Virtual time that passed.
    pub virtual_duration: SignedDuration,
}

impl CaseReport {
    /// Whether the file is right and every case passed.
    pub fn passed(&self) -> bool {
        self.problems.is_empty() && self.cases.iter().all(|case| case.passed)
    }

    /// How many cases passed.
    pub fn passed_count(&self) -> usize {
        self.cases.iter().filter(|case| case.passed).count()
    }
}

impl Display for CaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.file)?;
        for problem in &self.problems {
            writeln!(f, "  {problem}")?;
        }
        for case in &self.cases {
            write!(f, "{case}")?;
        }
        let (passed, all) = (self.passed_count(), self.cases.len());
        match (self.problems.is_empty(), passed == all) {
            (false, _) => writeln!(f, "  no case ran: {} problems", self.problems.len()),
            (true, true) => writeln!(f, "  all {all} cases passed"),
            (true, false) => writeln!(f, "  {} of {all} cases failed", all - passed),
        }
    }
}

impl Display for CaseResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.passed { "ok  " } else { "FAIL" };
        writeln!(
            f,
            "  {mark}  {} ({} of virtual time)",
            self.name,
            elapsed(self.virtual_duration).trim_start_matches('+')
        )?;
        for line in self.difference.iter().flat_map(|difference| difference.lines()) {
            writeln!(f, "        {line}")?;
        }
        Ok(())
    }
}
