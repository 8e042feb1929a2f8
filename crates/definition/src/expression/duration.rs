//! Lengths of time as authors write them: `2d 3h`.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ExpressionError;
use super::error::shortened;

/// Most days and months that a duration may have: 20,000 years, from the first time that there is to the last.
const MOST_DAYS: i64 = 7_310_000;
const MOST_MONTHS: i64 = 240_000;
const MOST_SECONDS: i64 = MOST_DAYS * 86_400;

/// A length of time: `2d 3h`, `15m`, `1h30m`, `45s`, `1w`, `2mo`, `500ms`, or ISO 8601 `P2DT3H`; a number is seconds.
///
/// Units: `y`, `mo`, `w`, `d`, `h`, `m`, `s`, `ms`, `us`, `ns`, and their names. A sign counts for all that follows it:
/// `-2d 3h` is two days and three hours back, `1mo -1d` a month less a day. Months and days are calendar units: they keep
/// the time of day in the time zone where they are applied, and the last day of a shorter month stands for a day that it
/// lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Duration {
    months: i64,
    days: i64,
    time: SignedDuration,
}

impl Duration {
    /// Parses a text.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let trimmed = text.trim();
        let iso = trimmed.trim_start_matches(['-', '+']).starts_with(['P', 'p']);
        let parsed = if iso { parse_iso(trimmed) } else { parse_units(trimmed) };
        parsed.and_then(Self::within_bounds).ok_or_else(|| {
            let found = shortened(text);
            ExpressionError::value(format!("expected a duration such as `2d 3h` or `15m`, found {found:?}"))
        })
    }

    /// Reads a JSON value: a text, or a number of seconds.
    pub fn from_value(value: &Value) -> Result<Self, ExpressionError> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => number
                .as_i64()
                .map(SignedDuration::from_secs)
                .or_else(|| SignedDuration::try_from_secs_f64(number.as_f64()?).ok())
                .and_then(Self::from_time)
                .ok_or_else(|| ExpressionError::value(format!("{number} seconds are too many"))),
            other => {
                let found = shortened(&other.to_string());
                Err(ExpressionError::wrong_type(format!("expected a duration such as `2d 3h`, found {found}")))
            }
        }
    }

    /// A length that does not depend on the calendar; `None` beyond 20,000 years.
    pub fn from_time(time: SignedDuration) -> Option<Self> {
        Self { time, ..Self::default() }.within_bounds()
    }

    /// A number of calendar months; `None` beyond 20,000 years.
    pub fn from_months(months: i64) -> Option<Self> {
        Self { months, ..Self::default() }.within_bounds()
    }

    /// A number of calendar days; `None` beyond 20,000 years.
    pub fn from_days(days: i64) -> Option<Self> {
        Self { days, ..Self::default() }.within_bounds()
    }

    /// The time that is this long after another: months first, then days, then hours and below.
    ///
    /// Months and days are counted on the calendar of the time zone; a time of day that a change of clocks skips moves
    /// forward. Fails with `expression_value` outside the years -9999 to 9999.
    pub fn after(&self, time: Timestamp, timezone: &TimeZone) -> Result<Timestamp, ExpressionError> {
        let calendar = || {
            if self.months == 0 && self.days == 0 {
                return Some(time);
            }
            let zoned = time.to_zoned(timezone.clone());
            let zoned = zoned.checked_add(Span::new().try_months(self.months).ok()?).ok()?;
            let zoned = zoned.checked_add(Span::new().try_days(self.days).ok()?).ok()?;
            Some(zoned.timestamp())
        };
        calendar()
            .and_then(|moved| moved.checked_add(self.time).ok())
            .ok_or_else(|| ExpressionError::value(format!("{time} and {self} give a time out of range")))
    }

    /// Its whole seconds, a day as 24 hours and a month as 30 days.
    pub fn as_seconds(&self) -> i64 {
        self.approximate().as_secs()
    }

    /// Its length, a day as 24 hours and a month as 30 days.
    pub fn approximate(&self) -> SignedDuration {
        // Fits: within_bounds holds for every value, and its bounds are far inside the range.
        SignedDuration::from_hours(24 * (self.days + 30 * self.months)) + self.time
    }

    /// Its length if it does not depend on the calendar, a day as 24 hours; `None` if it has months.
    pub fn fixed(&self) -> Option<SignedDuration> {
        (self.months == 0).then(|| self.approximate())
    }

    /// The sum of two, unless it is out of bounds.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (months, days) = (self.months + other.months, self.days + other.days);
        Self { months, days, time: self.time.checked_add(other.time)? }.within_bounds()
    }

    /// So many of it; `None` beyond 20,000 years.
    pub(crate) fn times(self, times: i64) -> Option<Self> {
        let seconds = i64::try_from(self.time.as_nanos().checked_mul(i128::from(times))? / 1_000_000_000).ok()?;
        let nanos = i32::try_from(self.time.as_nanos().checked_mul(i128::from(times))? % 1_000_000_000).ok()?;
        let (months, days) = (self.months.checked_mul(times)?, self.days.checked_mul(times)?);
        Self { months, days, time: SignedDuration::new(seconds, nanos) }.within_bounds()
    }

    /// Its months, its days, and what is below.
    pub(crate) fn parts(&self) -> (i64, i64, SignedDuration) {
        (self.months, self.days, self.time)
    }

    /// Whether a part of it goes back: `1mo -1d`.
    pub(crate) fn has_parts_back(&self) -> bool {
        self.months < 0 || self.days < 0 || self.time.is_negative()
    }

    /// The same length in the other direction.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { months: -self.months, days: -self.days, time: -self.time }
    }

    fn within_bounds(self) -> Option<Self> {
        let fits = self.months.unsigned_abs() <= MOST_MONTHS.unsigned_abs()
            && self.days.unsigned_abs() <= MOST_DAYS.unsigned_abs()
            && self.time.as_secs().unsigned_abs() <= MOST_SECONDS.unsigned_abs();
        fits.then_some(self)
    }
}

