//! What was deployed, and requests to it that are signed as AWS asks.

mod services;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde::Deserialize;
use serde_json::Value;

pub(crate) use services::Service;

/// Names the file that says what was deployed.
const STACK: &str = "PAWL_E2E_STACK";

/// What `cargo xtask e2e` deployed.
#[derive(Debug, Deserialize)]
pub(crate) struct Stack {
    /// Address of the emulator, `http://host:port`.
    pub(crate) endpoint: String,
    /// Region.
    pub(crate) region: String,
    /// Name of the stack.
    pub(crate) name: String,
    /// Base address of the HTTP API.
    pub(crate) api: String,
    /// Outputs of the template.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The emulator's log.
    pub(crate) log: PathBuf,
    #[serde(skip)]
    http: reqwest::Client,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Status.
    pub(crate) status: u16,
    /// Headers.
    pub(crate) headers: reqwest::header::HeaderMap,
    /// JSON, or text where it is none.
    pub(crate) body: Value,
}

impl Answer {
    /// The value of a header, if it was sent.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body of an answer that must have this status.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}

/// A request.
#[derive(Debug, Default)]
pub(crate) struct Request {
    /// Method.
    pub(crate) method: &'static str,
    /// Address.
    pub(crate) url: String,
    /// Headers.
    pub(crate) headers: Vec<(String, String)>,
    /// Body.
    pub(crate) body: Vec<u8>,
}

impl Stack {
    /// Reads what was deployed.
    pub(crate) fn read() -> Self {
        let Some(path) = std::env::var_os(STACK) else {
            panic!("no installation is deployed: run `cargo xtask e2e`, which deploys one and runs these tests on it");
        };
        let text = std::fs::read_to_string(&path).expect("the file that says what was deployed can be read");
        serde_json::from_str(&text).expect("the file says what was deployed")
    }

    /// An output of the template.
    pub(crate) fn output(&self, name: &str) -> &str {
        let known = || self.outputs.keys().cloned().collect::<Vec<_>>().join(", ");
        self.outputs.get(name).unwrap_or_else(|| panic!("the template has no output {name}, only {}", known()))
    }

    /// Sends a request as it is; `None` if no answer came.
    pub(crate) async fn try_send(&self, request: Request) -> Option<Answer> {
        let method = request.method.parse().expect("methods of tests exist");
        let mut sent = self.http.request(method, &request.url).body(request.body);
        for (name, value) in request.headers {
            sent = sent.header(name, value);
        }
        let answer = sent.send().await.ok()?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.ok()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Some(Answer { status, headers, body })
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request) -> Answer {
        let url = request.url.clone();
        self.try_send(request).await.unwrap_or_else(|| panic!("{url} did not answer"))
    }

    /// Sends a request with the signature of whom the account belongs to.
    pub(crate) async fn send_signed(&self, service: &str, mut request: Request) -> Answer {
        let identity = Credentials::new("test", "test", None, None, "e2e").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .expect("all parameters are given")
            .into();
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(&request.body);
        let signable = SignableRequest::new(request.method, request.url.as_str(), headers, body)
            .expect("addresses of tests can be read");
        let (signature, _) = sign(signable, &parameters).expect("a request can be signed").into_parts();
        let signed = signature.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        request.headers.extend(signed.collect::<Vec<_>>());
        self.send(request).await
    }
}
