//! The world of a story: the real runtime over memory.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use pawl_definition::{DefinitionKind, Problem, Source};
use pawl_engine::{Act, Control, Execution, ForkOrder, Position, Record, RecordActivity, Subject};
use pawl_runtime::items::date::Dated;
use pawl_runtime::items::refusal::Refusal;
use pawl_runtime::ports::{Clock, Durability, Expect, Notice, QueueName, Table, Transaction, Write};
use pawl_runtime::{
    Ahead, Catalog, ControlError, DefinitionError, Error, ExecutorOptions, ForkFailed, Identity, OutsidePorts, Ports,
    RecordError, Recorded, SaveError, System, items,
};
use serde_json::{Map, Value};

use super::{KeptNotices, ScriptedCloud, ScriptedHttp, ScriptedMachines, ScriptedModels, Trace, at_once};
use crate::memory::MemoryStore;
use crate::{SeededRandom, VirtualClock};

/// The runtime over the ports in memory, on virtual time, with scripted outside systems. Clones share everything.
#[derive(Clone)]
pub struct World {
    /// Storage, queues and timers.
    pub store: MemoryStore,
    /// Time.
    pub clock: VirtualClock,
    /// The runtime.
    pub system: System,
    /// Outside HTTP services.
    pub http: Arc<ScriptedHttp>,
    /// Language models.
    pub models: Arc<ScriptedModels>,
    /// State machines.
    pub state_machines: Arc<ScriptedMachines>,
    /// Services of the cloud.
    pub cloud: Arc<ScriptedCloud>,
    /// Notices to people.
    pub notices: Arc<KeptNotices>,
    /// Ids of executions in the order in which they were made.
    pub(super) made: Arc<Mutex<Vec<String>>>,
    pub(super) router: Arc<OnceLock<axum::Router>>,
}

impl World {
    /// Makes an empty one at a time.
    pub fn new(now: Timestamp, options: ExecutorOptions) -> Self {
        Self::with_chance(now, options, 1)
    }

