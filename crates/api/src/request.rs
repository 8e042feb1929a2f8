//! Parts of a request: path, query, who sends it, and the headers of conditional and repeated requests.

use axum::extract::{FromRequestParts, Path, Query};
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use pawl_engine::Act;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::{Code, Identity, Problem, webhook};

/// Names who acts, where the authorizer does not know it.
pub(crate) const ACTOR: HeaderName = HeaderName::from_static("x-pawl-actor");

/// Names a request that may be repeated.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Longest idempotency key, in bytes.
const KEY_MOST: usize = 255;

/// Longest name of an actor, in bytes.
const ACTOR_MOST: usize = 255;

/// Longest name or id in a path, in bytes: no id of a workflow, execution, object or record is longer, and storage takes
/// no key that is much longer.
const NAME_MOST: usize = 256;

/// Parameters of a query that may be long: they hold a filter, the value of a field, or where a listing stands.
const LONG: [&str; 3] = ["where", "value", "cursor"];

/// Longest of those, in bytes.
const LONG_MOST: usize = 32 * 1024;

/// Longest reason that somebody gives for what they do, in bytes: it is stored with the execution.
const REASON_MOST: usize = 4 * 1024;

/// The parameters of the path.
pub(crate) struct Route<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Route<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let mut segments = parts.uri.path().split('/').map(|part| percent_decode_str(part).count());
        if let Some(length) = segments.find(|length| *length > NAME_MOST) {
            let detail = format!("expected at most {NAME_MOST} bytes in a part of the path, found {length}");
            return Err(Problem::new(Code::BadPath, detail));
        }
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|Path(path)| Self(path)).map_err(|error| Problem::new(Code::BadPath, error.body_text()))
    }
}

/// The parameters of the query.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        for (name, value) in webhook::query_pairs(parts.uri.query().unwrap_or_default()) {
            let most = if LONG.contains(&name.as_str()) { LONG_MOST } else { 2 * NAME_MOST };
            if value.len() > most {
                let detail = format!("expected at most {most} bytes in a parameter, found {}", value.len());
                return Err(Problem::new(Code::BadQuery, detail));
            }
        }
        let read = Query::<T>::try_from_uri(&parts.uri);
        read.map(|Query(query)| Self(query)).map_err(|error| Problem::new(Code::BadQuery, error.body_text()))
    }
}

/// Who acts: whom the authorizer knows; else whom the request names; else `api`.
pub(crate) struct Actor {
    name: Option<String>,
    is_known: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if let Some(name) = parts.extensions.get::<Identity>().and_then(|identity| identity.name.clone()) {
            return Ok(Self { name: Some(name), is_known: true });
        }
        let Some(named) = parts.headers.get(&ACTOR) else { return Ok(Self { name: None, is_known: false }) };
        let name = named_actor(std::str::from_utf8(named.as_bytes()).unwrap_or_default());
        let detail =
            || format!("expected a name of 1 to {ACTOR_MOST} bytes in the header {ACTOR}, found another value");
        let name = name.ok_or_else(|| Problem::new(Code::BadHeader, detail()))?;
        Ok(Self { name: Some(name), is_known: false })
    }
}

fn named_actor(text: &str) -> Option<String> {
    let name = text.trim();
    (!name.is_empty() && name.len() <= ACTOR_MOST).then(|| name.to_owned())
}

impl Actor {
    /// Their name.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("api")
    }

    /// Whom the body names, unless they are known.
    pub(crate) fn or(self, named: Option<String>) -> Result<Self, Problem> {
        let Some(named) = named.filter(|_| !self.is_known) else { return Ok(self) };
        let detail = || format!("expected a name of 1 to {ACTOR_MOST} bytes, found another value");
        let name = named_actor(&named).ok_or_else(|| Problem::new(Code::BodyMalformed, detail()).at("actor"))?;
        Ok(Self { name: Some(name), is_known: false })
    }

    /// What they do, and why.
    pub(crate) fn act(self, reason: Option<String>, at: Timestamp) -> Result<Act, Problem> {
        if let Some(length) = reason.as_ref().map(String::len).filter(|length| *length > REASON_MOST) {
            let detail = format!("expected a reason of at most {REASON_MOST} bytes, found {length}");
            return Err(Problem::new(Code::BodyMalformed, detail).at("reason"));
        }
        Ok(Act { actor: self.name().to_owned(), reason, at, id: None })
    }
}

/// Reads `If-Match: "<number>"` or `If-None-Match: *`, which stands for 0: there is none yet.
pub(crate) fn read_at(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    if headers.get(IF_NONE_MATCH).is_some_and(|value| value.as_bytes().trim_ascii() == b"*") {
        return Ok(Some(0));
    }
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    let detail = || format!("expected a header `if-match: \"<number>\"`, as a header `etag` gave it, found {text:?}");
    number.map(Some).ok_or_else(|| Problem::new(Code::BadHeader, detail()))
}

/// The tag of a revision or version.
pub(crate) fn tag(number: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{number}\"")).expect("digits and quotes are visible ASCII")
}

/// Reads `Idempotency-Key`.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().ok().map(str::trim).filter(|key| !key.is_empty() && key.len() <= KEY_MOST);
    let detail =
        || format!("expected 1 to {KEY_MOST} visible characters in the header {IDEMPOTENCY_KEY}, found others");
    key.map(|key| Some(key.to_owned())).ok_or_else(|| Problem::new(Code::BadHeader, detail()))
}
