//! `pawl forget`: asks again from where the installation stands, until all is done.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::args::Forget;
use crate::client::{Answer, Client};
use crate::output::{complain, say};

/// How often a canceled execution is waited for, a second each time.
const WAITS: usize = 300;

/// Forgets a record; `false` if the installation refused, or executions still hold values of it.
pub(super) async fn run(client: &Client, forget: &Forget) -> anyhow::Result<bool> {
    let Some((object, id)) = forget.record.split_once('/') else {
        anyhow::bail!("expected a record as <object>/<id>, found {:?}", forget.record);
    };
    let path = format!("/v1/objects/{object}/records/{id}/forget");
    let (mut executions, mut open, mut waits) = (0, Vec::new(), 0_usize);
    let mut cursor: Option<String> = None;
    loop {
        let body = json!({
            "cancel": forget.cancel, "everywhere": forget.everywhere, "reason": forget.reason, "cursor": cursor,
        });
        let answer = match client.send(client.request(Method::POST, &path).json(&body)).await? {
            Answer::Done(answer) => answer,
            Answer::Problem(problem) => return Ok(super::refused(client, &problem)),
        };
        executions += answer.get("executions").and_then(Value::as_u64).unwrap_or_default();
        open.extend(ids(&answer, "open"));
        let canceling = ids(&answer, "canceling");
        if !canceling.is_empty() {
            waits += 1;
            if waits > WAITS {
                complain!("these executions do not end: {}; run this again later", canceling.join(", "));
                return Ok(false);
            }
            // What was canceled ends after the step in progress.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        cursor = answer.get("next").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    told(client, &forget.record, executions, &open);
    Ok(open.is_empty())
}

fn ids(answer: &Value, key: &str) -> Vec<String> {
    let ids = answer.get(key).and_then(Value::as_array).into_iter().flatten();
    ids.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn told(client: &Client, record: &str, executions: u64, open: &[String]) {
    if client.json {
        say!("{}", json!({"record": record, "executions": executions, "open": open}));
        return;
    }
    let noun = if executions == 1 { "execution" } else { "executions" };
    say!("forgotten: {record}, and its values in {executions} {noun}");
    if !open.is_empty() {
        complain!("still open, with values of it: {}; run this again once they have ended", open.join(", "));
    }
}
