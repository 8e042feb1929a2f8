//! What an installation consists of, made for one test and removed after it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, StreamSpecification, StreamViewType, TableStatus,
};
use aws_sdk_sqs::types::QueueAttributeName;
use futures::future::join_all;
use pawl_aws::config::{QueueUrls, TableNames, TimerTargets};
use pawl_runtime::ports::{QueueName, Table};

use crate::account::Account;
use crate::bucket::TestBucket;

pub(crate) const TABLES: [(Table, &str, usize); 4] = [
    (Table::Workflows, "workflows", 1),
    (Table::Executions, "executions", 4),
    (Table::Records, "records", 1),
    (Table::Keys, "idempotency", 0),
];

pub(crate) const QUEUES: [(QueueName, &str); 4] = [
    (QueueName::Events, "events"),
    (QueueName::Jobs, "jobs"),
    (QueueName::JobsHigh, "jobs-high"),
    (QueueName::JobsSlow, "jobs-slow"),
];

/// What a test uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uses {
    /// The tables, and the queues that the records' stream feeds.
    Tables,
    /// The queues.
    Queues,
    /// The queues and their dead-letter queues.
    DeadLetters,
    /// The schedule group and the queues.
    Timers,
    /// The bucket.
    Blobs,
    /// The secret.
    Secrets,
}

/// The names of what was made.
pub(crate) struct Resources {
    account: Account,
    uses: Uses,
    pub(crate) tables: TableNames,
    pub(crate) queues: QueueUrls,
    pub(crate) dead_letter_queues: QueueUrls,
    pub(crate) timers: TimerTargets,
}

impl Resources {
    /// Makes what a test uses.
    pub(crate) async fn make(account: &Account, uses: Uses) -> Self {
        let named = |kind: &str| format!("{}-{kind}", account.prefix);
        let tables = TABLES.iter().map(|(table, kind, _)| (*table, named(kind))).collect();
        let timers = TimerTargets {
            group: account.prefix.clone(),
            role_arn: account.role_arn.clone(),
            undelivered_arn: String::new(),
            queue_arns: BTreeMap::new(),
        };
        let none = QueueUrls(BTreeMap::new());
        let mut made = Self {
            account: account.clone(),
            uses,
            tables: TableNames(tables),
            queues: none.clone(),
            dead_letter_queues: none,
            timers,
        };
        match uses {
            Uses::Tables => {
                join_all(TABLES.iter().map(|(_, kind, indexes)| make_table(account, kind, *indexes))).await;
                made.make_queues().await;
            }
            Uses::Queues => made.make_queues().await,
            Uses::DeadLetters => {
                made.make_queues().await;
                for (queue, kind) in QUEUES {
                    let url = made.make_queue(&format!("{kind}-dead")).await;
                    made.dead_letter_queues.0.insert(queue, url);
                }
            }
            Uses::Timers => {
                made.make_queues().await;
                let scheduler = aws_sdk_scheduler::Client::new(&account.sdk);
                let group = scheduler.create_schedule_group().name(&account.prefix).send().await;
                group.expect("a schedule group can be made");
            }
            Uses::Blobs => TestBucket::of(account).await.make().await,
            Uses::Secrets => make_secret(account).await,
        }
        made
    }

    async fn make_queues(&mut self) {
        let client = aws_sdk_sqs::Client::new(&self.account.sdk);
        for (queue, kind) in QUEUES {
            let url = self.make_queue(kind).await;
            let attributes = client.get_queue_attributes().queue_url(&url);
            let attributes = attributes.attribute_names(QueueAttributeName::QueueArn).send().await;
            let attributes = attributes.expect("a queue has attributes").attributes.unwrap_or_default();
            let arn = &attributes[&QueueAttributeName::QueueArn];
            self.timers.queue_arns.insert(queue, arn.clone());
            // Nothing is undelivered here.
            self.timers.undelivered_arn.clone_from(arn);
            self.queues.0.insert(queue, url);
        }
    }

