//! Following an execution live: its history as it is made, until it has ended.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::view::{self, text};
use super::{refused, what};
use crate::client::{Answer, Client};
use crate::output::say;
use crate::shown::shown;
use crate::when::When;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// What was seen of a history.
#[derive(Default)]
struct Seen {
    /// Where the last page begins.
    cursor: Option<String>,
    /// Number of the last row that was printed.
    seq: Option<u64>,
}

impl Seen {
    /// The rows of a page that were not printed yet.
    fn new_rows<'p>(&mut self, page: &'p Value) -> Vec<&'p Value> {
        let rows = page.pointer("/history/items").and_then(Value::as_array).into_iter().flatten();
        let seq = |row: &Value| row.get("seq").and_then(Value::as_u64);
        let new: Vec<_> = rows.filter(|row| seq(row) > self.seq).collect();
        self.seq = new.last().and_then(|row| seq(row)).or(self.seq);
        new
    }
}

/// Prints the rows of an execution as they come, and its state when it waits, is paused or has ended; returns at its end.
pub(super) async fn execution(client: &Client, id: &str) -> anyhow::Result<bool> {
    let (mut seen, mut state) = (Seen::default(), String::new());
    loop {
        let when = When::system();
        let query: Vec<_> = seen.cursor.iter().map(|cursor| ("cursor", cursor.clone())).collect();
        let request = client.request(Method::GET, &format!("/v1/executions/{id}")).query(&query);
        let page = match client.send(request).await? {
            Answer::Done(page) => page,
            Answer::Problem(problem) => return Ok(refused(client, &problem)),
        };
        for row in seen.new_rows(&page) {
            if client.json {
                say!("{row}");
            } else {
                say!("{}", line(row, &when));
            }
        }
        if let Some(next) = page.pointer("/history/next").and_then(Value::as_str) {
            seen.cursor = Some(next.to_owned());
            continue;
        }
        let status = text(&page, "status");
        let is_over = matches!(status.as_str(), "completed" | "failed" | "canceled");
        if status != state && (is_over || matches!(status.as_str(), "waiting" | "paused" | "queued")) {
            tell(client, &page, &when);
        }
        if is_over {
            return Ok(true);
        }
        state = status;
        tokio::time::sleep(PAUSE).await;
    }
}

/// A row: when, where, and what came of it.
fn line(row: &Value, when: &When) -> String {
    let of = |key: &str| text(row, key);
    let place = ["address", "step"].into_iter().map(of).find(|place| !place.is_empty());
    let place = place.unwrap_or_else(|| format!("({})", of("kind")));
    let branch = if of("branch").is_empty() { String::new() } else { format!(" → {}", of("branch")) };
    let at = when.local_precise(&of("at"));
    let line =
        format!("{:>4}  {at}  {place:<20} {:<16} {}{branch}  {}", of("seq"), of("step_type"), of("status"), what(row));
    shown(line.trim_end()).into_owned()
}

/// Where it stands now, and why.
fn tell(client: &Client, page: &Value, when: &When) {
    if client.json {
        say!("{}", json!({"id": page["id"], "status": page["status"], "reason": page["reason"]}));
    } else {
        say!("{}", view::state(page, when));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_printed_once() {
        let page = |seqs: &[u64]| {
            let rows: Vec<_> = seqs.iter().map(|seq| json!({"seq": seq})).collect();
            json!({"history": {"items": rows}})
        };
        let mut seen = Seen::default();
        let count = |seen: &mut Seen, seqs: &[u64]| seen.new_rows(&page(seqs)).len();
        assert_eq!((count(&mut seen, &[0, 1]), count(&mut seen, &[0, 1]), count(&mut seen, &[0, 1, 2, 3])), (2, 0, 2));
        assert_eq!(seen.seq, Some(3));
    }
}
