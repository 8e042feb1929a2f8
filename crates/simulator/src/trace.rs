//! What a run did, line by line: the same seed writes the same bytes.

use std::fmt::Write;

use jiff::Timestamp;

/// The lines of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    text: String,
}

impl Trace {
    /// Writes one line: seconds since the beginning, who, and what.
    pub(super) fn line(&mut self, start: Timestamp, now: Timestamp, who: (usize, u64), what: &str) {
        let millis = now.duration_since(start).as_millis();
        let (seconds, rest) = (millis / 1_000, millis % 1_000);
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{seconds:>8}.{rest:03} p{}#{:<4} {what}", who.0, who.1);
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The last lines that hold one of the words; all lines if there are no words.
    pub fn tail(&self, lines: usize, words: &[String]) -> String {
        let fits = |line: &&str| words.is_empty() || words.iter().any(|word| line.contains(word.as_str()));
        let mut kept: Vec<_> = self.text.lines().rev().filter(fits).take(lines).collect();
        kept.reverse();
        kept.join("\n")
    }
}
