//! Entries follow the records and the activities.

use async_recursion::async_recursion as boxed;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::{Event, Plan, Subject, triggers};

use super::{Dates, RACES, next, put_or_delete};
use crate::items::date::{self as stored, Dated};
use crate::items::workflow::Head;
use crate::ports::{Expect, Item, Pages, Query, Write};
use crate::{Error, items};

/// Entries that are deleted at once.
const DELETED_AT_ONCE: usize = 50;

impl Dates {
    /// Follows a change of a record, or an activity that has become overdue: the entries of a workflow that listens become what they
    /// should be. Whether a trigger of the workflow may start by the event as well.
    pub(crate) async fn follow(&self, workflow: &str, event: &Event) -> Result<bool, Error> {
        let Some(of) = dated(event).filter(|_| event.workflow.is_none()) else { return Ok(true) };
        let Some(head) = self.catalog.head(workflow).await? else { return Ok(true) };
        let plan = self.catalog.plan(workflow, head.revision).await?;
        let all = &plan.workflow.triggers;
        if !all.iter().any(|trigger| triggers::moves(trigger, &plan, event)) {
            return Ok(true);
        }
        self.index_one(workflow, &of, event.occurred_at).await?;
        if let Dated::Activity(_) = &of {
            // A trigger that only moves to business days may fire at once.
            for trigger in all.iter().filter(|trigger| triggers::moves(trigger, &plan, event)) {
                self.fire(&of, (workflow, &trigger.id)).await?;
            }
        }
        Ok(all.iter().any(|trigger| triggers::matches(trigger, &plan, event)))
    }

    /// Makes the entries of a workflow for a record what they should be. A firing counts that is planned after a time: what is
    /// past does not fire. Returns whether something was written.
    #[boxed]
    pub async fn index(&self, workflow: &str, record: &Subject, after: Timestamp) -> Result<bool, Error> {
        self.index_one(workflow, &Dated::Record(record.clone()), after).await
    }

    async fn index_one(&self, workflow: &str, of: &Dated, after: Timestamp) -> Result<bool, Error> {
        let mut has_written = false;
        for _ in 0..RACES {
            match self.try_index(workflow, of, after).await {
                Ok((written, is_settled)) => {
                    has_written |= written;
                    if is_settled {
                        return Ok(has_written);
                    }
                }
                Err(error) if error.is_conflict() || error.is_unknown() => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended(of.to_string()))
    }

    /// Entries are read before the record, and the record before they are written: a writer that read an older record loses.
    /// The head is read once more at the end. If it has changed meanwhile, what looks at all records after the change may have
    /// been here before this write.
    async fn try_index(&self, workflow: &str, of: &Dated, after: Timestamp) -> Result<(bool, bool), Error> {
        let Some(head) = self.catalog.head(workflow).await?.filter(|head| head.active) else {
            return Ok((false, true));
        };
        let plan = self.catalog.plan(workflow, head.revision).await?;
        let Some(after) = counts_after(of, after, (&head, &plan)) else { return Ok((false, true)) };
        let following = self.following(&plan, of).await?;
        if following.is_empty() {
            return Ok((false, true));
        }
        let key = |trigger: &str| (stored::TABLE, stored::key(of, (workflow, trigger)));
        let keys: Vec<_> = following.iter().map(|one| key(&one.trigger.id)).collect();
        let entries = self.tables.get_many(&keys).await?;
        let present = self.present(of).await?;
        let now = self.clock.now();
        let versions = (present.version(), head.version);
        let mut writes = Vec::new();
        for (one, entry) in following.iter().zip(&entries) {
            // An entry that cannot be read is written anew.
            let stored = entry.as_ref().and_then(|item| stored::parse(item).ok());
            let date = one.date(&present);
            let fires_now = stored.as_ref().is_some_and(|stored| {
                stored.at <= now && date.is_some_and(|date| one.around.plans(&date, stored.planned))
            });
            if !fires_now {
                let wanted = next(workflow, one, &present, after);
                writes.extend(put_or_delete(entry.as_ref(), wanted.as_ref(), versions));
            }
        }
        if writes.is_empty() {
            return Ok((false, true));
        }
        self.write(Some(&present), writes).await?;
        let is_settled = self.catalog.head(workflow).await?.is_some_and(|present| present.version == head.version);
        Ok((true, is_settled))
    }

    /// The same for a page of records; returns how many entries changed. A record that cannot be read has no date.
    pub(crate) async fn index_page(&self, workflow: &str, page: &[Item], after: Timestamp) -> Result<usize, Error> {
        let (records, _) = self.catalog.unreadable().read(page, items::record::parse);
        let mut written = 0;
        for record in records.iter().filter(|record| !record.is_archived() && record.forgotten.is_none()) {
            written += usize::from(self.index(workflow, &record.subject(), after).await?);
        }
        Ok(written)
    }

    /// Takes away the entries of a record that is forgotten. None comes after that.
    pub(crate) async fn forget(&self, record: &Subject) -> Result<(), Error> {
        let entries =
            Pages::of(&*self.tables, Query::of(stored::TABLE, stored::partition(&Dated::Record(record.clone()))))
                .all()
                .await?;
        for some in entries.chunks(DELETED_AT_ONCE) {
            let delete =
                |item: &Item| Write::Delete { table: stored::TABLE, key: item.key.clone(), expect: Expect::Any };
            self.write(None, some.iter().map(delete).collect()).await?;
        }
        Ok(())
    }
}

/// What has the date that an event is about.
fn dated(event: &Event) -> Option<Dated> {
    let of_activity = event.activity().map(|id| Dated::Activity(id.to_owned()));
    of_activity.or_else(|| event.subject.clone().map(Dated::Record))
}

/// The time after which firings count, of what counts from another one; `None` if nothing of it counts for a workflow. Dates of
/// records count that come after the workflow was switched on, and activities that became overdue after that.
fn counts_after(of: &Dated, after: Timestamp, (head, plan): (&Head, &Plan)) -> Option<Timestamp> {
    let since = head.active_since;
    match of {
        Dated::Record(record) if plan.workflow.object.as_ref() != Some(&record.object) => None,
        Dated::Record(_) => Some(since.map_or(after, |since| since.max(after))),
        Dated::Activity(_) if since.is_some_and(|since| after < since) => None,
        // A trigger may fire at the time itself.
        Dated::Activity(_) => Some(after - SignedDuration::from_nanos(1)),
    }
}
