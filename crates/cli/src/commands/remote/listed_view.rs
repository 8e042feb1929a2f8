//! Tables of what an installation has beside executions: objects, records, operations, notices and the audit.

use serde_json::Value;

use super::view::{inner, text};
use crate::shown::shown;
use crate::table;
use crate::when::When;

/// Longest text of free length in a table, in characters.
const TEXT_MOST: usize = 80;

/// A table of objects, with the names of their fields.
pub(super) fn objects(items: &[Value], _: &When) -> String {
    let row = |item: &Value| {
        let fields = item.get("fields").and_then(Value::as_object);
        let fields: Vec<_> = fields.into_iter().flat_map(serde_json::Map::keys).map(|name| shown(name)).collect();
        vec![text(item, "object"), text(item, "name"), table::cut(&fields.join(" "), TEXT_MOST)]
    };
    table::render(&["object", "name", "fields"], &items.iter().map(row).collect::<Vec<_>>())
}

/// A table of records.
pub(super) fn records(items: &[Value], when: &When) -> String {
    let row = |item: &Value| {
        let fields = item.get("fields").and_then(Value::as_object);
        let field = |(name, _): (&String, &Value)| format!("{}={}", shown(name), text(&item["fields"], name));
        let fields: Vec<_> = fields.into_iter().flatten().map(field).collect();
        let at = |key: &str| when.local(&text(item, key));
        let fields = table::cut(&fields.join(" "), TEXT_MOST);
        vec![text(item, "id"), text(item, "version"), at("created_at"), at("updated_at"), fields]
    };
    let header = ["record", "version", "created", "changed", "fields"];
    table::render(&header, &items.iter().map(row).collect::<Vec<_>>())
}

/// A table of activities.
pub(super) fn activities(items: &[Value], when: &When) -> String {
    let row = |item: &Value| {
        let due = item.get("due").map(|_| when.local(&text(item, "due"))).unwrap_or_default();
        let note = table::cut(&text(item, "note"), TEXT_MOST);
        let of = |key: &str| text(item, key);
        vec![of("id"), of("activity"), of("status"), due, of("assignee"), super::activities::records(item), note]
    };
    let header = ["id", "activity", "status", "due", "assignee", "about", "note"];
    table::render(&header, &items.iter().map(row).collect::<Vec<_>>())
}

/// A table of operations.
pub(super) fn operations(items: &[Value], when: &When) -> String {
    let row = |item: &Value| {
        let action = item.get("action").filter(|action| action.is_object());
        let of = |key: &str| action.map(|action| text(action, key)).unwrap_or_default();
        let by = |key: &str| action.map(|action| inner(action, "by", key)).unwrap_or_default();
        let kind = action.map_or_else(|| text(item, "kind"), |_| of("action"));
        let why = [text(item, "error"), by("reason")].into_iter().find(|why| !why.is_empty()).unwrap_or_default();
        let begun = when.local(&text(item, "begun_at"));
        let workflow = text(item, "workflow");
        vec![text(item, "id"), kind, text(item, "state"), workflow, begun, came(item), by("actor"), cut(&why)]
    };
    let header = ["operation", "kind", "state", "workflow", "begun", "executions", "by", "why"];
    table::render(&header, &items.iter().map(row).collect::<Vec<_>>())
}

/// On how many an operation was carried out; of an action also of how many.
fn came(operation: &Value) -> String {
    let found = operation.pointer("/action/preview/count").and_then(Value::as_u64);
    let done = text(operation, "executions");
    found.map_or(done.clone(), |found| format!("{done} of {found}"))
}

/// A table of notices.
pub(super) fn notices(items: &[Value], when: &When) -> String {
    let row = |item: &Value| {
        let of = |key: &str| text(item, key);
        vec![when.local(&of("at")), of("severity"), of("to"), cut(&of("subject")), cut(&of("text"))]
    };
    table::render(&["at", "severity", "to", "subject", "text"], &items.iter().map(row).collect::<Vec<_>>())
}

/// A table of the changes of a record: a line for each field.
pub(super) fn changes(items: &[Value], when: &When) -> String {
    let header = ["version", "at", "by", "field", "from", "to"];
    let rows = |item: &Value| {
        let head = [text(item, "version"), when.local(&text(item, "at")), changed_by(item)];
        let fields = item.get("changes").and_then(Value::as_object).cloned().unwrap_or_default();
        let row = move |(name, change): (String, Value)| {
            let values =
                ["from", "to"].map(|side| change.get(side).map_or_else(String::new, |_| cut(&text(&change, side))));
            head.iter().cloned().chain([name]).chain(values).collect::<Vec<_>>()
        };
        fields.into_iter().map(row).collect::<Vec<_>>()
    };
    table::render(&header, &items.iter().flat_map(rows).collect::<Vec<_>>())
}

