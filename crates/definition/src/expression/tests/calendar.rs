use serde_json::json;

use super::{check_all, check_all_over};

#[test]
fn times_move_by_calendar_units_in_the_workflows_time_zone() {
    check_all(&[
        ("now + days(1)", r#""2026-11-22T08:30:00Z""#),
        ("now - months(1)", r#""2026-10-21T07:30:00Z""#), // Summer time in Berlin: still 09:30 there.
        ("now + months(3) - days(1)", r#""2027-02-20T08:30:00Z""#),
        ("days(1) + now", r#""2026-11-22T08:30:00Z""#),
        ("now + duration('1h 30m')", r#""2026-11-21T10:00:00Z""#),
        ("now + duration('36h')", r#""2026-11-22T20:30:00Z""#),
        ("date('2026-01-31') + months(1)", r#""2026-02-27T23:00:00Z""#),
        ("now + -days(1)", r#""2026-11-20T08:30:00Z""#),
        ("now + (months(1) + days(1))", r#""2026-12-22T08:30:00Z""#),
        (
            "now + 1",
            "expression_type: wrong type: `+` cannot stand between `now` (timestamp) and number: write days(…) or duration(\"…\") around the number",
        ),
        ("now + months(300000)", "expression_value: bad value: months(): 300000 months are too many"),
        (
            "now + months(100000)",
            "expression_value: bad value: 2026-11-21T08:30:00Z and 8333y 4mo give a time out of range",
        ),
        ("days(1.5)", "expression_type: wrong type: days() expects a whole number, found number"),
    ]);
}

#[test]
fn business_days_leave_out_weekends_and_holidays() {
    check_all(&[
        // 2026-11-21 is a Saturday, and Christmas Day a Friday and a holiday.
        ("now + business_days(1)", r#""2026-11-23T08:30:00Z""#),
        ("now + business_days(6)", r#""2026-11-30T08:30:00Z""#),
        ("now - business_days(1)", r#""2026-11-20T08:30:00Z""#),
        ("now + business_days(0)", r#""2026-11-21T08:30:00Z""#),
        ("date('2026-12-24') + business_days(1)", r#""2026-12-27T23:00:00Z""#),
        ("now + (business_days(2) - business_days(1))", r#""2026-11-23T08:30:00Z""#),
        (
            "business_days(3)",
            "expression_type: wrong type: business days are no value by themselves: add them to a time, as in \
             `now + business_days(3)`",
        ),
        (
            "now + business_days(20000)",
            "expression_value: bad value: business_days(): 20000 business days are too many, at most 10000 are counted",
        ),
        (
            "days(1) + business_days(1)",
            "expression_type: wrong type: `+` cannot stand between duration and business days: \
             months have no fixed length, and business days only a calendar",
        ),
    ]);
}

#[test]
fn times_and_durations_are_compared() {
    check_all(&[
        ("now > date('2026-11-21')", "true"),
        ("timestamp('2026-11-21T09:30:00+01:00') == now", "true"),
        ("now - timestamp('2026-11-01T00:00:00Z') > days(20)", "true"),
        ("duration('60m') == duration('1h') && days(1) == duration('24h') && days(2) > duration('47h')", "true"),
        ("months(1) == months(1)", "true"),
        (
            "months(1) > days(30)",
            "expression_type: wrong type: `>` cannot stand between duration and duration: \
             months have no fixed length, and business days only a calendar",
        ),
        ("[now + days(1), now].map(t, t > now)", "[true,false]"),
    ]);
}

#[test]
fn dates_begin_in_the_workflows_time_zone() {
    let roots = json!({"record": {"due": "2026-07-01", "at": "2026-06-30T23:30:00Z", "empty": null}});
    check_all_over(
        &roots,
        &[
            ("date(record.due)", r#""2026-06-30T22:00:00Z""#),
            ("date(record.at)", r#""2026-06-30T22:00:00Z""#),
            ("date(now)", r#""2026-11-20T23:00:00Z""#),
            ("timestamp(record.at)", r#""2026-06-30T23:30:00Z""#),
            ("timestamp(0)", r#""1970-01-01T00:00:00Z""#),
            ("timestamp(now) == now", "true"),
            (
                "timestamp(record.due)",
                "expression_value: bad value: expected a time such as \"2026-11-21T09:00:00Z\", found \"2026-07-01\": \
                 write date(…) around a date without an offset",
            ),
            (
                "date(record.empty)",
                "expression_type: wrong type: date() expects text such as \"2026-11-21\", or a timestamp, \
                 found `record.empty` (null)",
            ),
            (
                "date('2026-02-30')",
                "expression_value: bad value: date(): expected a date such as \"2026-11-21\", found \"2026-02-30\"",
            ),
            (
                "duration('soon')",
                "expression_value: bad value: expected a duration such as `2d 3h` or `15m`, found \"soon\"",
            ),
        ],
    );
}

#[test]
fn zones_show_clock_and_calendar() {
    check_all(&[
        (
            "in_zone(now, 'America/New_York')",
            r#"{"date":"2026-11-21","datetime":"2026-11-21T03:30:00-05:00","day":21,"hour":3,"minute":30,"month":11,"second":0,"time":"03:30:00","weekday":6,"year":2026}"#,
        ),
        ("now.in_zone('Asia/Tokyo').hour", "17"),
        ("in_zone('2026-11-22T23:00:00Z', '+05:30').weekday", "1"),
        ("now.in_zone('UTC').weekday <= 5", "false"),
        (
            "now.in_zone('Mars/Base')",
            "expression_value: bad value: in_zone(): expected a time zone such as \"Europe/Berlin\", found \"Mars/Base\"",
        ),
    ]);
}

#[test]
fn the_accessors_of_cel_count_as_cel_does() {
    check_all(&[
        ("now.getFullYear()", "2026"),
        ("now.getMonth()", "10"),
        ("now.getDate()", "21"),
        ("now.getDayOfMonth()", "20"),
        ("now.getDayOfWeek()", "6"),
        ("now.getDayOfYear()", "324"),
        ("now.getHours()", "8"),
        ("now.getHours('Europe/Berlin')", "9"),
        ("now.getMinutes('-00:30')", "0"),
        ("now.getSeconds() + now.getMilliseconds()", "0"),
        ("duration('1h 30m').getMinutes()", "90"),
        ("duration('1h 30m').getHours()", "1"),
        ("duration('1s').getMilliseconds()", "1000"),
        ("days(2).getHours()", "48"),
        (
            "duration('1h').getFullYear()",
            "expression_type: wrong type: getFullYear() expects a timestamp, found duration",
        ),
    ]);
}
