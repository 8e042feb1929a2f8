//! A webhook request as it was received.

use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

/// A webhook request as it was received. Signatures are over `body`, so it must not be decoded or rewritten before.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its query, decoded, in order: see [`query_pairs`].
    pub query: &'a [(String, String)],
    /// Its body, byte for byte.
    pub body: &'a [u8],
}

impl<'a> Delivery<'a> {
    /// The first value of a header without the space around it; `None` if it is absent, blank or not visible ASCII.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        let text = self.headers.get(name)?.to_str().ok()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// The first value of a header as bytes; `None` if it is absent or blank.
    pub(super) fn header_bytes(&self, name: &str) -> Option<&'a [u8]> {
        let bytes = self.headers.get(name)?.as_bytes().trim_ascii();
        (!bytes.is_empty()).then_some(bytes)
    }

    /// The first value of a query parameter that is not empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        self.query.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

/// Reads a query (without `?`) into its decoded pairs, in order. Bytes that are not UTF-8 become U+FFFD.
///
/// The rules of `application/x-www-form-urlencoded`, WHATWG URL section 5.1.
pub fn query_pairs(raw: &str) -> Vec<(String, String)> {
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (lossy(name), lossy(value))
        })
        .collect()
}

fn lossy(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::query_pairs;

    #[test]
    fn a_query_is_decoded_in_order() {
        let pairs = query_pairs("b=two+words&a=%E2%82%AC%26&&flag&b=2&bad=%FF&half=%2");
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [("b", "two words"), ("a", "€&"), ("flag", ""), ("b", "2"), ("bad", "\u{FFFD}"), ("half", "%2")];
        assert_eq!(pairs, expected);
        assert_eq!(query_pairs(""), []);
    }
}
