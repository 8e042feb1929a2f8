//! `pawl forget`: asks again from where the installation stands, until all is done.

use std::collections::BTreeSet;
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
    let (mut executions, mut left, mut waits) = (0, Left::default(), 0_usize);
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
        left.open.extend(ids(&answer, "open"));
        left.unreadable.extend(ids(&answer, "unreadable"));
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
    told(client, &forget.record, executions, &left);
    Ok(left.open.is_empty() && left.unreadable.is_empty())
}

/// What may still hold values.
#[derive(Default)]
struct Left {
    open: BTreeSet<String>,
    unreadable: BTreeSet<String>,
}

fn ids(answer: &Value, key: &str) -> Vec<String> {
    let ids = answer.get(key).and_then(Value::as_array).into_iter().flatten();
    ids.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn told(client: &Client, record: &str, executions: u64, left: &Left) {
    if client.json {
        say!(
            "{}",
            json!({"record": record, "executions": executions, "open": left.open, "unreadable": left.unreadable})
        );
        return;
    }
    let noun = if executions == 1 { "execution" } else { "executions" };
    say!("forgotten: {record}, and its values in {executions} {noun}");
    if !left.open.is_empty() {
        complain!("still open, with values of it: {}; run this again once they have ended", listed(&left.open));
    }
    if !left.unreadable.is_empty() {
        complain!("not readable, and left as it is: {}; restore it, and run this again", listed(&left.unreadable));
    }
}

fn listed(ids: &BTreeSet<String>) -> String {
    ids.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
