//! Business days.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::ExpressionError;
use crate::Calendar;

/// Most business days that are counted at once: some 40 years.
pub(super) const MOST_BUSINESS_DAYS: i64 = 10_000;

/// Moves a time by business days, keeping its time of day: weekends and holidays of the calendar do not count, and the result is never
/// one of them. No days at all leave it as it is.
pub(super) fn add_business_days(
    time: Timestamp,
    days: i64,
    timezone: &TimeZone,
    calendar: &Calendar,
) -> Result<Timestamp, ExpressionError> {
    let zoned = time.to_zoned(timezone.clone());
    let step = days.signum().days();
    let mut date = zoned.date();
    let mut left = days.unsigned_abs();
    while left > 0 {
        date = date.checked_add(step).map_err(|_| out_of_range(time, days))?;
        if calendar.is_business_day(date) {
            left -= 1;
        }
    }
    let moved = date.to_datetime(zoned.time()).to_zoned(timezone.clone());
    moved.map(|moved| moved.timestamp()).map_err(|_| out_of_range(time, days))
}

fn out_of_range(time: Timestamp, days: i64) -> ExpressionError {
    ExpressionError::value(format!("{time} and {days} business days give a time out of range"))
}
