//! An operator who is asked to forget a person.

use std::sync::Arc;

use pawl_engine::{Act, Subject};
use pawl_runtime::System;
use pawl_runtime::forget::{Forget, ForgetError};

use super::hub::Hub;
use super::task::{Answer, Ended, Work};

/// Forgets a record, call after call. An operator who gets no answer, or is told that something was left, asks again.
pub(super) async fn ask(hub: &Hub, system: &System, record: Subject, cancel: bool) -> Answer {
    carry_out(hub, system, Forget { record, cancel, everywhere: false, act: act(hub) }).await
}

fn act(hub: &Hub) -> Act {
    Act { actor: "operator@example.com".to_owned(), reason: Some("asked for it".to_owned()), at: hub.now(), id: None }
}

async fn carry_out(hub: &Hub, system: &System, order: Forget) -> Answer {
    let (mut stage, mut is_whole) = (None, true);
    loop {
        match system.forgetting.forget(&order, stage).await {
            Ok(done) if !done.canceling.is_empty() || !done.unreadable.is_empty() => return Answer::Lost,
            Ok(done) => {
                hub.lock().counts.add_many("executions forgotten", done.executions as u64);
                is_whole &= done.open.is_empty();
                stage = done.next;
            }
            Err(ForgetError::NotFound(_) | ForgetError::Open(_)) => return Answer::Refused,
            Err(ForgetError::Failed(_)) => return Answer::Lost,
        }
        if stage.is_none() {
            break;
        }
    }
    hub.count(if is_whole { "records forgotten" } else { "records forgotten but for open executions" });
    Answer::Done(None)
}

/// Asks once more, when every execution has ended. An edit may have taken out the step by which a workflow read the record,
/// so executions of all workflows are looked through.
pub(super) fn again(hub: &Arc<Hub>, system: &System, record: Subject) -> Work {
    let (hub, system) = (hub.clone(), system.clone());
    Box::pin(async move {
        let order = Forget { record: record.clone(), cancel: true, everywhere: true, act: act(&hub) };
        let answer = carry_out(&hub, &system, order).await;
        hub.note(&format!("operator: forget {record}: {answer:?}"));
        if answer == Answer::Done(None) {
            hub.lock().seen_to.insert(record);
        }
        Ended::Handled
    })
}
