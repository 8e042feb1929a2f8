//! The stream of the records table.

use aws_lambda_events::dynamodb::{EventRecord, StreamRecord};
use jiff::Timestamp;
use pawl_runtime::ports::{Item, Key, RecordChange, TableError};
use serde_dynamo::AttributeValue;

use crate::tables::layout::{self, Source, Value};

/// By which name the service deletes what expired.
const SERVICE: &str = "dynamodb.amazonaws.com";

/// Reads a change from a record of the stream; none if it says nothing, as when the body stayed the same. What had
/// expired before counts as absent, and the service's own deletion of it is none.
pub fn change(record: &EventRecord) -> Result<Option<RecordChange>, TableError> {
    if record.user_identity.as_ref().is_some_and(|identity| identity.principal_id == SERVICE) {
        return Ok(None);
    }
    let StreamRecord { old_image, new_image, approximate_creation_date_time: at, .. } = &record.change;
    let at = Timestamp::from_microsecond(at.timestamp_micros()).unwrap_or_default();
    let old = image(old_image)?.filter(|item| item.is_live(at));
    let new = image(new_image)?;
    let says_something = old.as_ref().map(|item| &item.body) != new.as_ref().map(|item| &item.body);
    Ok(says_something.then_some(RecordChange { old, new }))
}

/// The key of an item that the service has removed because it expired; none if the record tells of anything else.
pub fn expired(record: &EventRecord) -> Option<Key> {
    let is_service = record.user_identity.as_ref().is_some_and(|identity| identity.principal_id == SERVICE);
    let mut keys = record.change.keys.clone();
    is_service.then(|| layout::read_key(&mut keys).ok()).flatten()
}

fn image(image: &serde_dynamo::Item) -> Result<Option<Item>, TableError> {
    if image.is_empty() { Ok(None) } else { item(image.clone()).map(Some) }
}

/// Reads a stored item from its attributes, whichever way its body is kept.
pub fn item(attributes: serde_dynamo::Item) -> Result<Item, TableError> {
    layout::read(attributes)
}

impl Source for serde_dynamo::Item {
    fn take(&mut self, name: &str) -> Option<Value> {
        match self.remove(name)? {
            AttributeValue::S(text) => Some(Value::Text(text)),
            AttributeValue::N(number) => Some(Value::Number(number)),
            AttributeValue::B(bytes) => Some(Value::Bytes(bytes)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine};
    use pawl_runtime::ports::{Index, IndexEntry, Key, StreamMessage, stream_message};
    use serde_json::{Value, json};

    use super::*;

    const AT: i64 = 1_764_158_400;

    fn ticket(version: u64, body: &str) -> Item {
        let entry = IndexEntry { index: Index::Gsi1, partition: "object#ticket".to_owned(), sort: "2026".to_owned() };
        Item {
            key: Key::new("record#ticket", "t-1"),
            version,
            indexes: vec![entry],
            expires_at: None,
            body: body.to_owned(),
        }
    }

    fn image(item: Option<&Item>) -> Value {
        let value = |(name, value): (String, aws_sdk_dynamodb::types::AttributeValue)| {
            let value = match value {
                aws_sdk_dynamodb::types::AttributeValue::S(text) => json!({"S": text}),
                aws_sdk_dynamodb::types::AttributeValue::N(number) => json!({"N": number}),
                aws_sdk_dynamodb::types::AttributeValue::B(bytes) => json!({"B": BASE64_STANDARD.encode(bytes)}),
                other => panic!("expected a text, a number or bytes, found {other:?}"),
            };
            (name, value)
        };
        item.map_or(Value::Null, |item| layout::write(item).into_iter().map(value).collect())
    }

    fn record(old: Option<&Item>, new: Option<&Item>) -> EventRecord {
        let record = json!({
            "awsRegion": "eu-central-1",
            "eventID": "1",
            "eventName": "MODIFY",
            "dynamodb": {
                "ApproximateCreationDateTime": AT,
                "Keys": {},
                "OldImage": image(old),
                "NewImage": image(new),
                "SizeBytes": 100,
            },
        });
        serde_json::from_value(record).expect("a record of a stream")
    }

    /// What the embedded store would have sent.
    fn sent(old: Option<&Item>, new: Option<&Item>) -> Option<RecordChange> {
        let message = stream_message(old, new)?;
        Some(serde_json::from_str::<StreamMessage>(&message.body).expect("a stream message").stream)
    }

    #[test]
    fn a_change_is_what_the_embedded_store_tells() {
        let (first, second) = (ticket(1, "{\"stage\":\"new\"}"), ticket(2, "{\"stage\":\"open\"}"));
        let same = Item { version: 3, ..second.clone() };
        let packed = ticket(3, &format!("{{\"note\":\"{}\"}}", "long ".repeat(400)));
        assert!(image(Some(&packed))["z"]["B"].is_string(), "a large record is packed");
        for (old, new) in [
            (None, Some(&first)),
            (Some(&first), Some(&second)),
            (Some(&second), Some(&same)),
            (Some(&second), None),
            (Some(&second), Some(&packed)),
            (Some(&packed), None),
        ] {
            assert_eq!(change(&record(old, new)), Ok(sent(old, new)));
        }
    }

    #[test]
    fn what_expired_was_absent() {
        let expires_at = Some(Timestamp::from_second(AT).expect("in range"));
        let expired = Item { expires_at, ..ticket(1, "{}") };
        let successor = ticket(1, "{}");
        let created = Some(RecordChange { old: None, new: Some(successor.clone()) });
        assert_eq!(change(&record(Some(&expired), Some(&successor))), Ok(created));
        assert_eq!(change(&record(Some(&expired), None)), Ok(None));
    }

    #[test]
    fn the_services_own_deletion_is_no_change() {
        let mut deletion = record(Some(&ticket(1, "{}")), None);
        let identity = json!({"type": "Service", "principalId": SERVICE});
        deletion.user_identity = Some(serde_json::from_value(identity).expect("an identity"));
        assert_eq!(change(&deletion), Ok(None));
    }
}
