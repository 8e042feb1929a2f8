//! An API Gateway for tests: it lets in what is signed with one pair of keys, and answers for the installation.

use std::sync::{Arc, Mutex};

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::signature::{self, Refused};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A value of the query, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse(&format!("http://localhost{}", self.uri)).expect("a target is the end of a URL");
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// A running gateway.
pub(crate) struct Gateway {
    url: String,
    sent: Arc<Mutex<Vec<Sent>>>,
}

#[derive(Clone)]
struct Answers {
    keys: Option<(&'static str, &'static str)>,
    answer: Value,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Gateway {
    /// Starts one that answers whoever signs with these keys for `eu-central-1`, or anybody.
    pub(crate) async fn start(keys: Option<(&'static str, &'static str)>, answer: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let sent = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new().fallback(serve).with_state(Answers { keys, answer, sent: sent.clone() });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, sent }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All that came.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("nobody panics with it").clone()
    }
}

async fn serve(State(answers): State<Answers>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, 1 << 20).await.expect("the body arrives");
    let sent = Sent { method: parts.method, uri: parts.uri, headers: parts.headers, body: body.to_vec() };
    answers.sent.lock().expect("nobody panics with it").push(sent.clone());
    let checked = answers.keys.map_or(Ok(()), |keys| signature::check(&sent, keys));
    let message = match checked {
        Ok(()) => return Json(answers.answer).into_response(),
        Err(Refused::Unsigned) => "Missing Authentication Token",
        Err(Refused::Scope) => "Credential should be scoped to a valid region. ",
        Err(Refused::Mismatch) => {
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details."
        }
    };
    (StatusCode::FORBIDDEN, Json(json!({"message": message}))).into_response()
}
