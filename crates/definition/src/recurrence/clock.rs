//! Times of day in a time zone, and the bounds of a schedule.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::ORIGIN;

/// The moment at which clocks of a zone show a time: the first one if they show it twice, and the first after the gap if they
/// never show it.
pub(super) fn moment(civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
        AmbiguousOffset::Gap { .. } => {
            let before = ambiguous.earlier().ok()?;
            zone.following(before).next().map(|transition| transition.timestamp())
        }
    }
}

/// What the clocks of a zone show.
pub(super) fn civil(at: Timestamp, zone: &TimeZone) -> DateTime {
    zone.to_datetime(at)
}

/// The midnight from which steps are counted.
pub(super) fn origin(zone: &TimeZone) -> Option<Timestamp> {
    moment(ORIGIN.to_datetime(Time::midnight()), zone)
}

/// Which end of a day a date stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Its first moment.
    Starts,
    /// Its last moment.
    Ends,
}

/// Reads a bound: a time with an offset, or a date or a time of day in the zone.
pub(crate) fn bound(text: &str, which: Bound, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if text.len() == "2027-01-31".len() {
        let date: Date = text.parse().ok()?;
        return match which {
            Bound::Starts => moment(date.to_datetime(Time::midnight()), zone),
            Bound::Ends => {
                let next = moment(date.tomorrow().ok()?.to_datetime(Time::midnight()), zone)?;
                next.checked_sub(jiff::SignedDuration::from_nanos(1)).ok()
            }
        };
    }
    // A time without an offset; one with a zone's name is read by nothing here.
    let civil = if text.contains(['[', 'Z', 'z']) { None } else { text.parse::<DateTime>().ok() };
    moment(civil?, zone)
}
