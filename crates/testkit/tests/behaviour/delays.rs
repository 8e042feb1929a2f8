//! `delay`: waits for a time, and a month of it costs nothing.

use pawl_engine::Control;
use pawl_testkit::scenario::{Scenario, completed, manual, paused, scenario, waiting};

use crate::support::{with, workflow};

fn one(delay: &str) -> String {
    workflow(&format!("  - {{id: wait, type: delay, {delay}}}\n  - {{id: end, type: note, text: over}}"))
}

/// The time at which a delay ends that is entered at a time, in a workflow with these keys.
#[track_caller]
fn ends(at: &str, keys: &str, delay: &str) -> String {
    let steps = format!("  - {{id: wait, type: delay, {delay}}}");
    let story = scenario().at(at).workflow(&with(keys, &steps)).event(manual("w")).run_until_idle();
    story.expect(completed().path(["wait"])).world().now().to_string()
}

#[test]
fn thirty_days_cost_nothing() {
    let story = scenario()
        .workflow(&one("for: 30d"))
        .event(manual("w"))
        .run_for("29d 23h")
        .expect(waiting().path([]))
        .run_until_idle()
        .expect(completed().path(["wait", "end"]));
    assert_eq!(story.world().now().to_string(), "2026-01-31T00:00:00Z");
}

#[test]
fn a_short_delay_is_precise_to_the_second() {
    assert_eq!(ends("2026-03-02T09:00:00Z", "", "for: 90s"), "2026-03-02T09:01:30Z");
    assert_eq!(ends("2026-03-02T09:00:00Z", "", "for: 15m"), "2026-03-02T09:15:00Z");
}

#[test]
fn a_delay_goes_on_to_a_time_of_day_in_the_workflows_time_zone() {
    let berlin = "timezone: Europe/Berlin";
    assert_eq!(ends("2026-03-02T05:00:00Z", berlin, "for: 1m, at: '09:00'"), "2026-03-02T08:00:00Z");
    assert_eq!(ends("2026-03-02T09:00:00Z", berlin, "for: 1m, at: '09:00'"), "2026-03-03T08:00:00Z");
    assert_eq!(ends("2026-07-02T05:00:00Z", berlin, "for: 1d, at: '09:00'"), "2026-07-03T07:00:00Z");
}

#[test]
fn a_delay_goes_on_to_a_business_day() {
    let calendar = "calendar: ['2026-03-09']";
    // From a Friday: Saturday, Sunday and the holiday on Monday are passed over.
    assert_eq!(ends("2026-03-06T09:00:00Z", calendar, "for: 1d, business_days: true"), "2026-03-10T09:00:00Z");
    assert_eq!(ends("2026-03-05T09:00:00Z", calendar, "for: 1d, business_days: true"), "2026-03-06T09:00:00Z");
}

#[test]
fn a_delay_counts_business_days() {
    let calendar = "calendar: ['2026-03-09']";
    // From a Friday: the holiday on Monday does not count.
    assert_eq!(ends("2026-03-06T09:00:00Z", calendar, "for: 3 business days"), "2026-03-12T09:00:00Z");
    // The time of day is over on the third one; the day after is a Saturday.
    assert_eq!(ends("2026-03-03T18:00:00Z", "", "for: 3 business days, at: '17:00'"), "2026-03-09T17:00:00Z");
    assert_eq!(ends("2026-03-02T09:00:00Z", "", "for: '{{ \"1 business day\" }}'"), "2026-03-03T09:00:00Z");
    // The step's own calendar counts more than the workflow's.
    let own = "for: 1 business day, calendar: ['2026-03-10']";
    assert_eq!(ends("2026-03-06T09:00:00Z", calendar, own), "2026-03-09T09:00:00Z");
}

#[test]
fn a_day_is_a_day_of_the_calendar_also_when_the_clocks_change() {
    // In the night to 2026-03-29 Berlin loses an hour.
    assert_eq!(ends("2026-03-28T11:00:00Z", "timezone: Europe/Berlin", "for: 1d"), "2026-03-29T10:00:00Z");
    assert_eq!(ends("2026-03-28T11:00:00Z", "timezone: Europe/Berlin", "for: 24h"), "2026-03-29T11:00:00Z");
    // 02:30 does not exist in that night: it runs right after the gap.
    assert_eq!(ends("2026-03-28T22:00:00Z", "timezone: Europe/Berlin", "for: 1m, at: '02:30'"), "2026-03-29T01:30:00Z");
}

#[test]
fn a_delay_until_a_date_begins_with_the_day_where_the_workflow_is() {
    assert_eq!(
        ends("2026-03-02T09:00:00Z", "timezone: Europe/Berlin", "until: date(\"2026-03-05\")"),
        "2026-03-04T23:00:00Z"
    );
    assert_eq!(ends("2026-03-02T09:00:00Z", "", "until: now + days(2)"), "2026-03-04T09:00:00Z");
}

#[track_caller]
fn at_once(delay: &str) -> Scenario {
    let story = scenario().workflow(&one(delay)).event(manual("w")).settle();
    let story = story.expect(completed().path(["wait", "end"]));
    assert_eq!(story.world().now().to_string(), "2026-01-01T00:00:00Z");
    story
}

#[test]
fn zero_and_past_go_on_at_once_and_say_so() {
    for delay in ["for: 0s", "until: timestamp(\"2025-12-31T23:59:59Z\")", "until: now"] {
        let trace = at_once(delay).last();
        let row = trace.rows.iter().find(|row| row.step.as_deref() == Some("wait"));
        let note = row.and_then(|row| row.note.as_deref());
        assert_eq!(note, Some("the time is now or past: goes on at once"));
    }
}

#[test]
fn a_blank_or_wrong_time_is_a_failure() {
    for delay in ["for: '{{ vars.x }}'", "for: '{{ dyn(true) }}'", "until: vars.x", "until: '\"soon\"'"] {
        let steps = format!("  - {{id: wait, type: delay, {delay}}}");
        let workflow = with("variables: [{name: x, type: text}]", &steps);
        scenario().workflow(&workflow).event(manual("w")).run_until_idle().expect(paused().path(["wait:failed"]));
    }
}

#[test]
fn pausing_a_delay_keeps_its_due_time() {
    let story = scenario()
        .workflow(&one("for: 2h"))
        .event(manual("w"))
        .run_for("30m")
        .control(Control::Pause)
        .run_for("30m")
        .expect(paused())
        .control(Control::Resume)
        .expect(waiting())
        .run_until_idle()
        .expect(completed());
    assert_eq!(story.world().now().to_string(), "2026-01-01T02:00:00Z");
}

#[test]
fn a_delay_that_came_due_while_paused_goes_on_when_resumed() {
    let story = scenario()
        .workflow(&one("for: 2h"))
        .event(manual("w"))
        .run_for("30m")
        .control(Control::Pause)
        .run_until_idle()
        .run_for("5d")
        .expect(paused())
        .control(Control::Resume)
        .settle()
        .expect(completed());
    assert_eq!(story.world().now().to_string(), "2026-01-06T00:30:00Z");
}
