//! What holds for every step and trigger, and the checks of their types.

use serde_json::Value;

use super::check::Check;
use super::facts::Facts;
use super::flow::Flow;
use super::found::{Found, Owner, StepSite};
use super::report::Report;
use super::typing::Typing;
use super::{literal, typed, words};
use crate::path::Path;
use crate::problem::code;
use crate::{Duration, Expression, StepKind, WaitLength};

/// Checks the sources of every variable.
pub(super) fn variables<'a>(report: &mut Report<'a>, file: &'a Value, facts: &Facts<'a>, typing: &Typing<'_, 'a>) {
    for (at, variable) in file.get("variables").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let path = Path::root().key("variables").index(at);
        let view = typing.seen_at(Owner::Workflow, &path.key("from"));
        if let (Some(keys), Some(name)) = (variable.as_object(), variable.get("name").and_then(Value::as_str)) {
            Check { report, facts, view, keys, path, waits: false }.sources(name);
        }
    }
}

/// Checks when the outcome counts as reached, and what it saves.
pub(super) fn outcome<'a>(report: &mut Report<'a>, file: &'a Value, facts: &Facts<'a>, typing: &Typing<'_, 'a>) {
    let path = Path::root().key("outcome");
    let Some(keys) = file.get("outcome").and_then(Value::as_object) else { return };
    let view = typing.seen_at(Owner::Workflow, &path);
    let mut cx = Check { report, facts, view, keys, path, waits: false };
    if keys.get("name").and_then(Value::as_str).is_some_and(|name| name.trim().is_empty()) {
        cx.error(code::BLANK_VALUE, &cx.key("name"), "expected what the workflow is for, found a blank text");
    }
    let reached = match keys.get("reached") {
        Some(Value::Bool(true)) => {
            let message =
                "every execution that completes reaches it: name what tells one that does from one that does not";
            cx.warning(code::SUSPICIOUS, &cx.key("reached"), message);
            None
        }
        reached => reached.and_then(expression_of),
    };
    if let Some(reached) = reached {
        cx.truth(&reached, &cx.key("reached"));
    }
}

/// An expression as written; a truth and a number are expressions too.
fn expression_of(written: &Value) -> Option<Expression> {
    match written {
        Value::String(text) => Expression::parse(text).ok(),
        Value::Bool(_) | Value::Number(_) => Expression::parse(&written.to_string()).ok(),
        _ => None,
    }
}

/// Checks every step and trigger.
pub(super) fn check<'a>(report: &mut Report<'a>, found: &Found<'a>, facts: &Facts<'a>, typing: &Typing<'_, 'a>) {
    for (at, site) in found.triggers.iter().enumerate() {
        let (view, path) = (typing.seen_by_trigger(at), site.path.clone());
        let mut cx = Check { report, facts, view, keys: site.keys, path, waits: site.waits };
        if let Some(filter) = site.keys.get("filter").and_then(expression_of) {
            cx.truth(&filter, &cx.key("filter"));
        }
        let Some(kind) = typed::trigger_kind(site, cx.report) else { continue };
        kind.shape().check(&mut cx);
    }
    for (at, site) in found.steps.iter().enumerate() {
        take(report, site);
        failure(report, site);
        timeout(report, site);
        never_reached(report, at, found, typing.flow());
        let Some(kind) = typed::step_kind(site, report) else { continue };
        if site.keys.contains_key("delivery") && !StepKind::takes_common(kind.tag(), "delivery") {
            let message = format!("{:?} has no effects outside: `delivery` says nothing here", kind.tag());
            report.warning(code::SUSPICIOUS, &site.path.key("delivery"), message);
        }
        if site.keys.contains_key("timeout") && !StepKind::takes_common(kind.tag(), "timeout") {
            let message =
                format!("{:?} neither calls outside nor waits for an event: `timeout` says nothing here", kind.tag());
            report.warning(code::SUSPICIOUS, &site.path.key("timeout"), message);
        }
        let (view, path) = (typing.seen_at(Owner::Step(at), &site.path), site.path.clone());
        let mut cx = Check { report, facts, view, keys: site.keys, path, waits: false };
        cx.saved_output(kind.shape());
        kind.shape().check(&mut cx);
    }
}

/// A skipped condition or goal says which path it takes; nothing else does.
fn take(report: &mut Report<'_>, site: &StepSite<'_>) {
    let Some(tag) = site.tag else { return };
    let decides = StepKind::takes_common(tag, "take");
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
    let Some(tag) = site.tag.filter(|tag| StepKind::facts_of(tag).must_branch) else { return };
    if then.and_then(Value::as_str) == Some("continue") {
        let message = format!(
            "expected pause, fail or a list of steps, found \"continue\": a failed {tag} has no branch to take"
        );
        report.error(code::NOT_ALLOWED, &site.path.keys("on_failure.then"), message);
    }
}

/// A time-out is a duration; of what waits for others also `never`, a date and time, or an expression.
fn timeout(report: &mut Report<'_>, site: &StepSite<'_>) {
    let Some(value) = site.keys.get("timeout").filter(|value| !value.is_null()) else { return };
    let waits = site.tag.is_some_and(|tag| StepKind::waits_for_others(tag, site.keys));
    let text = value.as_str().unwrap_or_default();
    let fits = Duration::from_value(value).is_ok_and(|span| waits || span.approximate().is_positive())
        || waits && WaitLength::from_value(value).is_some()
        || waits && (text == "never" || text.contains("{{") || literal::is_moment(text));
    if !fits {
        let expected = if waits {
            "never, a duration such as `2d 3h`, a number of business days, or a date and time"
        } else {
            "a duration such as `30s`, longer than zero"
        };
        let message = format!("expected {expected}, found {}", words::found(value));
        report.error(code::INVALID_TIME, &site.path.key("timeout"), message);
    }
}

/// A step that no way leads to, although the step before it is reached: that one always goes elsewhere.
fn never_reached(report: &mut Report<'_>, at: usize, found: &Found<'_>, flow: &Flow) {
    let site = &found.steps[at];
    if flow.reaches(at) {
        return;
    }
    let Some(before) = site.path.before() else { return };
    let Some(before) = found.steps[..at].iter().rposition(|step| step.path == before) else { return };
    if flow.reaches(before) {
        let id = found.steps[before].id.unwrap_or_default();
        let message = format!("this step is never reached: {id:?} before it always goes elsewhere");
        report.warning(code::SUSPICIOUS, &site.path, message);
    }
}
