//! Puts secrets in the place of their placeholders, each encoded for its place.

use std::collections::{BTreeMap, BTreeSet};

use pawl_definition::expression::{Placeholder, form_encoded, percent_encoded, placeholders};
use pawl_engine::{BodyKind, HttpBody, HttpCall};
use url::Url;

use crate::ports::{HttpError, HttpRequest};

/// Secrets that a call uses, by name.
pub(super) type Used = BTreeMap<String, String>;

/// The names of the secrets that a call uses.
pub(super) fn names(call: &HttpCall) -> BTreeSet<String> {
    let body = call.body.iter().map(|body| &body.text);
    let texts = call.headers.values().chain([&call.url, &call.query]).chain(body);
    let sign = call.sign.iter().map(|signing| signing.sign.secret().to_owned());
    texts.flat_map(|text| placeholders(text).flat_map(|(_, placeholder)| placeholder.names())).chain(sign).collect()
}

/// The request with its secrets.
pub(super) fn filled(call: &HttpCall, used: &Used) -> Result<HttpRequest, HttpError> {
    let plain = |placeholder: &Placeholder<'_>| placeholder.filled(used);
    let encoded = |placeholder: &Placeholder<'_>| percent_encoded(&placeholder.filled(used));
    let url = call.with_query(&url(&call.url, used)?);
    let query = call.query.as_str();
    // What is added to the query stands at its end.
    let url = format!("{}{}", &url[..url.len() - query.len()], fill(query, encoded));
    let body = call.body.as_ref().map(|HttpBody { text, kind }| match kind {
        BodyKind::Text => fill(text, plain),
        BodyKind::Json => fill(text, |placeholder| in_json(&plain(placeholder))),
        BodyKind::Form => fill(text, |placeholder| form_encoded(&plain(placeholder))),
    });
    Ok(HttpRequest {
        method: call.method.clone(),
        url,
        headers: call.headers.iter().map(|(name, value)| (name.clone(), fill(value, plain))).collect(),
        body,
        timeout: call.timeout,
    })
}

