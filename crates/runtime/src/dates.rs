//! Dates of records: when each `date` trigger fires for each record, and what a firing starts.
//!
//! An entry says when a trigger fires next for a record ([`DateEntry`](crate::items::date::DateEntry)). The evaluator writes it
//! after a change of the record, and an operation writes those of all records after an activation or an edit. The sweeper finds
//! the entries whose time has come. No timer is set, so a date that is years ahead costs one item.

mod fire;
mod index;

use std::sync::Arc;

use jiff::Timestamp;
use pawl_definition::trigger::Date as Keys;
use pawl_definition::{AroundDate, Trigger, WorkflowCalendar};
use pawl_engine::{Plan, Record, Subject};
use serde_json::{Value, json};

use crate::evaluator::Starter;
use crate::items::date::{self as stored, DateEntry};
use crate::items::workflow::Head;
use crate::ports::{Clock, Consistency, Durability, Expect, Item, Tables, Transaction, Write};
use crate::refusals::Refusals;
use crate::{Catalog, Error, items};

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

/// A date trigger with when it fires.
struct Following<'p> {
    trigger: &'p Trigger,
    keys: &'p Keys,
    around: AroundDate,
}

impl Following<'_> {
    /// The date that a record has for it; `None` if it fires for this record never.
    fn date<'r>(&self, record: Option<&'r Record>) -> Option<&'r str> {
        let record = record.filter(|record| !record.is_archived() && record.forgotten.is_none())?;
        record.fields.get(&self.keys.field).and_then(Value::as_str)
    }
}

/// The calendar by which the days of a trigger are business days.
fn calendar_of<'p>(keys: &'p Keys, plan: &'p Plan) -> &'p WorkflowCalendar {
    keys.calendar.as_ref().unwrap_or(&plan.workflow.calendar)
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
            let days = business_days.map(|rule| format!("{rule:?} {:?}", calendar_of(keys, plan)));
            Some(json!([trigger.id, field, offset, at, zone, every_year, days]))
        })
        .collect();
    (!all.is_empty()).then(|| json!([plan.workflow.object, all]).to_string())
}

impl Dates {
    /// The date triggers of a plan that are enabled, on the business days of their calendars as they are now. One that cannot be
    /// read was refused when it was saved, and never fires.
    async fn following<'p>(&self, plan: &'p Plan) -> Result<Vec<Following<'p>>, Error> {
        let mut all = Vec::new();
        for trigger in plan.workflow.triggers.iter().filter(|trigger| trigger.enabled) {
            let Some(keys) = trigger.kind.shape().date() else { continue };
            let Ok(mut around) = keys.around(&plan.timezone) else { continue };
            if let Some(rule) = keys.business_days {
                around = around.on_business_days(rule, self.catalog.calendar(calendar_of(keys, plan)).await?);
            }
            all.push(Following { trigger, keys, around });
        }
        Ok(all)
    }

    async fn record(&self, subject: &Subject) -> Result<Option<Record>, Error> {
        let item = self.tables.get(items::record::TABLE, &items::record::key(subject), Consistency::Strong).await?;
        Ok(item.as_ref().map(items::record::parse).transpose()?)
    }

    /// Writes entries of one record, if it is as it was read.
    async fn write(&self, record: Option<&Record>, mut writes: Vec<Write>) -> Result<(), Error> {
        let puts = writes.iter().any(|write| matches!(write, Write::Put { .. }));
        if let Some(record) = record.filter(|_| puts) {
            let (table, key) = (items::record::TABLE, items::record::key(&record.subject()));
            writes.push(Write::Check { table, key, expect: Expect::Version(record.version) });
        }
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

/// The entry of a trigger for a record, for its first firing after a time.
fn next(workflow: &str, one: &Following<'_>, record: Option<&Record>, after: Timestamp) -> Option<DateEntry> {
    let time = one.around.next_after(one.date(record)?, after)?;
    Some(DateEntry {
        record: record?.subject(),
        workflow: workflow.to_owned(),
        trigger: one.trigger.id.clone(),
        at: time.at,
        planned: time.moved_from.unwrap_or(time.at),
    })
}
