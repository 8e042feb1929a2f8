//! `follow`: an answer that comes in pages.

use serde::Deserialize;
use serde_json::Value;

use super::HttpRequest;
use crate::describe::JsonSchema;
use crate::{Check, Expression, code};

/// How the pages after the first are found, and what is kept of each. Expressions see `answer`: `{status, headers, body}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Follow {
    /// The URL of the next page, which may be relative to that of this one; null, blank or a missing key ends the pages.
    #[serde(default)]
    pub next: Option<Expression>,
    /// The next page is the one that the header `Link` names as `rel="next"`.
    #[serde(default)]
    pub link: bool,
    /// The items of a page, a list; its body if absent.
    #[serde(default)]
    pub items: Option<Expression>,
    /// Most pages.
    #[serde(default = "Follow::default_most")]
    #[schemars(range(min = 1, max = 100))]
    pub most: u32,
}

impl Follow {
    fn default_most() -> u32 {
        10
    }

    /// Checks it at its place in a request.
    pub(super) fn check(&self, request: &HttpRequest, cx: &mut Check<'_, '_>) {
        let place = cx.key("follow");
        if request.method != "GET" {
            let message = format!("pages are followed by GET, and the method is {}", request.method);
            cx.error(code::NOT_ALLOWED, &place, message);
        }
        if self.next.is_some() == self.link {
            let found = if self.link { "both" } else { "neither" };
            let message =
                format!("expected either `next` or `link: true`, which say where the next page is, found {found}");
            let written =
                cx.keys.get("follow").and_then(Value::as_object).is_some_and(|keys| keys.contains_key("next"));
            if self.link || !written {
                cx.error(code::EXACTLY_ONE, &place, message);
            }
        }
    }
}
