//! A delivery on a webhook: through the router, as an outside system meets it.

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use pawl_api::{ApiOptions, router};
use serde_json::Value;
use tower::ServiceExt;

use super::{Delivered, HappeningError, World, at_once};

/// Most bytes of an answer that are read.
const ANSWER_MOST: usize = 1024 * 1024;

impl World {
    /// The HTTP surface of the world, made once.
    pub fn router(&self) -> Router {
        self.router.get_or_init(|| router(self.system.clone(), ApiOptions::embedded(None))).clone()
    }

    /// Delivers on a webhook, and answers the status with the body.
    pub fn deliver(&self, delivered: &Delivered) -> (StatusCode, Value) {
        let response = at_once(self.router().oneshot(request(delivered))).expect("a router answers every request");
        let status = response.status();
        let body = at_once(to_bytes(response.into_body(), ANSWER_MOST)).expect("an answer in memory is readable");
        let text = String::from_utf8_lossy(&body);
        (status, serde_json::from_str(&text).unwrap_or_else(|_| text.into_owned().into()))
    }
}

/// Delivers, and says why it is not accepted.
pub(super) fn deliver(world: &World, delivered: &Delivered) -> Result<(), HappeningError> {
    let (status, body) = world.deliver(delivered);
    if status.is_success() {
        return Ok(());
    }
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let at = text("path").map(|path| format!("{path}: ")).unwrap_or_default();
    let detail = text("detail").or_else(|| text("title")).unwrap_or_else(|| body.to_string());
    let code = text("code").unwrap_or_else(|| status.as_str().to_owned());
    Err(HappeningError::new(&code, format!("answered {status}: {at}{detail}")))
}

fn request(delivered: &Delivered) -> Request<Body> {
    let query = delivered.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    let query = query.collect::<Vec<_>>().join("&");
    let Delivered { workflow, trigger, method, .. } = delivered;
    let mut request = Request::builder().method(method.as_str()).uri(format!("/hooks/{workflow}/{trigger}?{query}"));
    for (name, value) in &delivered.headers {
        request = request.header(name, value);
    }
    if !delivered.headers.contains_key("content-type") && (delivered.raw.is_some() || !delivered.body.is_null()) {
        request = request.header("content-type", "application/json");
    }
    request.body(Body::from(body(delivered))).expect("a story sends requests that can be sent")
}

/// The raw body: JSON, unless a header says that it is something else and a text is given.
fn body(delivered: &Delivered) -> String {
    let is_json = delivered.headers.get("content-type").is_none_or(|kind| kind.contains("json"));
    match &delivered.body {
        _ if delivered.raw.is_some() => delivered.raw.clone().unwrap_or_default(),
        Value::Null => String::new(),
        Value::String(text) if !is_json => text.clone(),
        body => body.to_string(),
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
