//! What recurs: cron patterns, intervals and the recurrence rules of RFC 5545, in a time zone. The crates that parse and walk
//! them are used here and nowhere else.
//!
//! A time of day that a change of clocks skips counts as the first moment after the gap. One that is repeated counts once, at
//! its first occurrence; what recurs in real time (`every` of hours and below, a cron pattern whose hour is `*`) runs through.

mod around_date;
mod business_days;
mod clock;
mod cron;
mod every;
mod rrule;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::{Calendar, Duration};
use business_days::OnBusinessDays;

pub use around_date::AroundDate;
pub use business_days::{BusinessDays, RecurrenceTime};
pub(crate) use clock::{Bound, bound};

/// The time between two firings is at least so long.
const SHORTEST_INTERVAL_S: i64 = 60;

/// Without a start of its own, what recurs in steps counts them from the midnight that begins this day: it is the first of a
/// week, of a month and of a year.
const ORIGIN: jiff::civil::Date = jiff::civil::date(2024, 1, 1);

/// What recurs, as an author writes it.
#[derive(Debug, Clone, Copy)]
pub enum Pattern<'a> {
    /// Five fields of cron, or one of its names such as `@daily`.
    Cron(&'a str),
    /// A length of time.
    Every(Duration),
    /// A rule of RFC 5545, or a text of lines with `DTSTART`, `RRULE`, `RDATE` and `EXDATE`.
    Rrule(&'a str),
}

/// When something recurs.
#[derive(Debug, Clone)]
pub struct Recurrence {
    rule: Rule,
    zone: TimeZone,
    starts: Option<Timestamp>,
    ends: Option<Timestamp>,
    days: Option<(BusinessDays, Calendar)>,
}

#[derive(Debug, Clone)]
enum Rule {
    Cron(Box<cron::Cron>),
    Every(every::Every),
    Rrule(Box<rrule::Rrule>),
}

impl Recurrence {
    /// Reads a pattern; from `starts` on, and not after `ends`.
    ///
    /// # Errors
    /// What was expected and what was found.
    pub fn new(
        pattern: Pattern<'_>,
        zone: TimeZone,
        (starts, ends): (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<Self, String> {
        let rule = match pattern {
            Pattern::Cron(text) => Rule::Cron(Box::new(cron::Cron::parse(text)?)),
            Pattern::Every(length) => Rule::Every(every::Every::new(length, starts, &zone)?),
            Pattern::Rrule(text) => Rule::Rrule(Box::new(rrule::Rrule::parse(text, starts, &zone)?)),
        };
        Ok(Self { rule, zone, starts, ends, days: None })
    }

    /// The same on the business days of a calendar only.
    #[must_use]
    pub fn on_business_days(self, rule: BusinessDays, calendar: Calendar) -> Self {
        Self { days: Some((rule, calendar)), ..self }
    }

    /// The first time after another one; `None` if there is none, or none that a bounded search finds.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.time_after(after).map(|time| time.at)
    }

    /// The first time after another one, with the time from which it was moved. `starts` and `ends` bound the days that the pattern plans:
    /// what is moved may come later.
    pub fn time_after(&self, after: Timestamp) -> Option<RecurrenceTime> {
        let Some((rule, calendar)) = &self.days else {
            return self.planned_after(after).map(|at| RecurrenceTime { at, moved_from: None });
        };
        let pattern = |after| self.planned_after(after);
        OnBusinessDays { rule: *rule, calendar, zone: &self.zone, pattern }.next_after(after)
    }

    /// The first time of the pattern after another one, on business days and others.
    fn planned_after(&self, after: Timestamp) -> Option<Timestamp> {
        let before_start = self.starts.and_then(|starts| starts.checked_sub(jiff::SignedDuration::from_nanos(1)).ok());
        let after = before_start.map_or(after, |before| before.max(after));
        let next = match &self.rule {
            Rule::Cron(cron) => cron.next_after(after, &self.zone),
            Rule::Every(every) => every.next_after(after, &self.zone),
            Rule::Rrule(rrule) => rrule.next_after(after, &self.zone),
        }?;
        self.ends.is_none_or(|ends| next <= ends).then_some(next)
    }

    /// The times after another one, the first first.
    pub fn all_after(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        std::iter::successors(self.next_after(after), |last| self.next_after(*last))
    }

    /// The same, with the times from which they were moved.
    pub fn all_times_after(&self, after: Timestamp) -> impl Iterator<Item = RecurrenceTime> + '_ {
        std::iter::successors(self.time_after(after), |last| self.time_after(last.at))
    }

    /// The time zone in which it recurs.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}
