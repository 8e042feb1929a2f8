//! The request for a page that an answer led to.

use std::collections::BTreeSet;

use pawl_definition::expression::{percent_encoded, placeholders};
use pawl_engine::HttpCall;
use url::Url;

use super::filled::Used;
use crate::outgoing::travels;
use crate::ports::{HttpError, HttpRequest};
use crate::redactor::mark;

/// The request for the page that the links of a call lead to, from the request for the first page; that one itself if there
/// are no links. Another origin gets no header that might hold a secret, as after a redirect.
///
/// A service may repeat in its links what the URL of the first page said, secrets among it, and history has marks in their
/// place. The origin of the first page has seen the secrets of that URL, so it gets them again; no other does.
pub(super) fn page(request: HttpRequest, call: &HttpCall, used: &Used) -> Result<(HttpRequest, bool), HttpError> {
    if call.links.is_empty() {
        return Ok((request, true));
    }
    let first = Url::parse(&request.url).map_err(|_| unreadable())?;
    let seen = seen(call, used);
    let mut at = first.clone();
    for link in &call.links {
        let plain = at.join(link).map_err(|_| unreadable())?;
        let with_secrets = (plain.origin() == first.origin()).then(|| at.join(&restored(link, &seen)).ok()).flatten();
        at = with_secrets.filter(|url| url.origin() == first.origin()).unwrap_or(plain);
    }
    let at_home = at.origin() == first.origin();
    let mut headers = request.headers;
    if !at_home {
        headers.retain(|name, _| travels(name));
    }
    Ok((HttpRequest { url: at.into(), headers, ..request }, at_home))
}

fn unreadable() -> HttpError {
    HttpError::Invalid("the link to the next page is no url".to_owned())
}

/// The secrets in the URL of the first page.
fn seen<'u>(call: &HttpCall, used: &'u Used) -> Vec<(&'u str, &'u str)> {
    let texts = [&call.url, &call.query].into_iter();
    let names: BTreeSet<String> =
        texts.flat_map(|text| placeholders(text).flat_map(|(_, placeholder)| placeholder.names())).collect();
    let sent = used.iter().filter(|(name, _)| names.contains(*name));
    sent.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn restored(link: &str, seen: &[(&str, &str)]) -> String {
    seen.iter().fold(link.to_owned(), |link, (name, value)| link.replace(&mark(name), &percent_encoded(value)))
}
