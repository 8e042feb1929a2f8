//! What people see of the installation's answers: tables, and the page of an execution. Every value is a text of unknown
//! origin.

use jiff::SignedDuration;
use serde_json::Value;

use crate::shown::shown;
use crate::table;
use crate::when::{When, span};

/// Longest reason in a table of executions, in characters.
const WHY_MOST: usize = 60;

/// A value of an answer as text on one line; nothing if it is absent.
pub(super) fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => shown(text).into_owned(),
        Some(other) => shown(&other.to_string()).into_owned(),
    }
}

/// A value of an answer that stands deeper.
pub(super) fn inner(value: &Value, key: &str, inner: &str) -> String {
    value.get(key).map(|value| text(value, inner)).unwrap_or_default()
}

/// A table of workflows.
pub(super) fn workflows(items: &[Value], _: &When) -> String {
    let columns = ["id", "revision", "owner", "name"];
    let row = |item: &Value| {
        let mut row: Vec<_> = columns.iter().map(|key| text(item, key)).collect();
        row.insert(1, listens(item).to_owned());
        row
    };
    let rows: Vec<_> = items.iter().map(row).collect();
    table::render(&["workflow", "state", "revision", "owner", "name"], &rows)
}

/// What a save did.
pub(super) fn saved(body: &Value) -> String {
    if body.get("id").is_none() {
        return format!("object {} saved{}", text(body, "object"), warnings(body));
    }
    let did = if text(body, "unchanged") == "true" { "unchanged" } else { "saved" };
    let inactive = if text(body, "active") == "true" { "" } else { "; it is inactive: its triggers do not listen" };
    let goes_on = goes_on(body);
    format!("workflow {} revision {} {did}{inactive}{goes_on}", text(body, "id"), text(body, "revision"))
}

/// What a save leaves wrong elsewhere.
pub(super) fn warnings(body: &Value) -> String {
    let warnings = body.get("warnings").and_then(Value::as_array).into_iter().flatten();
    let line = |warning: &Value| format!("\n  warning: {}: {}", text(warning, "path"), text(warning, "message"));
    warnings.map(line).collect::<Vec<_>>().concat()
}

/// How to see the work that goes on after an answer; empty if none does.
fn goes_on(body: &Value) -> String {
    match text(body, "operation") {
        operation if operation.is_empty() => operation,
        operation => format!("; waiting executions are told of it: pawl operation {operation}"),
    }
}

/// What a kill, or the lift of one, did.
pub(super) fn switched(word: &str, body: &Value) -> String {
    match text(body, "operation") {
        _ if word == "kill" => "killed".to_owned(),
        operation if operation.is_empty() => "lifted".to_owned(),
        operation => format!("lifted; executions go on: pawl operation {operation}"),
    }
}

/// What became of a signal that was sent.
pub(super) fn signal(body: &Value) -> String {
    match text(body, "execution_id") {
        none if none.is_empty() => format!("{}; nobody waits for it: it is kept for 72 hours", text(body, "status")),
        execution => format!("{} by {execution}", text(body, "status")),
    }
}

/// How far an operation is.
pub(super) fn operation(body: &Value, when: &When) -> String {
    let of = |key: &str| text(body, key);
    let error = if of("error").is_empty() { String::new() } else { format!(": {}", of("error")) };
    let messages = if of("messages") == "0" { String::new() } else { format!(", dead letters: {}", of("messages")) };
    let executions = of("executions");
    let at = when.local(&of("updated_at"));
    format!("{} {}{error}; executions so far: {executions}{messages}; last progress {at}", of("id"), of("state"))
}

/// Whether a workflow's triggers listen, and what holds it.
pub(super) fn listens(workflow: &Value) -> &'static str {
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
    let messages = match body.get("messages").and_then(Value::as_u64).unwrap_or_default() {
        1 => "1 dead letter".to_owned(),
        count => format!("{count} dead letters"),
    };
    format!("redriven: {messages}; stalled executions go on: pawl operation {}", text(body, "operation"))
}

