//! A proxy between one function and AWS, which notes each request.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;

use super::gate::Gate;

/// Longest body that passes.
const BODY_MOST: usize = 8 << 20;

/// One request of a function to AWS.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Folder of the function.
    pub(super) function: &'static str,
    /// Service, as in its signatures.
    pub(super) service: String,
    /// Operation, or method where the service is one of resources.
    pub(super) operation: String,
    /// When it came.
    pub(super) begin: Instant,
    /// When it was answered.
    pub(super) end: Instant,
    /// Status of the answer.
    pub(super) status: u16,
    /// Body.
    pub(super) request: Value,
    /// Answer.
    pub(super) answer: Value,
}

/// What all proxies noted, in the order of the answers.
pub(super) type Calls = Arc<Mutex<Vec<Call>>>;

/// What all proxies hold requests against; none lets all pass.
pub(super) type Gates = Arc<Mutex<Option<Gate>>>;

#[derive(Clone)]
struct Proxy {
    function: &'static str,
    target: String,
    http: reqwest::Client,
    calls: Calls,
    gates: Gates,
}

/// Starts one for a function; returns its address.
pub(super) async fn start(
    function: &'static str,
    target: &str,
    (calls, gates): (&Calls, &Gates),
) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let http = reqwest::Client::builder().tcp_nodelay(true).build()?;
    let proxy = Proxy { function, target: target.to_owned(), http, calls: calls.clone(), gates: gates.clone() };
    let router = Router::new().fallback(pass).with_state(proxy);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Passes a request on and notes it.
async fn pass(State(proxy): State<Proxy>, request: Request) -> Response {
    let begin = Instant::now();
    match proxy.forward(request, begin).await {
        Ok(answer) => answer,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("the proxy could not pass it on: {error}")).into_response(),
    }
}

impl Proxy {
    async fn forward(&self, request: Request, begin: Instant) -> anyhow::Result<Response> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BODY_MOST).await?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let operation = header("x-amz-target").rsplit_once('.').map(|(_, operation)| operation.to_owned());
        let mut call = Call {
            function: self.function,
            service: service(header("authorization")).to_owned(),
            operation: operation.unwrap_or_else(|| parts.method.to_string()),
            begin,
            end: begin,
            status: 0,
            request: json(&body),
            answer: Value::Null,
        };
        if let Some(refusal) = self.gate(|gate| gate.refuses(&call)) {
            return Ok(refused(&refusal));
        }
        let sent = self.http.request(parts.method.clone(), format!("{}{path}", self.target));
        let answer = sent.headers(parts.headers.clone()).body(body).send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let content = answer.bytes().await?;
        (call.end, call.status, call.answer) = (Instant::now(), status.as_u16(), json(&content));
        self.gate(|gate| {
            gate.passed(&call);
            None::<()>
        });
        self.calls.lock().expect("no holder panics").push(call);
        let mut response = Response::new(Body::from(content));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        // The body is whole by now.
        response.headers_mut().remove("transfer-encoding");
        Ok(response)
    }
}

impl Proxy {
    /// Asks the gate, if there is one.
    fn gate<T>(&self, ask: impl FnOnce(&mut Gate) -> Option<T>) -> Option<T> {
        self.gates.lock().expect("no holder panics").as_mut().and_then(ask)
    }
}

/// How `DynamoDB` answers what it throttles.
fn refused(refusal: &Value) -> Response {
    let headers = [("content-type", "application/x-amz-json-1.0")];
    (StatusCode::BAD_REQUEST, headers, refusal.to_string()).into_response()
}

/// The service in the scope of a signature: `Credential=<key>/<day>/<region>/<service>/aws4_request`.
fn service(authorization: &str) -> &str {
    authorization.split_once("Credential=").and_then(|(_, scope)| scope.split('/').nth(3)).unwrap_or("unknown")
}

fn json(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}
