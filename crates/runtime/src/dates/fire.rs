//! The time of an entry comes.

use pawl_engine::{Plan, date, long_overdue};

use super::present::Present;
use super::{Dates, Following, RACES, next, put_or_delete};
use crate::items::date::{self as stored, DateEntry, Dated};
use crate::items::workflow::Head;
use crate::ports::{Consistency, Item};
use crate::{Error, firings};

/// An entry whose time has come, with what it is held against.
struct Due<'a> {
    item: &'a Item,
    entry: &'a DateEntry,
    head: &'a Head,
    plan: &'a Plan,
    present: &'a Present,
}

impl Dates {
    /// Carries out what is due of an entry. Doing it again starts nothing twice: the event has an id of the planned time, and the
    /// entry is taken away only after it has come to an execution or to a refusal.
    pub(crate) async fn fire(&self, of: &Dated, (workflow, trigger): (&str, &str)) -> Result<(), Error> {
        for _ in 0..RACES {
            match self.try_fire(of, (workflow, trigger)).await {
                Err(error) if error.is_conflict() || error.is_unknown() => {}
                result => return result,
            }
        }
        Err(Error::Contended(of.to_string()))
    }

    async fn try_fire(&self, of: &Dated, (workflow, trigger): (&str, &str)) -> Result<(), Error> {
        let key = stored::key(of, (workflow, trigger));
        let Some(item) = self.tables.get(stored::TABLE, &key, Consistency::Strong).await? else { return Ok(()) };
        let entry = stored::parse(&item)?;
        if entry.at > self.clock.now() {
            return Ok(());
        }
        let head = self.catalog.head(workflow).await?.filter(|head| head.active);
        // What was due before the workflow was switched on does not fire.
        let Some(head) = head.filter(|head| head.active_since.is_none_or(|since| since <= entry.at)) else {
            return self.remove(&item).await;
        };
        let plan = self.catalog.plan(workflow, head.revision).await?;
        let following = self.following(&plan, of).await?;
        let is_of_object = match of {
            Dated::Record(record) => plan.workflow.object.as_ref() == Some(&record.object),
            Dated::Activity(_) => true,
        };
        let Some(one) = following.iter().find(|one| one.trigger.id == trigger && is_of_object) else {
            return self.remove(&item).await;
        };
        let present = self.present(of).await?;
        let due = Due { item: &item, entry: &entry, head: &head, plan: &plan, present: &present };
        self.judge(&due, one).await
    }

    /// Holds an entry against the record or activity and the calendar as they are now.
    async fn judge(&self, due: &Due<'_>, one: &Following<'_>) -> Result<(), Error> {
        let (entry, now) = (due.entry, self.clock.now());
        let date = one.date(due.present).filter(|date| one.around.plans(date, entry.planned));
        let Some(date) = date else {
            // The date has changed: its event moves the entry too, whichever of them comes first.
            return self.replace(due, next(&entry.workflow, one, due.present, now)).await;
        };
        match one.around.adjusted(entry.planned) {
            // Its day is no business day any more.
            Some(moved) if moved > now => {
                return self.replace(due, Some(DateEntry { at: moved, ..entry.clone() })).await;
            }
            Some(_) => self.start(due, one, &date).await?,
            None => {}
        }
        let again = one.around.is_yearly().then(|| next(&entry.workflow, one, due.present, now)).flatten();
        self.replace(due, again).await
    }

    async fn start(&self, due: &Due<'_>, one: &Following<'_>, date: &str) -> Result<(), Error> {
        let DateEntry { workflow, trigger, at, .. } = due.entry;
        let event = match due.present {
            Present::Record(record, _) => date::event((workflow, trigger), record, date, *at),
            Present::Activity(_, Some(activity)) => {
                long_overdue(activity, one.record(activity), (workflow, trigger), *at)
            }
            Present::Activity(_, None) => return Ok(()),
        };
        match firings::killed(&self.catalog, due.head, "its dates start nothing").await? {
            Some(reason) => firings::refuse(&*self.tables, &self.refusals, (due.plan, &event), &reason).await,
            None => self.starter.start(workflow, &event).await.map(drop),
        }
    }

    async fn replace(&self, due: &Due<'_>, after: Option<DateEntry>) -> Result<(), Error> {
        let versions = (due.present.version(), due.head.version);
        match put_or_delete(Some(due.item), after.as_ref(), versions) {
            Some(write) => self.write(Some(due.present), vec![write]).await,
            None => Ok(()),
        }
    }

    async fn remove(&self, item: &Item) -> Result<(), Error> {
        let write = put_or_delete(Some(item), None, (0, 0));
        self.write(None, write.into_iter().collect()).await
    }
}