/// A table of executions.
pub(super) fn executions(items: &[Value], when: &When) -> String {
    let row = |item: &Value| {
        vec![
            text(item, "id"),
            text(item, "workflow"),
            text(item, "status"),
            indicators(item),
            text(item, "cursor"),
            when.local(&text(item, "created_at")),
            due(item, when),
            table::cut(&why(item), WHY_MOST),
            table::cut(&waits_for(item).join(" or "), WHY_MOST),
        ]
    };
    let rows: Vec<_> = items.iter().map(row).collect();
    let header = ["execution", "workflow", "status", "indicators", "step", "created", "due", "why", "waits for"];
    table::render(&header, &rows)
}

/// Its indicators, and its outcome if it has one.
pub(super) fn indicators(item: &Value) -> String {
    let words = item.get("indicators").and_then(Value::as_array).into_iter().flatten();
    words.chain(item.get("outcome")).filter_map(Value::as_str).map(shown).collect::<Vec<_>>().join(" ")
}

/// When it goes on by itself.
fn due(item: &Value, when: &When) -> String {
    let at = text(item, "due_at");
    if at.is_empty() || !when.is_past(&at) { when.local(&at) } else { "now".to_owned() }
}

/// The failure, who holds it, or why it ended so.
pub(super) fn why(item: &Value) -> String {
    let given = |what: String, why: String| if why.is_empty() { what } else { format!("{what}: {why}") };
    let error = inner(item, "error", "code");
    if !error.is_empty() {
        return given(error, inner(item, "error", "message"));
    }
    match (inner(item, "held", "by"), inner(item, "held", "reason")) {
        (by, _) if by.is_empty() => text(item, "reason"),
        (by, reason) if by == "debug" => reason,
        (by, reason) if by == "kill" => given(format!("killed by {}", inner(item, "held", "actor")), reason),
        (by, reason) => given(format!("paused by {}", actor_or(item, &by)), reason),
    }
}

/// Who holds it, or what does.
fn actor_or(item: &Value, by: &str) -> String {
    let actor = inner(item, "held", "actor");
    if actor.is_empty() { format!("a {by}") } else { actor }
}

/// What it waits for, in words.
pub(super) fn waits_for(item: &Value) -> Vec<String> {
    let waits = item.get("waits_for").and_then(Value::as_array).into_iter().flatten();
    let one = |wait: &Value| match (text(wait, "kind").as_str(), text(wait, "text")) {
        ("condition" | "webhook" | "event", text) if text.is_empty() => String::new(),
        ("webhook", text) => format!("POST {text}"),
        ("state_machine", text) => format!("state machine {text}"),
        (_, text) => text,
    };
    waits.map(one).collect()
}

/// A table of refused starts and deliveries.
pub(super) fn refusals(items: &[Value], when: &When) -> String {
    let row = |item: &Value| {
        let at_least = if text(item, "at_least") == "true" { "≥ " } else { "" };
        vec![
            when.local(&text(item, "last_at")),
            when.local(&text(item, "first_at")),
            format!("{at_least}{}", text(item, "count")),
            text(item, "trigger"),
            text(item, "code"),
            if text(item, "replayable") == "true" { text(item, "id") } else { String::new() },
            text(item, "message"),
        ]
    };
    let rows: Vec<_> = items.iter().map(row).collect();
    table::render(&["last", "first", "count", "trigger", "code", "replay", "why"], &rows)
}

/// The page of an execution: its state with the reason, then its history.
pub(super) fn execution(page: &Value, when: &When) -> String {
    let mut rows: Vec<_> = page.get("history").map(|history| history_rows(history, when)).unwrap_or_default();
    rows.extend(call_row(page, when));
    format!("{}\n{}", state(page, when), table::render(HISTORY, &rows))
}

/// Where it stands.
pub(super) fn state(page: &Value, when: &When) -> String {
    let state = ["id", "workflow", "status"].map(|key| text(page, key)).join("  ");
    let mut lines = vec![format!("{state}  {}", indicators(page)).trim_end().to_owned()];
    lines.extend(state_lines(page, when).into_iter().map(|line| format!("  {line}")));
    lines.join("\n")
}

