//! Addresses of the web.

use url::Url;

/// An address of the web in its one form (RFC 3986, as browsers write it): scheme and host in lower case, a path at least.
/// `None` if the text is none with the scheme `https` or `http`.
pub fn web_address(text: &str) -> Option<String> {
    let address = Url::parse(text.trim()).ok()?;
    let is_of_web = matches!(address.scheme(), "https" | "http") && address.has_host();
    is_of_web.then(|| address.to_string())
}
