//! People who look at the listings while something cannot be read.

use std::sync::Arc;

use pawl_engine::Status;
use pawl_runtime::ports::TableError;
use pawl_runtime::{Error, Filter, ListScope, Listed, RecordError, StatePartition, System, items};

use super::hub::Hub;
use super::task::{Ended, Work};

/// Entries of a page.
const PAGE: usize = 20;

/// Executions whose rows are looked at.
const HISTORIES: usize = 3;

/// Looks at every listing: each passes over what cannot be read.
pub(super) fn look(hub: &Arc<Hub>, system: &System) -> Work {
    let (hub, system) = (hub.clone(), system.clone());
    Box::pin(async move {
        let workflows: Vec<_> = hub.lock().monitor.workflows.keys().cloned().collect();
        lists(&hub, "workflows", system.workflows.list(PAGE, None).await);
        for workflow in &workflows {
            lists(&hub, "revisions", system.workflows.revisions(workflow, PAGE, None).await);
            lists(&hub, "refusals", system.history.refusals(workflow, PAGE, None).await);
            executions(&hub, &system, ListScope::Workflow(workflow.clone())).await;
        }
        for partition in
            [StatePartition::Moving, StatePartition::At(Status::Waiting), StatePartition::At(Status::Completed)]
        {
            executions(&hub, &system, ListScope::Partition(partition)).await;
        }
        lists(&hub, "notices", system.history.notices(PAGE, None).await);
        lists(&hub, "audit", system.history.audit(PAGE, None).await);
        records(&hub, &system).await;
        rows(&hub, &system).await;
        Ended::Handled
    })
}

async fn executions(hub: &Hub, system: &System, scope: ListScope) {
    lists(hub, "executions", system.history.executions(&scope, &Filter::default(), PAGE, None).await);
}

/// Records are listed by their object, which must be there, as must be the controls that say which objects are current.
async fn records(hub: &Hub, system: &System) {
    for object in ["ticket", "company", "log"] {
        let record = format!("{}/", items::record::partition(object));
        match system.records.list(object, PAGE, None).await {
            Err(RecordError::Failed(Error::Unreadable(error))) if !error.key.starts_with(&record) => {}
            Err(RecordError::Failed(error)) => lists::<()>(hub, "records", Err(error)),
            Ok(listed) => lists(hub, "records", Ok(listed)),
            Err(_) => {}
        }
    }
}

/// Rows are listed by the head of their execution, which must be there.
async fn rows(hub: &Hub, system: &System) {
    let ids: Vec<_> = hub.lock().monitor.heads.keys().take(HISTORIES).cloned().collect();
    for id in ids {
        let head = items::execution::key(&id);
        match system.history.rows(&id, PAGE, None).await {
            Err(Error::Unreadable(error)) if error.key == format!("{}/{}", head.partition, head.sort) => {}
            listed => lists(hub, "rows", listed),
        }
    }
}

fn lists<T>(hub: &Hub, what: &str, listed: Result<Listed<T>, Error>) {
    match listed {
        Ok(page) if !page.unreadable.is_empty() => hub.count("listings that passed over an item"),
        Err(error @ (Error::Unreadable(_) | Error::Table(TableError::Invalid(_)))) => {
            hub.violate(0, format!("a listing of {what} stops at an item that cannot be read: {error}"));
        }
        Ok(_) | Err(_) => {}
    }
}
