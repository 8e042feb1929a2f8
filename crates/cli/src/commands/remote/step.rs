//! Step by step: what an execution that stops before each step stands before, and what is done with that step.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::view::{self, text};
use super::{refused, what};
use crate::args::Step;
use crate::client::{Answer, Client};
use crate::output::say;
use crate::shown::lines;
use crate::when::When;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a step is looked at that goes on; then its state is shown as it is.
const LOOKS_MOST: Duration = Duration::from_mins(1);

/// Carries out the step, skips it, or lets the execution run on; then says where it stands.
pub(super) async fn run(client: &Client, step: &Step) -> anyhow::Result<bool> {
    let word = match step {
        Step { skip: true, .. } => "skip",
        Step { run: true, .. } => "run",
        Step { .. } => "step",
    };
    let path = format!("/v1/executions/{}/{word}", step.execution);
    let request = client.request(Method::POST, &path).json(&json!({"reason": step.reason, "take": step.take}));
    match client.send(request).await? {
        Answer::Done(body) if step.run && client.json => say!("{body}"),
        Answer::Done(body) if step.run => say!("{} is {}", text(&body, "id"), text(&body, "status")),
        Answer::Done(_) => return stands(client, &step.execution).await,
        Answer::Problem(problem) => return Ok(refused(client, &problem)),
    }
    Ok(true)
}

/// Waits until an execution stops, waits or has ended, and says where it stands and what its next step would do.
pub(super) async fn stands(client: &Client, id: &str) -> anyhow::Result<bool> {
    let began = Instant::now();
    let page = loop {
        let request = client.request(Method::GET, &format!("/v1/executions/{id}")).query(&[("limit", "1")]);
        let is_late = began.elapsed() > LOOKS_MOST;
        match client.send(request).await? {
            Answer::Done(page) if is_late || !is_on_the_move(&page) => break page,
            // Its event is not evaluated yet.
            Answer::Problem(problem) if is_late || text(&problem, "code") != "no_execution" => {
                return Ok(refused(client, &problem));
            }
            Answer::Done(_) | Answer::Problem(_) => tokio::time::sleep(PAUSE).await,
        }
    };
    let next = match client.send(client.request(Method::GET, &format!("/v1/executions/{id}/next"))).await? {
        Answer::Done(next) => Some(next),
        // It is paused before no step, waits or has ended.
        Answer::Problem(_) => None,
    };
    if client.json {
        say!("{}", json!({"id": page["id"], "status": page["status"], "held": page["held"], "next": next}));
        return Ok(true);
    }
    match &next {
        Some(next) => say!("{}", ahead(&page, next)),
        None => say!("{}", view::state(&page, &When::system())),
    }
    Ok(true)
}

fn is_on_the_move(page: &Value) -> bool {
    matches!(text(page, "status").as_str(), "queued" | "running") && page["held"].is_null()
}

/// The step ahead, and what it would do.
fn ahead(page: &Value, next: &Value) -> String {
    let of = |key: &str| text(next, key);
    let mut said = vec![format!("{} stops before {} ({})", text(page, "id"), of("step"), of("step_type"))];
    let status = of("status");
    let would = match (status.as_str(), of("branch")) {
        ("", _) => String::new(),
        ("running", _) => "would make its call".to_owned(),
        (_, branch) if !branch.is_empty() => format!("would be {status}, and take the path {branch}"),
        (_, _) => format!("would be {status}"),
    };
    let why = if next["error"].is_null() && of("note").is_empty() { String::new() } else { what(next) };
    said.extend([would, why].into_iter().filter(|line| !line.is_empty()).map(|line| format!("  {line}")));
    for key in ["input", "output"].into_iter().filter(|key| !next[*key].is_null()) {
        said.push(format!("  {key}:"));
        let value = serde_json::to_string_pretty(&next[key]).unwrap_or_default();
        said.extend(value.lines().map(|line| format!("    {line}")));
    }
    lines(&said.join("\n")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::{OBEYED, is_safe};

    #[test]
    fn the_step_ahead_is_told_with_its_input() {
        let page = json!({"id": "exe_1"});
        let next = json!({"step": "tell", "step_type": "http_request", "status": "running", "input": {"url": "https://x.example"}});
        insta::assert_snapshot!(ahead(&page, &next), @r#"
        exe_1 stops before tell (http_request)
          would make its call
          input:
            {
              "url": "https://x.example"
            }
        "#);
        let next = json!({"step": "set", "step_type": "set_fields", "status": "failed", "error": {"code": "no_such_key", "message": "none"}});
        insta::assert_snapshot!(ahead(&page, &next), @"
        exe_1 stops before set (set_fields)
          would be failed
          no_such_key: none
        ");
    }

    #[test]
    fn a_value_is_shown_and_not_obeyed() {
        let next = json!({"step": "say", "step_type": "note", "status": "completed", "note": OBEYED, "output": OBEYED});
        assert!(is_safe(&ahead(&json!({"id": "exe_1"}), &next)));
    }
}
