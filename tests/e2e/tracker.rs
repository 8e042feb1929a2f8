//! The outside service: it counts calls by their idempotency key, and breaks when it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What an answer at `/large` holds, in bytes: more than a row or a head keeps inline.
pub(crate) const LARGE: usize = 60_000;

/// What was heard, and how to answer.
#[derive(Debug, Default)]
struct Heard {
    calls: BTreeMap<String, u32>,
    last: BTreeMap<String, (Option<String>, Value)>,
    status: Option<StatusCode>,
    status_at: BTreeMap<String, StatusCode>,
    takes: Duration,
}

/// A running service.
#[derive(Debug, Clone)]
pub(crate) struct Tracker {
    address: String,
    heard: Arc<Mutex<Heard>>,
}

impl Tracker {
    /// Starts one on loopback; it lives as long as the test.
    pub(crate) async fn start() -> Self {
        let heard = Arc::<Mutex<Heard>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address").to_string();
        let router = Router::new().fallback(answer).with_state(heard.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, heard }
    }

    /// A workflow that calls it: `TRACKER` becomes its address.
    pub(crate) fn addressed(&self, workflow: &str) -> String {
        workflow.replace("TRACKER", &self.address)
    }

    fn with<T>(&self, then: impl FnOnce(&mut Heard) -> T) -> T {
        then(&mut self.heard.lock().expect("no holder panics"))
    }

    /// Answers all calls with this status from now on.
    pub(crate) fn breaks(&self, status: u16) {
        self.with(|heard| heard.status = Some(StatusCode::from_u16(status).expect("tests use statuses that exist")));
    }

    /// Answers calls to a path with this status from now on.
    pub(crate) fn breaks_at(&self, path: &str, status: u16) {
        let status = StatusCode::from_u16(status).expect("tests use statuses that exist");
        self.with(|heard| heard.status_at.insert(path.to_owned(), status));
    }

    /// Answers calls to a path as it should again.
    pub(crate) fn mends_at(&self, path: &str) {
        self.with(|heard| heard.status_at.remove(path));
    }

    /// Answers as it should again.
    pub(crate) fn mends(&self) {
        self.with(|heard| heard.status = None);
    }

    /// Takes this long to answer, so that what kills the caller strikes in the middle.
    pub(crate) fn takes(&self, time: Duration) {
        self.with(|heard| heard.takes = time);
    }

    /// Calls by idempotency key.
    pub(crate) fn calls(&self) -> BTreeMap<String, u32> {
        self.with(|heard| heard.calls.clone())
    }

    /// The authorization and the body of the last call to a path.
    pub(crate) fn last(&self, path: &str) -> (Option<String>, Value) {
        self.with(|heard| heard.last.get(path).cloned()).unwrap_or_else(|| panic!("nobody called {path}"))
    }
}

async fn answer(State(heard): State<Arc<Mutex<Heard>>>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (status, takes) = {
        let mut heard = heard.lock().expect("no holder panics");
        *heard.calls.entry(header("idempotency-key").unwrap_or_else(|| "none".to_owned())).or_default() += 1;
        let sent = serde_json::from_str(&body).unwrap_or(Value::String(body));
        heard.last.insert(uri.path().to_owned(), (header("authorization"), sent));
        (heard.status_at.get(uri.path()).copied().or(heard.status), heard.takes)
    };
    tokio::time::sleep(takes).await;
    let text = if uri.path() == "/large" { "x".repeat(LARGE) } else { "short".to_owned() };
    (status.unwrap_or(StatusCode::OK), Json(json!({"ok": status.is_none(), "text": text}))).into_response()
}
