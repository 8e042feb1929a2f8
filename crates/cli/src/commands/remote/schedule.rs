//! `pawl schedule`: when the schedules of a workflow fire next.

use serde_json::Value;

use super::view::text;
use crate::table;
use crate::when::When;

/// The last one is shown if a firing was moved.
const COLUMNS: [&str; 5] = ["trigger", "fires", "there", "time zone", "moved from"];

/// A table of the next firings of each trigger.
pub(super) fn view(body: &Value, when: &When) -> String {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut lines = Vec::new();
    if body.get("active") != Some(&Value::Bool(true)) {
        lines.push(format!("{} is inactive: nothing fires until it is activated", text(body, "workflow")));
    }
    let triggers = list(body, "triggers");
    if triggers.is_empty() {
        lines.push(format!("{} has no schedule", text(body, "workflow")));
    }
    for trigger in &triggers {
        if trigger.get("queued").is_some() {
            let (of, at) = (text(trigger, "trigger"), when.with_distance(&text(trigger, "queued")));
            lines.push(format!("{of}: the firing of {at} waits until an execution has ended"));
        }
    }
    let rows: Vec<_> = triggers.iter().flat_map(|trigger| rows(trigger, &list(trigger, "firings"), when)).collect();
    if !rows.is_empty() {
        let is_moved = |row: &&Vec<String>| !row[4].is_empty();
        let columns = if rows.iter().any(|row| is_moved(&row)) { 5 } else { 4 };
        let rows: Vec<_> = rows.into_iter().map(|row| row.into_iter().take(columns).collect()).collect();
        lines.push(table::render(&COLUMNS[..columns], &rows));
    }
    lines.join("\n")
}

fn rows(trigger: &Value, firings: &[Value], when: &When) -> Vec<Vec<String>> {
    let of = |key: &str| text(trigger, key);
    if firings.is_empty() {
        return vec![vec![of("trigger"), "never again".to_owned(), String::new(), of("timezone"), String::new()]];
    }
    let row = |firing: &Value| {
        let moved =
            firing.get("moved_from").map(|_| when.with_distance(&text(firing, "moved_from"))).unwrap_or_default();
        vec![of("trigger"), when.with_distance(&text(firing, "at")), text(firing, "local"), of("timezone"), moved]
    };
    firings.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(body: &Value) -> String {
        let now = "2026-03-01T12:00:00Z".parse().expect("a constant time is one");
        view(body, &When { now, zone: jiff::tz::TimeZone::UTC })
    }

    #[test]
    fn firings_are_told_here_and_there() {
        let told = shown(&json!({"workflow": "sync", "active": true, "triggers": [
            {"trigger": "nightly", "timezone": "Europe/Berlin",
             "firings": [{"at": "2026-03-02T02:00:00Z", "local": "2026-03-02T03:00:00+01:00"}]},
            {"trigger": "once", "timezone": "UTC", "firings": []},
        ]}));
        assert!(told.contains("2026-03-02T03:00:00+01:00") && told.contains("never again"), "{told}");
    }

    #[test]
    fn a_firing_that_was_moved_is_told_with_its_planned_time() {
        let firing = |moved: &Value| {
            shown(&json!({"workflow": "sync", "active": true, "triggers": [
                {"trigger": "weekly", "timezone": "UTC",
                 "firings": [{"at": "2026-03-09T09:00:00Z", "local": "2026-03-09T09:00:00+00:00", "moved_from": moved}]},
            ]}))
        };
        let told = firing(&json!("2026-03-07T09:00:00Z"));
        assert!(told.contains("MOVED FROM") && told.contains("2026-03-07"), "{told}");
    }

    #[test]
    fn a_workflow_that_does_not_listen_says_so() {
        let told = shown(&json!({"workflow": "sync", "active": false, "triggers": []}));
        assert_eq!(told, "sync is inactive: nothing fires until it is activated\nsync has no schedule");
    }
}
