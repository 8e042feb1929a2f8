//! Times around a date of a record: so long before or after it, once or in each year.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::business_days::{BusinessDays, RecurrenceTime};
use super::clock::{civil, moment};
use crate::{Calendar, Duration};

/// Years in which a time is looked for: one that business days skip so often never comes.
const YEARS_MOST: i16 = 40;

/// When something happens around a date.
#[derive(Debug, Clone)]
pub struct AroundDate {
    offset: Duration,
    at: Option<Time>,
    every_year: bool,
    zone: TimeZone,
    days: Option<(BusinessDays, Calendar)>,
}

/// A date, or a date and time, as a field has it.
struct Base {
    date: Date,
    time: Time,
    /// The moment itself, of a date and time.
    moment: Option<Timestamp>,
}

impl Base {
    fn read(value: &str, zone: &TimeZone) -> Option<Self> {
        let value = value.trim();
        if let Ok(moment) = value.parse::<Timestamp>() {
            let shown = civil(moment, zone);
            return Some(Self { date: shown.date(), time: shown.time(), moment: Some(moment) });
        }
        let shown: DateTime = value.parse().ok()?;
        Some(Self { date: shown.date(), time: shown.time(), moment: None })
    }
}

impl AroundDate {
    /// So long after the date, or before it if the length is negative; at a time of day, if not at its own. The beginning of
    /// a day is the own time of a date.
    pub fn new(offset: Duration, at: Option<Time>, every_year: bool, zone: TimeZone) -> Self {
        Self { offset, at, every_year, zone, days: None }
    }

    /// The same on the business days of a calendar only.
    #[must_use]
    pub fn on_business_days(self, rule: BusinessDays, calendar: Calendar) -> Self {
        Self { days: Some((rule, calendar)), ..self }
    }

    /// Whether it comes again in each year.
    pub fn is_yearly(&self) -> bool {
        self.every_year
    }

    /// The first time after another one, of a date that a field has; `None` if there is none, or the value is no date.
    pub fn next_after(&self, value: &str, after: Timestamp) -> Option<RecurrenceTime> {
        let base = Base::read(value, &self.zone)?;
        self.years(&base, after).find_map(|year| {
            let planned = self.planned(&base, year)?;
            let at = self.adjusted(planned).filter(|at| *at > after)?;
            Some(RecurrenceTime { at, moved_from: (at != planned).then_some(planned) })
        })
    }

    /// Whether a time is one of a date that a field has, before business days move it.
    pub fn plans(&self, value: &str, planned: Timestamp) -> bool {
        let Some(base) = Base::read(value, &self.zone) else { return false };
        self.years(&base, planned).any(|year| self.planned(&base, year) == Some(planned))
    }

    /// The time to which business days move another one; `None` if they skip it.
    pub fn adjusted(&self, planned: Timestamp) -> Option<Timestamp> {
        match &self.days {
            None => Some(planned),
            Some((rule, calendar)) => rule.apply(planned, calendar, &self.zone),
        }
    }

    /// The years whose dates may lead to a time, the first first.
    fn years(&self, base: &Base, after: Timestamp) -> impl Iterator<Item = i16> + use<> {
        let own = base.date.year();
        if !self.every_year {
            return own..=own;
        }
        let of_date = self.offset.negated().after(after, &self.zone).unwrap_or(after);
        // One before: business days move a time on into the next year.
        let first = own.max(civil(of_date, &self.zone).year() - 1);
        first..=first.saturating_add(YEARS_MOST)
    }

