//! The headers and query that an event may keep.

use std::collections::BTreeMap;

use pawl_definition::trigger::{TokenPlace, Verify};
use serde::Serialize;

use super::Delivery;

/// What stands in place of a credential.
pub const REDACTED: &str = "[redacted]";

/// Headers that hold credentials of any kind.
const HEADERS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

/// Headers and query of a delivery as `trigger.headers` and `trigger.query` show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Visible {
    /// Headers by lower-case name; several values are joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// Query parameters by name; the last value of a repeated one.
    pub query: BTreeMap<String, String>,
}

/// Gives the headers and the query of a delivery with its credentials replaced by [`REDACTED`]: those headers that
/// always hold some, Meta's verify token, and the place of the rule's own token. Nothing else of them may be stored,
/// not even for a rejected delivery.
pub fn visible(rule: &Verify, delivery: &Delivery<'_>) -> Visible {
    let place = match rule {
        Verify::Token { place, .. } => Some(place),
        _ => None,
    };
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for name in delivery.headers.keys() {
        let name = name.as_str();
        let is_token = matches!(place, Some(TokenPlace::Header(header)) if header.eq_ignore_ascii_case(name));
        let value = if is_token || HEADERS.contains(&name) { REDACTED.to_owned() } else { joined(delivery, name) };
        headers.insert(name.to_owned(), value);
    }
    let mut query = BTreeMap::new();
    for (name, value) in delivery.query {
        let is_token = matches!(place, Some(TokenPlace::Query(parameter)) if parameter == name);
        let value = if is_token || name == "hub.verify_token" { REDACTED } else { value };
        query.insert(name.clone(), value.to_owned());
    }
    Visible { headers, query }
}

fn joined(delivery: &Delivery<'_>, name: &str) -> String {
    let values = delivery.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::visible;
    use crate::webhook::sent::{post, rule};

    #[test]
    fn credentials_are_taken_out_wherever_the_rule_puts_them() {
        let sent = post("{}")
            .header("X-Token", "s3cret")
            .header("authorization", "Bearer s3cret")
            .header("x-event", "one")
            .header("x-event", "two")
            .query("key=s3cret&key=again&hub.verify_token=s3cret&page=2");
        let header = rule(json!({"token": {"in": {"header": "x-TOKEN"}, "secret": "t"}}));
        insta::assert_json_snapshot!(visible(&header, &sent.delivery()), @r#"
        {
          "headers": {
            "authorization": "[redacted]",
            "x-event": "one, two",
            "x-token": "[redacted]"
          },
          "query": {
            "hub.verify_token": "[redacted]",
            "key": "again",
            "page": "2"
          }
        }
        "#);
        let query = rule(json!({"token": {"in": {"query": "key"}, "secret": "t"}}));
        assert_eq!(visible(&query, &sent.delivery()).query["key"], "[redacted]");
    }
}