    async fn make_queue(&self, kind: &str) -> String {
        let client = aws_sdk_sqs::Client::new(&self.account.sdk);
        let made = client.create_queue().queue_name(format!("{}-{kind}", self.account.prefix)).send().await;
        made.expect("a queue can be made").queue_url.expect("a queue has a URL")
    }
}

impl Drop for Resources {
    /// An emulator forgets by itself.
    fn drop(&mut self) {
        if self.account.emulator.is_some() {
            return;
        }
        let names: Vec<String> = self.tables.0.values().cloned().collect();
        let urls = self.queues.0.values().chain(self.dead_letter_queues.0.values()).cloned().collect();
        let (account, uses) = (self.account.clone(), self.uses);
        // The test's own runtime ends with it.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(remove(account, uses, names, urls));
        });
        drop(removal.join());
    }
}

async fn remove(account: Account, uses: Uses, tables: Vec<String>, queues: Vec<String>) {
    let sdk = &account.sdk;
    for url in queues {
        told(&url, aws_sdk_sqs::Client::new(sdk).delete_queue().queue_url(&url).send().await);
    }
    match uses {
        Uses::Tables => {
            let client = aws_sdk_dynamodb::Client::new(sdk);
            for name in tables {
                told(&name, client.delete_table().table_name(&name).send().await);
            }
        }
        Uses::Timers => {
            let client = aws_sdk_scheduler::Client::new(sdk);
            told("the group", client.delete_schedule_group().name(&account.prefix).send().await);
        }
        Uses::Blobs => {
            told("the bucket", TestBucket::of(&account).await.remove().await);
        }
        Uses::Secrets => {
            let removal = aws_sdk_secretsmanager::Client::new(sdk).delete_secret().secret_id(secret_name(&account));
            told("the secret", removal.force_delete_without_recovery(true).send().await);
        }
        Uses::Queues | Uses::DeadLetters => {}
    }
}

/// Tells of what could not be removed; a test does not fail for it.
fn told<T, E: std::fmt::Debug>(what: &str, removal: Result<T, E>) {
    if let Err(error) = removal {
        eprintln!("{what} is left over: {error:?}");
    }
}

async fn make_secret(account: &Account) {
    let client = aws_sdk_secretsmanager::Client::new(&account.sdk);
    let secret = client.create_secret().name(secret_name(account)).secret_string("a secret value");
    secret.send().await.expect("a secret can be made");
}

fn secret_name(account: &Account) -> String {
    format!("{}/contract", account.prefix)
}

/// Makes a table with so many indexes, as the template does; that of records with its stream.
async fn make_table(account: &Account, kind: &str, indexes: usize) {
    let client = aws_sdk_dynamodb::Client::new(&account.sdk);
    let name = format!("{}-{kind}", account.prefix);
    let mut call = client
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(schema("pk", "sk")))
        .attribute_definitions(text("pk"))
        .attribute_definitions(text("sk"));
    for number in 1..=indexes {
        let (partition, sort) = (format!("i{number}p"), format!("i{number}s"));
        let keys_only = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
        let index = GlobalSecondaryIndex::builder()
            .index_name(format!("index{number}"))
            .set_key_schema(Some(schema(&partition, &sort)))
            .projection(keys_only);
        call = call
            .attribute_definitions(text(&partition))
            .attribute_definitions(text(&sort))
            .global_secondary_indexes(index.build().expect("an index has a name and a key"));
    }
    if kind == "records" {
        let stream = StreamSpecification::builder().stream_enabled(true);
        let stream = stream.stream_view_type(StreamViewType::NewAndOldImages).build();
        call = call.stream_specification(stream.expect("a stream is on or off"));
    }
    call.send().await.expect("a table can be made");
    loop {
        let described = client.describe_table().table_name(&name).send().await.expect("a table can be described");
        if described.table.and_then(|table| table.table_status) == Some(TableStatus::Active) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

fn schema(partition: &str, sort: &str) -> Vec<KeySchemaElement> {
    let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let elements = [element(partition, KeyType::Hash), element(sort, KeyType::Range)];
    elements.into_iter().map(|element| element.expect("an element has a name and a kind")).collect()
}

fn text(name: &str) -> AttributeDefinition {
    let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
    definition.build().expect("an attribute has a name and a type")
}
