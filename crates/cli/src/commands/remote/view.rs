//! What people see of the installation's answers: tables, and the page of an execution.

use serde_json::Value;

use crate::output::say;
use crate::table;

/// A value of an answer as text; nothing if it is absent.
pub(super) fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn items(body: &Value) -> impl Iterator<Item = &Value> {
    body.get("items").and_then(Value::as_array).into_iter().flatten()
}

/// A table of workflows.
pub(super) fn workflows(body: &Value) {
    let columns = ["id", "revision", "owner", "name"];
    let rows: Vec<_> = items(body)
        .map(|item| {
            let mut row: Vec<_> = columns.iter().map(|key| text(item, key)).collect();
            row.insert(1, listens(item).to_owned());
            row
        })
        .collect();
    table(&["workflow", "state", "revision", "owner", "name"], &rows);
}

/// What a save did.
pub(super) fn saved(body: &Value) -> String {
    if body.get("id").is_none() {
        let warnings = body.get("warnings").and_then(Value::as_array).into_iter().flatten();
        let warnings =
            warnings.map(|warning| format!("\n  warning: {}: {}", text(warning, "path"), text(warning, "message")));
        return format!("object {} saved{}", text(body, "object"), warnings.collect::<String>());
    }
    let did = if text(body, "unchanged") == "true" { "unchanged" } else { "saved" };
    let deaf = if text(body, "active") == "true" { "" } else { "; it is inactive: its triggers do not listen" };
    format!("workflow {} revision {} {did}{deaf}", text(body, "id"), text(body, "revision"))
}

/// Whether a workflow's triggers listen, and what holds it.
fn listens(workflow: &Value) -> &'static str {
    let has = |key: &str| workflow.get(key).is_some_and(|value| !value.is_null() && value != &Value::Bool(false));
    match (has("killed"), has("suspended"), has("active")) {
        (true, ..) => "killed",
        (_, true, _) => "suspended",
        (.., true) => "active",
        _ => "inactive",
    }
}

/// What a redrive set going.
pub(super) fn redriven(body: &Value) -> String {
    let count = |key: &str, one: &str, several: &str| match body.get(key).and_then(Value::as_u64).unwrap_or_default() {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    };
    let messages = count("messages", "dead letter", "dead letters");
    let executions = count("executions", "stalled execution", "stalled executions");
    format!("redriven: {messages}, {executions}")
}

fn table(header: &[&str], rows: &[Vec<String>]) {
    say!("{}", table::render(header, rows).trim_end());
}

/// What follows a listing: the stored items that it passes over, and where it goes on.
fn more(body: &Value) {
    for item in body.get("unreadable").and_then(Value::as_array).into_iter().flatten() {
        say!("unreadable: {}", text(item, "error"));
    }
    if let Some(next) = body.get("next").and_then(Value::as_str) {
        say!("more: --cursor {next}");
    }
}

/// A table of executions.
pub(super) fn executions(body: &Value) {
    let rows: Vec<_> = items(body)
        .map(|item| {
            vec![
                text(item, "id"),
                text(item, "workflow"),
                text(item, "status"),
                indicators(item),
                text(item, "created_at"),
            ]
        })
        .collect();
    table(&["execution", "workflow", "status", "indicators", "created"], &rows);
    more(body);
}

fn indicators(item: &Value) -> String {
    let words = item.get("indicators").and_then(Value::as_array).into_iter().flatten();
    words.filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

/// A table of refused starts and deliveries.
pub(super) fn refusals(body: &Value) {
    let rows: Vec<_> = items(body)
        .map(|item| vec![text(item, "at"), text(item, "trigger"), text(item, "code"), text(item, "message")])
        .collect();
    table(&["at", "trigger", "code", "why"], &rows);
    more(body);
}

/// The page of an execution: its state with the reason, then its history.
pub(super) fn execution(page: &Value) {
    let state = ["id", "workflow", "status"].map(|key| text(page, key)).join("  ");
    say!("{}", format!("{state}  {}", indicators(page)).trim_end());
    for line in state_lines(page) {
        say!("  {line}");
    }
    let rows: Vec<_> = page.get("history").map(history_rows).unwrap_or_default();
    table(HISTORY, &rows);
}

/// Why it is where it is, and what can be done.
fn state_lines(page: &Value) -> Vec<String> {
    let of = |key: &str, inner: &str| page.get(key).map(|value| text(value, inner)).unwrap_or_default();
    let given = |why: String| if why.is_empty() { why } else { format!(": {why}") };
    let mut lines = Vec::new();
    if page.get("record").is_some_and(|record| !record.is_null()) {
        lines.push(format!("on {}/{}", of("record", "object"), of("record", "id")));
    }
    match of("pause", "reason").as_str() {
        "" => {}
        "failure" => {
            let why = given(of("pause", "note"));
            lines.push(format!("paused by a failure at {}{why}; retry, skip or cancel it", text(page, "cursor")));
        }
        by => lines.push(format!("paused by a {by}{}; resume or cancel it", given(of("pause", "note")))),
    }
    if !of("killed", "actor").is_empty() {
        lines.push(format!(
            "killed by {} at {}{}; lift it",
            of("killed", "actor"),
            of("killed", "at"),
            given(of("killed", "reason"))
        ));
    }
    if !text(page, "due_at").is_empty() {
        lines.push(format!("goes on at {}", text(page, "due_at")));
    }
    if !of("error", "code").is_empty() {
        lines.push(format!("{}: {}; see {}", of("error", "code"), of("error", "message"), of("error", "help")));
    } else if !text(page, "reason").is_empty() {
        lines.push(text(page, "reason"));
    }
    lines
}

/// The columns of a history table.
pub(crate) const HISTORY: &[&str] = &["seq", "step", "type", "status", "branch", "attempt", "what"];

/// The rows of a history table.
pub(crate) fn history_rows(history: &Value) -> Vec<Vec<String>> {
    let rows = history.as_array().or_else(|| history.get("items")?.as_array());
    rows.into_iter().flatten().map(history_row).collect()
}

fn history_row(row: &Value) -> Vec<String> {
    let step = if row.get("step").is_some() { text(row, "step") } else { format!("({})", text(row, "kind")) };
    vec![
        text(row, "seq"),
        step,
        text(row, "step_type"),
        text(row, "status"),
        text(row, "branch"),
        text(row, "attempt"),
        what(row),
    ]
}

/// What happened, in one line.
pub(crate) fn what(row: &Value) -> String {
    let error = row.get("error").filter(|error| !error.is_null());
    let said = match (error, text(row, "note")) {
        (Some(error), _) => format!("{}: {}", text(error, "code"), text(error, "message")),
        (None, note) if !note.is_empty() => note,
        (None, _) => text(row, "output"),
    };
    table::cut(&said, 90)
}
