//! Bodies of requests, bounded while they are read.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use pawl_definition::json::{self, Bounds};
use serde::de::DeserializeOwned;

use crate::{Code, Problem};

/// Longest body of a management request, in bytes: a file of the language may have as many.
pub(crate) const MOST: usize = 1024 * 1024;

/// Reads a body up to a limit; what is longer is not kept.
pub(crate) async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Problem> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    match Limited::new(body, most).collect().await {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(most)),
        Err(error) => Err(match BodyFault::within(&*error) {
            Some(BodyFault::TooSlow) => Problem::new(Code::RequestTimeout, "the body came too slowly"),
            Some(BodyFault::NoRoom) => {
                Problem::new(Code::Unavailable, "too many bodies are being received; send it again a little later")
            }
            None => Problem::new(Code::BodyIncomplete, "the body broke off before its end"),
        }),
    }
}

/// Why a server stopped reading a body; what carries the body to the router says so as the body's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// It came too slowly.
    #[error("the body came too slowly")]
    TooSlow,
    /// The bodies that are being received take all the memory that there is for them.
    #[error("too many bodies are being received")]
    NoRoom,
}

impl BodyFault {
    /// The fault that an error stems from.
    fn within(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut errors = std::iter::successors(Some(error), |error| error.source());
        errors.find_map(|error| error.downcast_ref().copied())
    }
}

fn too_large(most: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("expected a body of at most {most} bytes, found more"))
}

/// The body of a management request as text of a file: YAML or JSON.
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read(&parts.headers, body, MOST).await?;
        let text = String::from_utf8(bytes.into());
        text.map(Self)
            .map_err(|_| Problem::new(Code::CharsetUnsupported, "expected a text in UTF-8, found other bytes"))
    }
}

/// The body of a management request as JSON; an empty body is an empty object.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read(&parts.headers, body, MOST).await?;
        if bytes.is_empty() {
            return parse(b"{}").map(Self);
        }
        // A page of another site can send a form or a text without asking, but not JSON.
        if !is_json(&parts.headers) {
            let detail = "expected a header `content-type: application/json`, found another or none";
            return Err(Problem::new(Code::ContentTypeUnsupported, detail));
        }
        parse(&bytes).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    json::read(bytes, &Bounds::OUTSIDE.with_bytes(MOST)).map_err(|error| {
        let code = error.code().and_then(Code::of).unwrap_or(Code::BodyMalformed);
        Problem::new(code, format!("the body is not as expected: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    /// What is told of a body that breaks off with an error.
    async fn told(error: axum::Error) -> Code {
        let body = Body::from_stream(stream::iter([Err::<Bytes, _>(error)]));
        read(&HeaderMap::new(), body, MOST).await.expect_err("it breaks off").code()
    }

    #[tokio::test]
    async fn a_body_that_is_given_up_says_why() {
        assert_eq!(told(axum::Error::new(BodyFault::TooSlow)).await, Code::RequestTimeout);
        assert_eq!(told(axum::Error::new(BodyFault::NoRoom)).await, Code::Unavailable);
        assert_eq!(told(axum::Error::new(std::io::Error::other("gone"))).await, Code::BodyIncomplete);
    }
}
