//! Times as they are stored: whole microseconds since 1970.

use jiff::{SignedDuration, Timestamp};

/// A time of the past or present, rounded down.
pub(super) fn floor(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// A time that something must not precede, rounded up, so that nothing is early.
pub(super) fn ceil(time: Timestamp) -> i64 {
    let rounded_up = (time.as_nanosecond() + 999).div_euclid(1_000);
    i64::try_from(rounded_up).expect("every timestamp fits in 64 bits of microseconds")
}

/// A time so much later, or the end of time.
pub(super) fn after(time: i64, span: SignedDuration) -> i64 {
    let micros = (span.as_nanos() + 999).div_euclid(1_000);
    time.saturating_add(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// A stored time.
pub(super) fn read(stored: i64) -> Timestamp {
    Timestamp::from_microsecond(stored).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_are_rounded_up() {
        let time = Timestamp::new(10, 1_500).expect("in range");
        assert_eq!((floor(time), ceil(time)), (10_000_001, 10_000_002));
        assert_eq!(ceil(Timestamp::new(10, 1_000).expect("in range")), 10_000_001);
        assert_eq!(ceil(Timestamp::new(10, 0).expect("in range")), 10_000_000);
    }

    #[test]
    fn whole_microseconds_come_back() {
        let time = Timestamp::new(1_767_225_600, 123_456_000).expect("in range");
        assert_eq!(read(ceil(time)), time);
    }
}
