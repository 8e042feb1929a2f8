//! All of the runtime over one set of ports: what an embedded installation and the tests wire.

use std::sync::Arc;

use crate::ports::{
    Blobs, Clock, Http, Models, Notifier, Queue, Random, Secrets, StateMachines, Tables, Timers,
};
use crate::{
    Activities, Catalog, Endings, Evaluator, Executor, ExecutorOptions, History, Ingest, Installations, Metrics,
    Notices, Records, Sweeper, Workflows,
};

/// One set of ports.
#[derive(Clone)]
pub struct Ports {
    /// Storage.
    pub tables: Arc<dyn Tables>,
    /// Queues.
    pub queue: Arc<dyn Queue>,
    /// Timers.
    pub timers: Arc<dyn Timers>,
    /// Large values.
    pub blobs: Arc<dyn Blobs>,
    /// Secrets.
    pub secrets: Arc<dyn Secrets>,
    /// Outside HTTP.
    pub http: Arc<dyn Http>,
    /// Language models.
    pub models: Arc<dyn Models>,
    /// State machines of Step Functions.
    pub state_machines: Arc<dyn StateMachines>,
    /// Notices to people.
    pub notifier: Arc<dyn Notifier>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
}

/// The runtime, wired.
#[derive(Clone)]
pub struct System {
    /// The ports.
    pub ports: Ports,
    /// Takes events in.
    pub ingest: Arc<Ingest>,
    /// Evaluates events.
    pub evaluator: Arc<Evaluator>,
    /// Carries executions on.
    pub executor: Arc<Executor>,
    /// Looks for what was left behind.
    pub sweeper: Arc<Sweeper>,
    /// Workflows and objects.
    pub workflows: Arc<Workflows>,
    /// Records.
    pub records: Arc<Records>,
    /// Executions to look at.
    pub history: Arc<History>,
    /// The installation's kill.
    pub installations: Arc<Installations>,
    /// Who waits for executions to end.
    pub endings: Arc<Endings>,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

impl System {
    /// Wires the runtime over a set of ports.
    pub fn new(ports: Ports, options: ExecutorOptions) -> Self {
        let Ports { tables, queue: jobs, timers, blobs, notifier, clock, random, .. } = ports.clone();
        let catalog = Arc::new(Catalog::new(tables.clone()));
        let endings = Arc::new(Endings::default());
        let metrics = Arc::new(Metrics::default());
        let executor = Arc::new(Executor {
            catalog: catalog.clone(),
            tables: tables.clone(),
            jobs,
            timers,
            blobs: blobs.clone(),
            clock: clock.clone(),
            random: random.clone(),
            activities: Arc::new(Activities::new(&ports)),
            notices: Arc::new(Notices::new(tables.clone(), notifier)),
            endings: endings.clone(),
            metrics: metrics.clone(),
            options,
        });
        let sweeper = Arc::new(Sweeper::new(executor.clone()));
        Self {
            ingest: Arc::new(Ingest::new(&ports, metrics.clone())),
            ports,
            evaluator: Arc::new(Evaluator::new(executor.clone())),
            workflows: Arc::new(Workflows::new(catalog.clone(), tables.clone(), clock.clone(), sweeper.clone())),
            records: Arc::new(Records::new(catalog.clone(), tables.clone(), clock, random)),
            history: Arc::new(History::new(tables.clone(), blobs)),
            installations: Arc::new(Installations::new(catalog, tables, sweeper.clone())),
            sweeper,
            executor,
            endings,
            metrics,
        }
    }
}