    /// The time in a year. In a year without 29 February, the 28th stands for it.
    fn planned(&self, base: &Base, year: i16) -> Option<Timestamp> {
        let own = base.moment.filter(|_| self.at.is_none() && year == base.date.year());
        let begin = own.or_else(|| {
            let in_year = |day| Date::new(year, base.date.month(), day).ok();
            let date = in_year(base.date.day()).or_else(|| in_year(28))?;
            moment(date.to_datetime(self.at.unwrap_or(base.time)), &self.zone)
        })?;
        self.offset.after(begin, &self.zone).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(offset: &str, at: &str, every_year: bool) -> AroundDate {
        let zone = TimeZone::get("Europe/Berlin").expect("the zone is known");
        let offset = Duration::parse(offset).expect("it is a length");
        AroundDate::new(offset, at.parse().ok(), every_year, zone)
    }

    fn next(around: &AroundDate, value: &str, after: &str) -> Option<String> {
        around.next_after(value, after.parse().expect("it is a time")).map(|time| time.at.to_string())
    }

    #[test]
    fn a_date_leads_to_a_time_of_day_before_it() {
        let before = around("-60d", "09:00", false);
        // Clocks go forward between the two.
        assert_eq!(next(&before, "2027-05-01", "2027-01-01T00:00:00Z").as_deref(), Some("2027-03-02T08:00:00Z"));
        assert_eq!(next(&before, "2027-05-01", "2027-03-02T08:00:00Z"), None);
        let own = around("0s", "", false);
        assert_eq!(next(&own, "2027-05-01", "2027-01-01T00:00:00Z").as_deref(), Some("2027-04-30T22:00:00Z"));
        assert_eq!(next(&own, "soon", "2027-01-01T00:00:00Z"), None);
    }

    #[test]
    fn a_date_and_time_has_its_own_time_also_where_clocks_show_it_twice() {
        let reminder = around("-15m", "", false);
        let second = "2026-10-25T01:30:00Z";
        assert_eq!(next(&reminder, second, "2026-01-01T00:00:00Z").as_deref(), Some("2026-10-25T01:15:00Z"));
        let morning = around("-1d", "08:00", false);
        assert_eq!(next(&morning, second, "2026-01-01T00:00:00Z").as_deref(), Some("2026-10-24T06:00:00Z"));
    }

    #[test]
    fn each_year_has_its_time_from_the_year_of_the_date_on() {
        let yearly = around("0s", "09:00", true);
        let leap = "2024-02-29";
        assert_eq!(next(&yearly, leap, "2020-01-01T00:00:00Z").as_deref(), Some("2024-02-29T08:00:00Z"));
        assert_eq!(next(&yearly, leap, "2026-06-01T00:00:00Z").as_deref(), Some("2027-02-28T08:00:00Z"));
        assert_eq!(next(&yearly, leap, "2027-12-01T00:00:00Z").as_deref(), Some("2028-02-29T08:00:00Z"));
        // Long before, it falls in the year before.
        let before = around("-3mo", "09:00", true);
        assert_eq!(next(&before, "1990-01-15", "2026-10-15T07:00:00Z").as_deref(), Some("2027-10-15T07:00:00Z"));
        assert!(before.plans("1990-01-15", "2027-10-15T07:00:00Z".parse().expect("it is a time")));
        assert!(!before.plans("1990-01-16", "2027-10-15T07:00:00Z".parse().expect("it is a time")));
    }

    #[test]
    fn business_days_move_it_or_skip_it() {
        let day = around("0s", "09:00", true);
        // 2027-05-01 is a Saturday, and so is the same day of 2032.
        let next_day = day.clone().on_business_days(BusinessDays::Next, Calendar::standard().clone());
        assert_eq!(next(&next_day, "2027-05-01", "2027-05-02T00:00:00Z").as_deref(), Some("2027-05-03T07:00:00Z"));
        assert_eq!(next(&next_day, "2027-05-01", "2027-05-03T07:00:00Z").as_deref(), Some("2028-05-01T07:00:00Z"));
        let skip = day.on_business_days(BusinessDays::Skip, Calendar::standard().clone());
        assert_eq!(next(&skip, "2027-05-01", "2027-01-01T00:00:00Z").as_deref(), Some("2028-05-01T07:00:00Z"));
    }
}
