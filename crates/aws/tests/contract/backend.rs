//! AWS as a backend of the suites.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use jiff::{SignedDuration, Timestamp};
use pawl_aws::{DynamoTables, ManagerSecrets, S3Blobs, SchedulerTimers, SqsDeadLetters, SqsQueue};
use pawl_connectors::{SystemClock, SystemRandom};
use pawl_contract::Backend;
use pawl_runtime::ports::{Blobs, DeadLetters, Key, Queue, QueueName, QueueSource, Secrets, Table, Tables, Timers};
use tokio::sync::Mutex;

use crate::account::Account;
use crate::fired::Watched;
use crate::pump::Pump;
use crate::resources::{Resources, Uses};

/// How long an emulator and a real account take until what is there can be received, and how many times longer the
/// spans of the suites are there.
struct Speed {
    pause: Duration,
    stretch: i32,
}

const EMULATOR: Speed = Speed { pause: Duration::from_millis(250), stretch: 3 };
/// Scheduler's precision is a minute; indexes and streams take a second or two.
const ACCOUNT: Speed = Speed { pause: Duration::from_secs(3), stretch: 30 };

/// All ports, on what one test uses.
pub(crate) struct Amazon {
    tables: DynamoTables,
    queue: SqsQueue,
    dead_letters: SqsDeadLetters,
    timers: Watched,
    blobs: S3Blobs,
    secrets: ManagerSecrets,
    pump: Option<Mutex<Pump>>,
    speed: Speed,
    dynamo: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    resources: Resources,
}

impl Amazon {
    pub(crate) async fn start(uses: Uses) -> Self {
        let account = Account::fresh().await;
        let resources = Resources::make(&account, uses).await;
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let sdk = &account.sdk;
        let queue = SqsQueue::new(sdk, resources.queues.clone(), clock.clone(), random.clone());
        let timers = SchedulerTimers::new(sdk, resources.timers.clone(), queue.clone(), clock.clone());
        let pump = match (uses, resources.tables.0.get(&Table::Records)) {
            (Uses::Tables, Some(records)) => Some(Mutex::new(Pump::of(&account, records).await)),
            _ => None,
        };
        Self {
            tables: DynamoTables::new(sdk, resources.tables.clone(), clock.clone(), random.clone()),
            dead_letters: SqsDeadLetters::new(sdk, resources.dead_letter_queues.clone(), queue.clone()),
            timers: Watched::new(timers, &account),
            blobs: S3Blobs::new(sdk, &account.prefix, random).expect("a name of digits and letters"),
            secrets: ManagerSecrets::new(sdk, format!("{}/", account.prefix), clock),
            pump,
            speed: if account.emulator.is_some() { EMULATOR } else { ACCOUNT },
            dynamo: aws_sdk_dynamodb::Client::new(sdk),
            sqs: aws_sdk_sqs::Client::new(sdk),
            queue,
            resources,
        }
    }

    /// A question to the queues, after which those that were asked before have been answered.
    async fn round_trip(&self) {
        if let Some(url) = self.resources.queues.0.get(&QueueName::Jobs) {
            let call = self.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
            call.send().await.expect("a queue has attributes");
        }
    }
}

#[async_trait]
impl Backend for Amazon {
    fn tables(&self) -> &dyn Tables {
        &self.tables
    }

    fn queue(&self) -> &dyn Queue {
        &self.queue
    }

    fn source(&self) -> &dyn QueueSource {
        &self.queue
    }

    fn timers(&self) -> &dyn Timers {
        &self.timers
    }

    fn blobs(&self) -> &dyn Blobs {
        &self.blobs
    }

    fn secrets(&self) -> &dyn Secrets {
        &self.secrets
    }

    fn dead_letters(&self) -> &dyn DeadLetters {
        &self.dead_letters
    }

    async fn give_up(&self, queue: QueueName, body: &str) {
        let url = &self.resources.dead_letter_queues.0[&queue];
        self.sqs.send_message().queue_url(url).message_body(body).send().await.expect("sending succeeds");
    }

    /// Cuts the packed body off in its middle.
    async fn damage(&self, table: Table, at: &Key) {
        let name = &self.resources.tables.0[&table];
        let key = |part: &String| AttributeValue::S(part.clone());
        let request = self.dynamo.get_item().table_name(name);
        let stored = request.key("pk", key(&at.partition)).key("sk", key(&at.sort)).send().await;
        let stored = stored.expect("reading succeeds").item.expect("the item is there");
        let packed = stored["z"].as_b().expect("the body is packed").as_ref();
        let half = AttributeValue::B(Blob::new(&packed[..packed.len() / 2]));
        let request = self.dynamo.update_item().table_name(name).key("pk", key(&at.partition)).key("sk", key(&at.sort));
        let request = request.update_expression("SET z = :half").expression_attribute_values(":half", half);
        request.send().await.expect("writing succeeds");
    }

    /// To the microsecond, as items keep their expiry.
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(Timestamp::now().as_microsecond()).expect("the present is in range")
    }

    fn stretch(&self) -> i32 {
        self.speed.stretch
    }

    async fn pass(&self, span: SignedDuration) {
        tokio::time::sleep(span.unsigned_abs()).await;
    }

    async fn settle(&self) {
        self.timers.settle().await;
        tokio::time::sleep(self.speed.pause).await;
        if let Some(pump) = &self.pump {
            pump.lock().await.run(&self.queue).await;
        }
        self.round_trip().await;
    }
}
