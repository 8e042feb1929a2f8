//! What is told of the trigger `schedule`.

use crate::support::check;

fn told(trigger: &str, keys: &str) -> Vec<String> {
    let (_, problems) = check(&format!(
        "workflow: w\nowner: ada@example.com\n{keys}triggers: [{{type: schedule, {trigger}}}]\nsteps:\n  - {{id: end, type: note, text: '{{{{ trigger.scheduled_at }}}}'}}"
    ));
    problems.iter().map(|problem| format!("{} {}: {}", problem.code, problem.path, problem.message)).collect()
}

#[test]
fn right_schedules_are_taken() {
    for right in [
        "cron: '0 3 * * 1-5'",
        "cron: '@daily', timezone: Europe/Berlin, overlap: queue, catch_up: all",
        "every: 15m, starts: 2027-01-31, ends: 2027-02-01T09:00",
        "rrule: 'FREQ=MONTHLY;BYDAY=-1FR', starts: '2027-01-31T09:00:00+01:00'",
        "cron: '0 3 * * *', business_days: skip",
        "cron: '0 3 * * *', business_days: next, calendar: ['2026-12-25']",
    ] {
        assert_eq!(told(right, ""), [""; 0], "{right}");
    }
}

#[test]
fn wrong_ones_are_refused_with_their_place() {
    for (wrong, expected) in [
        ("overlap: skip", "exactly_one triggers[0]: expected exactly one of cron, every or rrule, found none"),
        ("cron: '0 3 * * *', every: 1h", "exactly_one triggers[0]: expected exactly one of"),
        ("cron: '0 3 * *'", "invalid_value triggers[0].cron: expected five fields of cron"),
        ("cron: '0 3 30 2 *'", "invalid_value triggers[0].cron: this trigger never fires"),
        ("every: 10s", "invalid_time triggers[0].every: expected a length of at least a minute, found `10s`"),
        ("every: soon", "invalid_time triggers[0].every"),
        ("rrule: 'FREQ=SECONDLY'", "invalid_value triggers[0].rrule: expected FREQ=YEARLY"),
        ("every: 1h, timezone: Europe/Berlim", "invalid_time triggers[0].timezone: expected a time zone"),
        ("every: 1h, starts: tomorrow", "invalid_time triggers[0].starts: expected a date or time"),
        (
            "every: 1h, starts: 2027-01-02, ends: 2027-01-01",
            "invalid_value triggers[0].every: this trigger never fires",
        ),
        ("cron: '0 3 * * SUN', business_days: skip", "invalid_value triggers[0].cron: this trigger never fires"),
        ("every: 1h, business_days: later", "unknown_word triggers[0].business_days"),
        ("every: 1h, calendar: []", "suspicious triggers[0].calendar: `calendar` says nothing here"),
        ("every: 1h, business_days: skip, calendar: [soon]", "invalid_time triggers[0].calendar[0]: expected a date"),
        ("every: 1h, overlap: wait", "unknown_word triggers[0].overlap"),
        ("every: 1h, at: '09:00'", "unknown_key triggers[0].at: unknown key \"at\""),
    ] {
        let told = told(wrong, "");
        assert!(told.len() == 1 && told[0].starts_with(expected), "{wrong}: {told:#?}");
    }
}

#[test]
fn a_workflow_has_eight_schedules_at_most() {
    let more = |count: usize| {
        let more: Vec<_> = (1..count).map(|n| format!("{{id: more-{n}, type: schedule, every: {n}h}}")).collect();
        told(&format!("every: 1h}}, {}", more.join(", ").trim_end_matches('}')), "")
    };
    assert_eq!(more(8), [""; 0]);
    assert_eq!(more(9), ["out_of_range triggers: expected at most 8 schedules, found 9"]);
}

#[test]
fn a_schedule_has_no_record() {
    let told = told("every: 1h", "object: ticket\n");
    assert!(
        told.iter().any(|told| told.starts_with("not_allowed triggers[0].type: expected a workflow without `object`")),
        "{told:#?}"
    );
}