/// Why it is where it is, and what can be done.
fn state_lines(page: &Value, when: &When) -> Vec<String> {
    let of = |key: &str, part: &str| inner(page, key, part);
    let mut lines: Vec<_> = std::iter::once(times(page, when)).chain(super::fork::line(page)).collect();
    if !text(page, "lane").is_empty() {
        lines.push(format!("{} of {}", super::children::part(&text(page, "lane")), of("parent", "execution")));
    }
    if page.get("record").is_some_and(|record| !record.is_null()) {
        lines.push(format!("on {}/{}", of("record", "object"), of("record", "id")));
    }
    lines.extend(held(page, when));
    let due = text(page, "due_at");
    if when.is_past(&due) {
        lines.push(format!("is due since {}", when.with_distance(&due)));
    } else if !due.is_empty() {
        lines.push(format!("goes on at {}", when.with_distance(&due)));
    }
    if of("held", "by").is_empty() && page.get("in_progress").is_none() {
        lines.extend(waits_for(page).into_iter().map(|wait| format!("waits for {wait}")));
    }
    lines.extend(usage(page));
    if !of("error", "code").is_empty() {
        lines.push(format!("{}: {}; see {}", of("error", "code"), of("error", "message"), of("error", "help")));
    } else if !text(page, "reason").is_empty() {
        lines.push(text(page, "reason"));
    }
    lines
}

/// What models read, wrote and cost, if any was asked.
fn usage(page: &Value) -> Option<String> {
    let tokens = page.get("tokens").and_then(Value::as_u64).filter(|tokens| *tokens > 0)?;
    let usd = page.get("usd").and_then(Value::as_f64).filter(|usd| *usd > 0.0);
    let cost = usd.map_or_else(String::new, |usd| format!(", {usd:.4} USD"));
    let estimated = if text(page, "estimated") == "true" { " (estimated in part)" } else { "" };
    Some(format!("models used {tokens} tokens{cost}{estimated}"))
}

fn times(page: &Value, when: &When) -> String {
    let created = format!("made {}", when.with_distance(&text(page, "created_at")));
    let ended = text(page, "ended_at");
    if ended.is_empty() {
        return created;
    }
    let expires = text(page, "expires_at");
    let kept = if expires.is_empty() { String::new() } else { format!(", kept until {}", when.local(&expires)) };
    let forgotten = text(page, "forgotten_at");
    let forgotten =
        if forgotten.is_empty() { String::new() } else { format!(", values forgotten {}", when.local(&forgotten)) };
    format!("{created}, ended {}{kept}{forgotten}", when.with_distance(&ended))
}

/// Who or what holds it, since when, and what lets it go on.
fn held(page: &Value, when: &When) -> Option<String> {
    let of = |part: &str| inner(page, "held", part);
    let by = of("by");
    if by.is_empty() {
        return None;
    }
    let since = when.with_distance(&of("since"));
    let why = if of("reason").is_empty() { String::new() } else { format!(": {}", of("reason")) };
    Some(match by.as_str() {
        "kill" => {
            let scope = if of("scope") == "execution" { String::new() } else { format!(" of the {}", of("scope")) };
            format!("held since {since} by a kill{scope} by {}{why}; lift it", of("actor"))
        }
        "failure" => {
            let step = text(page, "cursor");
            format!("held since {since} by a failure at {step}{why}; retry, skip or cancel it")
        }
        "debug" => format!(
            "stops before step {} since {since}, as its start asked; step, skip, run or cancel it",
            text(page, "cursor")
        ),
        by => format!("held since {since} by {}{why}; resume or cancel it", actor_or(page, by)),
    })
}

/// The columns of a history table.
pub(crate) const HISTORY: &[&str] = &["seq", "at", "took", "step", "type", "status", "branch", "attempt", "what"];

/// The rows of a history table.
pub(crate) fn history_rows(history: &Value, when: &When) -> Vec<Vec<String>> {
    let rows = history.as_array().or_else(|| history.get("items")?.as_array());
    rows.into_iter().flatten().map(|row| history_row(row, when)).collect()
}

