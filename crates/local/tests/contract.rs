//! The embedded store passes every suite of the contract.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pawl_contract::Backend;
use pawl_local::{Store, VariableSecrets};
use pawl_runtime::ports::{Blobs, Clock, Key, Queue, QueueSource, Secrets, Table, Tables, Timers};
use pawl_testkit::VirtualClock;
use rusqlite::Connection;
use tempfile::TempDir;

struct Embedded {
    store: Store,
    secrets: VariableSecrets,
    clock: VirtualClock,
    directory: TempDir,
}

impl Embedded {
    fn start() -> Self {
        let clock = VirtualClock::default();
        let directory = TempDir::new().expect("a directory can be made");
        let store = Store::open(directory.path(), Arc::new(clock.clone())).expect("a new directory opens");
        let variables = [("PAWL_SECRET_CONTRACT".to_owned(), "a secret value".to_owned())];
        Self { store, secrets: VariableSecrets::new(variables), clock, directory }
    }
}

#[async_trait]
impl Backend for Embedded {
    fn tables(&self) -> &dyn Tables {
        &self.store
    }

    fn queue(&self) -> &dyn Queue {
        &self.store
    }

    fn source(&self) -> &dyn QueueSource {
        &self.store
    }

    fn timers(&self) -> &dyn Timers {
        &self.store
    }

    fn blobs(&self) -> &dyn Blobs {
        &self.store
    }

    fn secrets(&self) -> &dyn Secrets {
        &self.secrets
    }

    async fn damage(&self, table: Table, key: &Key) {
        assert_eq!(table, Table::Executions, "the suite damages no other");
        let file = Connection::open(self.directory.path().join("pawl.db")).expect("the file is there");
        let statement = "UPDATE executions SET body = x'ff00' WHERE pk = ?1 AND sk = ?2";
        let damaged = file.execute(statement, [&key.partition, &key.sort]).expect("the file takes writes");
        assert_eq!(damaged, 1);
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn pass(&self, span: SignedDuration) {
        self.clock.advance(span);
        self.store.settle().await;
    }

    async fn settle(&self) {
        self.store.settle().await;
    }
}

pawl_contract::contract!(tables, Embedded::start());
pawl_contract::contract!(queue, Embedded::start());
pawl_contract::contract!(timers, Embedded::start());
pawl_contract::contract!(blobs, Embedded::start());
pawl_contract::contract!(expiry, Embedded::start());
pawl_contract::contract!(secrets, Embedded::start());
