//! All of the runtime over one set of ports: what an embedded installation and the tests wire.

use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;

use crate::activities::Activities;
use crate::ports::{
    Blobs, Clock, DeadLetters, Http, Models, Notifier, Queue, QueueName, Random, Secrets, StateMachines, Tables, Timers,
};
use crate::{Core, Error, Executor, ExecutorOptions, Finder, Job};

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

/// The runtime, wired: a core and the executor.
#[derive(Clone)]
pub struct System {
    core: Core,
    /// Carries executions on.
    pub executor: Arc<Executor>,
}

impl Deref for System {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
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
        let activities = Activities::new(&ports);
        let core = Core::new(ports, options);
        let finder = Finder::new(core.ports.tables.clone(), core.unreadable.clone());
        let executor = Executor::new(core.transitions.clone(), finder, activities, core.stop.clone());
        Self { core, executor: Arc::new(executor) }
    }
}
