//! Talks to an installation over its management API.

mod auth;
#[cfg(feature = "aws")]
mod credentials;
mod refusal;
#[cfg(feature = "aws")]
mod signer;
#[cfg(not(feature = "aws"))]
#[path = "client/unsigned.rs"]
mod signer;

use std::net::IpAddr;

use anyhow::{Context, bail};
use pawl_connectors::SystemClock;
use pawl_runtime::ports::Clock;
use reqwest::{Method, Request, RequestBuilder, Url};
use serde_json::Value;

use crate::args::AuthMode;
use crate::output::complain;
use crate::shown::shown;
use auth::Auth;
use refusal::Refusal;

/// A client of one installation.
pub(crate) struct Client {
    http: reqwest::Client,
    endpoint: String,
    /// The endpoint is on this machine.
    is_local: bool,
    auth: Auth,
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
    /// For an endpoint such as `http://127.0.0.1:7420`. Nothing is loaded or sent yet.
    pub(crate) fn new(endpoint: &str, auth: Option<AuthMode>, token: Option<&str>, json: bool) -> anyhow::Result<Self> {
        let url = Url::parse(endpoint).ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
        let url = url
            .with_context(|| format!("--endpoint: expected a URL such as http://127.0.0.1:7420, found {endpoint:?}"))?;
        let auth = Auth::choose(auth, token, &url)?;
        let is_local = is_loopback(&url);
        let http = reqwest::Client::builder();
        // A proxy that leads out, `HTTPS_PROXY`, does not lead back in.
        let http = if is_local { http.no_proxy() } else { http };
        let http = http.build().context("cannot make an HTTP client")?;
        Ok(Self { http, endpoint: endpoint.trim_end_matches('/').to_owned(), is_local, auth, json })
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.endpoint))
    }

    /// Authorizes and sends a request, and reads the answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> anyhow::Result<Answer> {
        let mut request = request.build().context("cannot make the request")?;
        self.auth.apply(&mut request, SystemClock.now()).await?;
        self.carry_out(request).await
    }

    /// Sends a request as it is, as an outside system does, and reads the answer.
    pub(crate) async fn send_unauthorized(&self, request: RequestBuilder) -> anyhow::Result<Answer> {
        self.carry_out(request.build().context("cannot make the request")?).await
    }

    async fn carry_out(&self, request: Request) -> anyhow::Result<Answer> {
        let now = SystemClock.now();
        let answer = self.http.execute(request).await.with_context(|| {
            let advice = if self.is_local { "start one with `pawl dev DIR`, or say" } else { "check" };
            format!("cannot reach an installation at {}: {advice} --endpoint", self.endpoint)
        })?;
        let status = answer.status();
        let refusal = Refusal::of(&answer);
        let text = answer.text().await.context("the installation's answer was cut off")?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if status.is_success() {
            return Ok(Answer::Done(body));
        }
        // What is out of service says why, without a code.
        let says_why = status.as_u16() == 503 && body.get("reason").is_some();
        if body.get("code").is_some() || says_why {
            return Ok(Answer::Problem(body));
        }
        bail!(refusal.saying(&body).explain(self.auth.proof(), now))
    }
}

/// Whether an endpoint is on this machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Prints a problem for a person.
pub(crate) fn explain(problem: &Value) {
    for line in explanation(problem) {
        complain!("{line}");
    }
}

/// A problem for a person, line by line.
fn explanation(problem: &Value) -> Vec<String> {
    let text = |key: &str| shown(problem.get(key).and_then(Value::as_str).unwrap_or_default());
    let mut lines = vec![format!("{} [{}]", text("title"), text("code"))];
    if !text("detail").is_empty() {
        let at = if text("path").is_empty() { String::new() } else { format!("{}: ", text("path")) };
        lines.push(format!("  {at}{}", text("detail")));
    }
    for problem in problem.get("problems").and_then(Value::as_array).into_iter().flatten() {
        let part = |key: &str| match problem.get(key) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => shown(text).into_owned(),
            Some(other) => shown(&other.to_string()).into_owned(),
        };
        let with = |text: String, end: &str| if text.is_empty() { text } else { text + end };
        let place = with([part("line"), part("column")].join(":").trim_matches(':').to_owned(), ": ");
        let suggestion =
            if part("suggestion").is_empty() { String::new() } else { format!("; {}", part("suggestion")) };
        let what = with(part("severity"), &format!("[{}] ", part("code")));
        lines.push(format!("  {place}{what}{}{}{suggestion}", with(part("path"), ": "), part("message")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shown::{OBEYED, is_safe};

    #[test]
    fn a_problem_is_shown_and_not_obeyed() {
        let text = format!("{OBEYED}\nforged");
        let mistake =
            json!({"severity": text, "code": text, "path": text, "message": text, "suggestion": text, "line": 1});
        let problem = json!({"title": text, "code": text, "detail": text, "path": text, "problems": [mistake]});
        let lines = explanation(&problem);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| is_safe(line) && !line.contains('\n')), "{lines:?}");
    }
}
