//! An operator who begins an execution again.

use std::collections::BTreeSet;

use pawl_engine::{Act, Execution, ForkOrder, ids};
use pawl_runtime::items::refusal;
use pawl_runtime::{FORK, ForkFailed, Identity, System};
use serde_json::Map;

use super::hub::Hub;
use super::script::FORKED;
use super::task::{Accepted, Answer};

/// Asks for a fork as the API does: of one of the executions that are there, before one of the steps that it has entered, or
/// anew.
pub(super) async fn ask(hub: &Hub, system: &System, (choice, step): (usize, Option<usize>), key: &str) -> Answer {
    let Some((original, at)) = chosen(hub, choice, step) else { return Answer::Refused };
    let identity = Identity::of(Some(key));
    let workflow = original.workflow.clone();
    match system.ingest.earlier(&original.id, FORK, &identity).await {
        Ok(Some(earlier)) => return accepted(earlier.event_id, workflow, true),
        Ok(None) => {}
        Err(_) => return Answer::Lost,
    }
    let Ok(Some((_, plan))) = system.workflows.in_force(&workflow).await else { return Answer::Lost };
    let order = ForkOrder { at, values: Map::new(), revision: None, act: act(hub) };
    let id = ids::delivery_event_id(&original.id, FORK, key);
    let event = match system.forks.event(&original.id, order, &plan, id).await {
        Ok(event) => event,
        Err(ForkFailed::Refused(why)) => {
            hub.count("forks refused");
            hub.note(&format!("is not forked: {why}"));
            return Answer::Refused;
        }
        Err(ForkFailed::NotFound(_) | ForkFailed::NoRefusal(_) | ForkFailed::NoEvent(_)) => return Answer::Refused,
        Err(ForkFailed::Failed(_)) => return Answer::Lost,
    };
    match system.ingest.accept(event, &identity).await {
        Ok(answer) => accepted(answer.event_id, workflow, answer.repeat.is_some()),
        Err(_) => Answer::Lost,
    }
}

/// Asks for a replay as the API does, of one of the refusals that are there.
pub(super) async fn replay(hub: &Hub, system: &System, choice: usize, key: &str) -> Answer {
    let Some((event, workflow)) = refused(hub, choice) else { return Answer::Refused };
    let instead_of = ids::execution_id(&event, &workflow);
    let identity = Identity::of(Some(key));
    match system.ingest.earlier(&instead_of, FORK, &identity).await {
        Ok(Some(earlier)) => return accepted(earlier.event_id, workflow, true),
        Ok(None) => {}
        Err(_) => return Answer::Lost,
    }
    let refused = match system.forks.refused(&refusal::id_of(&instead_of)).await {
        Ok(refused) => refused,
        Err(ForkFailed::Failed(_)) => return Answer::Lost,
        Err(_) => return Answer::Refused,
    };
    let order = ForkOrder { at: None, values: Map::new(), revision: None, act: act(hub) };
    let event = refused.replay(order, ids::delivery_event_id(&instead_of, FORK, key));
    match system.ingest.accept(event, &identity).await {
        Ok(answer) => {
            hub.count("replays of refused events");
            accepted(answer.event_id, workflow, answer.repeat.is_some())
        }
        Err(_) => Answer::Lost,
    }
}

fn refused(hub: &Hub, choice: usize) -> Option<(String, String)> {
    let state = hub.lock();
    let all = &state.monitor.refusals;
    all.iter().nth(choice % all.len().max(1)).cloned()
}

fn accepted(event: String, workflow: String, replayed: bool) -> Answer {
    Answer::Done(Some(Accepted { event, workflow, trigger: FORKED.to_owned(), replayed }))
}

fn chosen(hub: &Hub, choice: usize, step: Option<usize>) -> Option<(Execution, Option<String>)> {
    let state = hub.lock();
    let all: Vec<_> = state.monitor.heads.values().collect();
    let original = (*all.get(choice % all.len().max(1))?).clone();
    let rows = state.monitor.rows.get(&original.id)?;
    let steps: BTreeSet<_> = rows.iter().filter_map(|row| row.step.clone()).chain(original.cursor.clone()).collect();
    let at = step.and_then(|step| steps.iter().nth(step % steps.len().max(1)).cloned());
    Some((original, at))
}

fn act(hub: &Hub) -> Act {
    Act { actor: "operator@example.com".to_owned(), reason: Some("simulated".to_owned()), at: hub.now(), id: None }
}
