//! The memory store passes every suite of the contract.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pawl_contract::Backend;
use pawl_runtime::ports::{
    Blobs, Clock, DeadLetters, Key, Queue, QueueName, QueueSource, Secrets, Table, Tables, Timers,
};
use pawl_testkit::VirtualClock;
use pawl_testkit::memory::MemoryStore;

struct Memory(MemoryStore);

impl Memory {
    fn start() -> Self {
        let store = MemoryStore::new(VirtualClock::default());
        store.set_secret("contract", "a secret value");
        Self(store)
    }
}

#[async_trait]
impl Backend for Memory {
    fn tables(&self) -> &dyn Tables {
        &self.0
    }

    fn queue(&self) -> &dyn Queue {
        &self.0
    }

    fn source(&self) -> &dyn QueueSource {
        &self.0
    }

    fn timers(&self) -> &dyn Timers {
        &self.0
    }

    fn blobs(&self) -> &dyn Blobs {
        &self.0
    }

    fn secrets(&self) -> &dyn Secrets {
        &self.0
    }

    fn dead_letters(&self) -> &dyn DeadLetters {
        &self.0
    }

    async fn give_up(&self, queue: QueueName, body: &str) {
        self.0.give_up(queue, body, 0);
    }

    async fn damage(&self, table: Table, key: &Key) {
        self.0.damage(table, key, "damaged");
    }

    fn now(&self) -> Timestamp {
        self.0.clock().now()
    }

    async fn pass(&self, span: SignedDuration) {
        self.0.clock().advance(span);
    }

    async fn settle(&self) {}
}

pawl_contract::contract!(tables, Memory::start());
pawl_contract::contract!(queue, Memory::start());
pawl_contract::contract!(dead_letters, Memory::start());
pawl_contract::contract!(timers, Memory::start());
pawl_contract::contract!(blobs, Memory::start());
pawl_contract::contract!(expiry, Memory::start());
pawl_contract::contract!(secrets, Memory::start());
