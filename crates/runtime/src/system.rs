//! All of the runtime: what an embedded installation and the tests wire.

use std::ops::Deref;
use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::Timestamp;

use crate::activities::Activities;
use crate::ports::QueueName;
use crate::{Core, Error, Executor, ExecutorOptions, Finder, Job, OutsidePorts, Ports};

/// The runtime, wired: a core and the executor.
#[derive(Clone)]
pub struct System {
    /// All but the executor.
    pub core: Core,
    /// What steps reach outside.
    pub outside: OutsidePorts,
    /// Carries executions on.
    pub executor: Arc<Executor>,
}

impl AsRef<Core> for System {
    fn as_ref(&self) -> &Core {
        &self.core
    }
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
    #[boxed]
    pub async fn handle(&self, queue: QueueName, body: &str, deadline: Option<Timestamp>) -> Result<(), Error> {
        self.deliver(queue, body, false, deadline).await
    }

    /// Handles a message, which may have been delivered before: `again` says that it came back and nobody knows if the
    /// process lives that had it. A step in which process after process dies ends as stalled.
    #[boxed]
    pub async fn deliver(
        &self,
        queue: QueueName,
        body: &str,
        again: bool,
        deadline: Option<Timestamp>,
    ) -> Result<(), Error> {
        match queue {
            QueueName::Events => self.evaluator.handle(body, deadline).await,
            QueueName::Jobs | QueueName::JobsHigh | QueueName::JobsSlow => {
                let job = Job::parse(body)?;
                self.executor.handle(&Job { again: job.again || again, ..job }, queue, deadline).await
            }
        }
    }

    /// Wires the runtime over its ports and those of steps.
    pub fn new(ports: Ports, outside: OutsidePorts, options: ExecutorOptions) -> Self {
        let core = Core::new(ports, options);
        let activities = Activities::new(&outside, &core);
        let finder = Finder::new(core.ports.tables.clone(), core.unreadable.clone());
        let executor = Executor::new(&core, finder, activities);
        Self { core, outside, executor: Arc::new(executor) }
    }
}
