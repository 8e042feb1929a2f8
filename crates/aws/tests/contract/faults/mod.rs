//! Calls whose answers are lost, late or refusals.

mod messages;
mod proxy;
mod reads;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use jiff::SignedDuration;
use pawl_aws::DynamoTables;
use pawl_connectors::{SystemClock, SystemRandom};
use pawl_runtime::ports::{
    Consistency, Durability, Expect, Item, Key, Message, Table, TableError, Tables, Transaction, Write,
};

use crate::account::Account;
use crate::resources::{Resources, Uses};
use proxy::{Fault, Proxy};

/// Longest wait for an answer here; what is withheld is given up after it.
const ATTEMPT: Duration = Duration::from_millis(1_500);

/// So many attempts are made of a call that may be repeated.
const ATTEMPTS: usize = 5;

const TABLE: Table = Table::Executions;

/// An emulator behind a proxy.
struct Faulty {
    account: Account,
    resources: Resources,
    proxy: Proxy,
}

impl Faulty {
    async fn start(uses: Uses) -> Self {
        let account = Account::fresh().await;
        let endpoint = account.emulator.clone();
        let endpoint = endpoint.expect("a proxy that speaks plain HTTP needs an emulator: `--skip faults` without one");
        let resources = Resources::make(&account, uses).await;
        Self { account, resources, proxy: Proxy::before(&endpoint).await }
    }

    /// Clients made from this reach the emulator through the proxy.
    fn sdk(&self) -> SdkConfig {
        self.account.behind(&self.proxy.endpoint(), ATTEMPT)
    }

    fn tables_of(&self, sdk: &SdkConfig) -> DynamoTables {
        DynamoTables::new(sdk, self.resources.tables.clone(), Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    /// The tables through the proxy.
    fn tables(&self) -> DynamoTables {
        self.tables_of(&self.sdk())
    }

    /// What stands at a key, read past the proxy.
    async fn standing(&self, key: &Key) -> Option<Item> {
        let read = self.tables_of(&self.account.sdk).get(TABLE, key, Consistency::Strong).await;
        read.expect("nothing is wrong past the proxy")
    }

    /// Commits past the proxy.
    async fn stands(&self, item: &Item) {
        let written = commit(&self.tables_of(&self.account.sdk), vec![put(item, Expect::Any)]).await;
        written.expect("nothing is wrong past the proxy");
    }
}

async fn commit(tables: &DynamoTables, writes: Vec<Write>) -> Result<(), TableError> {
    tables.transact(Transaction { writes, durability: Durability::Durable }).await
}

fn item(sort: &str, version: u64) -> Item {
    let body = format!("{{\"version\":{version}}}");
    Item { key: Key::new("p", sort), version, indexes: Vec::new(), expires_at: None, body }
}

fn put(item: &Item, expect: Expect) -> Write {
    Write::Put { table: TABLE, item: item.clone(), expect }
}

fn add(sort: &str, amount: i64) -> Write {
    Write::Add { table: TABLE, key: Key::new("p", sort), amount, at_most: None }
}

fn message(body: &str) -> Message {
    Message { body: body.to_owned(), delay: SignedDuration::ZERO, group: "group".to_owned() }
}

fn throttles(code: &str, count: usize) -> Vec<Fault> {
    vec![Fault::code(400, code); count]
}
