//! The deployed installation.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::proxy::{self, Calls, Gates};

/// Folders of the functions.
pub(super) const FUNCTIONS: [&str; 5] = ["webhook-ingress", "trigger-evaluator", "step-executor", "sweeper", "api"];

/// Services that functions call.
const SERVICES: [&str; 6] = ["DYNAMODB", "SQS", "S3", "SCHEDULER", "SECRETS_MANAGER", "SFN"];

/// What was deployed, as `cargo xtask` wrote it into a file.
pub(super) struct Stack {
    endpoint: String,
    name: String,
    api: String,
    http: reqwest::Client,
}

impl Stack {
    /// Reads the file.
    pub(super) fn read() -> anyhow::Result<Self> {
        let path = std::env::var_os("PAWL_E2E_STACK").context("expected an installation: run `cargo xtask bench`")?;
        let stack: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        let text = |name: &str| stack[name].as_str().map(str::to_owned).with_context(|| format!("expected {name}"));
        Ok(Self {
            endpoint: text("endpoint")?,
            name: text("name")?,
            api: text("api")?,
            http: reqwest::Client::builder().tcp_nodelay(true).build()?,
        })
    }

    /// Sends a request. The emulator looks at who signs, not at the signature.
    async fn send(&self, service: &str, method: &str, url: String, body: &str) -> anyhow::Result<(u16, Value)> {
        let scope = format!("Credential=test/20261126/us-east-1/{service}/aws4_request");
        let signature = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=none");
        let request = self.http.request(method.parse()?, url).header("authorization", signature);
        let answer = request.header("content-type", "application/json").body(body.to_owned()).send().await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Sends a request to the management API or to a webhook.
    pub(super) async fn call(&self, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
        let (status, answer) = self.send("execute-api", method, format!("{}{path}", self.api), body).await?;
        if !(200..300).contains(&status) {
            bail!("{method} {path}: {status}: {answer}");
        }
        Ok(answer)
    }

    /// Puts a proxy between each function and AWS.
    pub(super) async fn watch(&self, calls: &Calls, gates: &Gates) -> anyhow::Result<()> {
        for function in FUNCTIONS {
            let address = proxy::start(function, &self.endpoint, (calls, gates)).await?;
            let url = format!("{}/2015-03-31/functions/{}-{function}/configuration", self.endpoint, self.name);
            let (_, configuration) = self.send("lambda", "GET", url.clone(), "").await?;
            let mut environment = configuration["Environment"].clone();
            for service in SERVICES {
                environment["Variables"][format!("AWS_ENDPOINT_URL_{service}")] = address.clone().into();
            }
            let changed = json!({"Environment": environment}).to_string();
            let (status, answer) = self.send("lambda", "PUT", url, &changed).await?;
            if status != 200 {
                bail!("{function} could not be changed: {status}: {answer}");
            }
        }
        Ok(())
    }

    /// The lines that a function logged since a time, in milliseconds of the epoch.
    pub(super) async fn log(&self, function: &str, since_ms: u64) -> anyhow::Result<Vec<String>> {
        let mut lines = Vec::new();
        let mut next = Value::Null;
        loop {
            let mut asked =
                json!({"logGroupName": format!("/aws/lambda/{}-{function}", self.name), "startTime": since_ms});
            if next.is_string() {
                asked["nextToken"] = next;
            }
            let request = self.http.post(format!("{}/", self.endpoint)).header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=test/20261126/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=none",
            );
            let request = request.header("x-amz-target", "Logs_20140328.FilterLogEvents");
            let request = request.header("content-type", "application/x-amz-json-1.1").body(asked.to_string());
            let page: Value = request.send().await?.json().await?;
            let events = page["events"].as_array().with_context(|| format!("expected log events, found {page}"))?;
            lines.extend(events.iter().filter_map(|event| event["message"].as_str()).map(str::to_owned));
            next = page["nextToken"].clone();
            if !next.is_string() || events.is_empty() {
                return Ok(lines);
            }
        }
    }

    /// Memory of the functions in gigabytes, by function.
    pub(super) async fn memory(&self) -> anyhow::Result<BTreeMap<&'static str, f64>> {
        let mut memory = BTreeMap::new();
        for function in FUNCTIONS {
            let url = format!("{}/2015-03-31/functions/{}-{function}/configuration", self.endpoint, self.name);
            let (_, configuration) = self.send("lambda", "GET", url, "").await?;
            let size = &configuration["MemorySize"];
            let size = size.as_f64().or_else(|| size.as_str()?.parse().ok()).context("a function has a memory")?;
            memory.insert(function, size / 1024.0);
        }
        Ok(memory)
    }
}
