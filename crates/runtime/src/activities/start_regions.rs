//! Starts executions of parts of a workflow, one after the other. It reaches nothing outside of Pawl.
//!
//! Each has the event of the execution that it is a part of, under an id of its own that follows from the visit and the part. A
//! call that is made again finds what it started before.

use pawl_engine::{Event, Parent, Performed, RegionStart, RegionStarts, StartedBy, StepCode, StepError, ids};
use serde_json::Value;

use super::lease::LeaseGuard;
use super::start_workflow::{above, failure};
use crate::{Error, Evaluator};

/// Bytes of the data of an event that each part has for itself; reading them beside the whole costs a read at each load.
const DATA_MOST: usize = 1024;

/// Starts them. A failure of infrastructure fails the call; those that were started before it are found by the next one.
pub(super) async fn start(
    evaluator: &Evaluator,
    starts: &RegionStarts,
    whole: &Event,
    lease: LeaseGuard<'_>,
) -> Performed {
    match may_have_expired(evaluator, starts, lease).await {
        Ok(false) => {}
        Ok(true) => {
            let message = "the call that starts parts of the workflow was interrupted for longer than executions are kept: \
                           those that ran meanwhile are deleted";
            return Performed::failed(StepError::new(StepCode::OutcomeUnknown, message));
        }
        Err(error) => return Performed::failed(failure(&error)),
    }
    for (_, start) in &starts.starts {
        if let Err(error) = lease.allows(jiff::SignedDuration::ZERO) {
            return Performed::failed(error);
        }
        if let Err(error) = evaluator.start(&lease.execution.workflow, &event(starts, start, whole, lease)).await {
            return Performed::failed(failure(&error));
        }
    }
    Performed::done(Value::Null)
}

/// Whether executions that an earlier call made may have ended and expired meanwhile: they must not be made again.
async fn may_have_expired(evaluator: &Evaluator, starts: &RegionStarts, lease: LeaseGuard<'_>) -> Result<bool, Error> {
    let plan = evaluator.catalog.plan(&lease.execution.workflow, lease.execution.revision).await?;
    let age = lease.clock.now().duration_since(starts.began_at);
    Ok(plan.workflow.retention.is_some_and(|retention| age >= retention.approximate()))
}

/// The event of a part: that of the whole, under an id of its own.
fn event(starts: &RegionStarts, start: &RegionStart, whole: &Event, lease: LeaseGuard<'_>) -> Event {
    let parent = lease.execution;
    let shares_data = serde_json::to_string(&whole.data).is_ok_and(|text| text.len() > DATA_MOST);
    let address = starts.address.part(&start.region.name);
    let by = StartedBy { execution: parent.id.clone(), address, visit: starts.visit };
    Event {
        id: ids::child_event_id(&by.execution, by.address.as_str(), by.visit, 0),
        workflow: Some(parent.workflow.clone()),
        creation: None,
        cause: parent.cause.clone(),
        parent: Some(Parent { by, index: 0, waits: true, above: above(parent) }),
        region: Some(Box::new(RegionStart {
            shares_data,
            revision: parent.keeps_revision.then_some(parent.revision),
            ..start.clone()
        })),
        fork: None,
        // It stops before its steps as the whole does.
        debug: parent.debug.is_some(),
        data: if shares_data { serde_json::Map::new() } else { whole.data.clone() },
        kind: whole.kind,
        trigger: whole.trigger.clone(),
        subject: whole.subject.clone(),
        occurred_at: whole.occurred_at,
    }
}
