//! Tracked actions as people see them: the preview, the progress, and what came of it.

use serde_json::Value;

use super::view::text;
use crate::table::{cut, render};
use crate::when::When;

/// Results that a person is shown.
pub(super) const RESULTS_MOST: usize = 200;

/// Characters of a progress bar.
const BAR: u64 = 30;

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// What an action found before it began.
pub(super) fn preview(operation: &Value, (one, several): (&str, &str)) -> String {
    let count = number(operation, "/action/preview/count");
    if count == 0 {
        return format!("no {one} matches{}", states_of(operation));
    }
    let noun = if count == 1 { one } else { several };
    let examples: Vec<_> = list(operation, "/action/preview/examples").iter().filter_map(Value::as_str).collect();
    let mut parts = vec![format!("{count} {noun}, such as {}\n", examples.join(", "))];
    let failures = list(operation, "/action/preview/failures");
    if !failures.is_empty() {
        let row = |group: &Value| ["count", "workflow", "step", "code"].map(|key| text(group, key)).to_vec();
        let rows: Vec<_> = failures.iter().map(row).collect();
        parts.push(format!("\n{}", render(&["count", "workflow", "step", "code"], &rows)));
    }
    let others = number(operation, "/action/preview/other_failures");
    if others > 0 {
        parts.push(format!("and {others} other failures\n"));
    }
    let refused = number(operation, "/action/preview/refused");
    if refused > 0 {
        let row = |group: &Value| vec![text(group, "count"), text(group, "code"), cut(&text(group, "message"), 100)];
        let rows: Vec<_> = list(operation, "/action/preview/reasons").iter().map(row).collect();
        parts.push(format!("\n{refused} of them would be refused:\n{}", render(&["count", "code", "reason"], &rows)));
    }
    parts.concat()
}

/// The states that an action looks at if its filter names none.
fn states_of(operation: &Value) -> &'static str {
    let has_status = operation.pointer("/action/filter/status").is_some();
    match text(&operation["action"], "action").as_str() {
        "retry" | "skip" | "resume" if !has_status => " among those that are paused (what has ended goes on no more)",
        "cancel" if !has_status => " among those that are open",
        "redrive" if !has_status => " among those that are open and stalled",
        _ => "",
    }
}

/// How far an action is, in a line.
pub(super) fn bar(operation: &Value) -> String {
    let found = number(operation, "/action/preview/count");
    if operation.pointer("/action/preview/finished") != Some(&Value::Bool(true)) {
        return format!("counting: {found}");
    }
    let done = came(operation);
    let full = (done * BAR).checked_div(found).unwrap_or(BAR).min(BAR);
    let bar: String = (0..BAR).map(|at| if at < full { '#' } else { '.' }).collect();
    let left = number(operation, "/action/counts/refused") + number(operation, "/action/counts/failed");
    let left = if left > 0 { format!(", {left} refused or failed") } else { String::new() };
    format!("[{bar}] {done}/{found}{left}")
}

/// To how many an action has come.
fn came(operation: &Value) -> u64 {
    ["done", "refused", "failed", "unchanged"]
        .iter()
        .map(|key| number(operation, &format!("/action/counts/{key}")))
        .sum()
}

/// How far an operation is, or what came of it.
pub(super) fn operation(body: &Value, when: &When) -> String {
    if body.get("action").is_none_or(Value::is_null) {
        return super::action::line(body, when);
    }
    let of = |key: &str| text(body, key);
    let count = |key: &str| number(body, &format!("/action/counts/{key}"));
    let others =
        [("refused", count("refused")), ("failed", count("failed")), ("changed by others", count("unchanged"))];
    let others = others.iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{word}: {count}"));
    let found = number(body, "/action/preview/count");
    let error = if of("error").is_empty() { String::new() } else { format!(": {}", of("error")) };
    let (id, state, at) = (of("id"), of("state"), when.local(&of("updated_at")));
    let came: Vec<_> = std::iter::once(format!("done: {} of {found}", count("done"))).chain(others).collect();
    format!("{id} {state}{error}; {}; last progress {at}", came.join(", "))
}

/// What an action could not act on.
pub(super) fn results(results: &[Value], has_more: bool) -> String {
    let row = |result: &Value| {
        let [target, verdict, code] = ["target", "verdict", "code"].map(|key| text(result, key));
        vec![target, verdict, code, cut(&text(result, "message"), 100)]
    };
    let table = render(&["target", "verdict", "code", "reason"], &results.iter().map(row).collect::<Vec<_>>());
    if has_more { format!("{table}and more: --json lists all\n") } else { table }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;

    fn action() -> Value {
        json!({
            "id": "retry.01", "state": "running", "updated_at": "2026-11-21T09:00:00Z",
            "action": {
                "action": "retry",
                "preview": {
                    "finished": true, "count": 300, "examples": ["exe_1", "exe_2"],
                    "failures": [{"workflow": "orders", "step": "charge", "code": "http_status", "count": 298}],
                    "refused": 2,
                    "reasons": [{"code": "illegal_transition", "message": "it has ended", "count": 2}],
                },
                "counts": {"selected": 150, "done": 148, "refused": 2, "failed": 0, "unchanged": 0},
            },
        })
    }

    #[test]
    fn a_preview_says_how_many_why_they_failed_and_who_would_be_refused() {
        assert_eq!(
            preview(&action(), ("execution", "executions")),
            "300 executions, such as exe_1, exe_2\n\nCOUNT  WORKFLOW  STEP    CODE\n─────  ────────  ──────  ───────────\n298    \
             orders    charge  http_status\n\n2 of them would be refused:\nCOUNT  CODE                REASON\n─────  \
             ──────────────────  ────────────\n2      illegal_transition  it has ended\n"
        );
        let none = json!({"action": {"action": "retry", "preview": {"count": 0}}});
        let told = "no execution matches among those that are paused (what has ended goes on no more)";
        assert_eq!(preview(&none, ("execution", "executions")), told);
    }

    #[test]
    fn progress_is_a_bar_and_the_end_a_line() {
        assert_eq!(bar(&action()), "[###############...............] 150/300, 2 refused or failed");
        assert_eq!(bar(&json!({"action": {"preview": {"count": 7}}})), "counting: 7");
        let now = Timestamp::UNIX_EPOCH;
        let told = operation(&action(), &When { now, zone: TimeZone::UTC });
        assert_eq!(told, "retry.01 running; done: 148 of 300, refused: 2; last progress 2026-11-21 09:00:00");
    }
}
