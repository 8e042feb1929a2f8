//! What schedules and dates have in common when they fire.

use pawl_engine::{Event, Plan, ids};

use crate::admission::Reason;
use crate::items::workflow::Head;
use crate::ports::{Consistency, Tables};
use crate::refusals::{self, Refusals};
use crate::{Catalog, Error, items};

/// Why nothing starts while the workflow or the installation is killed.
pub(crate) async fn killed(catalog: &Catalog, head: &Head, outcome: &str) -> Result<Option<Reason>, Error> {
    let installation = catalog.read_installation().await?;
    let who = match (&head.killed, &installation.killed) {
        (Some(act), _) => format!("{} killed the workflow", act.actor),
        (None, Some(act)) => format!("{} killed the installation", act.actor),
        (None, None) => return Ok(None),
    };
    Ok(Some(Reason { code: "killed", message: format!("{who}, and {outcome}"), opens_breaker: false }))
}

/// Stores that a firing starts nothing, unless it has come to something.
pub(crate) async fn refuse(
    tables: &dyn Tables,
    refusals: &Refusals,
    (plan, event): (&Plan, &Event),
    reason: &Reason,
) -> Result<(), Error> {
    let key = items::execution::key(&ids::execution_id(&event.id, &plan.workflow.id));
    if tables.get(items::execution::TABLE, &key, Consistency::Strong).await?.is_some() {
        return Ok(());
    }
    let refusal = refusals::of_start(plan, event.trigger.as_deref(), event, reason);
    Ok(refusals.write((&refusal, Some(event)), None, None).await?)
}
