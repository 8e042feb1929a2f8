//! Dates of records: each entry follows from the record as it is when the entry is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pawl_definition::AroundDate;
use pawl_engine::{Plan, Record, Subject, date, ids};
use pawl_runtime::items::date::{self as stored, DateEntry, Dated as DateOf};
use pawl_runtime::ports::{Item, Key};

use super::{Broken, Monitor};

/// The field that has the time.
const FIELD: &str = "due";

/// The time of a record, and since when it has it.
#[derive(Debug, Clone)]
pub(crate) struct Dated {
    pub(crate) value: Option<String>,
    pub(crate) since: Timestamp,
    /// The version of the record that brought it.
    pub(crate) version: u64,
}

/// Entries as they are stored, and the times of records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dates {
    entries: BTreeMap<Key, DateEntry>,
    records: BTreeMap<Subject, Dated>,
}

impl Dates {
    /// What is stored.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &DateEntry> {
        self.entries.values()
    }

    /// The times of records.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&Subject, &Dated)> {
        self.records.iter()
    }

    /// One is deleted.
    pub(super) fn gone(&mut self, key: &Key) {
        self.entries.remove(key);
    }

    /// A record is written.
    pub(super) fn record(&mut self, record: &Record) {
        let is_there = !record.is_archived() && record.forgotten.is_none();
        let value = record.fields.get(FIELD).and_then(serde_json::Value::as_str).filter(|_| is_there);
        let before = self.records.get(&record.subject()).and_then(|dated| dated.value.as_deref());
        if before != value || !self.records.contains_key(&record.subject()) {
            let value = value.map(str::to_owned);
            let dated = Dated { value, since: record.updated_at, version: record.version };
            self.records.insert(record.subject(), dated);
        }
    }
}

impl Monitor {
    /// An entry is written.
    pub(super) fn date(&mut self, item: &Item, broken: &mut Vec<Broken>) {
        let Ok(entry) = stored::parse(item) else { return };
        let value = match &entry.of {
            DateOf::Record(record) => self.dates.records.get(record).and_then(|of| of.value.clone()),
            DateOf::Activity(id) => self.activities.due(id).map(|due| due.to_string()),
        };
        let plans = |around: AroundDate| value.as_ref().is_some_and(|value| around.plans(value, entry.planned));
        if !self.arounds(&entry.workflow, &entry.trigger).any(plans) {
            let DateEntry { of, workflow, trigger, at, .. } = &entry;
            broken.push((4, format!("{workflow}/{trigger}: is to fire at {at} for {of}, which has another date")));
        }
        self.dates.entries.insert(item.key.clone(), entry);
    }

    /// When the revisions of a trigger fire.
    fn arounds(&self, workflow: &str, trigger: &str) -> impl Iterator<Item = AroundDate> {
        self.definitions(workflow).filter_map(move |workflow| {
            let plan = Plan::new(Arc::new(workflow.clone()), 1);
            let trigger = workflow.triggers.iter().find(|one| one.id == trigger)?;
            let shape = trigger.kind.shape();
            let of_activity = shape.overdue().map(|keys| keys.around(&plan.timezone));
            of_activity.or_else(|| shape.date()?.around(&plan.timezone).ok())
        })
    }

    /// Why nothing came of a date, that should have come to something by now.
    pub(crate) fn lost_date(&self, workflow: &str, record: &Subject, now: Timestamp) -> Option<String> {
        let head = self.workflows.get(workflow).filter(|head| head.active)?;
        let dated = self.dates.records.get(record)?;
        let definition = self.definition(workflow, head.revision);
        let plan = Plan::new(definition.clone(), head.revision);
        let trigger = definition.triggers.iter().find(|trigger| trigger.kind.shape().date().is_some())?;
        let around = trigger.kind.shape().date()?.around(&plan.timezone).ok()?;
        let since = dated.since.max(head.saved_at).max(head.active_since.unwrap_or(head.saved_at));
        let value = dated.value.as_ref()?;
        let at = around.next_after(value, since).map(|time| time.at).filter(|at| *at <= now)?;
        let event = date::event((workflow, &trigger.id), record, value, at).id;
        let told = ids::change_event_id(&record.object, &record.id, dated.version);
        let was_given_up = self.refusals.iter().any(|(event, _)| *event == told);
        let came = self.has_begun(&ids::execution_id(&event, workflow))
            || self.refusals.contains(&(event.clone(), workflow.to_owned()))
            || self.debounced.contains_key(&(event, workflow.to_owned()));
        let lost = || format!("{workflow}/{}: the date {value} of {record} came to nothing at {at}", trigger.id);
        (!came && !was_given_up).then(lost)
    }
}
