//! `pawl deliver`: a webhook, signed as its trigger demands.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use jiff::Timestamp;
use pawl_api::webhook;
use pawl_definition::StepKind;
use pawl_definition::trigger::Verify;
use pawl_local::VariableSecrets;
use pawl_runtime::ports::Secrets as _;
use reqwest::Method;
use serde_json::Value;

use super::refused;
use super::view::text;
use crate::args::Deliver;
use crate::client::{Answer, Client};
use crate::output::say;
use crate::shown::shown;
use crate::variables::Variables;

/// A webhook of the workflow as it is in force.
struct Hook {
    path: String,
    method: Method,
    verify: Verify,
}

/// Sends it, and prints the answer.
pub(super) async fn run(client: &Client, deliver: &Deliver) -> anyhow::Result<bool> {
    let path = format!("/v1/workflows/{}", deliver.workflow);
    let workflow = match client.send(client.request(Method::GET, &path)).await? {
        Answer::Done(workflow) => workflow,
        Answer::Problem(problem) => return Ok(refused(client, &problem)),
    };
    let hook = hook(&workflow, deliver.trigger.as_deref())?;
    let body = body(deliver.body.as_deref())?;
    let secrets = secrets(&hook.verify, Variables::named(deliver.env_file.as_deref())?).await?;
    let now = Timestamp::now();
    let id = format!("msg_{}", now.as_microsecond());
    let signed = webhook::sign(&hook.verify, &secrets, &id, &body, now);
    let signed = signed.map_err(|rejection| anyhow::anyhow!("the delivery cannot be signed: {rejection}"))?;
    let headers = pairs(&deliver.headers, ':', "--header", "name: value")?;
    let mut request =
        client.request(hook.method, &hook.path).query(&pairs(&deliver.query, '=', "--query", "name=value")?);
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) && !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers.iter().chain(&signed.headers) {
        request = request.header(name, value);
    }
    match client.send_unauthorized(request.query(&signed.query).body(body)).await? {
        Answer::Done(answer) if client.json => say!("{answer}"),
        Answer::Done(answer) => say!("{}", delivered(&answer)),
        Answer::Problem(problem) => return Ok(refused(client, &problem)),
    }
    Ok(true)
}

/// The webhook of this trigger, or the only one.
fn hook(workflow: &Value, trigger: Option<&str>) -> anyhow::Result<Hook> {
    let hooks = workflow.get("hooks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let id = |hook: &Value| hook.get("trigger").and_then(Value::as_str).unwrap_or_default().to_owned();
    let named = || hooks.iter().map(id).collect::<Vec<_>>().join(", ");
    let hook = match (trigger, hooks) {
        (_, []) => bail!("the workflow has no webhook"),
        (None, [only]) => only,
        (None, _) => bail!("expected the trigger, for the workflow has several webhooks: {}", named()),
        (Some(trigger), hooks) => hooks
            .iter()
            .find(|hook| id(hook) == trigger)
            .with_context(|| format!("expected a webhook of the workflow ({}), found {trigger:?}", named()))?,
    };
    let path = hook.get("path").and_then(Value::as_str).context("the installation names no path of the webhook")?;
    let methods = hook.get("methods").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let method = if methods.into_iter().any(|method| method == "POST") { Method::POST } else { Method::GET };
    let verify = written(workflow.get("source").unwrap_or(&Value::Null), &id(hook));
    let verify = verify.and_then(|trigger| trigger.get("verify")).cloned();
    let verify = verify.map(serde_json::from_value).transpose().context("the rule `verify` cannot be read")?;
    Ok(Hook { path: path.to_owned(), method, verify: verify.unwrap_or_default() })
}

/// A trigger as it is written: among those of the workflow, or of a goal at any depth.
fn written<'a>(source: &'a Value, id: &str) -> Option<&'a Value> {
    let is_it = |trigger: &&Value| trigger.get("id").and_then(Value::as_str) == Some(id);
    let among = |key: &str| source.get(key).and_then(Value::as_array).and_then(|triggers| triggers.iter().find(is_it));
    if let Some(trigger) = among("triggers") {
        return Some(trigger);
    }
    let tag = source.get("type").and_then(Value::as_str).unwrap_or_default();
    if let Some(trigger) = StepKind::facts_of(tag).triggers_in.and_then(among) {
        return Some(trigger);
    }
    match source {
        Value::Array(values) => values.iter().find_map(|value| written(value, id)),
        Value::Object(keys) => keys.values().find_map(|value| written(value, id)),
        _ => None,
    }
}

