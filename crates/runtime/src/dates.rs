//! Dates of records: when each `date` trigger fires for each record, and what a firing starts. And activities that have been overdue
//! for so long that a trigger fires.
//!
//! An entry says when a trigger fires next for a record or an activity ([`DateEntry`](crate::items::date::DateEntry)). The evaluator
//! writes it after a change of the record, or when the activity becomes overdue. An operation writes those of all records after an
//! activation or an edit. The sweeper finds the entries whose time has come. No timer is set, so a date that is years ahead costs one
//! item.

mod fire;
mod foreseen;
mod index;
mod present;

use std::sync::Arc;

use jiff::Timestamp;
use pawl_definition::trigger::Date as Keys;
use pawl_definition::{AroundDate, BusinessDays, Trigger, WorkflowCalendar};
use pawl_engine::Plan;
use serde_json::json;

use crate::evaluator::Starter;
use crate::items::date::{self as stored, DateEntry, Dated};
use crate::items::workflow::Head;
use crate::ports::{Clock, Durability, Expect, Item, Tables, Transaction, Write};
use crate::refusals::Refusals;
use crate::{Catalog, Error};

use present::Present;

/// How often a write that lost a race is tried again.
const RACES: usize = 8;

/// Keeps the entries of dates, and fires them.
pub struct Dates {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) starter: Arc<Starter>,
    pub(crate) refusals: Arc<Refusals>,
}

/// A trigger that fires around a date, or after an activity is due, with when it fires.
struct Following<'p> {
    trigger: &'p Trigger,
    counts_from: CountsFrom<'p>,
    /// The object of its workflow.
    object: Option<&'p str>,
    around: AroundDate,
}

/// Where the date of a trigger stands.
enum CountsFrom<'p> {
    /// In this field of a record.
    Field(&'p str),
    /// It is the time at which an activity of this type is due.
    Due(&'p str),
}

/// The calendar by which the days of a trigger are business days.
fn calendar_of<'p>(own: Option<&'p WorkflowCalendar>, plan: &'p Plan) -> &'p WorkflowCalendar {
    own.unwrap_or(&plan.workflow.calendar)
}

/// What says when the date triggers of a head fire; none while it is inactive. Of another text, all records are looked at again.
pub(crate) fn text(head: &Head, plan: &Plan) -> Option<String> {
    let all = plan.workflow.triggers.iter().filter(|trigger| head.active && trigger.enabled);
    let all: Vec<_> = all
        .filter_map(|trigger| {
            let keys = trigger.kind.shape().date()?;
            let Keys { field, offset, at, timezone, every_year, business_days, .. } = keys;
            let zone = timezone.as_deref().or(plan.workflow.timezone.as_deref());
            let offset = offset.map(|offset| offset.0.to_string());
            let days = business_days.map(|rule| format!("{rule:?} {:?}", calendar_of(keys.calendar.as_ref(), plan)));
            Some(json!([trigger.id, field, offset, at, zone, every_year, days]))
        })
        .collect();
    (!all.is_empty()).then(|| json!([plan.workflow.object, all]).to_string())
}

impl Dates {
    /// The triggers of a plan that are enabled and count from what has this date, on the business days of their calendars as they are
    /// now. One that cannot be read was refused when it was saved, and never fires.
    async fn following<'p>(&self, plan: &'p Plan, of: &Dated) -> Result<Vec<Following<'p>>, Error> {
        let mut all = Vec::new();
        for trigger in plan.workflow.triggers.iter().filter(|trigger| trigger.enabled) {
            let shape = trigger.kind.shape();
            let (counts_from, around, days) = match (of, shape.date(), shape.overdue()) {
                (Dated::Record(_), Some(keys), _) => {
                    let Ok(around) = keys.around(&plan.timezone) else { continue };
                    (CountsFrom::Field(&keys.field), around, (keys.business_days, keys.calendar.as_ref()))
                }
                (Dated::Activity(_), _, Some(keys)) if keys.is_delayed() => {
                    let around = keys.around(&plan.timezone);
                    (CountsFrom::Due(&keys.activity), around, (keys.business_days, keys.calendar.as_ref()))
                }
                _ => continue,
            };
            let around = self.on_business_days(around, days, plan).await?;
            all.push(Following { trigger, counts_from, object: plan.workflow.object.as_deref(), around });
        }
        Ok(all)
    }

    async fn on_business_days(
        &self,
        around: AroundDate,
        (rule, calendar): (Option<BusinessDays>, Option<&WorkflowCalendar>),
        plan: &Plan,
    ) -> Result<AroundDate, Error> {
        let Some(rule) = rule else { return Ok(around) };
        Ok(around.on_business_days(rule, self.catalog.calendar(calendar_of(calendar, plan)).await?))
    }

    /// Writes entries of one record or activity, if it is as it was read.
    async fn write(&self, present: Option<&Present>, mut writes: Vec<Write>) -> Result<(), Error> {
        let puts = writes.iter().any(|write| matches!(write, Write::Put { .. }));
        writes.extend(present.filter(|_| puts).and_then(Present::check));
        Ok(self.tables.transact(Transaction { writes, durability: Durability::Ordered }).await?)
    }
}

/// The write that makes an entry what it should be; `None` if it is so.
fn put_or_delete(before: Option<&Item>, after: Option<&DateEntry>, versions: (u64, u64)) -> Option<Write> {
    let expect = before.map_or(Expect::Absent, |item| Expect::Version(item.version));
    match (before, after) {
        (None, None) => None,
        (Some(item), None) => Some(Write::Delete { table: stored::TABLE, key: item.key.clone(), expect }),
        (before, Some(after)) => {
            let is_same = before.is_some_and(|item| stored::parse(item).as_ref() == Ok(after));
            let version = stored::version(after, versions);
            let put = || Write::Put { table: stored::TABLE, item: stored::item(after, version), expect };
            (!is_same).then(put)
        }
    }
}

/// The entry of a trigger for a record or an activity, for its first firing after a time.
fn next(workflow: &str, one: &Following<'_>, present: &Present, after: Timestamp) -> Option<DateEntry> {
    let time = one.around.next_after(&one.date(present)?, after)?;
    Some(DateEntry {
        of: present.of(),
        workflow: workflow.to_owned(),
        trigger: one.trigger.id.clone(),
        at: time.at,
        planned: time.moved_from.unwrap_or(time.at),
    })
}
