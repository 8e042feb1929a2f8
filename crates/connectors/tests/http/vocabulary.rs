//! What the tests of the HTTP port are written with.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::any;
use jiff::SignedDuration;
use pawl_connectors::{AllowList, GuardedHttp, HttpConfig, Resolve};
use pawl_runtime::ports::{HttpAnswer, HttpError, HttpRequest};
use serde_json::json;

pub(crate) fn config(allow: &str) -> HttpConfig {
    HttpConfig { allow: AllowList::parse(allow).expect("the test's list is well-formed"), ..HttpConfig::default() }
}

pub(crate) fn client(allow: &str) -> GuardedHttp {
    GuardedHttp::new(config(allow)).expect("a client can be made")
}

pub(crate) fn get_of(url: impl Into<String>) -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        url: url.into(),
        headers: BTreeMap::new(),
        body: None,
        timeout: SignedDuration::from_secs(30),
    }
}

pub(crate) fn refusal(outcome: Result<HttpAnswer, HttpError>) -> String {
    match outcome {
        Err(HttpError::Refused(message)) => message,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

/// Answers with what it was asked.
pub(crate) async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: String) -> axum::Json<serde_json::Value> {
    let headers: BTreeMap<_, _> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().expect("ascii").to_owned())).collect();
    axum::Json(json!({"method": method.as_str(), "uri": uri.to_string(), "headers": headers, "body": body}))
}

pub(crate) fn redirect(status: StatusCode, to: impl Into<String>) -> Router {
    let to = to.into();
    Router::new().fallback(any(move || async move { (status, [("location", to)]) }))
}

/// Gives its answers one after the other, the last one for ever.
pub(crate) struct Answers {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Answers {
    pub(crate) fn of(answers: &[&[&'static str]]) -> Arc<Self> {
        Arc::new(Self { answers: answers.iter().map(|one| one.to_vec()).collect(), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Resolve for Answers {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed).min(self.answers.len().saturating_sub(1));
        match self.answers.get(turn) {
            Some(answer) => Ok(answer.iter().map(|text| text.parse().expect("the test's address is one")).collect()),
            None => Err(io::Error::other(format!("{name} is not known"))),
        }
    }
}
