//! Topics: `Publish` of SNS.

use jiff::SignedDuration;
use pawl_runtime::ports::CloudError;
use percent_encoding::utf8_percent_encode;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use super::answer::refused;
use super::queue::Message;
use super::service::{Service, Services};
use crate::sigv4::UNRESERVED;

/// The version of the API, which has been one since there is SNS.
const VERSION: &str = "2010-03-31";

/// Publishes a message. A FIFO topic takes a repeat of it once.
pub(super) async fn publish(
    services: &Services,
    topic: &str,
    message: Message<'_>,
    timeout: SignedDuration,
) -> Result<Value, CloudError> {
    let what = format!("sending to {topic}");
    let mut fields = vec![("Action", "Publish"), ("Version", VERSION), ("TopicArn", topic), ("Message", message.body)];
    if let Some(group) = message.group {
        fields.push(("MessageGroupId", group));
    }
    if let Some(once) = message.once {
        fields.push(("MessageDeduplicationId", once));
    }
    let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let body = body.join("&");
    let prepare = |request: &mut reqwest::Request| {
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        *request.body_mut() = Some(body.into());
    };
    let answer = services.call((Service::Sns, &what), prepare, "/", timeout).await?;
    let said = String::from_utf8_lossy(&answer.body);
    if !answer.status.is_success() {
        return Err(refused(&what, answer.status, text(&said, "Code"), text(&said, "Message")));
    }
    match text(&said, "MessageId") {
        "" => Err(CloudError::Server(format!("{what}: the answer names no message"))),
        id => Ok(json!({"message_id": id})),
    }
}

/// The text of the first element of a name. The answers are small and have no attributes there.
fn text<'a>(xml: &'a str, name: &str) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let inside = xml.split_once(open.as_str()).and_then(|(_, rest)| rest.split_once(close.as_str()));
    inside.map_or("", |(text, _)| text.trim())
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn the_text_of_an_element_is_read() {
        let xml = "<R><PublishResult><MessageId>m-1</MessageId></PublishResult></R>";
        assert_eq!((text(xml, "MessageId"), text(xml, "Code")), ("m-1", ""));
    }
}
