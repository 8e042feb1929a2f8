//! An event of the bus names no workflow: for each that listens it is filled with what the trigger says, and started then.

use pawl_definition::Trigger;
use pawl_engine::{Event, Plan, ids, triggers};

use super::Outcome;
use super::start::{Asked, Earlier, Starter, Undecided};
use crate::admission::Reason;
use crate::intake::{IntakeError, Unfit};
use crate::{Error, RecordError, refusals};

impl Starter {
    /// Fills an event by the first trigger that takes it, and starts the workflow by it; what does not fit the trigger is a
    /// visible refusal.
    pub(super) async fn start_filled(&self, workflow: &str, event: &Event) -> Result<Outcome, Error> {
        let id = ids::execution_id(&event.id, workflow);
        let (over, head) = match self.earlier(workflow, &id, event).await? {
            Earlier::Decided(outcome) => return Ok(outcome),
            Earlier::Undecided(Undecided { over, head, .. }) => (over, head),
        };
        let Some(head) = head.filter(|head| head.active) else { return Ok(Outcome::NoMatch) };
        let plan = self.catalog.plan(workflow, head.revision).await?;
        let mut unfit = None;
        for trigger in plan.workflow.triggers.iter().filter(|trigger| triggers::matches(trigger, &plan, event)) {
            match self.filled(&plan, trigger, event).await? {
                Ok(filled) => match self.start_as_it_is(workflow, &filled).await? {
                    // Another trigger may take what the filter of this one leaves out.
                    Outcome::NoMatch => {}
                    outcome => return Ok(outcome),
                },
                Err(reason) => unfit = unfit.or(Some((trigger.id.clone(), reason))),
            }
        }
        let Some((trigger, Unfit { code, path, detail })) = unfit else { return Ok(Outcome::NoMatch) };
        let message = path.map_or(detail.clone(), |path| format!("{path}: {detail}"));
        let reason = Reason { code, message, opens_breaker: false };
        let asked = Asked { plan: &plan, event, over, closes: None };
        let refusal = refusals::of_start(&plan, Some(&trigger), event, &reason);
        self.refusals.write((&refusal, None), asked.over, asked.closes).await?;
        Ok(Outcome::Refused { code: reason.code.to_owned(), message: reason.message })
    }

    /// The event as the trigger fills it, or what of it does not fit.
    async fn filled(&self, plan: &Plan, trigger: &Trigger, event: &Event) -> Result<Result<Event, Unfit>, Error> {
        let mut filled = Event { trigger: Some(trigger.id.clone()), ..event.clone() };
        match self.intake.fill(plan, trigger, &mut filled).await {
            Ok(()) => Ok(Ok(filled)),
            Err(IntakeError::Unfit(unfit)) => Ok(Err(unfit)),
            Err(IntakeError::Failed(error) | IntakeError::Record(RecordError::Failed(error))) => Err(error),
            Err(IntakeError::Record(error)) => {
                Ok(Err(Unfit { code: "invalid_record", path: None, detail: error.to_string() }))
            }
        }
    }
}
