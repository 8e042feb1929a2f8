//! `send_message`: sends a message to a queue or a topic.

use serde::Deserialize;
use serde_json::Value;

use super::{Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::types::Type;
use crate::validate::Facts;
use crate::validate::words::found;
use crate::{Check, Duration, Template, code};

/// Longest delay of a message of a queue, in seconds.
pub const MESSAGE_DELAY_MOST_S: i64 = 900;

/// What the name of a queue or topic ends in that keeps the order of its messages.
const FIFO: &str = ".fifo";

/// The step `send_message`. Output: `{message_id}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// The queue: its ARN or URL.
    #[serde(default)]
    pub queue: Option<Template>,
    /// The topic: its ARN.
    #[serde(default)]
    pub topic: Option<Template>,
    /// The message: a text as it is, any other value as JSON.
    pub body: Template,
    /// The group, in which a FIFO queue or topic keeps the order.
    #[serde(default)]
    pub group: Option<Template>,
    /// How long the queue keeps the message back, at most 15 minutes.
    #[serde(default)]
    pub delay: Option<Duration>,
}

/// Whether a queue or topic keeps the order of its messages.
pub fn is_fifo(target: &str) -> bool {
    target.trim_end_matches('/').ends_with(FIFO)
}

/// `arn:<partition>:<service>:<region>:<account>:<name>`.
fn is_arn(text: &str, service: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    let filled = parts.iter().all(|part| !part.is_empty() && !part.contains(char::is_whitespace));
    filled && matches!(parts.as_slice(), ["arn", _, named, _, _, _] if *named == service)
}

/// Whether a text names a queue: by its ARN, or by its URL, whose path is account and name.
pub fn is_queue(text: &str) -> bool {
    let url = || url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
    let names =
        |url: url::Url| url.path_segments().is_some_and(|parts| parts.filter(|part| !part.is_empty()).count() == 2);
    is_arn(text, "sqs") || url().is_some_and(names)
}

/// Whether a text names a topic.
pub fn is_topic(text: &str) -> bool {
    is_arn(text, "sns")
}

impl SendMessage {
    fn target_words(&self) -> String {
        match (&self.queue, &self.topic) {
            (Some(queue), _) => format!("the queue {}", queue.words()),
            (None, topic) => format!("the topic {}", topic.as_ref().map(Template::words).unwrap_or_default()),
        }
    }

    fn check_target(&self, cx: &mut Check<'_, '_>) {
        let (key, target) = match (&self.queue, &self.topic) {
            (Some(queue), None) => ("queue", queue),
            (None, Some(topic)) => ("topic", topic),
            (both, _) => {
                let found = if both.is_some() { "both" } else { "neither" };
                let path = if both.is_some() { cx.key("topic") } else { cx.path.clone() };
                cx.error(code::EXACTLY_ONE, &path, format!("expected either `queue` or `topic`, found {found}"));
                return;
            }
        };
        let Some(literal) = target.literal() else { return };
        let named = literal.as_str().filter(|text| if key == "queue" { is_queue(text) } else { is_topic(text) });
        let Some(text) = named else {
            let expected = if key == "queue" {
                "the ARN or URL of a queue such as \"arn:aws:sqs:eu-central-1:123456789012:orders\""
            } else {
                "the ARN of a topic such as \"arn:aws:sns:eu-central-1:123456789012:orders\""
            };
            cx.error(code::INVALID_VALUE, &cx.key(key), format!("expected {expected}, found {}", found(literal)));
            return;
        };
        if is_fifo(text) && self.group.is_none() {
            let message = format!("a FIFO {key} keeps the order within a group: expected `group`, found none");
            cx.error(code::MISSING_KEY, &cx.path.clone(), message);
        }
        if is_fifo(text) && self.delay.is_some() {
            let message = "a FIFO queue delays no single message";
            cx.error(code::NOT_ALLOWED, &cx.key("delay"), message);
        }
    }
}

impl Shape for SendMessage {
    fn words(&self, _: &Step) -> String {
        format!("sends a message to {}", self.target_words())
    }

    fn reaches(&self) -> Vec<String> {
        vec![self.target_words()]
    }

    fn facts() -> TypeFacts {
        TypeFacts { common_keys: &["timeout", "delivery"], outside: Some("message"), ..TypeFacts::PLAIN }
    }

    fn acts_outside(&self) -> bool {
        true
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        Type::object([("message_id", Type::text())])
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        self.check_target(cx);
        if self.topic.is_some() && self.delay.is_some() {
            cx.error(code::NOT_ALLOWED, &cx.key("delay"), "a topic delays no message");
        }
        if self.delay.as_ref().is_some_and(|delay| !(0..=MESSAGE_DELAY_MOST_S).contains(&delay.as_seconds())) {
            let message = "a queue delays a message by at most 15 minutes; a step `delay` before this one waits longer";
            cx.error(code::OUT_OF_RANGE, &cx.key("delay"), message.to_owned());
        }
        if self.body.literal().is_some_and(|body| body.is_null() || body.as_str() == Some("")) {
            cx.error(
                code::INVALID_VALUE,
                &cx.key("body"),
                "expected a message that is not empty, found none".to_owned(),
            );
        }
        if let Some(group) = self.group.as_ref().and_then(Template::literal).filter(|group| !is_group(group)) {
            let message = format!("expected a text of 1 to 128 bytes or a number, found {}", found(group));
            cx.error(code::INVALID_VALUE, &cx.key("group"), message);
        }
    }
}

fn is_group(value: &Value) -> bool {
    value.is_number() || value.as_str().is_some_and(is_message_group)
}

/// Whether a text can be the group of a message: printable characters of ASCII, at most 128.
pub fn is_message_group(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
