//! What holds for every step and trigger, and the checks of their types.

use serde_json::Value;

use super::check::Check;
use super::facts::Facts;
use super::found::{Found, StepSite};
use super::report::Report;
use super::{literal, typed, words};
use crate::problem::code;
use crate::{Duration, StepKind};

/// Checks every step and trigger.
pub(super) fn check<'a>(report: &mut Report<'a>, found: &Found<'a>, facts: &Facts<'a>) {
    for site in &found.triggers {
        let Some(kind) = typed::trigger_kind(site, report) else { continue };
        kind.shape().check(&mut Check { report, facts, keys: site.keys, path: site.path.clone(), waits: site.waits });
    }
    for site in &found.steps {
        take(report, site);
        failure(report, site);
        timeout(report, site);
        never_reached(report, site, found);
        let Some(kind) = typed::step_kind(site, report) else { continue };
        if site.keys.contains_key("delivery") && !kind.shape().reaches_outside() {
            let message = format!("{:?} has no effects outside: `delivery` says nothing here", kind.tag());
            report.warning(code::SUSPICIOUS, &site.path.key("delivery"), message);
        }
        let takes_time = kind.shape().reaches_outside() || matches!(kind, StepKind::Goal(_));
        if site.keys.contains_key("timeout") && !takes_time {
            let message =
                format!("{:?} neither calls outside nor waits for an event: `timeout` says nothing here", kind.tag());
            report.warning(code::SUSPICIOUS, &site.path.key("timeout"), message);
        }
        kind.shape().check(&mut Check { report, facts, keys: site.keys, path: site.path.clone(), waits: false });
    }
}

/// A skipped condition or goal says which path it takes; nothing else does.
fn take(report: &mut Report<'_>, site: &StepSite<'_>) {
    let Some(tag) = site.tag else { return };
    let decides = matches!(tag, "condition" | "goal");
    let skipped = site.keys.get("skip") == Some(&Value::Bool(true));
    let takes = site.keys.contains_key("take");
    if decides && skipped && !takes {
        let message = format!(
            "expected `take: yes` or `take: no` beside `skip: true`, found none: a skipped {tag} must say which path it takes"
        );
        report.error(code::MISSING_KEY, &site.path, message);
    } else if takes && !decides {
        let message = format!("`take` belongs to a condition or a goal, found it on a step of type {tag}");
        report.error_at_key(code::NOT_ALLOWED, &site.path.key("take"), message);
    } else if takes && !skipped && !report.has_error_within(&site.path.key("take")) {
        let message = "`take` says nothing without `skip: true`";
        report.warning(code::SUSPICIOUS, &site.path.key("take"), message);
    }
}

fn failure(report: &mut Report<'_>, site: &StepSite<'_>) {
    let then = site.keys.get("on_failure").and_then(|policy| policy.get("then"));
    if site.tag == Some("condition") && then.and_then(Value::as_str) == Some("continue") {
        let message =
            "expected pause, fail or a list of steps, found \"continue\": a failed condition has no branch to take";
        report.error(code::NOT_ALLOWED, &site.path.keys("on_failure.then"), message);
    }
}

/// A time-out is a duration; of what waits for others also `never`, a date and time, or an expression.
fn timeout(report: &mut Report<'_>, site: &StepSite<'_>) {
    let Some(value) = site.keys.get("timeout").filter(|value| !value.is_null()) else { return };
    let waits = waits(site);
    let text = value.as_str().unwrap_or_default();
    let fits = Duration::from_value(value).is_ok()
        || waits && (text == "never" || text.contains("{{") || literal::is_moment(text));
    if !fits {
        let expected =
            if waits { "never, a duration such as `2d 3h`, or a date and time" } else { "a duration such as `30s`" };
        let message = format!("expected {expected}, found {}", words::found(value));
        report.error(code::INVALID_TIME, &site.path.key("timeout"), message);
    }
}

/// Whether a step waits for others: a goal, or a state machine whose end is waited for.
fn waits(site: &StepSite<'_>) -> bool {
    match site.tag {
        Some("goal") => true,
        Some("run_state_machine") => site.keys.get("wait") == Some(&Value::Bool(true)),
        _ => false,
    }
}

/// A step right after one that always leaves is reached by `go_to` or never.
fn never_reached(report: &mut Report<'_>, site: &StepSite<'_>, found: &Found<'_>) {
    let Some(before) = site.path.before() else { return };
    let Some(before) = found.steps.iter().find(|step| step.path == before) else { return };
    let key = |key: &str| before.keys.get(key).and_then(Value::as_str);
    let leaves = match before.tag {
        Some("go_to") => true,
        Some("stop") => key("as") != Some("paused"),
        _ => false,
    };
    let skipped = before.keys.get("skip") == Some(&Value::Bool(true));
    let target =
        |step: &StepSite<'_>| step.tag == Some("go_to") && step.keys.get("step").and_then(Value::as_str) == site.id;
    if leaves && !skipped && !found.steps.iter().any(target) {
        let message =
            format!("this step is never reached: {:?} before it always goes elsewhere", before.id.unwrap_or_default());
        report.warning(code::SUSPICIOUS, &site.path, message);
    }
}
