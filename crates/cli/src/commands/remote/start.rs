//! `pawl start`: on one record, or on many as a tracked action.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use pawl_definition::json::{self, Bounds};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

use super::action::{self, Asked};
use super::view::text;
use super::{refused, show, step};
use crate::args::Start;
use crate::client::{Answer, Client};
use crate::output::say;

/// Starts it; `false` if the installation refused.
pub(super) async fn run(client: &Client, start: &Start) -> anyhow::Result<bool> {
    let workflow = &start.workflow;
    if start.r#where.is_some() || start.group.is_some() || start.records.is_some() {
        let records = start.records.as_deref().map(ids).transpose()?;
        let values = given_values(&start.values)?;
        let body = json!({"where": start.r#where, "group": start.group, "records": records, "values": values});
        let asked = Asked {
            path: format!("/v1/workflows/{workflow}/starts"),
            body,
            reason: start.reason.as_deref(),
            what: format!("start {workflow} on"),
            noun: ("record", "records"),
        };
        return action::run(client, asked, &start.pace).await;
    }
    action::unused(&start.pace)?;
    let request = client.request(Method::POST, &format!("/v1/workflows/{workflow}/start"));
    let mut body = start_body(start.record.as_deref(), &start.values)?;
    if start.debug {
        body["debug"] = true.into();
    }
    let request = request.json(&body);
    let key = start.idempotency_key.iter();
    let request = key.fold(request, |request, key| request.header("idempotency-key", key));
    if start.debug {
        return debugged(client, request).await;
    }
    show(client, request, |body| say!("{}", started(body))).await
}

/// Starts an execution that stops before each step, and says what it stands before.
pub(super) async fn debugged(client: &Client, request: RequestBuilder) -> anyhow::Result<bool> {
    let body = match client.send(request).await? {
        Answer::Done(body) => body,
        Answer::Problem(problem) => return Ok(refused(client, &problem)),
    };
    if !client.json {
        say!("{}", started(&body));
    }
    if let Some(execution) = body.get("execution_id").and_then(Value::as_str) {
        return step::stands(client, execution).await;
    }
    // It begins with others, after the window of `debounce`.
    if client.json {
        say!("{body}");
    }
    Ok(true)
}

/// Ids of records, one a line.
fn ids(file: &Path) -> anyhow::Result<Vec<String>> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        text
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    Ok(lines(&text))
}

fn lines(text: &str) -> Vec<String> {
    text.trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn start_body(record: Option<&str>, values: &[String]) -> anyhow::Result<Value> {
    let mut body = Map::new();
    if let Some(record) = record {
        let (object, id) =
            record.split_once('/').with_context(|| format!("expected <object>/<id>, found {record:?}"))?;
        body.insert("record".into(), json!({"object": object, "id": id}));
    }
    body.insert("values".into(), given_values(values)?);
    Ok(Value::Object(body))
}

pub(super) fn given_values(values: &[String]) -> anyhow::Result<Value> {
    let mut given = Map::new();
    for value in values {
        let (name, value) = value.split_once('=').with_context(|| format!("expected name=value, found {value:?}"))?;
        given.insert(name.to_owned(), given_value(name, value)?);
    }
    Ok(Value::Object(given))
}

/// A value as it is written: JSON, or a text. A text may be long digits; JSON beyond the bounds is meant as JSON.
fn given_value(name: &str, written: &str) -> anyhow::Result<Value> {
    match json::parse(written.as_bytes(), &Bounds::OUTSIDE) {
        Ok(value) => Ok(value),
        Err(error) if matches!(error.code(), Some("value_too_deep" | "value_too_large")) => {
            bail!("expected the value of {name} within bounds, found {error}")
        }
        Err(_) => Ok(json!(written)),
    }
}

/// What a start came to.
pub(super) fn started(answer: &Value) -> String {
    match answer.get("debounced") {
        Some(_) => {
            format!("accepted as event {}; it starts one execution together with others", text(answer, "event_id"))
        }
        None => format!("started {}", text(answer, "execution_id")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_records_has_one_id_a_line() {
        assert_eq!(lines("\u{feff}rec_1\r\n\n  rec_2\n"), ["rec_1", "rec_2"]);
        assert!(lines("\n \n").is_empty());
    }

    #[test]
    fn a_value_is_json_within_bounds_or_a_text() {
        let given = |value: &str| start_body(None, &[format!("x={value}")]).map(|body| body["values"]["x"].clone());
        for (written, expected) in [
            ("7", json!(7)),
            (r#"{"a": [1]}"#, json!({"a": [1]})),
            ("a=b", json!("a=b")),
            ("[open", json!("[open")),
            ("123456789012345678901234567890", json!("123456789012345678901234567890")),
        ] {
            assert_eq!(given(written).ok(), Some(expected), "{written}");
        }
        let deep = given(&format!("{}{}", "[".repeat(65), "]".repeat(65))).expect_err("it is too deep").to_string();
        assert!(deep.starts_with("expected the value of x within bounds, found more than 64 levels"), "{deep}");
        let many = given(&format!("[{}0]", "0,".repeat(250_001))).expect_err("it is too large").to_string();
        assert!(many.starts_with("expected the value of x within bounds, found more than 250000 values"), "{many}");
    }
}