fn parse_iso(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let time = span.months(0).years(0).weeks(0).days(0);
    Some(Duration {
        months: i64::from(span.get_years()) * 12 + i64::from(span.get_months()),
        days: i64::from(span.get_weeks()) * 7 + i64::from(span.get_days()),
        time: SignedDuration::try_from(time).ok()?,
    })
}

fn parse_units(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::default());
    }
    let mut duration = Duration::default();
    let (mut sign, mut rest) = (1, text);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(['-', '+']) {
            sign = if rest.starts_with('-') { -1 } else { 1 };
            rest = after.trim_start();
        }
        let (number, after) = split_while(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split_while(after.trim_start(), |c| c.is_ascii_alphabetic());
        add_unit(&mut duration, sign, number, unit)?;
        rest = after.trim_start_matches([',', ' ', '\t']);
    }
    (!text.is_empty()).then_some(duration)
}

fn split_while(text: &str, inside: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !inside(c)).unwrap_or(text.len()))
}

fn add_unit(duration: &mut Duration, sign: i64, number: &str, unit: &str) -> Option<()> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let calendar = |each: i64| {
        let count = whole.parse::<i64>().ok().filter(|_| !number.contains('.'))?;
        count.checked_mul(each)?.checked_mul(sign)
    };
    match unit {
        "y" | "year" | "years" => duration.months = duration.months.checked_add(calendar(12)?)?,
        "mo" | "month" | "months" => duration.months = duration.months.checked_add(calendar(1)?)?,
        "w" | "week" | "weeks" => duration.days = duration.days.checked_add(calendar(7)?)?,
        "d" | "day" | "days" => duration.days = duration.days.checked_add(calendar(1)?)?,
        _ => {
            let each = nanoseconds_of(unit)?;
            let part = fraction.get(..9).unwrap_or(fraction);
            let scale = 10_i128.pow(u32::try_from(part.len()).ok()?);
            let nanos = whole.parse::<i128>().ok()?.checked_mul(each)? + part.parse::<i128>().ok()? * each / scale;
            let nanos = SignedDuration::try_from_nanos_i128(nanos.checked_mul(i128::from(sign))?)?;
            duration.time = duration.time.checked_add(nanos)?;
        }
    }
    Some(())
}

fn nanoseconds_of(unit: &str) -> Option<i128> {
    Some(match unit {
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" => 1_000,
        "ns" => 1,
        _ => return None,
    })
}

impl std::fmt::Display for Duration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nanos = i64::from(self.time.subsec_nanos());
        let seconds = self.time.as_secs();
        let parts = [
            (self.months / 12, "y"),
            (self.months % 12, "mo"),
            (self.days, "d"),
            (seconds / 3600, "h"),
            (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
            (nanos / 1_000_000, "ms"),
            (nanos / 1_000 % 1_000, "us"),
            (nanos % 1_000, "ns"),
        ];
        let (mut negative, mut first) = (false, true);
        for (count, unit) in parts.into_iter().filter(|(count, _)| *count != 0) {
            let space = if first { "" } else { " " };
            let sign = match (negative, count < 0) {
                (false, true) => "-",
                (true, false) => "+",
                _ => "",
            };
            (negative, first) = (count < 0, false);
            write!(f, "{space}{sign}{}{unit}", count.unsigned_abs())?;
        }
        if first { f.write_str("0s") } else { Ok(()) }
    }
}

impl std::str::FromStr for Duration {
    type Err = ExpressionError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Duration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "describe")]
