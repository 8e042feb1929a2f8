//! Reads the stream of the records table as Lambda does, and puts what it says on the event queue.

use std::collections::{BTreeMap, HashMap};

use aws_lambda_events::dynamodb::EventRecord;
use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::types::{AttributeValue, OperationType, Record, ShardIteratorType};
use base64::prelude::{BASE64_STANDARD, Engine};
use pawl_aws::SqsQueue;
use pawl_runtime::ports::{Queue, QueueName, stream_message};
use serde_json::{Value, json};

use crate::account::Account;

/// A reader of one stream.
pub(crate) struct Pump {
    client: Client,
    stream_arn: String,
    /// Where to go on in each shard; none once it ended.
    places: BTreeMap<String, Option<String>>,
}

impl Pump {
    /// A reader of a table's stream from its beginning.
    pub(crate) async fn of(account: &Account, table: &str) -> Self {
        let tables = aws_sdk_dynamodb::Client::new(&account.sdk);
        let described = tables.describe_table().table_name(table).send().await.expect("a table can be described");
        let stream_arn = described.table.and_then(|table| table.latest_stream_arn).expect("the table has a stream");
        Self { client: Client::new(&account.sdk), stream_arn, places: BTreeMap::new() }
    }

    /// Sends on all that the stream holds by now.
    pub(crate) async fn run(&mut self, queue: &SqsQueue) {
        self.find_shards().await;
        let shards: Vec<String> = self.places.keys().cloned().collect();
        for shard in shards {
            while self.read(&shard, queue).await > 0 {}
        }
    }

    async fn find_shards(&mut self) {
        let described = self.client.describe_stream().stream_arn(&self.stream_arn).send().await;
        let stream = described.expect("a stream can be described").stream_description.expect("a description");
        for shard in stream.shards.unwrap_or_default().into_iter().filter_map(|shard| shard.shard_id) {
            if self.places.contains_key(&shard) {
                continue;
            }
            let iterator = self.client.get_shard_iterator().stream_arn(&self.stream_arn).shard_id(&shard);
            let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await;
            self.places.insert(shard, iterator.expect("a shard can be read").shard_iterator);
        }
    }

    /// Reads on in a shard; answers how many records there were.
    async fn read(&mut self, shard: &str, queue: &SqsQueue) -> usize {
        let Some(place) = self.places.get(shard).cloned().flatten() else { return 0 };
        let read = self.client.get_records().shard_iterator(place).send().await.expect("a shard can be read");
        self.places.insert(shard.to_owned(), read.next_shard_iterator);
        let records = read.records.unwrap_or_default();
        for record in &records {
            let change = pawl_aws::change(&event(record)).expect("a record of Pawl's own");
            let message = change.and_then(|change| stream_message(change.old.as_ref(), change.new.as_ref()));
            if let Some(message) = message {
                queue.send(QueueName::Events, vec![message]).await.expect("sending succeeds");
            }
        }
        records.len()
    }
}

/// A record as Lambda hands it to a function.
fn event(record: &Record) -> EventRecord {
    let change = record.dynamodb.as_ref().expect("a record says what changed");
    let at = change.approximate_creation_date_time.map_or(0.0, |at| at.as_secs_f64());
    let identity = record.user_identity.as_ref();
    let event = json!({
        "awsRegion": record.aws_region,
        "eventID": record.event_id,
        "eventName": record.event_name.as_ref().map(OperationType::as_str),
        "userIdentity": identity.map(|identity| json!({"type": identity.r#type, "principalId": identity.principal_id})),
        "dynamodb": {
            "ApproximateCreationDateTime": at,
            "Keys": change.keys.as_ref().map(image),
            "OldImage": change.old_image.as_ref().map(image),
            "NewImage": change.new_image.as_ref().map(image),
            "SizeBytes": change.size_bytes.unwrap_or_default(),
        },
    });
    serde_json::from_value(event).expect("a record has the shape of an event")
}

fn image(attributes: &HashMap<String, AttributeValue>) -> Value {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::B(bytes) => json!({"B": BASE64_STANDARD.encode(bytes)}),
        other => panic!("expected a text, a number or bytes, found {other:?}"),
    };
    attributes.iter().map(|(name, attribute)| (name.clone(), value(attribute))).collect()
}
