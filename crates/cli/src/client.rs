//! Talks to an installation over its management API.

use anyhow::{Context, bail};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// A client of one installation.
pub(crate) struct Client {
    http: reqwest::Client,
    endpoint: String,
    token: Option<String>,
    /// Prints JSON instead of tables.
    pub(crate) json: bool,
}

/// What an installation answered.
pub(crate) enum Answer {
    /// It did what was asked.
    Done(Value),
    /// It refused: an RFC 9457 problem.
    Problem(Value),
}

impl Client {
    /// For an endpoint such as `http://127.0.0.1:7420`.
    pub(crate) fn new(endpoint: &str, token: Option<&str>, json: bool) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build().context("cannot make an HTTP client")?;
        Ok(Self { http, endpoint: endpoint.trim_end_matches('/').to_owned(), token: token.map(str::to_owned), json })
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.endpoint));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> anyhow::Result<Answer> {
        let answer = request.send().await.with_context(|| {
            format!(
                "cannot reach an installation at {}: start one with `pawl dev DIR`, or say --endpoint",
                self.endpoint
            )
        })?;
        let status = answer.status();
        let text = answer.text().await.context("the installation's answer was cut off")?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if status.is_success() {
            return Ok(Answer::Done(body));
        }
        if status == StatusCode::UNAUTHORIZED && body.get("code").is_none() {
            bail!("the installation asks for a token: say --token or set PAWL_TOKEN");
        }
        Ok(Answer::Problem(body))
    }
}

/// Prints a problem for a person.
pub(crate) fn explain(problem: &Value) {
    let text = |key: &str| problem.get(key).and_then(Value::as_str).unwrap_or_default();
    eprintln!("{} [{}]", text("title"), text("code"));
    if !text("detail").is_empty() {
        let at = if text("path").is_empty() { String::new() } else { format!("{}: ", text("path")) };
        eprintln!("  {at}{}", text("detail"));
    }
    for problem in problem.get("problems").and_then(Value::as_array).into_iter().flatten() {
        let part = |key: &str| match problem.get(key) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let with = |text: String, end: &str| if text.is_empty() { text } else { text + end };
        let place = with([part("line"), part("column")].join(":").trim_matches(':').to_owned(), ": ");
        let suggestion =
            if part("suggestion").is_empty() { String::new() } else { format!("; {}", part("suggestion")) };
        let what = with(part("severity"), &format!("[{}] ", part("code")));
        eprintln!("  {place}{what}{}{}{suggestion}", with(part("path"), ": "), part("message"));
    }
}
