//! `Retry-After`.

use jiff::Timestamp;

/// The seconds that a header `Retry-After` asks to wait: it is a number of them, or a date (RFC 9110, section 10.2.3).
pub(super) fn seconds(header: &str, now: Timestamp) -> Option<u64> {
    let header = header.trim();
    header.parse().ok().or_else(|| {
        let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(header).ok()?;
        u64::try_from(at.duration_since(now).as_secs()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_number_of_seconds_or_a_date() {
        let now = "2026-11-28T12:00:00Z".parse().expect("a time");
        for (header, expected) in [
            (" 20 ", Some(20)),
            ("Sat, 28 Nov 2026 12:00:04 GMT", Some(4)),
            ("Sat, 28 Nov 2026 11:00:00 GMT", None),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(seconds(header, now), expected, "{header}");
        }
    }
}