    /// Makes an empty one at a time, whose chance has a seed.
    pub(super) fn with_chance(now: Timestamp, options: ExecutorOptions, seed: u64) -> Self {
        let clock = VirtualClock::new(now);
        let store = MemoryStore::new(clock.clone());
        let http = Arc::new(ScriptedHttp::new(clock.clone()));
        let models = Arc::new(ScriptedModels::new());
        let state_machines = Arc::new(ScriptedMachines::new(clock.clone(), store.clone()));
        let cloud = Arc::new(ScriptedCloud::new(clock.clone()));
        let notices = Arc::new(KeptNotices::default());
        let (time, chance) = (Arc::new(clock.clone()), Arc::new(SeededRandom::new(seed)));
        let ports = Ports::over(store.tables(), store.queue(), store.blobs(), time, chance)
            .with_timers(store.timers())
            .with_dead_letters(store.dead_letters())
            .with_notifier(notices.clone());
        let outside = OutsidePorts {
            secrets: store.secrets(),
            http: http.clone(),
            models: models.clone(),
            state_machines: state_machines.clone(),
            cloud: cloud.clone(),
        };
        let system = System::new(ports, outside, options);
        let (made, router) = (Arc::default(), Arc::default());
        Self { store, clock, system, http, models, state_machines, cloud, notices, made, router }
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Saves an object file.
    pub fn save_object(&self, source: &Source) -> Result<(), Vec<Problem>> {
        saved(at_once(self.system.workflows.save_object(source)).map(|_| ()))
    }

    /// Saves the file of a group, a calendar or another definition.
    pub fn save_definition(&self, kind: DefinitionKind, source: &Source) -> Result<(), Vec<Problem>> {
        match at_once(self.system.definitions.save(kind, source, (None, "scenario"))) {
            Ok(_) => Ok(()),
            Err(DefinitionError::Invalid(problems)) => Err(problems),
            Err(other) => panic!("storage in memory does not fail: {other}"),
        }
    }

    /// Saves a workflow file, at once also for what is in flight.
    pub fn save_workflow(&self, source: &Source) -> Result<(), Vec<Problem>> {
        saved(at_once(self.system.workflows.save(source, None, "scenario")).map(|_| ()))
    }

    /// Switches the triggers of a workflow on.
    pub fn activate(&self, workflow: &str) {
        let switched = at_once(self.system.workflows.set_active(workflow, true));
        switched.expect("a workflow that was saved is there to be switched on");
    }

    /// When a schedule of a workflow fires next: the one of this id, or the first of all.
    pub fn next_firing(&self, workflow: &str, trigger: Option<&str>) -> Option<Timestamp> {
        let ahead = at_once(self.system.schedules.ahead(workflow, 1)).expect("stored schedules are readable")?;
        let wanted = ahead.into_iter().filter(|one| trigger.is_none_or(|trigger| one.trigger == trigger));
        wanted.filter_map(|one| one.firings.first().map(|firing| firing.at)).min()
    }

    /// When a date trigger of a workflow fires next: the one of this id, or the first of all; for a record, or for any.
    pub fn next_date(&self, workflow: &str, trigger: Option<&str>, record: Option<&Subject>) -> Option<Timestamp> {
        let entries = self.store.dates().into_iter().filter(|entry| entry.workflow == workflow);
        let mut entries = entries.filter(|entry| trigger.is_none_or(|trigger| entry.trigger == trigger));
        entries
            .find(|entry| record.is_none_or(|record| entry.of == Dated::Record(record.clone())))
            .map(|entry| entry.at)
    }

    /// Puts a record there as if it had always been there: nobody hears of it.
    pub fn put_record(&self, object: &str, id: &str, fields: Map<String, Value>) -> Result<Record, RecordError> {
        let before = self.store.messages(QueueName::Events).len();
        let record = at_once(self.system.records.create(object, Some(id.to_owned()), fields, "api"))?;
        self.store.forget_events(before);
        for head in at_once(self.system.workflows.list(1_000, None)).expect("heads in memory are readable").items {
            let indexed = at_once(self.system.dates.index(&head.id, &record.subject(), self.now()));
            indexed.expect("memory takes the entries of dates");
        }
        Ok(record)
    }

    /// Puts the round of a step where it stands once it has chosen a member.
    pub fn put_position(&self, workflow: &str, step: &str, last: &str) {
        let position = Position { last: last.to_owned(), at: 0 };
        let item = items::position::item(workflow, step, &position, 1);
        let writes = vec![Write::Put { table: items::position::TABLE, item, expect: Expect::Any }];
        let put = at_once(self.store.tables().transact(Transaction { writes, durability: Durability::Durable }));
        put.expect("storage in memory does not fail");
    }

    /// What decides otherwise when each execution is decided again from its rows: nothing, of sound ones. Those of which
    /// something cannot be read are left out.
    pub fn replayed(&self) -> Vec<String> {
        let catalog = Catalog::new(self.store.tables(), self.system.unreadable.clone());
        let check = |execution: &Execution| {
            let why = match at_once(Recorded::read(&catalog, &self.system.history, &execution.id)) {
                Ok(recorded) => recorded?.check().err()?.to_string(),
                Err(Error::Unreadable(_)) => return None,
                Err(error) => error.to_string(),
            };
            Some(format!("{}: {why}", execution.id))
        };
        self.executions().iter().filter_map(check).collect()
    }

    /// Carries out a control as a person would.
    pub fn control(&self, execution: &str, control: &Control) -> Result<Execution, ControlError> {
        let act = self.act();
        at_once(self.system.transitions.control(execution, control, &act))
    }

    /// Asks for a fork of an execution as a person would, before a step or anew; the id that it will have.
    pub fn fork(&self, execution: &str, at: Option<&str>, values: Map<String, Value>) -> Result<String, ForkFailed> {
        self.fork_as(execution, ForkOrder { at: at.map(str::to_owned), values, revision: None, act: self.act() })
    }

    /// The same for a fork that keeps a revision of its workflow.
    pub fn fork_by(&self, execution: &str, at: Option<&str>, revision: Option<u64>) -> Result<String, ForkFailed> {
        let values = Map::new();
        self.fork_as(execution, ForkOrder { at: at.map(str::to_owned), values, revision, act: self.act() })
    }

    fn fork_as(&self, execution: &str, order: ForkOrder) -> Result<String, ForkFailed> {
        let original = self.execution(execution);
        let plan = at_once(self.system.workflows.plan(&original.workflow, order.revision)).map_err(ForkFailed::from)?;
        let plan = plan.expect("the workflow of an execution is there");
        let id = self.system.ingest.fresh_id();
        let event = at_once(self.system.forks.event(execution, order, &plan, id))?;
        let accepted = at_once(self.system.ingest.accept(event, &Identity::default()))?;
        Ok(accepted.execution_id.expect("a fork names its workflow"))
    }

    /// Asks for a replay of a refusal as a person would; the id of the execution.
    pub fn replay(&self, refusal: &Refusal) -> Option<String> {
        let refused = at_once(self.system.forks.refused(&refusal.id())).ok()?;
        let order = ForkOrder { at: None, values: Map::new(), revision: None, act: self.act() };
        let event = refused.replay(order, self.system.ingest.fresh_id());
        at_once(self.system.ingest.accept(event, &Identity::default())).expect("it is accepted").execution_id
    }

    /// The step that an execution stands before, and what it would do; `None` if it stands before none.
    pub fn ahead(&self, execution: &str) -> Option<Ahead> {
        let ahead = at_once(self.system.transitions.ahead(execution));
        ahead.expect("what it looks at is readable").expect("the execution is there")
    }

    /// Who acts in a story.
    pub fn act(&self) -> Act {
        Act { actor: "operator@example.com".to_owned(), reason: None, at: self.now(), id: None }
    }

    /// The executions in the order in which they were made, without those that have expired.
    pub fn executions(&self) -> Vec<Execution> {
        self.note_executions();
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let read = |id: &String| at_once(self.system.history.execution(id)).expect("stored executions are readable");
        made.iter().filter_map(read).collect()
    }

    /// One execution, large values brought back.
    pub fn execution(&self, id: &str) -> Execution {
        let found = at_once(self.system.history.execution(id)).expect("stored executions are readable");
        found.expect("the execution was made, and has not expired")
    }

    /// One execution with its history.
    pub fn trace(&self, id: &str) -> Trace {
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let page = at_once(self.system.history.rows(id, 1_000, after)).expect("stored rows are readable");
            rows.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Trace { execution: self.execution(id), rows };
            }
        }
    }

    /// The records of an object by id, also archived ones.
    pub fn records(&self, object: &str) -> Vec<Record> {
        let partition = items::record::partition(object);
        let stored = self.store.items(Table::Records).into_iter().filter(|item| item.key.partition == partition);
        stored.map(|item| items::record::parse(&item).expect("stored records are readable")).collect()
    }

    /// Activities about records, oldest first.
    pub fn activities(&self) -> Vec<RecordActivity> {
        let stored = self.store.items(items::activity::TABLE).into_iter();
        let stored = stored.filter(|item| items::activity::is_one(&item.key));
        let mut all: Vec<_> =
            stored.map(|item| items::activity::parse(&item).expect("stored activities are readable")).collect();
        all.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        all
    }

    /// The starts of a workflow that were refused, oldest first.
    pub fn refusals(&self, workflow: &str) -> Vec<Refusal> {
        let stored = self.store.items(items::refusal::TABLE).into_iter().filter(|item| item.key.sort == "head");
        let refusals = stored.filter_map(|item| items::refusal::parse(&item).expect("stored refusals are readable"));
        let mut refusals: Vec<_> =
            refusals.filter(|refusal| refusal.workflow == workflow && refusal.collected.is_none()).collect();
        refusals.sort_by(|a, b| (a.at, &a.event_id).cmp(&(b.at, &b.event_id)));
        refusals
    }

    /// Notices that people were handed, oldest first.
    pub fn notices(&self) -> Vec<Notice> {
        self.notices.all()
    }

    /// Notes executions that are new, so that their order is known.
    pub(super) fn note_executions(&self) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let heads = self.store.items(items::execution::TABLE).into_iter().filter(|item| item.key.sort == "head");
        let mut new: Vec<Execution> = heads
            .filter(|item| !made.iter().any(|id| item.key.partition.strip_prefix("execution#") == Some(id.as_str())))
            .filter_map(|item| items::execution::parse(&item).expect("stored executions are readable"))
            .collect();
        new.sort_by(|a, b| (a.created_at, &a.workflow, &a.id).cmp(&(b.created_at, &b.workflow, &b.id)));
        made.extend(new.into_iter().map(|execution| execution.id));
    }
}

fn saved(result: Result<(), SaveError>) -> Result<(), Vec<Problem>> {
    match result {
        Ok(()) => Ok(()),
        Err(SaveError::Invalid(problems)) => Err(problems),
        Err(error) => unreachable!("a save without a revision to compare finds memory at hand: {error}"),
    }
}
