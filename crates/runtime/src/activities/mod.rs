//! What the runtime does for steps. One file for each activity and read, and one line in the registries below.

mod call_llm;
mod filled;
mod http_request;
mod known;
mod lease;
mod records;
mod retry_after;
mod run_state_machine;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use pawl_definition::Object;
use pawl_engine::{Activity, Execution, Found, Performed, Read};

use crate::ports::{Clock, Http, Models, Secrets, StateMachines};
use crate::{Error, Ports, UnreadableItems};
use known::Known;
use lease::LeaseGuard;

pub use records::Finder;

/// The outside world of steps.
pub struct Activities {
    http: Arc<dyn Http>,
    models: Arc<dyn Models>,
    state_machines: Arc<dyn StateMachines>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    finder: Finder,
}

impl Activities {
    /// Over some of these ports.
    pub fn new(ports: &Ports, unreadable: Arc<UnreadableItems>) -> Self {
        let Ports { tables, http, models, state_machines, secrets, clock, .. } = ports.clone();
        Self { http, models, state_machines, secrets, clock, finder: Finder::new(tables, unreadable) }
    }

    /// Performs an effect outside, once, as long as the lease of its claim lasts. A failure is a result. No secret of those
    /// that the workflow names is in what comes back.
    pub(crate) async fn perform(
        &self,
        activity: &Activity,
        execution: &Execution,
        secrets: &BTreeSet<String>,
    ) -> Performed {
        let known = match Known::read(&*self.secrets, secrets).await {
            Ok(known) => known,
            Err(error) => return Performed::failed(error),
        };
        let until = execution.lease.as_ref().map_or(Timestamp::MIN, |lease| lease.until);
        let lease = LeaseGuard { clock: &*self.clock, tables: self.finder.tables(), execution, until };
        let performed = match activity {
            Activity::HttpRequest(call) => return http_request::perform(&*self.http, &known, call, lease).await,
            Activity::CallLlm(call) => call_llm::perform(&*self.models, call, lease).await,
            // Its answer is the name by which it is looked at.
            Activity::RunStateMachine(run) => return run_state_machine::start(&*self.state_machines, run, lease).await,
            Activity::PollStateMachine(look) => run_state_machine::look(&*self.state_machines, look, lease).await,
        };
        known.taken_out_of(performed)
    }

    /// Reads inside Pawl.
    pub(crate) async fn read(&self, read: &Read, objects: &BTreeMap<String, Object>) -> Result<Found, Error> {
        match read {
            Read::FindRecords(query) => self.finder.find(query, objects.get(&query.object)).await,
            Read::Duplicates { object, values } => self.finder.duplicates(object, values).await,
            Read::Record { object, id } => self.finder.one(object, id).await,
        }
    }
}
