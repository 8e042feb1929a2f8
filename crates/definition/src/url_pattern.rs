//! Addresses of pages, and the patterns that they are compared with.
//!
//! - A pattern that begins with `/` is compared with the path. One with `://` is compared with the whole address. Any other one
//!   is compared with the address from the host on.
//! - The query counts only if the pattern has a `?`, the fragment only if it has a `#`.
//! - A slash at the end of the path does not count. Scheme and host are compared in small letters, all else as it is.
//! - `*` stands for any characters, `/` among them; `\*` is an asterisk.

use serde::Deserialize;

use crate::pattern::Wildcard;
use crate::value::is_blank_text;

/// Longest address and longest pattern, in bytes: browsers and proxies take no longer addresses.
pub const URL_MOST: usize = 8_192;

/// A pattern of addresses, as it is written and as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct UrlPattern {
    text: String,
    read: Result<Read, String>,
}

/// A pattern that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Read {
    begins: Begins,
    has_query: bool,
    has_fragment: bool,
    text: Wildcard,
}

/// From which part of an address on it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begins {
    Scheme,
    Host,
    Path,
}

impl From<String> for UrlPattern {
    fn from(text: String) -> Self {
        let read = read(&text);
        Self { text, read }
    }
}

#[cfg(feature = "describe")]
impl schemars::JsonSchema for UrlPattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "UrlPattern".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

impl UrlPattern {
    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong with it.
    pub fn wrong(&self) -> Option<&str> {
        self.read.as_ref().err().map(String::as_str)
    }

    /// Whether an address matches; none matches a pattern that is wrong.
    pub fn matches(&self, url: &str) -> bool {
        self.read.as_ref().is_ok_and(|read| read.matches(&Parts::of(url)))
    }
}

impl Read {
    fn matches(&self, url: &Parts<'_>) -> bool {
        let before = match self.begins {
            Begins::Scheme => format!("{}{}", url.scheme, url.host),
            Begins::Host => url.host.clone(),
            Begins::Path => String::new(),
        };
        let behind = |wanted: bool, part: Option<&str>| part.filter(|_| wanted).unwrap_or_default().to_owned();
        let behind = behind(self.has_query, url.query) + &behind(self.has_fragment, url.fragment);
        let path = url.path.strip_suffix('/').unwrap_or(url.path);
        ["", "/"].iter().any(|end| self.text.matches(&format!("{before}{path}{end}{behind}")))
    }
}

fn read(text: &str) -> Result<Read, String> {
    if is_blank_text(text) || text.len() > URL_MOST {
        return Err(format!("expected a pattern of 1 to {URL_MOST} bytes, found {}", text.len()));
    }
    if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Err(format!("an address has no blanks: write `%20` for one, found {text:?}"));
    }
    let begins = match text {
        text if text.starts_with('/') => Begins::Path,
        text if text.contains("://") => Begins::Scheme,
        _ => Begins::Host,
    };
    let path_at = match begins {
        Begins::Path => 0,
        Begins::Host => host_end(text, 0),
        Begins::Scheme => host_end(text, text.find("://").map_or(0, |at| at + 3)),
    };
    let (before, behind) = text.split_at(path_at);
    Ok(Read {
        begins,
        has_query: text.contains('?'),
        has_fragment: text.contains('#'),
        text: Wildcard::read(&format!("{}{behind}", before.to_lowercase()))?,
    })
}

/// Where the host ends that begins at a place.
fn host_end(text: &str, begins: usize) -> usize {
    text[begins..].find(['/', '?', '#']).map_or(text.len(), |at| begins + at)
}

/// The parts of an address: those with a mark before or behind them have it.
struct Parts<'u> {
    /// `https://`, or empty.
    scheme: String,
    host: String,
    path: &'u str,
    /// `?page=2`.
    query: Option<&'u str>,
    /// `#prices`.
    fragment: Option<&'u str>,
}

impl<'u> Parts<'u> {
    fn of(url: &'u str) -> Self {
        let (url, fragment) = url.find('#').map_or((url, None), |at| (&url[..at], Some(&url[at..])));
        let (url, query) = url.find('?').map_or((url, None), |at| (&url[..at], Some(&url[at..])));
        let host_at = if url.starts_with('/') { 0 } else { url.find("://").map_or(0, |at| at + 3) };
        let path_at = host_end(url, host_at);
        let (scheme, host) = (url[..host_at].to_lowercase(), url[host_at..path_at].to_lowercase());
        Self { scheme, host, path: &url[path_at..], query, fragment }
    }
}

