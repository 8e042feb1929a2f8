//! Schedules: the next firing of each schedule trigger, and what a firing starts.
//!
//! A save or a switch of a workflow writes what is stored of its schedules in its own transaction. A timer tells when a
//! firing is due, and the sweeper finds one whose timer was lost.

mod fire;
mod listed;

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::Timestamp;
use pawl_definition::trigger::Schedule as Keys;
use pawl_definition::{Recurrence, RecurrenceTime, Trigger, WorkflowCalendar};
use pawl_engine::{Plan, schedule};
use serde_json::json;

use crate::dispatch::Dispatcher;
use crate::evaluator::Starter;
use crate::items::schedule as stored;
use crate::ports::{Clock, Consistency, Item, Tables};
use crate::refusals::Refusals;
use crate::{Catalog, Error};

/// Most firings that are shown ahead.
pub const SHOWN_MOST: usize = 100;

/// Fires what recurs.
pub struct Schedules {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) starter: Arc<Starter>,
    pub(crate) refusals: Arc<Refusals>,
}

/// What comes of one schedule trigger of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// Trigger.
    pub trigger: String,
    /// The time zone of its times.
    pub timezone: String,
    /// The next firings, the first first. They come if the workflow is active then.
    pub firings: Vec<RecurrenceTime>,
    /// A firing that waits for the end of an execution.
    pub queued: Option<Timestamp>,
    /// The execution that was started last, of a workflow that is active.
    pub last: Option<String>,
}

/// A schedule trigger with when it fires.
struct Recurring<'p> {
    trigger: &'p Trigger,
    keys: &'p Keys,
    recurrence: Recurrence,
}

impl<'p> Recurring<'p> {
    fn of(plan: &'p Plan, trigger: &'p Trigger) -> Option<Self> {
        let keys = trigger.kind.shape().schedule().filter(|_| trigger.enabled)?;
        let recurrence = keys.recurrence(&plan.timezone).ok()?;
        Some(Self { trigger, keys, recurrence })
    }

    /// The calendar by which its days are business days.
    fn calendar(&self, plan: &'p Plan) -> &'p WorkflowCalendar {
        self.keys.calendar.as_ref().unwrap_or(&plan.workflow.calendar)
    }

    /// What says when it fires.
    fn text(&self, plan: &Plan) -> String {
        let Keys { cron, every, rrule, timezone, starts, ends, business_days, .. } = self.keys;
        let zone = timezone.as_deref().or(plan.workflow.timezone.as_deref());
        let every = every.map(|every| every.to_string());
        let mut text = vec![json!(cron), json!(every), json!(rrule), json!(zone), json!(starts), json!(ends)];
        if let Some(rule) = business_days {
            text.push(json!(format!("{rule:?} {:?}", self.calendar(plan))));
        }
        serde_json::Value::Array(text).to_string()
    }
}

impl Schedules {
    /// The schedule triggers of a plan that are enabled. One that cannot be read was refused when it was saved, and never fires.
    async fn recurring<'p>(&self, plan: &'p Plan) -> Result<Vec<Recurring<'p>>, Error> {
        let mut all = Vec::new();
        for trigger in &plan.workflow.triggers {
            all.extend(self.on_its_days(plan, trigger).await?);
        }
        Ok(all)
    }

    /// One of them by its id.
    async fn recurring_of<'p>(&self, plan: &'p Plan, id: &str) -> Result<Option<Recurring<'p>>, Error> {
        match plan.workflow.triggers.iter().find(|trigger| trigger.id == id) {
            Some(trigger) => self.on_its_days(plan, trigger).await,
            None => Ok(None),
        }
    }

    /// A schedule trigger on the business days of its calendar as it is now.
    async fn on_its_days<'p>(&self, plan: &'p Plan, trigger: &'p Trigger) -> Result<Option<Recurring<'p>>, Error> {
        let Some(recurring) = Recurring::of(plan, trigger) else { return Ok(None) };
        let Some(rule) = recurring.keys.business_days else { return Ok(Some(recurring)) };
        let calendar = self.catalog.calendar(recurring.calendar(plan)).await?;
        let recurrence = recurring.recurrence.on_business_days(rule, calendar);
        Ok(Some(Recurring { recurrence, ..recurring }))
    }

    /// What comes of the schedules of a workflow, as many firings of each as asked for, at most 100; `None` without the workflow.
    #[boxed]
    pub async fn ahead(&self, workflow: &str, firings: usize) -> Result<Option<Vec<Ahead>>, Error> {
        let Some(head) = self.catalog.head(workflow).await? else { return Ok(None) };
        let plan = self.catalog.plan(workflow, head.revision).await?;
        let now = self.clock.now();
        let mut all = Vec::new();
        for recurring in self.recurring(&plan).await? {
            let item = self.stored(workflow, &recurring.trigger.id).await?;
            let stored = item.as_ref().map(stored::parse).transpose()?;
            let (queued, last) = stored.map_or((None, None), |stored| (stored.queued, stored.last));
            let recurrence = &recurring.recurrence;
            all.push(Ahead {
                trigger: recurring.trigger.id.clone(),
                timezone: recurrence.zone().iana_name().unwrap_or("UTC").to_owned(),
                firings: recurrence.all_times_after(now).take(firings.min(SHOWN_MOST)).collect(),
                queued: queued.map(|firing: schedule::Firing| firing.at),
                last,
            });
        }
        Ok(Some(all))
    }

    async fn stored(&self, workflow: &str, trigger: &str) -> Result<Option<Item>, Error> {
        let key = stored::key(workflow, trigger);
        Ok(self.tables.get(stored::TABLE, &key, Consistency::Strong).await?)
    }
}
