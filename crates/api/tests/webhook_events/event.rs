//! Files under `events/webhook-ingress`: API Gateway's HTTP API events, payload version 2.0.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use jiff::Timestamp;
use pawl_api::webhook::{Delivery, query_pairs};
use serde::Deserialize;

/// A file, as far as it is read here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    version: String,
    #[serde(rename = "rawPath")]
    pub(crate) path: String,
    raw_query_string: String,
    headers: BTreeMap<String, String>,
    request_context: RequestContext,
    #[serde(default)]
    body: String,
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    http: Http,
    time_epoch: i64,
}

#[derive(Deserialize)]
struct Http {
    method: String,
    path: String,
}

/// The request that a file describes.
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// As the router gets it.
    pub(crate) fn request(self, event: &Event) -> Request<Body> {
        let query = &event.raw_query_string;
        let uri = if query.is_empty() { event.path.clone() } else { format!("{}?{query}", event.path) };
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = uri.parse().expect("a file has a path and query that can be called");
        *request.headers_mut() = self.headers;
        request
    }

    pub(crate) fn delivery(&self) -> Delivery<'_> {
        Delivery { method: &self.method, headers: &self.headers, query: &self.query, body: &self.body }
    }
}

impl Event {
    /// The time at which it arrived.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.request_context.time_epoch).expect("a file names a time of this century")
    }

    pub(crate) fn received(&self) -> Received {
        assert_eq!((self.version.as_str(), &self.path), ("2.0", &self.request_context.http.path));
        let header = |(name, value): (&String, &String)| {
            assert_eq!(*name, name.to_ascii_lowercase(), "API Gateway writes names in lower case");
            let name = HeaderName::try_from(name).expect("a file names headers that exist");
            (name, HeaderValue::try_from(value).expect("a file has headers that can be sent"))
        };
        let body = if self.is_base64_encoded {
            STANDARD.decode(&self.body).expect("a body marked so is base64")
        } else {
            self.body.clone().into_bytes()
        };
        if let Some(length) = self.headers.get("content-length") {
            assert_eq!(*length, body.len().to_string(), "content-length");
        }
        Received {
            method: self.request_context.http.method.parse().expect("a file names a method"),
            headers: self.headers.iter().map(header).collect(),
            query: query_pairs(&self.raw_query_string),
            body,
        }
    }
}

/// Reads one file by its name without `.json`.
pub(crate) fn read(name: &str) -> Event {
    parse(&folder().join(format!("{name}.json")))
}

/// Reads all of them.
pub(crate) fn all() -> BTreeMap<String, Event> {
    let files = std::fs::read_dir(folder()).expect("the folder of events is there");
    let mut events = BTreeMap::new();
    for file in files {
        let path = file.expect("the folder can be listed").path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            events.insert(name, parse(&path));
        }
    }
    events
}

fn parse(path: &Path) -> Event {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/webhook-ingress")
}
