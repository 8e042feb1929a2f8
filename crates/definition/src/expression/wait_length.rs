//! How long a step waits: a length of time, or a number of business days.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::calendar::{MOST_BUSINESS_DAYS, add_business_days};
use super::{Duration, ExpressionError};
use crate::Calendar;

/// How long a step waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitLength {
    /// A length of time.
    Span(Duration),
    /// So many business days, at the same time of day: `3 business days`.
    BusinessDays(i64),
}

impl WaitLength {
    /// Reads a length; `None` if the value is none.
    pub fn from_value(value: &Value) -> Option<Self> {
        let days = value.as_str().and_then(business_days).map(Self::BusinessDays);
        days.or_else(|| Duration::from_value(value).ok().map(Self::Span))
    }

    /// Whether it is counted by a calendar.
    pub fn is_business_days(self) -> bool {
        matches!(self, Self::BusinessDays(_))
    }

    /// The time at which it is over.
    ///
    /// # Errors
    /// The time is out of range, or the calendar is not there.
    pub fn after<'c>(
        self,
        start: Timestamp,
        timezone: &TimeZone,
        calendar: impl FnOnce() -> Result<Cow<'c, Calendar>, ExpressionError>,
    ) -> Result<Timestamp, ExpressionError> {
        match self {
            Self::Span(span) => span.after(start, timezone),
            Self::BusinessDays(days) => add_business_days(start, days, timezone, &*calendar()?),
        }
    }
}

/// Reads `3 business days`, `1 business day`.
fn business_days(text: &str) -> Option<i64> {
    let mut words = text.split_ascii_whitespace();
    let (number, business, days) = (words.next()?, words.next()?, words.next()?);
    let is_length = business == "business" && matches!(days, "day" | "days") && words.next().is_none();
    let number = number.parse::<i64>().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()))?;
    (is_length && (1..=MOST_BUSINESS_DAYS).contains(&number)).then_some(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn business_days_are_written_out() {
        for (text, days) in
            [("3 business days", Some(3)), ("1 business day", Some(1)), ("10000 business days", Some(10_000))]
        {
            assert_eq!(WaitLength::from_value(&json!(text)), days.map(WaitLength::BusinessDays), "{text}");
        }
        for text in [
            "0 business days",
            "-1 business days",
            "+1 business days",
            "1.5 business days",
            "3 business",
            "10001 business days",
            "3 business days 2h",
        ] {
            assert_eq!(WaitLength::from_value(&json!(text)), None, "{text}");
        }
        assert!(matches!(WaitLength::from_value(&json!("2d")), Some(WaitLength::Span(_))));
        assert!(matches!(WaitLength::from_value(&json!(90)), Some(WaitLength::Span(_))));
    }
}
