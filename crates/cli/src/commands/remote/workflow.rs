//! `pawl workflows show`: a workflow, and what its newest executions came to.

use reqwest::Method;
use serde_json::Value;

use super::refused;
use super::view::{self, text};
use crate::client::{Answer, Client};
use crate::output::say;
use crate::shown::shown;
use crate::table;
use crate::when::When;

/// Shows a workflow with its counters; `false` if the installation refused.
pub(super) async fn run(client: &Client, workflow: &str, executions: Option<usize>) -> anyhow::Result<bool> {
    let path = format!("/v1/workflows/{}", super::record::encoded(workflow));
    let head = match client.send(client.request(Method::GET, &path)).await? {
        Answer::Done(head) => head,
        Answer::Problem(problem) => return Ok(refused(client, &problem)),
    };
    let query: Vec<_> = executions.iter().map(|executions| ("executions", executions)).collect();
    let request = client.request(Method::GET, &format!("{path}/counters")).query(&query);
    let counters = match client.send(request).await? {
        Answer::Done(counters) => counters,
        Answer::Problem(problem) => return Ok(refused(client, &problem)),
    };
    if client.json {
        let mut page = head;
        page["counters"] = counters;
        say!("{page}");
    } else {
        say!("{}", page(&head, &counters, &When::system()).trim_end());
    }
    Ok(true)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn page(head: &Value, counters: &Value, when: &When) -> String {
    let of = |key: &str| text(head, key);
    let mut lines = vec![format!("{}  {}  revision {}", of("id"), view::listens(head), of("revision"))];
    lines.push(format!("  {}, owned by {}, saved {}", of("name"), of("owner"), when.with_distance(&of("saved_at"))));
    for hook in list(head, "hooks") {
        let methods: Vec<_> = list(hook, "methods").iter().filter_map(Value::as_str).map(shown).collect();
        lines.push(format!("  {} {}", methods.join(" "), text(hook, "path")));
    }
    lines.push(covered(counters, when));
    let trigger = |item: &Value| {
        let refusals = counts(item.get("refusals"));
        vec![text(item, "trigger"), text(item, "started"), text(item, "refused"), refusals]
    };
    let triggers: Vec<_> = list(counters, "triggers").iter().map(trigger).collect();
    let steps: Vec<_> = list(counters, "steps").iter().map(step).collect();
    let header = ["step", "type", "completed", "failed", "skipped", "retried", "otherwise", "branches"];
    format!(
        "{}\n\n{}\n{}",
        lines.join("\n"),
        table::render(&["trigger", "started", "refused", "why"], &triggers),
        table::render(&header, &steps)
    )
}

/// Which executions the counters cover.
fn covered(counters: &Value, when: &When) -> String {
    let of = |key: &str| text(counters, key);
    let count = of("executions");
    let noun = if count == "1" { "execution" } else { "executions" };
    let parts =
        if of("parts") == "0" { String::new() } else { format!(" and {} lanes and items of them", of("parts")) };
    let refusals = match of("refusals_since") {
        since if since.is_empty() => since,
        since => format!("; refusals since {}", when.local(&since)),
    };
    match of("since") {
        since if since.is_empty() => format!("no executions yet{refusals}"),
        since if of("complete") == "true" => {
            format!("counted of all {count} {noun}{parts}, since {}{refusals}", when.with_distance(&since))
        }
        since => {
            let older = "older ones are not counted: --executions N counts up to 1,000";
            format!(
                "counted of the newest {count} {noun}{parts}, since {}{refusals}; {older}",
                when.with_distance(&since)
            )
        }
    }
}

fn step(item: &Value) -> Vec<String> {
    let of = |key: &str| text(item, key);
    let mut row = ["step", "type", "completed", "failed", "skipped", "retried"].map(of).to_vec();
    row.extend(["others", "branches"].map(|key| counts(item.get(key))));
    row
}

/// Counts by word, the most first.
fn counts(counts: Option<&Value>) -> String {
    let counts = counts.and_then(Value::as_object);
    let mut counts: Vec<_> =
        counts.into_iter().flatten().map(|(word, count)| (count.as_u64().unwrap_or_default(), word)).collect();
    counts.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(other.1)));
    let words: Vec<_> = counts.into_iter().map(|(count, word)| format!("{} {count}", shown(word))).collect();
    words.join(", ")
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
    fn a_workflow_is_shown_with_what_its_executions_came_to() {
        let head = json!({
            "id": "orders", "active": true, "revision": 7, "name": "Orders", "owner": "a@b.c",
            "saved_at": "2026-11-20T09:00:00Z", "hooks": [{"methods": ["POST"], "path": "/hooks/orders/in"}],
        });
        let counters = json!({
            "executions": 200, "parts": 3, "since": "2026-11-21T08:00:00Z", "complete": false,
            "triggers": [{"trigger": "in", "started": 200, "refused": 5, "refusals": {"cooldown": 1, "filtered": 4}}],
            "steps": [{"step": "paid", "type": "condition", "completed": 200, "failed": 0, "skipped": 0, "retried": 2,
                "others": {"timed_out": 1}, "branches": {"no": 20, "yes": 180}}],
        });
        let told = page(&head, &counters, &when());
        let lines: Vec<_> = told.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "orders  active  revision 7");
        assert_eq!(lines[2], "  POST /hooks/orders/in");
        assert!(
            lines[3].starts_with("counted of the newest 200 executions and 3 lanes and items of them, since "),
            "{told}"
        );
        assert!(lines[3].ends_with("; older ones are not counted: --executions N counts up to 1,000"), "{told}");
        assert!(lines.contains(&"in       200      5        filtered 4, cooldown 1"), "{told}");
        assert!(
            lines.contains(&"paid  condition  200        0       0        2        timed_out 1  yes 180, no 20"),
            "{told}"
        );
    }

    #[test]
    fn nothing_of_it_is_obeyed() {
        let text = format!("{OBEYED}\nforged");
        let head = json!({"id": text, "name": text, "owner": text, "hooks": [{"methods": [text], "path": text}]});
        let item = json!({"trigger": text, "refusals": {text.clone(): 1}, "step": text, "type": text});
        let counters = json!({"triggers": [item], "steps": [item], "since": text, "executions": text});
        let told = page(&head, &counters, &when());
        assert!(is_safe(&told) && told.lines().count() == 12, "{told:?}");
    }
}
