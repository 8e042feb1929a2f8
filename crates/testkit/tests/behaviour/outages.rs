//! A service that everything needs is away for an hour. Nobody does anything about it.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use pawl_definition::Source;
use pawl_engine::{Cause, Event, EventType};
use pawl_runtime::ports::{
    BlobError, BlobKey, BlobOwner, Blobs, Clock, Consistency, Item, Key, Message, Page, Query, Queue, QueueError,
    QueueName, Table, TableError, Tables, Timer, TimerError, Timers, Transaction,
};
use pawl_runtime::{ExecutorOptions, Identity, Ports, System};
use pawl_testkit::VirtualClock;
use pawl_testkit::scenario::{World, answer};
use serde_json::Map;

const STEPS: &str = "
  - {id: first, type: delay, for: 20m}
  - {id: call, type: http_request, url: 'https://x.example', timeout: 30s}
  - {id: second, type: delay, for: 40m}
  - {id: end, type: note, text: end}";

/// Puts an outage in the place of ports.
type TakeAway = fn(&mut Ports, &Arc<Outage>);

/// A service during an outage: tables fail in each way in turn, the others cannot be reached.
#[derive(Clone)]
struct Outage {
    ports: Ports,
    clock: VirtualClock,
    until: Timestamp,
}

impl Outage {
    fn is_over(&self) -> bool {
        self.clock.now() >= self.until
    }

    fn table(&self) -> Result<(), TableError> {
        let errors = [
            TableError::Throttled,
            TableError::Unavailable("an outage".to_owned()),
            TableError::Unknown("an outage".to_owned()),
        ];
        let turn = usize::try_from(self.clock.now().as_second()).expect("it is after 1970") % errors.len();
        if self.is_over() { Ok(()) } else { Err(errors[turn].clone()) }
    }
}

#[async_trait]
impl Tables for Outage {
    async fn get(&self, table: Table, key: &Key, consistency: Consistency) -> Result<Option<Item>, TableError> {
        self.table()?;
        self.ports.tables.get(table, key, consistency).await
    }

    async fn get_many(&self, keys: &[(Table, Key)]) -> Result<Vec<Option<Item>>, TableError> {
        self.table()?;
        self.ports.tables.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, TableError> {
        self.table()?;
        self.ports.tables.query(query).await
    }

    async fn transact(&self, transaction: Transaction) -> Result<(), TableError> {
        self.table()?;
        self.ports.tables.transact(transaction).await
    }
}

#[async_trait]
impl Queue for Outage {
    async fn send(&self, queue: QueueName, messages: Vec<Message>) -> Result<(), QueueError> {
        if !self.is_over() {
            return Err(QueueError::Unavailable("an outage".to_owned()));
        }
        self.ports.queue.send(queue, messages).await
    }
}

#[async_trait]
impl Timers for Outage {
    async fn set(&self, timer: Timer) -> Result<(), TimerError> {
        if !self.is_over() {
            return Err(TimerError::Unavailable("an outage".to_owned()));
        }
        self.ports.timers.set(timer).await
    }

    async fn cancel(&self, name: &str) -> Result<(), TimerError> {
        if !self.is_over() {
            return Err(TimerError::Unavailable("an outage".to_owned()));
        }
        self.ports.timers.cancel(name).await
    }
}

#[async_trait]
impl Blobs for Outage {
    async fn put(&self, key: &BlobKey, bytes: bytes::Bytes) -> Result<(), BlobError> {
        if !self.is_over() {
            return Err(BlobError::Unavailable("an outage".to_owned()));
        }
        self.ports.blobs.put(key, bytes).await
    }

    async fn get(&self, key: &BlobKey) -> Result<bytes::Bytes, BlobError> {
        if !self.is_over() {
            return Err(BlobError::Unavailable("an outage".to_owned()));
        }
        self.ports.blobs.get(key).await
    }

    async fn remove(&self, owner: &BlobOwner) -> Result<bool, BlobError> {
        if !self.is_over() {
            return Err(BlobError::Unavailable("an outage".to_owned()));
        }
        self.ports.blobs.remove(owner).await
    }
}

pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

pub(crate) fn start(world: &World, id: &str) {
    let event = Event {
        id: id.to_owned(),
        kind: EventType::Manual,
        workflow: Some("w".to_owned()),
        trigger: Some("manual".to_owned()),
        subject: None,
        occurred_at: world.now(),
        data: Map::new(),
        creation: None,
        cause: Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    };
    at_once(world.system.ingest.accept(event, &Identity::default())).expect("it is accepted");
}

/// Executions at each point of their life, then an hour in which a service is away, and two in which it works again.
fn after_an_outage(take_away: TakeAway) -> World {
    let mut world = World::new("2026-11-21T09:00:00Z".parse().expect("a time"), ExecutorOptions::default());
    let source = Source::parse("w.yaml", &crate::support::workflow(STEPS)).expect("it is YAML");
    world.save_workflow(&source).expect("it has no mistakes");
    world.http.script(|_| Some(answer(200)));
    for minutes in [0, 21, 19, 1] {
        start(&world, &format!("evt_{minutes}"));
        let until = world.now() + SignedDuration::from_mins(minutes);
        world.run(Some(until)).expect("nothing fails yet");
    }
    start(&world, "evt_new");
    let until = world.now() + SignedDuration::from_hours(1);
    let outage = Arc::new(Outage { ports: world.system.ports.clone(), clock: world.clock.clone(), until });
    let mut ports = world.system.ports.clone();
    take_away(&mut ports, &outage);
    world.system = System::new(ports, world.system.outside.clone(), ExecutorOptions::default());
    for _ in 0..180 {
        let next = world.now() + SignedDuration::from_mins(1);
        world.run(Some(next)).expect("what fails goes away by itself");
        // While the service is away, the sweeper fails too.
        drop(at_once(world.system.sweeper.sweep(None)));
    }
    world
}

/// Bug: an outage of six minutes used up the ten deliveries of everything in flight, and a person had to redrive it.
#[test]
fn after_an_hour_without_a_service_everything_goes_on_by_itself() {
    let services: [(&str, TakeAway); 4] = [
        ("tables", |ports, outage| ports.tables = outage.clone()),
        ("queue", |ports, outage| ports.queue = outage.clone()),
        ("timers", |ports, outage| ports.timers = outage.clone()),
        ("all", |ports, outage| {
            ports.tables = outage.clone();
            ports.queue = outage.clone();
            ports.timers = outage.clone();
            ports.blobs = outage.clone();
        }),
    ];
    for (service, take_away) in services {
        let world = after_an_outage(take_away);
        let states: Vec<_> = world.executions().iter().map(|execution| execution.status.to_string()).collect();
        assert_eq!(states, ["completed"; 5], "{service}");
        assert_eq!(world.refusals("w"), [], "{service}");
        let counts = world.system.metrics.snapshot();
        assert_eq!(counts["executions_stalled"], 0, "{service}");
        assert!(counts["messages_put_off"] > 0, "without {service}, nothing failed");
    }
}
