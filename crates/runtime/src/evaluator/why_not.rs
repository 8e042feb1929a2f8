//! Why a workflow does not start on a record: what its triggers wait for, and what their filters say of the record as it is now.

use async_recursion::async_recursion as boxed;
use jiff::Timestamp;
use pawl_engine::{Act, Cause, Event, EventType, Subject, triggers};
use serde_json::{Map, json};

use super::Evaluator;
use super::matching::Known;
use crate::ports::Consistency;
use crate::{Error, items};

/// What stands between a record and a start of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyNot {
    /// Its triggers are enabled.
    pub active: bool,
    /// Who killed it.
    pub killed: Option<Act>,
    /// Who or what suspended its triggers.
    pub suspended: Option<Act>,
    /// The object that it runs on; it runs on no record if absent.
    pub object: Option<String>,
    /// Its triggers, in their order.
    pub triggers: Vec<TriggerNow>,
}

/// A trigger, as it would meet the record now.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerNow {
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: &'static str,
    /// It listens.
    pub enabled: bool,
    /// Its filter as written, if it has one.
    pub filter: Option<String>,
    /// What the filter says of the record as it is now, or why it says nothing: it may read the event, which there is not.
    pub passes: Result<bool, String>,
    /// When it fires next for the record, if it fires around a date.
    pub fires_at: Option<Timestamp>,
}

impl Evaluator {
    /// Looks at a workflow as if something happened to a record now; `None` if there is no such workflow. Nothing is written.
    ///
    /// # Errors
    /// Something cannot be read.
    #[boxed]
    pub async fn why_not(&self, workflow: &str, record: &Subject) -> Result<Option<WhyNot>, Error> {
        let key = items::workflow::head_key(workflow);
        let Some(item) = self.tables.get(items::workflow::TABLE, &key, Consistency::Strong).await? else {
            return Ok(None);
        };
        let head = items::workflow::parse_head(&item)?;
        let plan = self.catalog.plan(workflow, head.revision).await?;
        let now = self.clock.now();
        let event = Event {
            id: "evt_why_not".to_owned(),
            kind: EventType::Manual,
            workflow: Some(workflow.to_owned()),
            trigger: None,
            subject: Some(record.clone()),
            occurred_at: now,
            data: Map::from_iter([("values".to_owned(), json!({}))]),
            creation: None,
            cause: Cause::default(),
            parent: None,
            region: None,
            fork: None,
            debug: false,
        };
        let filters = plan.workflow.triggers.iter().filter_map(|trigger| trigger.filter.as_ref());
        let known = Known::read(&self.catalog, (&plan, &event), filters, now).await?;
        let firings = self.dates.firings(workflow, record, &plan).await?;
        let look = |trigger: &pawl_definition::Trigger| {
            let passes = known.as_ref().map_err(|error| error.message.clone()).and_then(|known| {
                let cx = known.context(&plan, now);
                let (execution, _) = pawl_engine::create(&plan, &event, now, None);
                triggers::passes(trigger, &cx, &execution).map_err(|error| error.message)
            });
            let filter = trigger.filter.as_ref().map(|filter| filter.source().to_owned());
            TriggerNow {
                id: trigger.id.clone(),
                kind: trigger.kind.tag(),
                enabled: trigger.enabled,
                filter,
                passes,
                fires_at: firings.get(&trigger.id).copied(),
            }
        };
        Ok(Some(WhyNot {
            active: head.active,
            killed: head.killed.clone(),
            suspended: head.suspended.clone(),
            object: plan.workflow.object.clone(),
            triggers: plan.workflow.triggers.iter().map(look).collect(),
        }))
    }
}