fn history_row(row: &Value, when: &When) -> Vec<String> {
    let place = ["address", "step"].map(|key| text(row, key)).into_iter().find(|place| !place.is_empty());
    vec![
        text(row, "seq"),
        when.local_precise(&text(row, "at")),
        took(row),
        place.unwrap_or_else(|| format!("({})", text(row, "kind"))),
        text(row, "step_type"),
        text(row, "status"),
        text(row, "branch"),
        text(row, "attempt"),
        what(row),
    ]
}

/// How long the attempt took.
fn took(row: &Value) -> String {
    let millis = row.get("duration_ms").and_then(Value::as_i64);
    millis.map(|millis| span(SignedDuration::from_millis(millis))).unwrap_or_default()
}

/// The outside call in progress, as a last row: it has no number yet.
fn call_row(page: &Value, when: &When) -> Option<Vec<String>> {
    let call = page.get("in_progress").filter(|call| call.is_object())?;
    let since = text(call, "since");
    let began: Option<jiff::Timestamp> = since.parse().ok();
    let took = began.map(|began| span(when.now.duration_since(began).max(SignedDuration::ZERO))).unwrap_or_default();
    let what = format!("in progress since {}, at most until {}", when.local(&since), when.local(&text(call, "until")));
    let (place, attempt) = (text(call, "address"), text(call, "attempt"));
    let blank = String::new;
    Some(vec!["…".to_owned(), blank(), took, place, blank(), "running".to_owned(), blank(), attempt, what])
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

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use pawl_definition::DefinitionKind;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::shown::{OBEYED, is_safe};

    fn when() -> When {
        When { now: "2026-11-21T09:00:00Z".parse().expect("a constant time is one"), zone: TimeZone::UTC }
    }

    fn waiting() -> Value {
        json!({
            "id": "exe_1", "workflow": "w", "status": "waiting", "indicators": [], "cursor": "paid",
            "created_at": "2026-11-21T08:59:00Z", "due_at": "2026-11-22T09:00:00Z",
            "waits_for": [{"kind": "condition", "text": "record.paid"}, {"kind": "webhook", "text": "/hooks/w/paid"}],
        })
    }

    fn call(item: &mut Value) {
        item["due_at"] = Value::Null;
        item["in_progress"] = json!({
            "step": "ask", "address": "ask.2", "attempt": 2, "since": "2026-11-21T08:59:50Z", "until": "2026-11-21T09:00:45Z"
        });
    }

    #[test]
    fn what_an_execution_waits_for_stands_in_lists_and_on_its_page() {
        let list = executions(&[waiting()], &when());
        assert!(list.contains("paid  2026-11-21 08:59:00  2026-11-22 09:00:00"), "{list}");
        assert!(list.contains("record.paid or POST /hooks/w/paid"), "{list}");
        let page = execution(&waiting(), &when());
        assert!(page.contains("made 2026-11-21 08:59:00 (1 min ago)"), "{page}");
        assert!(page.contains("goes on at 2026-11-22 09:00:00 (in 1 d)"), "{page}");
        assert!(page.contains("waits for record.paid\n  waits for POST /hooks/w/paid"), "{page}");
    }

    #[test]
    fn a_killed_execution_never_goes_on_at_a_time_in_the_past() {
        let mut item = waiting();
        item["due_at"] = json!("2026-11-21T08:59:30Z");
        assert!(execution(&item, &when()).contains("is due since 2026-11-21 08:59:30 (30 s ago)"));
        item["due_at"] = Value::Null;
        item["held"] = json!({
            "by": "kill", "scope": "workflow", "actor": "ada", "since": "2026-11-21T08:59:40Z", "reason": "wrong prices"
        });
        let page = execution(&item, &when());
        let held = "held since 2026-11-21 08:59:40 (20 s ago) by a kill of the workflow by ada: wrong prices; lift it";
        assert!(page.contains(held) && !page.contains("goes on") && !page.contains("is due"), "{page}");
        assert!(executions(&[item], &when()).contains("killed by ada: wrong prices"));
    }

    #[test]
    fn a_call_in_progress_is_a_row_without_a_number() {
        let mut item = waiting();
        call(&mut item);
        item["history"] = json!({"items": [{
            "seq": 2, "kind": "step", "at": "2026-11-21T08:59:50.120Z", "step": "ask", "step_type": "http_request",
            "status": "retrying", "attempt": 1, "duration_ms": 1540, "note": "tries again"
        }]});
        let page = execution(&item, &when());
        assert!(page.contains("2    2026-11-21 08:59:50.120  1.5 s  ask    http_request  retrying"), "{page}");
        let last = page.lines().next_back().unwrap_or_default();
        assert!(last.starts_with("…") && last.contains("10 s") && last.contains("ask.2"), "{last}");
        assert!(
            last.ends_with("2        in progress since 2026-11-21 08:59:50, at most until 2026-11-21 09:00:45"),
            "{last}"
        );
    }

    #[test]
    fn what_models_cost_is_shown_and_an_estimate_is_marked() {
        let mut item = waiting();
        let shown = |item: &Value| execution(item, &when());
        item["tokens"] = json!(0);
        assert!(!shown(&item).contains("tokens"), "no model was asked");
        item["tokens"] = json!(501);
        assert!(shown(&item).contains("\n  models used 501 tokens\n"), "{}", shown(&item));
        (item["usd"], item["estimated"]) = (json!(0.25), json!(true));
        assert!(shown(&item).contains("models used 501 tokens, 0.2500 USD (estimated in part)"), "{}", shown(&item));
    }

    #[test]
    fn a_lower_bound_is_marked() {
        let refusal = json!({"count": 50, "at_least": true, "first_at": "2026-11-21T08:59:50Z",
            "last_at": "2026-11-21T08:59:59Z", "trigger": "in", "code": "signature_mismatch", "message": "another"});
        let list = refusals(&[refusal], &when());
        assert!(
            list.contains("2026-11-21 08:59:59  2026-11-21 08:59:50  ≥ 50   in       signature_mismatch"),
            "{list}"
        );
    }

    /// Keys that views look at.
    const KEYS: &str = "
        operation state executions messages updated_at
        id workflow status indicators cursor created_at due_at ended_at expires_at forgotten_at error code message help held by
        actor since until reason scope waits_for kind text in_progress step attempt history items seq at
        note output branch step_type duration_ms record object count at_least first_at last_at trigger owner
        name revision event_id execution_id tokens usd estimated";

    /// Any answer of an installation, with the keys that views look at and texts that want to be obeyed.
    fn answer() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            Just(OBEYED.to_owned()),
            Just("a\nforged line".to_owned()),
            any::<String>(),
            Just("2026-11-21T08:59:50Z".to_owned())
        ];
        let leaf = prop_oneof![text.prop_map(Value::from), any::<u32>().prop_map(Value::from), Just(Value::Null)];
        leaf.prop_recursive(4, 64, 8, |value| {
            let key = prop::sample::select(KEYS.split_whitespace().collect::<Vec<_>>());
            let object = prop::collection::btree_map(key, value.clone(), 0..10);
            let object = object.prop_map(|keys| keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
            prop_oneof![prop::collection::vec(value, 0..4).prop_map(Value::Array), object.prop_map(Value::Object)]
        })
    }

    proptest! {
        #[test]
        fn nothing_of_an_answer_is_obeyed(answers in prop::collection::vec(answer(), 1..4)) {
            let when = when();
            for table in [executions(&answers, &when), refusals(&answers, &when), workflows(&answers, &when)] {
                prop_assert!(is_safe(&table), "{:?}", table);
                prop_assert_eq!(table.lines().count(), answers.len() + 2, "a row is one line");
            }
            for answer in &answers {
                prop_assert!(is_safe(&execution(answer, &when)));
                for line in [saved(answer), super::super::saved(answer, Some(DefinitionKind::Group)), super::super::deliver::delivered(answer), redriven(answer), what(answer), operation(answer, &when)] {
                    prop_assert!(is_safe(&line) && !line.contains('\n'), "{:?}", line);
                }
            }
        }
    }
}
