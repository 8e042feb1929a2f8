//! `every`: steps of a length from a start.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{SHORTEST_INTERVAL_S, clock};
use crate::Duration;

/// Steps that are tried after an estimate of their number. The estimate is low by a day a month at most, so that this is
/// enough for all years that there are.
const STEPS_MOST: usize = 5_000;

/// Steps of a length. Months and days are of the calendar, and keep the time of day; hours and below are real time.
#[derive(Debug, Clone)]
pub(super) struct Every {
    length: Duration,
    start: Timestamp,
}

impl Every {
    pub(super) fn new(length: Duration, starts: Option<Timestamp>, zone: &TimeZone) -> Result<Self, String> {
        if length.as_seconds() < SHORTEST_INTERVAL_S || length.has_parts_back() {
            return Err(format!("expected a length of at least a minute, found `{length}`"));
        }
        let start = starts.or_else(|| clock::origin(zone)).ok_or("the time zone has no beginning of 2024")?;
        Ok(Self { length, start })
    }

    pub(super) fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if after < self.start {
            return Some(self.start);
        }
        // No step is longer, so that the number of steps is not above the true one.
        let longest = self.length.longest();
        let passed = after.duration_since(self.start);
        let steps = (passed.as_secs() / longest.as_secs().max(1) - 1).max(0);
        let at = |step: i64| self.length.times(step)?.after(self.start, zone).ok();
        (steps..).take(STEPS_MOST).map_while(at).find(|at| *at > after)
    }
}

impl Duration {
    /// The longest that it can be on a calendar.
    fn longest(&self) -> SignedDuration {
        let (months, days, time) = self.parts();
        SignedDuration::from_hours(24 * 31 * months + 24 * days + i64::from(months + days > 0)) + time
    }
}