impl schemars::JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "integer"],
            "description": "A length of time such as `2d 3h`, `15m` or `P2D`; a number is seconds.",
            "examples": ["2d 3h", "15m", "1w"],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(text: &str) -> String {
        match Duration::parse(text) {
            Ok(duration) => duration.to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn later(start: &str, timezone: &str, duration: &str) -> String {
        let timezone = TimeZone::get(timezone).expect("the time zone is known");
        let start = start.parse().expect("the start is a time");
        let end = Duration::parse(duration).expect("the duration parses").after(start, &timezone);
        end.map_or_else(|error| error.to_string(), |end| end.to_string())
    }

    #[test]
    fn durations_are_read_as_authors_write_them() {
        for (text, expected) in [
            ("2d 3h", "2d 3h"),
            ("15m", "15m"),
            ("1h30m", "1h 30m"),
            ("90m", "1h 30m"),
            ("45s", "45s"),
            ("1w", "7d"),
            ("2mo", "2mo"),
            ("14mo", "1y 2mo"),
            ("500ms", "500ms"),
            ("1.5h", "1h 30m"),
            ("0.25s", "250ms"),
            ("2 days, 3 hours", "2d 3h"),
            ("  1 month ", "1mo"),
            ("P2D", "2d"),
            ("P1Y2M3W4DT5H6M7.5S", "1y 2mo 25d 5h 6m 7s 500ms"),
            ("pt5m", "5m"),
            ("-P1D", "-1d"),
            ("-2d 3h", "-2d 3h"),
            ("-60d", "-60d"),
            ("1mo -1d", "1mo -1d"),
            ("-1mo +1d", "-1mo +1d"),
            ("0", "0s"),
            ("0s", "0s"),
        ] {
            assert_eq!(check(text), expected, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "  ", "2", "d", "2 parsecs", "1.5d", "1..5s", "--1d", "2d3", "1h x", "P", "PX", "999999999999999999y"]
        {
            let message = format!("bad value: expected a duration such as `2d 3h` or `15m`, found {text:?}");
            assert_eq!(check(text), message);
        }
    }

    #[test]
    fn numbers_are_seconds() {
        let read = |value| Duration::from_value(&value).map_err(|error| error.to_string());
        assert_eq!(read(json!(90)).map(|d| d.to_string()), Ok("1m 30s".into()));
        assert_eq!(read(json!(1.5)).map(|d| d.to_string()), Ok("1s 500ms".into()));
        assert!(read(json!(1e300)).is_err_and(|error| error.contains("too many")));
        assert!(read(json!(i64::MAX)).is_err_and(|error| error.contains("too many")));
        let message = "wrong type: expected a duration such as `2d 3h`, found null";
        assert_eq!(read(json!(null)), Err(message.into()));
    }

    #[test]
    fn calendar_units_keep_the_time_of_day() {
        // Clocks in Berlin go back on 2026-10-25: a day then has 25 hours.
        assert_eq!(later("2026-10-24T10:00:00Z", "Europe/Berlin", "1d"), "2026-10-25T11:00:00Z");
        assert_eq!(later("2026-10-24T10:00:00Z", "Europe/Berlin", "24h"), "2026-10-25T10:00:00Z");
        // They skip 02:00 to 03:00 on 2026-03-29.
        assert_eq!(later("2026-03-28T01:30:00Z", "Europe/Berlin", "1d"), "2026-03-29T01:30:00Z");
        assert_eq!(later("2026-01-31T12:00:00Z", "UTC", "1mo"), "2026-02-28T12:00:00Z");
        assert_eq!(later("2026-01-31T12:00:00Z", "UTC", "1mo -1d 2h"), "2026-02-27T10:00:00Z");
        assert_eq!(later("2024-02-29T00:00:00Z", "UTC", "-1y"), "2023-02-28T00:00:00Z");
    }

    #[test]
    fn a_time_out_of_range_is_an_error() {
        let message = "bad value: 2026-01-01T00:00:00Z and 9000y give a time out of range";
        assert_eq!(later("2026-01-01T00:00:00Z", "UTC", "9000y"), message);
    }

    #[test]
    fn lengths_are_approximate_where_the_calendar_decides() {
        let seconds = |text| Duration::parse(text).expect("the duration parses").as_seconds();
        assert_eq!(seconds("1d"), 86_400);
        assert_eq!(seconds("1mo 1s"), 30 * 86_400 + 1);
        assert_eq!(seconds("-1h"), -3_600);
        assert_eq!(Duration::parse("1mo").expect("the duration parses").fixed(), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(months in -1200..1200_i64, days in -9000..9000_i64, nanos in any::<i64>()) {
            let duration = Duration { months, days, time: SignedDuration::from_nanos(nanos) };
            prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
            let stored = serde_json::to_value(duration).expect("a duration serialises");
            prop_assert_eq!(serde_json::from_value::<Duration>(stored).ok(), Some(duration));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = Duration::parse(&text);
        }

        #[test]
        fn no_text_of_durations_panics(text in "[-+ .0-9PTYMWDHSmsuhdwyon]{0,40}") {
            if let Ok(duration) = Duration::parse(&text) {
                let _ = duration.after(Timestamp::UNIX_EPOCH, &TimeZone::UTC);
                let _ = duration.as_seconds();
            }
        }
    }
}
