//! Signatures of AWS, version 4, for requests that no client of the SDK makes.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Request, Url};

use crate::failure::story;

/// What a signature leaves as it is: all that RFC 3986 calls unreserved.
pub(crate) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// For what a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The region.
    pub region: &'a str,
    /// The service, by the name that signatures have for it.
    pub service: &'a str,
}

/// Why a request cannot be signed.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign the request: {0}")]
pub struct SignError(String);

impl SignError {
    fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        Self(story(error))
    }
}

/// Puts the headers of a signature on a request; it covers method, path, query, headers and body.
///
/// # Errors
/// The body is a stream, or a header is not text.
pub fn sign_request(
    request: &mut Request,
    who: &Credentials,
    scope: Scope<'_>,
    now: Timestamp,
) -> Result<(), SignError> {
    encode_query(request.url_mut());
    let identity = who.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(now.into())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| SignError::of(&error))?
        .into();
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| value.to_str().map(|value| (name.as_str(), value)));
    let headers = headers.collect::<Result<Vec<_>, _>>().map_err(|error| SignError::of(&error))?;
    let body = request.body().map_or(Some(&[][..]), |body| body.as_bytes());
    let body = body.ok_or_else(|| SignError("its body is a stream".to_owned()))?;
    let signable = SignableRequest::new(
        request.method().as_str(),
        request.url().as_str(),
        headers.into_iter(),
        SignableBody::Bytes(body),
    );
    let signed = signable.and_then(|signable| sign(signable, &params)).map_err(|error| SignError::of(&error))?;
    let (instructions, _) = signed.into_parts();
    let (instructions, _) = instructions.into_parts();
    for header in instructions {
        let mut value = HeaderValue::from_str(header.value()).map_err(|error| SignError::of(&error))?;
        value.set_sensitive(true);
        request.headers_mut().insert(HeaderName::from_static(header.name()), value);
    }
    Ok(())
}

/// Writes a query as it is signed. Forms write a space as `+` and leave `*`: both sides of a signature would have to
/// read that the same way.
fn encode_query(url: &mut Url) {
    if url.query().is_none() {
        return;
    }
    let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let pairs: Vec<_> =
        url.query_pairs().map(|(name, value)| format!("{}={}", encode(&name), encode(&value))).collect();
    url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
}
