//! What the runtime does for steps. One file for each activity, and one line in the registry below.

mod call_cloud;
mod call_llm;
mod control_workflow;
mod filled;
mod http_request;
mod known;
mod lease;
mod page;
mod retry_after;
mod run_state_machine;
mod send_signal;
mod signed;
mod start_regions;
mod start_workflow;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use pawl_engine::{Activity, Event, Execution, Performed};

use crate::ports::{Clock, CloudCalls, Http, Models, OutsidePorts, Secrets, StateMachines};
use crate::{Core, Evaluator, Ingest, Signals};
use known::Known;
use lease::LeaseGuard;

/// The outside world of steps.
pub(crate) struct Activities {
    http: Arc<dyn Http>,
    models: Arc<dyn Models>,
    state_machines: Arc<dyn StateMachines>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    evaluator: Arc<Evaluator>,
    signals: Arc<Signals>,
    cloud: Arc<dyn CloudCalls>,
    ingest: Arc<Ingest>,
}

impl Activities {
    /// Over these ports, and what a core has: it starts executions, sends signals and takes events in.
    pub(crate) fn new(outside: &OutsidePorts, core: &Core) -> Self {
        let OutsidePorts { secrets, http, models, state_machines, cloud } = outside.clone();
        let (evaluator, signals, ingest) = (core.evaluator.clone(), core.signals.clone(), core.ingest.clone());
        let clock = core.ports.clock.clone();
        Self { http, models, state_machines, secrets, clock, evaluator, signals, cloud, ingest }
    }

    /// Performs an effect outside, once, as long as the lease of its claim lasts, which is `until`. A failure
    /// is a result. The event is the one that began the execution. No secret of those that the workflow names is in what comes back.
    pub(crate) async fn perform(
        &self,
        activity: &Activity,
        (execution, event): (&Execution, &Event),
        until: Timestamp,
        secrets: &BTreeSet<String>,
    ) -> Performed {
        let lease = LeaseGuard { clock: &*self.clock, execution, until };
        // What stays inside Pawl takes no secrets.
        match activity {
            Activity::StartWorkflows(starts) => return start_workflow::start(&self.evaluator, starts, lease).await,
            Activity::StartRegions(starts) => {
                return start_regions::start(&self.evaluator, starts, event, lease).await;
            }
            Activity::FindPaused(starts) => return start_workflow::find_paused(&self.evaluator, starts, lease).await,
            Activity::FindExecutions(search) => return control_workflow::find(&self.evaluator, search, lease).await,
            Activity::ControlExecutions(controls) => {
                return control_workflow::control(&self.evaluator, controls, lease).await;
            }
            Activity::SendSignal(sending) => return send_signal::send(&self.signals, sending, lease).await,
            _ => {}
        }
        let known = match Known::read(&*self.secrets, secrets).await {
            Ok(known) => known,
            Err(error) => return Performed::failed(error),
        };
        match activity {
            Activity::HttpRequest(call) => http_request::perform(&*self.http, &known, call, lease).await,
            Activity::CallLlm(call) => known.taken_out_of(call_llm::perform(&*self.models, call, lease).await),
            Activity::RunStateMachine(run) => {
                run_state_machine::redacted(&known, run_state_machine::start(&*self.state_machines, run, lease).await)
            }
            Activity::PollStateMachine(look) => {
                run_state_machine::redacted(&known, run_state_machine::look(&*self.state_machines, look, lease).await)
            }
            Activity::CallCloud(call) => {
                known.taken_out_of(call_cloud::perform((&*self.cloud, &self.ingest), call, lease).await)
            }
            Activity::StartWorkflows(_)
            | Activity::StartRegions(_)
            | Activity::FindPaused(_)
            | Activity::FindExecutions(_)
            | Activity::ControlExecutions(_)
            | Activity::SendSignal(_) => unreachable!("they stay inside"),
        }
    }
}
