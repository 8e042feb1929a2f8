//! What a person sees of the demo: lines as things happen, then the history as a table; or JSON lines.

use std::time::Instant;

use serde_json::{Value, json};

use crate::commands::remote::{HISTORY, history_rows, what};
use crate::output::say;
use crate::shown::shown;
use crate::table;
use crate::when::When;

/// Tells the story.
pub(super) struct Story {
    json: bool,
    began: Instant,
}

impl Story {
    /// For people, or as JSON lines.
    pub(super) fn new(json: bool) -> Self {
        Self { json, began: Instant::now() }
    }

    /// Something happened.
    pub(super) fn say(&self, line: &str) {
        if self.json {
            say!("{}", json!({"at_ms": self.at_ms(), "event": line}));
        } else {
            say!("{:>6} ms  {}", self.at_ms(), shown(line));
        }
    }

    /// A transition was committed.
    pub(super) fn step(&self, row: &Value) {
        if self.json {
            say!("{}", json!({"at_ms": self.at_ms(), "row": row}));
            return;
        }
        let text = |key: &str| shown(row.get(key).and_then(Value::as_str).unwrap_or_default());
        let name = if text("step").is_empty() { format!("({})", text("kind")) } else { text("step").into_owned() };
        let branch = if text("branch").is_empty() { String::new() } else { format!(" → {}", text("branch")) };
        say!(
            "{:>6} ms  • {name:<14} {:<13} {:<9}{branch}  {}",
            self.at_ms(),
            text("step_type"),
            text("status"),
            what(row)
        );
    }

    /// The execution has ended.
    pub(super) fn end(&self, page: &Value, calls: usize) {
        if self.json {
            let keys = ["status", "indicators", "steps_done"];
            let mut last =
                json!({"execution_id": page["id"], "duration_ms": self.at_ms(), "http_calls_received": calls});
            for key in keys {
                last[key] = page.get(key).cloned().unwrap_or(Value::Null);
            }
            say!("{last}");
            return;
        }
        let when = When::system();
        let rows = page.get("history").map(|history| history_rows(history, &when)).unwrap_or_default();
        say!("\n{}", table::render(HISTORY, &rows));
        let status = page.get("status").and_then(Value::as_str).unwrap_or_default();
        say!(
            "execution {} {status} after {} ms; the tracker received {calls} call(s) over a real socket",
            page["id"].as_str().unwrap_or_default(),
            self.at_ms()
        );
    }

    fn at_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
