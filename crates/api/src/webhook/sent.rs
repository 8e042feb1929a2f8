//! A request as a test sends it.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use pawl_definition::trigger::Verify;
use serde_json::Value;

use super::{Delivery, query_pairs};

/// A request as a test sends it: `post("{}").header("x-token", "t").query("a=1")`.
pub(super) struct Sent {
    method: Method,
    headers: HeaderMap,
    query: Vec<(String, String)>,
    body: Vec<u8>,
}

/// A POST of a body.
pub(super) fn post(body: impl AsRef<[u8]>) -> Sent {
    Sent { method: Method::POST, headers: HeaderMap::new(), query: Vec::new(), body: body.as_ref().to_vec() }
}

/// A GET with a query.
pub(super) fn get(query: &str) -> Sent {
    Sent { method: Method::GET, ..post("").query(query) }
}

impl Sent {
    /// With a header more.
    pub(super) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::try_from(name).expect("a test names headers that exist");
        self.headers.append(name, HeaderValue::from_bytes(value.as_ref()).expect("a test sends no line breaks"));
        self
    }

    /// With this query.
    pub(super) fn query(mut self, raw: &str) -> Self {
        self.query = query_pairs(raw);
        self
    }

    /// As it is received.
    pub(super) fn delivery(&self) -> Delivery<'_> {
        Delivery { method: &self.method, headers: &self.headers, query: &self.query, body: &self.body }
    }
}

/// The rule that an author wrote.
pub(super) fn rule(written: Value) -> Verify {
    serde_json::from_value(written).expect("a test writes rules that exist")
}

/// Secrets by name.
pub(super) fn secrets<const N: usize>(named: [(&str, &str); N]) -> BTreeMap<String, String> {
    named.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
