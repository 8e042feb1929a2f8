//! Cron patterns and recurrence rules.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::{Pattern, Recurrence};

use crate::Random;

/// A search takes at most so long, also in a build that is not optimised.
const LONGEST: Duration = Duration::from_secs(10);

const FIELDS: [&str; 20] = [
    "*", "*/5", "0", "59", "23", "31", "1-5", "MON-FRI", "L", "15W", "5#3", "?", "*/0", "99999", "1,2,,3", "JAN",
    "5-1", "@daily", "-1", "0/2",
];

const PARTS: [&str; 26] = [
    "FREQ=DAILY",
    "FREQ=YEARLY",
    "FREQ=MONTHLY",
    "FREQ=WEEKLY",
    "FREQ=HOURLY",
    "FREQ=MINUTELY",
    "FREQ=SECONDLY",
    "INTERVAL=2",
    "INTERVAL=0",
    "INTERVAL=9999",
    "COUNT=3",
    "COUNT=9999",
    "UNTIL=20270101T000000Z",
    "UNTIL=99991231",
    "BYMONTH=2",
    "BYMONTHDAY=30",
    "BYMONTHDAY=-1",
    "BYDAY=-1FR",
    "BYDAY=MO,TU",
    "BYSETPOS=-1",
    "BYSETPOS=366",
    "BYYEARDAY=366",
    "BYWEEKNO=53",
    "BYHOUR=0,23",
    "BYMINUTE=0,30",
    "WKST=SU",
];

pub(super) fn make_cron(random: &mut Random) -> Vec<u8> {
    let fields: Vec<_> =
        (0..if random.one_in(4) { random.below(8) } else { 5 }).map(|_| random.pick(&FIELDS)).collect();
    fields.join(" ").into_bytes()
}

pub(super) fn make_rule(random: &mut Random) -> Vec<u8> {
    let mut lines = Vec::new();
    if random.one_in(2) {
        let start = [
            "DTSTART:20260101T090000Z",
            "DTSTART;TZID=America/New_York:20250309T023000",
            "DTSTART:19700101T000000Z",
            "DTSTART;VALUE=DATE:20260229",
            "DTSTART:99991231T235959Z",
        ];
        lines.push(random.pick(&start).to_owned());
    }
    for _ in 0..=random.below(2) {
        let mut parts = vec![random.pick(&PARTS[..6])];
        parts.extend((0..random.below(6)).map(|_| random.pick(&PARTS)));
        lines.push(format!("RRULE:{}", parts.join(";")));
    }
    if random.one_in(4) {
        lines.push(
            random
                .pick(&[
                    "EXDATE:20260101T090000Z",
                    "RDATE:20260704T120000Z,99991231T000000Z",
                    "RDATE;VALUE=PERIOD:x",
                    "EXRULE:FREQ=DAILY",
                ])
                .to_owned(),
        );
    }
    lines.join("\n").into_bytes()
}

pub(super) fn cron(input: &[u8]) {
    held(Pattern::Cron(&String::from_utf8_lossy(input)));
}

pub(super) fn rule(input: &[u8]) {
    held(Pattern::Rrule(&String::from_utf8_lossy(input)));
}

/// What can be read fires later than it was asked for, in its order, and each search comes to an end soon.
fn held(pattern: Pattern<'_>) {
    for zone in ["UTC", "Europe/Berlin", "Pacific/Apia"] {
        let zone = TimeZone::get(zone).expect("the zone is known");
        let Ok(recurrence) = Recurrence::new(pattern, zone, (None, None)) else { return };
        for after in ["2011-12-29T12:00:00Z", "2026-03-28T23:59:59.5Z", "2040-02-29T00:00:00Z"] {
            let mut after: Timestamp = after.parse().expect("a constant time is one");
            for _ in 0..3 {
                let began = Instant::now();
                let next = recurrence.next_after(after);
                assert!(began.elapsed() < LONGEST, "{pattern:?} after {after} took {:?}", began.elapsed());
                let Some(next) = next else { break };
                assert!(next > after, "{pattern:?}: {next} is not after {after}");
                after = next;
            }
        }
    }
}
