//! Times as people read them: in the local time zone, and beside the present.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How times are shown: the present, and a time zone.
#[derive(Debug, Clone)]
pub(crate) struct When {
    pub(crate) now: Timestamp,
    pub(crate) zone: TimeZone,
}

impl When {
    /// The system's clock and time zone.
    pub(crate) fn system() -> Self {
        Self { now: Timestamp::now(), zone: TimeZone::system() }
    }

    /// A time to the second, in the local time zone. A text that is no time stays as it is.
    pub(crate) fn local(&self, text: &str) -> String {
        self.format(text, "%Y-%m-%d %H:%M:%S")
    }

    /// A time to the millisecond, in the local time zone.
    pub(crate) fn local_precise(&self, text: &str) -> String {
        self.format(text, "%Y-%m-%d %H:%M:%S%.3f")
    }

    fn format(&self, text: &str, format: &str) -> String {
        let at: Option<Timestamp> = text.parse().ok();
        at.map_or_else(|| text.to_owned(), |at| at.to_zoned(self.zone.clone()).strftime(format).to_string())
    }

    /// A time with its distance from the present: `2026-11-21 10:00:00 (3 min ago)`.
    pub(crate) fn with_distance(&self, text: &str) -> String {
        let Ok(at) = text.parse::<Timestamp>() else { return text.to_owned() };
        let distance = at.duration_since(self.now);
        let span = span(distance.abs());
        let distance = if distance.is_negative() { format!("{span} ago") } else { format!("in {span}") };
        format!("{} ({distance})", self.local(text))
    }

    /// Whether a time has come.
    pub(crate) fn is_past(&self, text: &str) -> bool {
        text.parse::<Timestamp>().is_ok_and(|at| at <= self.now)
    }
}

/// A span in its two largest units: `12 ms`, `1.5 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
pub(crate) fn span(span: SignedDuration) -> String {
    let (seconds, millis) = (span.as_secs(), span.subsec_millis());
    let two = |large: i64, unit: &str, small: i64, other: &str| {
        if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {other}") }
    };
    match seconds {
        0 => format!("{millis} ms"),
        1..60 if millis < 100 => format!("{seconds} s"),
        1..60 => format!("{seconds}.{} s", millis / 100),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// Reads how long ago (`1h`, `2d 3h`), a date (`2026-11-01`, midnight in the local time zone) or a time.
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    When::system().since(text)
}

impl When {
    fn since(&self, text: &str) -> Result<Timestamp, String> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(at);
        }
        let local = text.parse::<jiff::civil::DateTime>().ok();
        if let Some(at) = local.and_then(|at| at.to_zoned(self.zone.clone()).ok()) {
            return Ok(at.timestamp());
        }
        let ago = pawl_definition::Duration::parse(text).ok();
        let ago = ago.and_then(|ago| self.now.checked_sub(ago.approximate()).ok());
        ago.ok_or_else(|| {
            "expected how long ago (`1h`, `2d`), a date (`2026-11-01`) or a time (`2026-11-21T08:00:00Z`)".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when() -> When {
        let now = "2026-11-21T09:00:00Z".parse().expect("a constant time is one");
        When { now, zone: TimeZone::fixed(jiff::tz::offset(1)) }
    }

    #[test]
    fn times_are_local_and_beside_the_present() {
        assert_eq!(when().with_distance("2026-11-21T08:56:40Z"), "2026-11-21 09:56:40 (3 min 20 s ago)");
        assert_eq!(when().with_distance("2026-11-23T09:00:00Z"), "2026-11-23 10:00:00 (in 2 d)");
        assert_eq!(when().local_precise("2026-11-21T08:56:40.0125Z"), "2026-11-21 09:56:40.012");
        assert_eq!(when().local("soon"), "soon");
    }

    #[test]
    fn spans_are_short() {
        let told = |ms| span(SignedDuration::from_millis(ms));
        assert_eq!(
            [told(0), told(12), told(1_000), told(1_540), told(59_999)],
            ["0 ms", "12 ms", "1 s", "1.5 s", "59.9 s"]
        );
        assert_eq!([told(3_600_000), told(7_500_000), told(90_000_000)], ["1 h", "2 h 5 min", "1 d 1 h"]);
    }

    #[test]
    fn since_takes_how_long_ago_a_date_or_a_time() {
        let since = |text: &str| when().since(text).map(|at| at.to_string());
        assert_eq!(since("1h"), Ok("2026-11-21T08:00:00Z".to_owned()));
        assert_eq!(since("2d 3h"), Ok("2026-11-19T06:00:00Z".to_owned()));
        assert_eq!(since("2026-11-01"), Ok("2026-10-31T23:00:00Z".to_owned()));
        assert_eq!(since("2026-11-21T08:00:00Z"), Ok("2026-11-21T08:00:00Z".to_owned()));
        for wrong in ["yesterday", "", "1", "2026-13-01"] {
            assert!(since(wrong).is_err_and(|told| told.starts_with("expected how long ago")), "{wrong}");
        }
    }
}
