//! All of the runtime over one set of ports: what an embedded installation and the tests wire.

use std::sync::Arc;

use jiff::Timestamp;

use crate::ports::{
    Blobs, Clock, DeadLetters, Http, Models, Notifier, Queue, QueueName, Random, Secrets, StateMachines, Tables, Timers,
};
use crate::{
    Activities, Catalog, CompletionSignals, Error, Evaluator, Executor, ExecutorOptions, History, Ingest,
    Installations, Job, Metrics, Notices, Records, Stop, Sweeper, UnreadableItems, Workflows,
};

/// One set of ports.
#[derive(Clone)]
pub struct Ports {
    /// Storage.
    pub tables: Arc<dyn Tables>,
    /// Queues.
    pub queue: Arc<dyn Queue>,
    /// What queues gave up.
    pub dead_letters: Arc<dyn DeadLetters>,
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
    pub completions: Arc<CompletionSignals>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Set once the process is about to end.
    pub stop: Stop,
    /// Passes over what cannot be read.
    pub unreadable: Arc<UnreadableItems>,
}

impl System {
    /// Handles a message of a queue; a job begins nothing that could not end before the deadline. The caller deletes
    /// the message after, or gives it back if this fails.
    pub async fn handle(&self, queue: QueueName, body: &str, deadline: Option<Timestamp>) -> Result<(), Error> {
        self.deliver(queue, body, false, deadline).await
    }

    /// Handles a message, which may have been delivered before: `again` says that it came back and nobody knows if the
    /// process lives that had it. A step in which process after process dies ends as stalled.
    pub async fn deliver(
        &self,
        queue: QueueName,
        body: &str,
        again: bool,
        deadline: Option<Timestamp>,
    ) -> Result<(), Error> {
        match queue {
            QueueName::Events => self.evaluator.handle(body).await,
            QueueName::Jobs | QueueName::JobsHigh => {
                let job = Job::parse(body)?;
                self.executor.handle(&Job { again: job.again || again, ..job }, deadline).await
            }
        }
    }

    /// Wires the runtime over a set of ports.
    pub fn new(ports: Ports, options: ExecutorOptions) -> Self {
        let Ports { tables, queue: jobs, dead_letters, timers, blobs, notifier, clock, random, .. } = ports.clone();
        let metrics = Arc::new(Metrics::default());
        let stop = Stop::default();
        let unreadable = Arc::new(UnreadableItems::new(metrics.clone()));
        let catalog = Arc::new(Catalog::new(tables.clone(), unreadable.clone()));
        let completions = Arc::new(CompletionSignals::default());
        let executor = Arc::new(Executor {
            catalog: catalog.clone(),
            tables: tables.clone(),
            jobs,
            timers,
            blobs: blobs.clone(),
            clock: clock.clone(),
            random: random.clone(),
            activities: Arc::new(Activities::new(&ports, unreadable.clone())),
            notices: Arc::new(Notices::new(tables.clone(), notifier, unreadable.clone())),
            completions: completions.clone(),
            metrics: metrics.clone(),
            options,
            stop: stop.clone(),
        });
        let sweeper = Arc::new(Sweeper::new(executor.clone(), dead_letters));
        Self {
            ingest: Arc::new(Ingest::new(&ports, metrics.clone())),
            ports,
            evaluator: Arc::new(Evaluator::new(executor.clone())),
            workflows: Arc::new(Workflows::new(catalog.clone(), tables.clone(), clock.clone(), sweeper.clone())),
            records: Arc::new(Records::new(catalog.clone(), tables.clone(), clock, random)),
            history: Arc::new(History::new(tables.clone(), blobs, unreadable.clone())),
            installations: Arc::new(Installations::new(catalog, tables, sweeper.clone())),
            sweeper,
            executor,
            completions,
            metrics,
            stop,
            unreadable,
        }
    }
}
