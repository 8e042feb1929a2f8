//! The surface under test: the router over the runtime in memory, on virtual time.
//!
//! `surface.post("/v1/…").json(…).send().expect(202)["event_id"]`; what was accepted is carried out by `settle`.

use std::cell::RefCell;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use pawl_api::{ApiOptions, Authorizer, Identity};
use pawl_definition::Source;
use pawl_runtime::ExecutorOptions;
use pawl_testkit::scenario::World;
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// The time at which every test begins.
pub(crate) const NOW: &str = "2026-11-21T09:00:00Z";

/// The router with what it stands on.
pub(crate) struct Surface {
    pub(crate) world: World,
    router: Router,
    runtime: Runtime,
    seen: RefCell<Vec<String>>,
}

/// A server that is open to all.
pub(crate) fn surface() -> Surface {
    surface_with(ApiOptions { authorizer: Authorizer::Open, loopback_only: false, ..ApiOptions::default() })
}

/// A server with these options.
pub(crate) fn surface_with(options: ApiOptions) -> Surface {
    let world = World::new(NOW.parse().expect("a constant time is one"), ExecutorOptions::default());
    let router = pawl_api::router(world.system.clone(), options);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    Surface { world, router, runtime: runtime.expect("a runtime without I/O can be made"), seen: RefCell::default() }
}

impl Surface {
    /// With an object.
    pub(crate) fn object(self, text: &str) -> Self {
        let source = Source::parse("object.yaml", text).expect("a test writes YAML");
        self.world.save_object(&source).expect("a test writes objects without mistakes");
        self
    }

    /// With a workflow.
    pub(crate) fn workflow(self, text: &str) -> Self {
        let source = Source::parse("workflow.yaml", text).expect("a test writes YAML");
        self.world.save_workflow(&source).expect("a test writes workflows without mistakes");
        self
    }

    /// With a secret.
    pub(crate) fn secret(self, name: &str, value: &str) -> Self {
        self.world.store.set_secret(name, value);
        self
    }

    /// With a record.
    pub(crate) fn record(self, object: &str, id: &str, fields: Value) -> Self {
        let Value::Object(fields) = fields else { panic!("fields are an object, found {fields}") };
        self.world.put_record(object, id, fields).expect("a test writes records that fit");
        self
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub(crate) fn put(&self, path: &str) -> Call<'_> {
        self.call(Method::PUT, path)
    }

    pub(crate) fn patch(&self, path: &str) -> Call<'_> {
        self.call(Method::PATCH, path)
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        let (path, headers) = (path.to_owned(), HeaderMap::new());
        Call { surface: self, method, path, headers, body: Body::empty(), identity: None }
    }

    /// Carries out what is due, without letting time pass.
    pub(crate) fn settle(&self) {
        self.world.settle().expect("a story comes to rest");
    }

    /// The codes of the problems that were answered so far.
    pub(crate) fn codes(&self) -> Vec<String> {
        self.seen.borrow().clone()
    }

    /// Sends requests while the world goes on.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("an answer in memory is whole").to_bytes();
        let text = String::from_utf8(body.into()).expect("answers are UTF-8");
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if parts.headers.get("content-type").is_some_and(|kind| kind == "application/problem+json") {
            assert_eq!(body["status"], parts.status.as_u16());
            let code = body["code"].as_str().expect("a problem has a code");
            assert_eq!(body["type"], format!("/docs/errors/{code}"));
            self.seen.borrow_mut().push(code.to_owned());
        } else {
            assert!(parts.status.is_success(), "{} without a problem: {text}", parts.status);
        }
        Answer { status: parts.status, headers: parts.headers, text, body }
    }
}

/// A request that is being written.
pub(crate) struct Call<'a> {
    surface: &'a Surface,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Body,
    identity: Option<Identity>,
}

impl Call<'_> {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::try_from(value).expect("a test sends headers that can be sent");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").text(&body.to_string())
    }

    pub(crate) fn text(self, body: &str) -> Self {
        self.body(body.to_owned())
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// As an authorizer in front of the router lets it pass.
    pub(crate) fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    pub(crate) fn send(self) -> Answer {
        let surface = self.surface;
        surface.block_on(self.sending())
    }

    pub(crate) async fn sending(self) -> Answer {
        let mut request = Request::builder().method(self.method).uri(&self.path).body(self.body);
        let request = request.as_mut().expect("a test calls paths that can be called");
        request.headers_mut().extend(self.headers);
        if let Some(identity) = self.identity {
            request.extensions_mut().insert(identity);
        }
        self.surface.send(std::mem::take(request)).await
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    /// The body, if the status is the one expected.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.body
    }

    /// The problem, if its status and code are those expected.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body}");
        body
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("headers of answers are visible ASCII"))
    }
}