fn fill(text: &str, by: impl Fn(&Placeholder<'_>) -> String) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut end = 0;
    for (range, placeholder) in placeholders(text) {
        filled.push_str(&text[end..range.start]);
        filled.push_str(&by(&placeholder));
        end = range.end;
    }
    filled.push_str(&text[end..]);
    filled
}

/// A secret at the beginning gives the origin and is taken as it is; any other is one segment, or one value.
fn url(text: &str, used: &Used) -> Result<String, HttpError> {
    let (mut url, mut base, mut end) = (String::with_capacity(text.len()), None, 0);
    for (range, placeholder) in placeholders(text) {
        url.push_str(&text[end..range.start]);
        end = range.end;
        let secret = placeholder.filled(used);
        if range.start == 0 {
            url.push_str(secret.trim());
            base = Some(url.clone());
            continue;
        }
        let secret = percent_encoded(&secret);
        let before = url.rsplit('/').next().unwrap_or_default();
        let after = text[end..].split(['/', '?', '#']).next().unwrap_or_default();
        if !url.contains('?') && matches!(format!("{before}{secret}{after}").as_str(), "" | "." | "..") {
            let names: Vec<_> = placeholder.names().into_iter().collect();
            return Err(HttpError::Invalid(format!(
                "the secret {} is empty or dots alone, and as a segment of the url's path would lead to another path",
                names.join(", ")
            )));
        }
        url.push_str(&secret);
    }
    url.push_str(&text[end..]);
    if let Some(base) = base {
        same_server(&base, &url)?;
    }
    Ok(url)
}

/// What follows a secret that gives the origin must not change it.
fn same_server(base: &str, whole: &str) -> Result<(), HttpError> {
    let base = Url::parse(base).ok().filter(Url::has_host).ok_or_else(|| {
        HttpError::Invalid(
            "expected an absolute http or https url in the secret at the beginning of the url".to_owned(),
        )
    })?;
    let server = |url: &Url| (url.origin(), url.username().to_owned(), url.password().map(str::to_owned));
    // A whole that cannot be read is told when it is prepared.
    match Url::parse(whole) {
        Ok(whole) if server(&whole) != server(&base) => {
            let message = "what follows the secret at the beginning of the url would change its host, port or user";
            Err(HttpError::Invalid(message.to_owned()))
        }
        _ => Ok(()),
    }
}

/// A text inside a text of JSON.
fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use pawl_definition::expression::secret_placeholder;

    use super::*;

    fn call(url: &str, query: &str, body: Option<(&str, BodyKind)>) -> HttpCall {
        let with_secret = |text: &str| text.replace("$k", &secret_placeholder("k"));
        HttpCall {
            method: "POST".to_owned(),
            url: with_secret(url),
            query: with_secret(query),
            headers: BTreeMap::from([("x-key".to_owned(), with_secret("k $k"))]),
            body: body.map(|(text, kind)| HttpBody { text: with_secret(text), kind }),
            links: Vec::new(),
            sign: None,
            timeout: SignedDuration::from_secs(1),
        }
    }

    fn with(secret: &str, call: &HttpCall) -> Result<HttpRequest, HttpError> {
        filled(call, &BTreeMap::from([("k".to_owned(), secret.to_owned())]))
    }

    #[test]
    fn a_secret_is_encoded_for_its_place() {
        let secret = r#"a/b"c&d"#;
        let url_of = |url: &str, query: &str| with(secret, &call(url, query, None)).expect("sendable").url;
        assert_eq!(url_of("https://x.example/v/$k/w?q=$k", ""), "https://x.example/v/a%2Fb%22c%26d/w?q=a%2Fb%22c%26d");
        assert_eq!(url_of("https://me:$k@x.example/", "z=$k"), "https://me:a%2Fb%22c%26d@x.example/?z=a%2Fb%22c%26d");
        let body_of =
            |text, kind| with(secret, &call("https://x.example/", "", Some((text, kind)))).expect("sendable").body;
        assert_eq!(body_of(r#"{"k":"$k"}"#, BodyKind::Json).as_deref(), Some(r#"{"k":"a/b\"c&d"}"#));
        assert_eq!(body_of("k=$k", BodyKind::Form).as_deref(), Some("k=a%2Fb%22c%26d"));
        assert_eq!(body_of("k=$k", BodyKind::Text).as_deref(), Some("k=a/b\"c&d"));
        let request = with(secret, &call("https://x.example/", "", None)).expect("sendable");
        assert_eq!(request.headers["x-key"], r#"k a/b"c&d"#);
    }

    #[test]
    fn a_secret_at_the_beginning_gives_the_origin_and_nothing_changes_it() {
        let url_of =
            |secret: &str, url: &str, query: &str| with(secret, &call(url, query, None)).map(|request| request.url);
        assert_eq!(url_of("https://x.example/v1", "$k/send", "").as_deref(), Ok("https://x.example/v1/send"));
        assert_eq!(url_of("https://x.example/h?sig=1", "$k", "a=2").as_deref(), Ok("https://x.example/h?sig=1&a=2"));
        assert_eq!(url_of("https://x.example/h?sig=1", "$k&b=3", "").as_deref(), Ok("https://x.example/h?sig=1&b=3"));
        for (secret, url) in [
            ("https://x", "$k.example/"),
            ("https://x.example", "$k:80/"),
            ("https://x.example", "$k@y.example/"),
            ("x.example", "$k/send"),
            ("", "$k/send"),
        ] {
            let error = url_of(secret, url, "").expect_err("another server");
            assert!(matches!(&error, HttpError::Invalid(_)) && !error.to_string().contains("x.example"), "{error}");
        }
    }

    #[test]
    fn a_secret_is_no_step_up() {
        for secret in ["", ".", ".."] {
            let sent = with(secret, &call("https://x.example/v/$k/w", "", None)).map(|request| request.url);
            let error = sent.expect_err("another path");
            assert!(error.to_string().starts_with("the secret k is empty or dots alone"), "{error}");
        }
    }
}
