//! What recurs, on business days only.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::clock::{civil, moment};
use crate::Calendar;
use crate::describe::JsonSchema;

/// Days that are looked at for a firing: a pattern whose next so many days are no business days never fires.
const DAYS_MOST: usize = 400;

/// What becomes of a firing on a day that is no business day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BusinessDays {
    /// It does not happen.
    Skip,
    /// It moves to the next business day, at the same time of day.
    Next,
}

impl BusinessDays {
    /// The moment of a firing that was planned for another one; `None` if it does not happen.
    pub fn apply(self, planned: Timestamp, calendar: &Calendar, zone: &TimeZone) -> Option<Timestamp> {
        let day = civil(planned, zone);
        match self {
            _ if calendar.is_business_day(day.date()) => Some(planned),
            Self::Skip => None,
            Self::Next => moment(calendar.business_day_from(day.date())?.to_datetime(day.time()), zone),
        }
    }
}

/// A time at which something recurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecurrenceTime {
    /// When.
    pub at: Timestamp,
    /// The time for which the pattern planned it, if it was moved to a business day.
    pub moved_from: Option<Timestamp>,
}

/// What recurs, with its calendar.
pub(super) struct OnBusinessDays<'a, N> {
    pub(super) rule: BusinessDays,
    pub(super) calendar: &'a Calendar,
    pub(super) zone: &'a TimeZone,
    /// The first time of the pattern after another one.
    pub(super) pattern: N,
}

impl<N: Fn(Timestamp) -> Option<Timestamp>> OnBusinessDays<'_, N> {
    /// The first time after another one.
    pub(super) fn next_after(&self, after: Timestamp) -> Option<RecurrenceTime> {
        match self.rule {
            BusinessDays::Skip => self.next_not_skipped(after),
            BusinessDays::Next => self.next_or_moved(after),
        }
    }

    fn next_not_skipped(&self, after: Timestamp) -> Option<RecurrenceTime> {
        let mut after = after;
        for _ in 0..DAYS_MOST {
            let at = (self.pattern)(after)?;
            let day = civil(at, self.zone).date();
            if self.calendar.is_business_day(day) {
                return Some(RecurrenceTime { at, moved_from: None });
            }
            after = just_before(self.begin(day.tomorrow().ok()?)?);
        }
        None
    }

    fn next_or_moved(&self, after: Timestamp) -> Option<RecurrenceTime> {
        let mut day = civil(after, self.zone).date();
        for _ in 0..DAYS_MOST {
            let target = self.calendar.business_day_from(day)?;
            if let Some(found) = self.on(target, after) {
                return Some(found);
            }
            let next = (self.pattern)(just_before(self.begin(target.tomorrow().ok()?)?))?;
            day = civil(next, self.zone).date();
        }
        None
    }

    /// The first firing on a business day after a time. The day has the firings of one day: its own, else those of the last
    /// day before it that is no business day and has some.
    fn on(&self, target: Date, after: Timestamp) -> Option<RecurrenceTime> {
        if self.first_on(target).is_some() {
            let begin = just_before(self.begin(target)?);
            let at = (self.pattern)(begin.max(after)).filter(|at| civil(*at, self.zone).date() == target)?;
            return Some(RecurrenceTime { at, moved_from: None });
        }
        let mut day = target.yesterday().ok()?;
        while !self.calendar.is_business_day(day) {
            if let Some(first) = self.first_on(day) {
                return self.moved(first, target, after);
            }
            day = day.yesterday().ok()?;
        }
        None
    }

    /// The first of the firings of a day that comes after a time, when all of them are moved to another day.
    fn moved(&self, first: Timestamp, target: Date, after: Timestamp) -> Option<RecurrenceTime> {
        let day = civil(first, self.zone).date();
        let shown = civil(after, self.zone);
        // What is earlier on the day than the time that is over need not be looked at.
        let skipped = (shown.date() == target).then(|| moment(day.to_datetime(shown.time()), self.zone)).flatten();
        let from = match skipped {
            Some(skipped) if skipped > first => (self.pattern)(just_before(skipped)),
            _ => Some(first),
        };
        let all = std::iter::successors(from, |last| (self.pattern)(*last));
        all.take_while(|at| civil(*at, self.zone).date() == day).find_map(|planned| {
            let at = moment(target.to_datetime(civil(planned, self.zone).time()), self.zone)?;
            (at > after).then_some(RecurrenceTime { at, moved_from: Some(planned) })
        })
    }

    /// The first firing of the pattern on a day.
    fn first_on(&self, day: Date) -> Option<Timestamp> {
        let first = (self.pattern)(just_before(self.begin(day)?))?;
        (civil(first, self.zone).date() == day).then_some(first)
    }

    fn begin(&self, day: Date) -> Option<Timestamp> {
        moment(day.to_datetime(Time::midnight()), self.zone)
    }
}

fn just_before(at: Timestamp) -> Timestamp {
    at.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MIN)
}
