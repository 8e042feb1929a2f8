//! `http_request`: calls an HTTP service.

mod follow;
mod sign;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::source::TextPlaces;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::validate::words::{found, quoted};
use crate::{Check, Template, code};

pub use follow::Follow;
pub use sign::{HmacSign, SecretName, Sign};

/// The content type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// Headers that frame the message or choose its target. They belong to the client: set by an author they could disagree
/// with what is sent, or address another host than the one that was checked.
pub const CLIENT_HEADERS: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The step `http_request`. Output: `{status, headers, body}`; with `follow` also `{pages, complete}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// Method.
    #[serde(default = "HttpRequest::default_method")]
    #[schemars(extend("enum" = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]))]
    pub method: String,
    /// Absolute URL; a value put into its path is one segment, one in its query one value.
    pub url: Template,
    /// Query parameters: a list repeats its name, null is left out.
    #[serde(default)]
    pub query: BTreeMap<String, Template>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// Body: an object or list is sent as JSON, text as it is.
    #[serde(default)]
    pub body: Option<Template>,
    /// Body as `application/x-www-form-urlencoded`: a list repeats its name, null is left out.
    #[serde(default)]
    pub form: Option<BTreeMap<String, Template>>,
    /// Signs the request over exactly the bytes of its body.
    #[serde(default)]
    pub sign: Option<Sign>,
    /// Follows an answer that comes in pages, and puts their items into one list.
    #[serde(default)]
    pub follow: Option<Follow>,
}

impl HttpRequest {
    fn default_method() -> String {
        "GET".to_owned()
    }

    /// The type of an answer.
    pub(crate) fn answer() -> Type {
        let headers = Type::of(Kinds::OBJECT);
        Type::object([("status", Type::of(Kinds::NUMBER)), ("headers", headers), ("body", Type::any())])
    }

    fn check_url(&self, cx: &mut Check<'_, '_>) {
        let is_absolute = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        let expected = "expected an absolute URL such as \"https://example.com/path\"";
        match self.url.literal() {
            Some(url) if !url.as_str().is_some_and(is_absolute) => {
                cx.error(code::INVALID_VALUE, &cx.key("url"), format!("{expected}, found {}", found(url)));
            }
            Some(url) => check_address(url.as_str().unwrap_or_default(), cx),
            None => {
                let begins = self.url.source().as_str().and_then(|url| url.split("{{").next()).unwrap_or_default();
                if !begins.trim().is_empty() && !is_absolute(begins) {
                    cx.error(
                        code::INVALID_VALUE,
                        &cx.key("url"),
                        format!("{expected}, found one that begins with {begins:?}"),
                    );
                } else if begins.splitn(4, '/').count() == 4 {
                    check_address(begins, cx);
                }
            }
        }
    }

    fn check_headers(&self, cx: &mut Check<'_, '_>) {
        for (name, value) in &self.headers {
            let path = cx.key("headers").key(name);
            let lower = name.to_ascii_lowercase();
            if !is_header_name(name) {
                let message = format!("expected a name of a header such as content-type, found {name:?}");
                cx.error(code::INVALID_VALUE, &path, message);
            } else if CLIENT_HEADERS.contains(&lower.as_str()) {
                let message = format!("the header `{lower}` is set by pawl and cannot be given");
                cx.error(code::INVALID_VALUE, &path, message);
            } else if self.headers.keys().any(|other| other < name && other.eq_ignore_ascii_case(name)) {
                cx.error(code::DUPLICATE_KEY, &path, format!("the header `{lower}` is given twice, in other letters"));
            } else if value.literal().is_some_and(|value| !value.as_str().is_none_or(is_header_value)) {
                let message =
                    format!("expected one line without control characters in the header `{lower}`, found some");
                cx.error(code::INVALID_VALUE, &path, message);
            }
        }
    }

    fn check_body(&self, cx: &mut Check<'_, '_>) {
        let key = if self.form.is_some() { "form" } else { "body" };
        if self.form.is_some() && self.body.is_some() {
            cx.error(code::EXACTLY_ONE, &cx.key("form"), "expected either body or form, found both".to_owned());
        }
        if (self.body.is_some() || self.form.is_some()) && matches!(self.method.as_str(), "GET" | "HEAD") {
            let message = format!("{} requests carry no body", self.method);
            cx.warning(code::SUSPICIOUS, &cx.key(key), message).suggest("did you mean `method: POST`?".to_owned());
        }
        let is_form = self.headers.iter().any(|(name, value)| {
            let kind = value.literal().and_then(|kind| kind.as_str()).unwrap_or_default();
            name.eq_ignore_ascii_case("content-type") && kind.to_ascii_lowercase().starts_with(FORM)
        });
        let is_pasted =
            |body: &Template| body.literal().is_none() && body.source().as_str().is_some_and(|text| text.contains('='));
        if is_form && self.body.as_ref().is_some_and(is_pasted) {
            let message = "values are put into this text as they are, so that a `&` or `+` in one ends it".to_owned();
            cx.warning(code::SUSPICIOUS, &cx.key("body"), message)
                .suggest("did you mean `form: {name: value}`?".to_owned());
        }
    }
}

/// Checks a URL, or a beginning that has the whole host, with the parser that reads it when it is sent.
fn check_address(url: &str, cx: &mut Check<'_, '_>) {
    if let Err(error) = url::Url::parse(url) {
        let message = format!("expected a URL that can be read, found {}: {error}", quoted(url));
        cx.error(code::INVALID_VALUE, &cx.key("url"), message);
    }
}

/// RFC 9110, section 5.6.2.
fn is_header_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(fits)
}

fn is_header_value(value: &str) -> bool {
    let value = value.trim_matches([' ', '\t', '\r', '\n']);
    value.chars().all(|c| c == '\t' || !c.is_control())
}

impl Shape for HttpRequest {
    fn words(&self, _: &Step) -> String {
        let pages = if self.follow.is_some() { ", page by page" } else { "" };
        format!("calls {} {}{pages}", self.method, address_words(&self.url))
    }

    fn reaches(&self) -> Vec<String> {
        vec![address_words(&self.url)]
    }

    fn facts() -> TypeFacts {
        TypeFacts {
            common_keys: &["timeout", "delivery"],
            outside: Some("request"),
            takes_secrets: true,
            answer_in: Some("follow"),
            ..TypeFacts::PLAIN
        }
    }

    fn wants_text(_: &Value, place: &[&str], _: &TextPlaces<'_>) -> bool {
        matches!(place, ["headers" | "query", ..])
    }

    fn secrets(&self) -> BTreeSet<String> {
        let fields = self.form.iter().flat_map(BTreeMap::values);
        let lists = self.query.values().chain(self.headers.values()).chain(fields);
        let sign = self.sign.iter().map(|sign| sign.secret().to_owned());
        lists.chain([&self.url]).chain(&self.body).flat_map(Template::secrets).chain(sign).collect()
    }

    fn acts_outside(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        if self.follow.is_none() {
            return Self::answer();
        }
        let number = || Type::of(Kinds::NUMBER);
        Type::object([
            ("status", number()),
            ("headers", Type::of(Kinds::OBJECT)),
            ("body", Type::list(Type::any())),
            ("pages", number()),
            ("complete", Type::of(Kinds::BOOLEAN)),
        ])
    }

    fn failed_output(&self, _: &Facts<'_>) -> Type {
        Self::answer()
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        self.check_url(cx);
        self.check_headers(cx);
        self.check_body(cx);
        if let Some(sign) = &self.sign {
            sign.check(&self.headers.keys().collect::<Vec<_>>(), cx);
        }
        if let Some(follow) = &self.follow {
            follow.check(self, cx);
        }
    }
}

/// Whom a request goes to, in words: scheme and host, if they are written down.
fn address_words(url: &Template) -> String {
    let text = url.source().as_str().unwrap_or_default();
    let host = text.find("://").map(|at| at + 3);
    let host_ends = host.map(|from| text[from..].find(['/', '?', '#']).map_or(text.len(), |to| from + to));
    match host_ends.filter(|end| !text[..*end].contains("{{")) {
        Some(end) => text[..end].to_owned(),
        None => url.words(),
    }
}
