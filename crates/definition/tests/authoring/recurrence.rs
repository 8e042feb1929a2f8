//! When patterns fire: as python-dateutil and croniter say, with changes of clocks, and within bounds.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::{BusinessDays, Calendar, Duration, Pattern, Recurrence};
use proptest::prelude::*;
use serde_json::Value;

/// Written by `files/recurrence.py`.
const SAID: &str = include_str!("files/recurrence.json");

fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text} is no time: {error}"))
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("the zone is known")
}

fn of(pattern: Pattern<'_>, zone_name: &str) -> Recurrence {
    Recurrence::new(pattern, zone(zone_name), (None, None)).unwrap_or_else(|why| panic!("{pattern:?}: {why}"))
}

fn next(recurrence: &Recurrence, after: &str, count: usize) -> Vec<String> {
    recurrence.all_after(time(after)).take(count).map(|at| at.to_string()).collect()
}

/// Holds a kind of patterns against what another program says; returns how many there are.
fn held<'a>(said: &'a Value, kind: &str, pattern: fn(&'a str) -> Pattern<'a>) -> usize {
    let mut wrong = Vec::new();
    let entries = said[kind].as_array().expect("there are entries");
    for entry in entries {
        let text = entry[0].as_str().expect("a pattern");
        let after = entry[1].as_str().expect("a time");
        let expected: Vec<_> = entry[2]
            .as_array()
            .expect("times")
            .iter()
            .map(|at| time(at.as_str().expect("a time")).to_string())
            .collect();
        let found = match Recurrence::new(pattern(text), TimeZone::UTC, (None, None)) {
            Ok(recurrence) => next(&recurrence, after, 6),
            Err(why) => vec![why],
        };
        let found: Vec<_> = found.into_iter().filter(|at| at.as_str() < "2061").take(expected.len().max(1)).collect();
        if found != expected {
            wrong.push(format!("{text}\nafter {after}: expected {expected:?}\nfound {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {}", wrong.len(), entries.len(), wrong[..wrong.len().min(3)].join("\n\n"));
    entries.len()
}

#[test]
fn rules_fire_as_dateutil_says() {
    let said: Value = serde_json::from_str(SAID).expect("it is JSON");
    assert_eq!(held(&said, "rrule", Pattern::Rrule), 400);
}

#[test]
fn cron_fires_as_croniter_says() {
    let said: Value = serde_json::from_str(SAID).expect("it is JSON");
    assert_eq!(held(&said, "cron", Pattern::Cron), 400);
}

#[test]
fn what_clocks_skip_fires_after_the_gap_and_what_they_repeat_fires_once() {
    for pattern in [Pattern::Cron("30 2 * * *"), Pattern::Rrule("FREQ=DAILY;BYHOUR=2;BYMINUTE=30")] {
        let daily = of(pattern, "Europe/Berlin");
        let spring = ["2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"];
        assert_eq!(next(&daily, "2027-03-26T12:00:00Z", 3), spring, "{pattern:?}");
        let autumn = ["2027-10-30T00:30:00Z", "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"];
        assert_eq!(next(&daily, "2027-10-29T12:00:00Z", 3), autumn, "{pattern:?}");
    }
    // A whole day is skipped.
    let apia = of(Pattern::Cron("0 9 * * *"), "Pacific/Apia");
    assert_eq!(
        next(&apia, "2011-12-29T00:00:00Z", 3),
        ["2011-12-29T19:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T19:00:00Z"]
    );
}

#[test]
fn what_recurs_in_real_time_runs_through_a_change_of_clocks() {
    let quarters = of(Pattern::Cron("*/30 * * * *"), "Europe/Berlin");
    let around: Vec<_> = next(&quarters, "2027-10-31T00:20:00Z", 4).iter().map(|at| at[11..16].to_owned()).collect();
    assert_eq!(around, ["00:30", "01:00", "01:30", "02:00"]);
    let six_hours = of(Pattern::Every(Duration::parse("6h").expect("a length")), "Europe/Berlin");
    let all = next(&six_hours, "2027-03-27T20:00:00Z", 2);
    assert_eq!(all, ["2027-03-27T23:00:00Z", "2027-03-28T05:00:00Z"]);
}

#[test]
fn lengths_are_counted_from_the_start_on_the_calendar() {
    let every = |length: &str, starts: Option<&str>| {
        let length = Duration::parse(length).expect("a length");
        Recurrence::new(Pattern::Every(length), zone("Europe/Berlin"), (starts.map(time), None)).expect("a pattern")
    };
    let daily = every("1d", Some("2027-03-27T08:00:00Z"));
    assert_eq!(
        next(&daily, "2027-01-01T00:00:00Z", 3),
        ["2027-03-27T08:00:00Z", "2027-03-28T07:00:00Z", "2027-03-29T07:00:00Z"]
    );
    let monthly = every("1mo", Some("2027-01-31T08:00:00Z"));
    assert_eq!(next(&monthly, "2027-01-31T08:00:00Z", 2), ["2027-02-28T08:00:00Z", "2027-03-31T07:00:00Z"]);
    assert_eq!(next(&monthly, "2061-01-31T08:00:00Z", 1), ["2061-02-28T08:00:00Z"]);
    // Without a start: weeks begin on Monday.
    assert_eq!(next(&every("1w", None), "2027-01-01T00:00:00Z", 1), ["2027-01-03T23:00:00Z"]);
    for wrong in ["30s", "0s", "-1d", "1mo -1d"] {
        let length = Duration::parse(wrong).expect("a length");
        assert!(Recurrence::new(Pattern::Every(length), TimeZone::UTC, (None, None)).is_err(), "{wrong}");
    }
}

#[test]
fn a_whole_text_brings_its_zone_its_dates_and_what_is_left_out() {
    let text = "DTSTART;TZID=America/New_York:20270104T090000\nRRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20270125T140000Z\n\
                RDATE;TZID=Europe/Berlin:20270106T180000,20270107T180000\nEXDATE:20270111T140000Z";
    let weekly = of(Pattern::Rrule(text), "UTC");
    let all = [
        "2027-01-04T14:00:00Z",
        "2027-01-06T17:00:00Z",
        "2027-01-07T17:00:00Z",
        "2027-01-18T14:00:00Z",
        "2027-01-25T14:00:00Z",
    ];
    assert_eq!(next(&weekly, "2027-01-01T00:00:00Z", 9), all);
    let days = of(Pattern::Rrule("DTSTART;VALUE=DATE:20270104\nRRULE:FREQ=DAILY;UNTIL=20270105"), "Asia/Tokyo");
    assert_eq!(next(&days, "2027-01-01T00:00:00Z", 9), ["2027-01-03T15:00:00Z", "2027-01-04T15:00:00Z"]);
}

#[test]
fn what_never_fires_and_what_is_costly_comes_to_an_end() {
    for pattern in [
        Pattern::Cron("0 0 30 2 *"),
        Pattern::Cron("* * 31 2,4,6,9,11 *"),
        Pattern::Rrule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
        Pattern::Rrule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
        Pattern::Rrule("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31"),
        Pattern::Rrule("FREQ=HOURLY;INTERVAL=2;BYHOUR=1"),
    ] {
        assert_eq!(of(pattern, "America/New_York").next_after(time("2027-01-01T00:00:00Z")), None, "{pattern:?}");
    }
    let minutely = of(Pattern::Rrule("DTSTART:19700101T000000Z\nRRULE:FREQ=MINUTELY"), "UTC");
    assert_eq!(next(&minutely, "2099-01-01T00:00:30Z", 1), ["2099-01-01T00:01:00Z"]);
    let last = "9999-12-30T00:00:00Z";
    for pattern in [
        Pattern::Cron("* * * * *"),
        Pattern::Every(Duration::parse("1m").expect("a length")),
        Pattern::Rrule("FREQ=MINUTELY"),
    ] {
        let _ = of(pattern, "UTC").next_after(time(last));
    }
}

#[test]
fn wrong_patterns_say_what_was_expected() {
    let why = |pattern| Recurrence::new(pattern, TimeZone::UTC, (None, None)).expect_err("it is wrong");
    let many = "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7;BYMINUTE=".to_owned()
        + &(0..60).map(|minute| minute.to_string()).collect::<Vec<_>>().join(",");
    for (pattern, expected) in [
        (Pattern::Cron("0 0 3 * * *"), "expected five fields of cron"),
        (Pattern::Cron("61 * * * *"), "expected a cron pattern"),
        (Pattern::Cron("@sometimes"), "expected a cron pattern"),
        (Pattern::Rrule("FREQ=SECONDLY"), "expected FREQ=YEARLY"),
        (Pattern::Rrule("FREQ=HOURLY;BYMONTH=1"), "BYMONTH makes no sense beside FREQ=HOURLY"),
        (Pattern::Rrule("FREQ=DAILY;COUNT=5"), "expected DTSTART or `starts` beside COUNT"),
        (Pattern::Rrule("INTERVAL=2"), "expected `RRULE:FREQ=...`"),
        (Pattern::Rrule("DTSTART:20270101T000000Z"), "expected a rule such as"),
        (Pattern::Rrule("DTSTART;TZID=Mars/Olympus:20270101T000000\nRRULE:FREQ=DAILY"), "expected a time zone"),
        (Pattern::Rrule("EXRULE:FREQ=DAILY"), "expected DTSTART, RRULE, RDATE or EXDATE"),
        (Pattern::Rrule("FREQ=DAILY;BYSECOND=0,30"), "expected one second"),
        (Pattern::Rrule(&many), "expected at most 288 times a day"),
        (Pattern::Rrule("FREQ=DAILY;INTERVAL=0"), "expected INTERVAL from 1"),
        (Pattern::Rrule("FREQ=DAILY;BYMONTH=13"), "the rule cannot be read"),
        (Pattern::Rrule("FREQ=WEEKLY;BYDAY=MO,Uß"), "expected BYDAY such as `MO,-1FR`, found \"Uß\""),
        (Pattern::Rrule("FREQ=WEEKLY;BYDAY=MO,U\u{fffd}"), "expected BYDAY"),
        (Pattern::Rrule("FREQ=WEEKLY;BYDAY=XMO"), "expected BYDAY"),
        (Pattern::Rrule("FREQ=MONTHLY;BYDAY=99MO"), "expected BYDAY"),
        (Pattern::Rrule("FREQ=DAILY;BYHOUR=0;BYHOUR=23"), "expected \"BYHOUR\" once in a rule"),
        (Pattern::Rrule("FREQ=HOURLY;BYWEEKDAY=MO"), "expected a part of a rule such as BYDAY, found \"BYWEEKDAY\""),
    ] {
        let found = why(pattern);
        assert!(found.starts_with(expected), "{pattern:?}: {found}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn firings_only_go_forward_and_none_is_passed_over(
        minute in 0_u8..60, hour in 0_u8..24, seconds in 1_767_225_600_i64..1_830_000_000, back in 1_i64..100_000,
        zone_name in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
        kind in 0_u8..4,
    ) {
        let cron = format!("{minute} {hour} * * *");
        let rule = format!("FREQ=DAILY;BYHOUR={hour};BYMINUTE={minute}");
        let wide = format!("{minute} * * * *");
        let pattern = match kind {
            0 => Pattern::Cron(&cron),
            1 => Pattern::Rrule(&rule),
            2 => Pattern::Cron(&wide),
            _ => Pattern::Every(Duration::parse("90m").expect("a length")),
        };
        let recurrence = of(pattern, zone_name);
        let after = Timestamp::from_second(seconds).expect("a time");
        let next = recurrence.next_after(after).expect("it fires");
        prop_assert!(next > after);
        // From any earlier time the same firing is met.
        let earlier = Timestamp::from_second(seconds - back).expect("a time");
        let met = recurrence.all_after(earlier).find(|at| *at > after);
        prop_assert_eq!(met, Some(next));
    }
}

/// On business days, with a holiday on Monday, 7 December 2026.
fn on(rule: BusinessDays, pattern: Pattern<'_>, zone_name: &str) -> Recurrence {
    let holidays = [jiff::civil::date(2026, 12, 7)].into();
    of(pattern, zone_name).on_business_days(rule, Calendar::of_holidays(holidays))
}

#[test]
fn firings_on_other_days_than_business_days_do_not_happen() {
    let nightly = on(BusinessDays::Skip, Pattern::Cron("0 9 * * *"), "Europe/Berlin");
    let firings = ["2026-12-04T08:00:00Z", "2026-12-08T08:00:00Z", "2026-12-09T08:00:00Z"];
    assert_eq!(next(&nightly, "2026-12-03T12:00:00Z", 3), firings);
    let sundays = on(BusinessDays::Skip, Pattern::Rrule("FREQ=WEEKLY;BYDAY=SU"), "UTC");
    assert_eq!(next(&sundays, "2026-12-03T12:00:00Z", 1), [""; 0]);
}

#[test]
fn firings_move_to_the_next_business_day_at_the_same_time() {
    let fifth = on(BusinessDays::Next, Pattern::Cron("0 9 5 * *"), "Europe/Berlin");
    // A Saturday before a Monday that is a holiday; and a Tuesday.
    assert_eq!(next(&fifth, "2026-12-01T00:00:00Z", 2), ["2026-12-08T08:00:00Z", "2027-01-05T08:00:00Z"]);
    // Asked for on a day between, it is still to come; at its time it is over.
    assert_eq!(next(&fifth, "2026-12-06T12:00:00Z", 1), ["2026-12-08T08:00:00Z"]);
    assert_eq!(next(&fifth, "2026-12-08T08:00:00Z", 1), ["2027-01-05T08:00:00Z"]);
    let moved = fifth.time_after(time("2026-12-01T00:00:00Z")).expect("it fires");
    assert_eq!(moved.moved_from, Some(time("2026-12-05T08:00:00Z")));
}

#[test]
fn firings_that_fall_on_one_business_day_are_those_of_one_day() {
    let daily = on(BusinessDays::Next, Pattern::Cron("0 9,17 * * *"), "UTC");
    let firings = ["2026-12-04T17:00:00Z", "2026-12-08T09:00:00Z", "2026-12-08T17:00:00Z", "2026-12-09T09:00:00Z"];
    assert_eq!(next(&daily, "2026-12-04T12:00:00Z", 4), firings);
    // Of a Saturday and a Sunday those of the Sunday move.
    let weekends = on(BusinessDays::Next, Pattern::Cron("0 9,17 * * 6,0"), "UTC");
    let firings = ["2026-12-08T09:00:00Z", "2026-12-08T17:00:00Z", "2026-12-14T09:00:00Z"];
    assert_eq!(next(&weekends, "2026-12-04T12:00:00Z", 3), firings);
    // Between two that were moved, the second is still to come.
    assert_eq!(next(&weekends, "2026-12-08T12:00:00Z", 1), ["2026-12-08T17:00:00Z"]);
}

#[test]
fn a_moved_firing_takes_part_in_a_change_of_clocks() {
    // Moved from Saturday to a Monday on which clocks have gone forward.
    let saturdays = on(BusinessDays::Next, Pattern::Cron("30 2 * * 6"), "Europe/Berlin");
    assert_eq!(next(&saturdays, "2026-03-27T12:00:00Z", 1), ["2026-03-30T00:30:00Z"]);
}

proptest! {
    #[test]
    fn what_moves_is_never_lost_nor_before_its_time(hour in 0..24_u8, day in 1..29_u8, start in 1_700_000_000_i64..1_900_000_000) {
        let pattern = format!("15 {hour} {day} * *");
        let (plain, moved) = (of(Pattern::Cron(&pattern), "America/New_York"), on(BusinessDays::Next, Pattern::Cron(&pattern), "America/New_York"));
        let start = Timestamp::from_second(start).expect("it is in range");
        let times: Vec<_> = moved.all_times_after(start).take(6).collect();
        for pair in times.windows(2) {
            prop_assert!(pair[0].at < pair[1].at);
        }
        // From the first firing on that was planned after the start, each month has one.
        let planned: Vec<_> = times.iter().map(|one| one.moved_from.unwrap_or(one.at)).collect();
        let expected: Vec<_> = plain.all_after(planned[0] - jiff::SignedDuration::from_secs(1)).take(6).collect();
        prop_assert_eq!(planned, expected);
    }
}