fn body(from: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    match from {
        None => Ok(Vec::new()),
        Some(path) if path == Path::new("-") => {
            let mut body = Vec::new();
            std::io::stdin().read_to_end(&mut body).context("cannot read standard input")?;
            Ok(body)
        }
        Some(path) => std::fs::read(path).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The secrets of a rule that variables hold; at least one.
async fn secrets(rule: &Verify, variables: Variables) -> anyhow::Result<BTreeMap<String, String>> {
    let held = VariableSecrets::new(variables.into_pairs());
    let names = webhook::secret_names(rule);
    let mut secrets = BTreeMap::new();
    for name in &names {
        if let Ok(value) = held.get(name).await {
            secrets.insert((*name).to_owned(), value);
        }
    }
    if secrets.is_empty() && !names.is_empty() {
        let variables: Vec<_> = names.iter().map(|name| pawl_local::secret_variable(name)).collect();
        bail!(
            "expected the secret that signs the delivery in the environment or in --env-file ({}), found none",
            variables.join(" or ")
        );
    }
    Ok(secrets)
}

fn pairs(written: &[String], between: char, option: &str, expected: &str) -> anyhow::Result<Vec<(String, String)>> {
    let pair = |text: &String| {
        let (name, value) =
            text.split_once(between).with_context(|| format!("{option}: expected {expected:?}, found {text:?}"))?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    written.iter().map(pair).collect()
}

/// What became of a webhook that was sent.
pub(super) fn delivered(answer: &Value) -> String {
    match (text(answer, "event_id"), text(answer, "execution_id")) {
        (event, _) if event.is_empty() => format!("answered: {}", shown(&answer.to_string())),
        (event, _) if answer.get("debounced").is_some() => {
            format!("accepted as event {event}; it starts one execution together with others, once no more come")
        }
        (event, execution) if execution.is_empty() => {
            format!("accepted as event {event}; it starts nothing: executions that wait for it go on")
        }
        (event, execution) => format!("accepted as event {event}; it starts execution {execution}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workflow() -> Value {
        let hook =
            |trigger: &str| json!({"trigger": trigger, "path": format!("/hooks/w/{trigger}"), "methods": ["POST"]});
        let goal =
            json!({"type": "goal", "on": [{"id": "paid", "type": "webhook", "verify": {"github": {"secret": "gh"}}}]});
        let steps = json!([{"type": "condition", "yes": [goal], "if": "true"}]);
        let source = json!({"triggers": [{"id": "in", "type": "webhook"}], "steps": steps});
        json!({"hooks": [hook("in"), hook("paid")], "source": source})
    }

    #[test]
    fn a_webhook_of_a_goal_is_found_with_its_rule() {
        let paid = hook(&workflow(), Some("paid")).expect("it is one");
        assert_eq!(paid.path, "/hooks/w/paid");
        assert_eq!(webhook::secret_names(&paid.verify), ["gh"]);
        assert_eq!(hook(&workflow(), Some("in")).expect("it is one").verify, Verify::None);
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let told = |trigger| hook(&workflow(), trigger).err().expect("none is meant").to_string();
        assert_eq!(told(None), "expected the trigger, for the workflow has several webhooks: in, paid");
        assert_eq!(told(Some("out")), "expected a webhook of the workflow (in, paid), found \"out\"");
    }
}
