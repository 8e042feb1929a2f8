//! Cron: five fields, as crontab reads them.

use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::clock;

/// Longest pattern, in bytes.
const LONGEST: usize = 256;

/// A pattern.
#[derive(Debug, Clone)]
pub(super) struct Cron(croner::Cron);

impl Cron {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let shown = || {
            let shown: String = text.chars().take(40).collect();
            format!("{shown:?}")
        };
        if text.len() > LONGEST {
            return Err(format!("expected a cron pattern of at most {LONGEST} bytes, found {}", text.len()));
        }
        let fields = text.split_whitespace().count();
        if fields != 5 && !text.trim().starts_with('@') {
            return Err(format!(
                "expected five fields of cron (minute, hour, day, month, day of the week), found {fields} in {}",
                shown()
            ));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        parser.parse(text).map(Self).map_err(|error| format!("expected a cron pattern, found {}: {error}", shown()))
    }

    pub(super) fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let from = after.to_zoned(zone.clone());
        let next = self.0.find_next_occurrence(&from, false).ok().map(|next| next.timestamp());
        next.or_else(|| self.behind_a_day_that_is_skipped(after, zone)).filter(|next| *next > after)
    }

    /// The search gives up at a gap of more than two hours. Samoa skipped a day when it changed sides of the date line.
    fn behind_a_day_that_is_skipped(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let shown = self.0.find_next_occurrence(&clock::civil(after, zone), false).ok()?;
        clock::moment(shown, zone)
    }
}