/// Checks the address of a page: `https://shop.example.com/pricing?plan=2`, or a path such as `/pricing`.
///
/// # Errors
/// What was expected, without the address: it may hold values of a person.
pub fn check_url(url: &str) -> Result<(), String> {
    if is_blank_text(url) || url.len() > URL_MOST {
        return Err(format!("expected an address of 1 to {URL_MOST} bytes, found {}", url.len()));
    }
    if url.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Err("expected an address without blanks and control characters".to_owned());
    }
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let parts = Parts::of(url);
    let is_whole = parts.scheme.strip_suffix("://").is_some_and(is_scheme) && !parts.host.is_empty();
    if is_whole || url.starts_with('/') {
        return Ok(());
    }
    Err("expected an address such as https://example.com/pricing, or a path that begins with `/`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://Shop.Example.com/pricing?plan=2#teams";

    fn matches(pattern: &str, url: &str) -> bool {
        UrlPattern::from(pattern.to_owned()).matches(url)
    }

    #[test]
    fn a_pattern_is_compared_from_where_it_begins() {
        for pattern in [
            "/pricing",
            "shop.example.com/pricing",
            "https://shop.example.com/pricing",
            "HTTPS://SHOP.example.com/pricing",
            "*.example.com/*",
            "*/pricing",
            "*://*/pricing",
            "*",
        ] {
            assert!(matches(pattern, PAGE), "{pattern}");
        }
        for pattern in ["/Pricing", "pricing", "example.com/pricing", "http://shop.example.com/pricing", "/pric", "/"] {
            assert!(!matches(pattern, PAGE), "{pattern}");
        }
    }

    #[test]
    fn query_and_fragment_count_if_the_pattern_has_them() {
        for pattern in ["/pricing?plan=2", "/pricing?*plan=*", "/pricing#teams", "/pricing?plan=2#*", "*#teams"] {
            assert!(matches(pattern, PAGE), "{pattern}");
        }
        for pattern in ["/pricing?plan=3", "/pricing#prices", "/pricing?plan=2#prices", "/pricing?"] {
            assert!(!matches(pattern, PAGE), "{pattern}");
        }
        assert!(!matches("/pricing?*", "/pricing"), "the page has no query");
        assert!(matches("/app#/settings", "https://a.example/app/?v=1#/settings"));
    }

    #[test]
    fn a_slash_at_the_end_of_the_path_does_not_count() {
        for (pattern, url) in [
            ("/pricing", "https://a.example/pricing/"),
            ("/pricing/", "https://a.example/pricing"),
            ("/docs/*", "https://a.example/docs"),
            ("/", "https://a.example"),
            ("a.example", "https://a.example/"),
            ("https://a.example/", "https://a.example?from=mail"),
        ] {
            assert!(matches(pattern, url), "{pattern} {url}");
        }
        assert!(!matches("/docs/*", "https://a.example/docsearch"));
    }

    #[test]
    fn a_page_that_is_only_a_path_has_no_host() {
        assert!(matches("/pricing", "/pricing?next=https://b.example/"));
        assert!(matches("*/pricing", "/pricing"));
        assert!(!matches("a.example/pricing", "/pricing"));
        assert!(!matches("*://*/pricing", "/pricing"));
    }

    #[test]
    fn a_pattern_that_no_page_can_match_is_wrong() {
        for wrong in ["", " ", "/a b", "/a**", "/a\\b", "/\n"] {
            let pattern = UrlPattern::from(wrong.to_owned());
            assert!(pattern.wrong().is_some(), "{wrong:?}");
            assert!(!pattern.matches(wrong));
        }
        assert_eq!(UrlPattern::from("/a*".to_owned()).wrong(), None);
    }

    #[test]
    fn an_address_has_a_scheme_and_a_host_or_is_a_path() {
        for right in ["https://a.example", "/", "/pricing", "app+x://home/start", PAGE] {
            assert_eq!(check_url(right), Ok(()), "{right}");
        }
        for wrong in
            ["", " ", "pricing", "a.example/pricing", "://a.example", "https://", "https:///x", "/a b", "7x://a"]
        {
            assert!(check_url(wrong).is_err(), "{wrong:?}");
        }
        assert!(check_url(&format!("/{}", "x".repeat(URL_MOST))).is_err());
    }
}