/// Who or what made a change: an actor, or a workflow with the step, or with the event by which it made the record.
fn changed_by(item: &Value) -> String {
    let of = |key: &str| inner(item, "by", key);
    let parts = [of("actor"), of("workflow"), of("step"), of("execution"), of("event")];
    cut(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
}

/// A table of entries of the audit.
pub(super) fn audit(items: &[Value], when: &When) -> String {
    let row = |item: &Value| {
        let of = |key: &str| text(item, key);
        vec![when.local(&of("at")), of("actor"), deed(item), concerns(item), of_action(item), cut(&of("reason"))]
    };
    let header = ["at", "actor", "deed", "concerns", "of an action", "reason"];
    table::render(&header, &items.iter().map(row).collect::<Vec<_>>())
}

fn deed(entry: &Value) -> String {
    match (inner(entry, "action", "action"), inner(entry, "action", "stage")) {
        (action, _) if action.is_empty() => text(entry, "deed"),
        (action, stage) => format!("{action} {stage}"),
    }
}

/// The record, the workflow or, if it is neither, everything.
fn concerns(entry: &Value) -> String {
    let record = inner(entry, "record", "id");
    let filter = inner(entry, "action", "filter");
    match text(entry, "workflow") {
        _ if !record.is_empty() => format!("{}/{record}", inner(entry, "record", "object")),
        _ if !filter.is_empty() => cut(&filter),
        workflow if workflow.is_empty() => "everything".to_owned(),
        workflow => workflow,
    }
}

/// How many a tracked action found, and its operation.
fn of_action(entry: &Value) -> String {
    match inner(entry, "action", "operation") {
        operation if operation.is_empty() => operation,
        operation => format!("{operation}: {} found", inner(entry, "action", "found")),
    }
}

fn cut(text: &str) -> String {
    table::cut(text, TEXT_MOST)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;
    use crate::shown::{OBEYED, is_safe};

    fn when() -> When {
        When { now: "2026-11-21T09:00:00Z".parse().expect("a constant time is one"), zone: TimeZone::UTC }
    }

    #[test]
    fn an_operation_is_a_line_with_what_it_came_to() {
        let action = json!({
            "id": "retry.01", "kind": "action", "workflow": "orders", "state": "running", "executions": 148,
            "begun_at": "2026-11-21T08:59:50Z",
            "action": {"action": "retry", "preview": {"count": 300}, "by": {"actor": "ada", "reason": "it is back"}},
        });
        let lift = json!({"id": "lift.2", "kind": "lift", "state": "completed", "executions": 3, "begun_at": "2026-11-21T08:00:00Z"});
        assert_eq!(
            operations(&[action, lift], &when()).lines().skip(2).collect::<Vec<_>>(),
            [
                "retry.01   retry  running    orders    2026-11-21 08:59:50  148 of 300  ada  it is back",
                "lift.2     lift   completed            2026-11-21 08:00:00  3"
            ]
        );
    }

    #[test]
    fn an_entry_of_the_audit_says_who_did_what_to_whom() {
        let kill = json!({"deed": "kill", "workflow": "orders", "actor": "ada", "at": "2026-11-21T08:59:50Z", "reason": "drill"});
        let forget = json!({"deed": "forget", "record": {"object": "person", "id": "p1"}, "actor": "bob"});
        let action = json!({"deed": "action", "workflow": "orders", "actor": "eve",
            "action": {"action": "retry", "stage": "begun", "operation": "retry.01", "found": 7, "filter": {"code": "x"}}});
        let told = audit(&[kill, forget, action, json!({"deed": "lift"})], &when());
        let lines: Vec<_> =
            told.lines().skip(2).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "2026-11-21 08:59:50 ada kill orders drill",
                "bob forget person/p1",
                "eve retry begun {\"code\":\"x\"} retry.01: 7 found",
                "lift everything"
            ]
        );
    }

    #[test]
    fn nothing_of_a_listing_is_obeyed() {
        let text = format!("{OBEYED}\nforged");
        let item = json!({
            "object": text, "name": text, "fields": {text.clone(): text}, "id": text, "kind": text, "error": text,
            "at": text, "severity": text, "to": text, "subject": text, "text": text, "actor": text, "deed": text,
            "reason": text, "record": {"object": text, "id": text}, "created_at": text,
        });
        for view in [objects, records, operations, notices, audit] {
            let table = view(std::slice::from_ref(&item), &when());
            assert!(is_safe(&table) && table.lines().count() == 3, "{table:?}");
        }
    }
}
