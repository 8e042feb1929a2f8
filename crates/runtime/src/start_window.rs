//! The starts of the last span of time, counted without a line for each.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Into how many parts a span is divided: starts in one part count as if all came with its last, so that a count is never
/// too low, and at most so much later right again.
const PARTS: i32 = 60;

/// Starts by time, oldest first. Stored, do not rename.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StartWindow(Vec<Group>);

/// Starts close together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Group {
    first: Timestamp,
    last: Timestamp,
    count: u32,
}

impl StartWindow {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many were within the span before a time. Those before are forgotten.
    pub fn count(&mut self, at: Timestamp, span: SignedDuration) -> u32 {
        self.0.retain(|group| at.duration_since(group.last) < span);
        self.0.iter().map(|group| group.count).sum()
    }

    /// The first time, not before `at` and not before any start that is planned, at which fewer than `most` were within
    /// the span before.
    pub fn free(&mut self, at: Timestamp, span: SignedDuration, most: u32) -> Timestamp {
        let mut free = self.0.last().map_or(at, |group| group.last.max(at));
        while self.count(free, span) >= most.max(1) {
            free = self.0.first().map_or(free, |group| group.last + span);
        }
        free
    }

    /// One more; not before any that is known.
    pub fn add(&mut self, at: Timestamp, span: SignedDuration) {
        match self.0.last_mut() {
            Some(group) if at.duration_since(group.first) < span / PARTS => {
                group.last = group.last.max(at);
                group.count += 1;
            }
            _ => self.0.push(Group { first: at, last: at, count: 1 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: SignedDuration = SignedDuration::from_secs(60);

    /// The milliseconds at which starts begin that ask at these.
    fn starts(most: u32, asked: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let mut recent = StartWindow::default();
        let planned = asked.into_iter().map(|millis| {
            let at = recent.free(Timestamp::UNIX_EPOCH + SignedDuration::from_millis(millis), SPAN, most);
            recent.add(at, SPAN);
            at.as_millisecond()
        });
        planned.collect()
    }

    #[test]
    fn as_many_as_are_allowed_begin_at_once_and_the_next_when_the_span_is_over() {
        assert_eq!(starts(2, [0; 6]), [0, 0, 60_000, 60_000, 120_000, 120_000]);
        assert_eq!(starts(2, [0, 50_000, 55_000, 61_000]), [0, 50_000, 60_000, 110_000]);
        assert_eq!(starts(3, [0, 30_000, 60_000, 90_000]), [0, 30_000, 60_000, 90_000]);
    }

    #[test]
    fn no_span_ever_holds_more() {
        for (most, every) in [(1, 7_000), (5, 900), (100, 311), (7, 1)] {
            let starts = starts(most, (0..1_000).map(|n| n * every));
            let most = usize::try_from(most).expect("a limit fits");
            let close = starts.windows(most + 1).find(|window| window[most] - window[0] < 60_000);
            assert_eq!(close, None, "{most} within a minute, asked every {every} ms");
        }
    }

    #[test]
    fn it_stays_small() {
        let mut recent = StartWindow::default();
        for millis in 0..100_000 {
            let at = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(millis * 5);
            recent.count(at, SPAN);
            recent.add(at, SPAN);
        }
        assert!(recent.0.len() <= 62, "{}", recent.0.len());
    }
}
