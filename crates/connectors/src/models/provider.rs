//! Model providers as an operator configures them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use pawl_runtime::Redactor;
use pawl_runtime::ports::Price;
use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::transport::origin;

/// The protocol that a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// `POST <base>/chat/completions`, as made common by `OpenAI`.
    OpenAi,
}

/// How a provider is asked for structured output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StructuredOutput {
    /// By `response_format: json_schema`: the provider holds the model to the schema.
    #[default]
    JsonSchema,
    /// By `response_format: json_object`.
    JsonObject,
    /// By the prompt alone, which has the form of the answer in any case.
    Prompt,
}

/// Most calls at once of a provider that does not say otherwise.
const CONCURRENCY: usize = 16;

/// The same of a provider on this machine: model servers there mostly have one slot, and calls that share it run into
/// their time-outs together.
const CONCURRENCY_HERE: usize = 1;

/// Fewest characters of a key that is a secret.
const SHORTEST_SECRET: usize = 8;

/// A provider's key. It never shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// A provider's settings cannot be used. Messages hold neither key nor URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The base URL is none.
    #[error("expected an absolute http or https url such as https://api.example/v1")]
    Url,
    /// The base URL holds a user or a password.
    #[error("expected a url without user and password; the key is given apart from it")]
    Credentials,
    /// The key cannot be sent in a header.
    #[error("expected a key of printable ascii characters without spaces")]
    Key,
}

impl ApiKey {
    /// Takes a key of printable ASCII characters.
    pub fn new(key: impl Into<String>) -> Result<Self, ProviderError> {
        let key = key.into();
        let printable = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        if printable { Ok(Self(key)) } else { Err(ProviderError::Key) }
    }

    /// The value of `authorization`.
    pub(super) fn bearer(&self) -> HeaderValue {
        let text = format!("Bearer {}", self.0);
        let mut value = HeaderValue::from_str(&text).expect("a key is printable ascii");
        value.set_sensitive(true);
        value
    }

    /// Takes the key out of what its provider sends, whose name in messages is given. A short one is no secret but a word
    /// that a server without keys asks for, such as `none`: taken out, it would take words out of answers.
    pub(super) fn redactor(&self, name: &str) -> Redactor {
        if self.0.len() < SHORTEST_SECRET { Redactor::default() } else { Redactor::new([(name, self.0.as_str())]) }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([key])")
    }
}

/// One provider: where it is, how it is asked, what it costs.
#[derive(Clone, PartialEq)]
pub struct Provider {
    /// Where completions are asked for; may hold secrets in its query.
    pub(super) endpoint: Url,
    /// The protocol it speaks.
    pub kind: ProviderKind,
    /// Sent as a bearer token; some servers on one's own machine need none.
    pub api_key: Option<ApiKey>,
    /// The model meant by the provider's bare name.
    pub default_model: Option<String>,
    /// Makes the price of each call known.
    pub price: Option<Price>,
    /// How it is asked for structured output.
    pub structured_output: StructuredOutput,
    /// Most calls at once from this process; further ones wait.
    pub concurrency: usize,
}

impl Provider {
    /// Takes the base URL, which `/chat/completions` is added to if it is not there; a query is kept. The
    /// operator's own networks are as good as public ones.
    pub fn new(base_url: &str) -> Result<Self, ProviderError> {
        let mut endpoint = Url::parse(base_url).map_err(|_| ProviderError::Url)?;
        if !matches!(endpoint.scheme(), "http" | "https") || !endpoint.has_host() {
            return Err(ProviderError::Url);
        }
        if !endpoint.username().is_empty() || endpoint.password().is_some() {
            return Err(ProviderError::Credentials);
        }
        endpoint.set_fragment(None);
        let path = endpoint.path().trim_end_matches('/').trim_end_matches("/chat/completions");
        let path = format!("{path}/chat/completions");
        endpoint.set_path(&path);
        Ok(Self {
            kind: ProviderKind::OpenAi,
            api_key: None,
            default_model: None,
            price: None,
            structured_output: StructuredOutput::default(),
            concurrency: if is_this_machine(&endpoint) { CONCURRENCY_HERE } else { CONCURRENCY },
            endpoint,
        })
    }

    /// The endpoint as messages show it: without its query.
    pub(super) fn shown_endpoint(&self) -> String {
        format!("{}{}", origin(&self.endpoint), self.endpoint.path())
    }

    /// `OpenAI` itself has renamed `max_tokens`, and its newer models refuse the old name, which is the only
    /// one that others know.
    pub(super) fn renames_max_tokens(&self) -> bool {
        self.endpoint.host_str() == Some("api.openai.com")
    }
}

fn is_this_machine(endpoint: &Url) -> bool {
    let host = endpoint.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<IpAddr>();
    address.map_or(host == "localhost" || host.ends_with(".localhost"), |address| address.is_loopback())
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("endpoint", &self.shown_endpoint())
            .field("kind", &self.kind)
            .field("api_key", &self.api_key)
            .field("default_model", &self.default_model)
            .field("price", &self.price)
            .field("structured_output", &self.structured_output)
            .field("concurrency", &self.concurrency)
            .finish()
    }
}

/// The providers of an installation by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Providers {
    by_name: BTreeMap<String, Provider>,
}

impl Providers {
    /// Adds or replaces a provider. Names differ neither by case nor by `-` against `_`.
    pub fn insert(&mut self, name: &str, provider: Provider) {
        self.by_name.insert(canonical(name), provider);
    }

    /// Returns the provider of this name.
    pub fn get(&self, name: &str) -> Option<&Provider> {
        self.by_name.get(&canonical(name))
    }

    /// Returns the providers in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Provider)> {
        self.by_name.iter().map(|(name, provider)| (name.as_str(), provider))
    }

    /// Whether no model can be called.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

pub(super) fn canonical(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_follows_from_the_base_url() {
        for (base, expected) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            ("http://localhost:11434/v1/", "http://localhost:11434/v1/chat/completions"),
            ("https://a.example/v1/chat/completions", "https://a.example/v1/chat/completions"),
            ("https://a.example", "https://a.example/chat/completions"),
            ("https://a.example/d?api-version=2#x", "https://a.example/d/chat/completions?api-version=2"),
        ] {
            assert_eq!(Provider::new(base).expect("a base url").endpoint.as_str(), expected);
        }
    }

    #[test]
    fn other_urls_are_refused() {
        assert_eq!(Provider::new("api.example/v1"), Err(ProviderError::Url));
        assert_eq!(Provider::new("ftp://api.example/v1"), Err(ProviderError::Url));
        assert_eq!(Provider::new("https://user:pass@api.example/v1"), Err(ProviderError::Credentials));
    }

    #[test]
    fn debug_shows_neither_key_nor_query() {
        let mut provider = Provider::new("https://a.example/v1?key=s3cret").expect("a base url");
        provider.api_key = Some(ApiKey::new("s3cret").expect("a key"));
        let mut providers = Providers::default();
        providers.insert("My-Own", provider);
        let shown =
            format!("{providers:?} {:?}", providers.get("my_own").map(|p| p.api_key.as_ref().map(ApiKey::bearer)));
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn a_key_is_printable() {
        for key in ["", "two words", "line\n", "schlüssel"] {
            assert_eq!(ApiKey::new(key), Err(ProviderError::Key), "{key:?}");
        }
    }
}
