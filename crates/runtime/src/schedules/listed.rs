//! What is stored of the schedules of a workflow, when it is saved or switched.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pawl_engine::schedule::{self, Firing};
use pawl_engine::{Event, Plan, ids};

use super::Schedules;
use crate::admission::Reason;
use crate::items::refusal::Refusal;
use crate::items::schedule::{self as stored, Schedule};
use crate::items::workflow::Head;
use crate::ports::{Consistency, Expect, Write};
use crate::{Error, items, refusals};

/// Refusals that are written when a schedule is taken away: the transaction of the head has room for so many. The last one counts
/// the firings beyond them.
const REFUSED_MOST: usize = 4;

impl Schedules {
    /// Sets what a head says of its schedules, and returns what is written beside it. What fired before stays: an edit moves
    /// the next firing only if another text says when it is, and nothing fires for a time that is past.
    pub(crate) async fn list(&self, before: Option<&Head>, after: &mut Head, plan: &Plan) -> Result<Vec<Write>, Error> {
        let now = self.clock.now();
        let old = before.map(|head| head.schedules.clone()).unwrap_or_default();
        let mut wanted = BTreeSet::new();
        let mut writes = Vec::new();
        let recurring = if after.active { self.recurring(plan).await? } else { Vec::new() };
        for recurring in recurring {
            let trigger = &recurring.trigger.id;
            let listed = if old.contains(trigger) { self.stored(&after.id, trigger).await? } else { None };
            let text = recurring.text(plan);
            // One that cannot be read is written anew.
            let read = listed.as_ref().and_then(|item| stored::parse(item).ok());
            if read.as_ref().is_some_and(|read| read.text == text) {
                wanted.insert(trigger.clone());
                continue;
            }
            let next = recurring.recurrence.next_after(now);
            let schedule = match read {
                Some(read) => edited(read, text, next, now),
                None if next.is_none() => continue,
                None => Schedule {
                    workflow: after.id.clone(),
                    trigger: trigger.clone(),
                    text,
                    next,
                    due: Vec::new(),
                    queued: None,
                    look_at: None,
                    last: None,
                },
            };
            let expect = listed.map_or(Expect::Absent, |item| Expect::Version(item.version));
            wanted.insert(trigger.clone());
            let item = stored::item(&schedule, stored::first_version(after.version));
            writes.push(Write::Put { table: stored::TABLE, item, expect });
        }
        for gone in old.difference(&wanted) {
            writes.extend(self.taken_away(plan, gone).await?);
        }
        after.schedules = wanted;
        Ok(writes)
    }

    /// What is written when a schedule is taken away: its firings whose time has come, and that have come to nothing yet, are
    /// refused.
    async fn taken_away(&self, plan: &Plan, trigger: &str) -> Result<Vec<Write>, Error> {
        let workflow = &plan.workflow.id;
        let Some(item) = self.stored(workflow, trigger).await? else { return Ok(Vec::new()) };
        let expect = Expect::Version(item.version);
        let delete = Write::Delete { table: stored::TABLE, key: item.key.clone(), expect };
        let firings = stored::parse(&item).map(|schedule| schedule.queued.into_iter().chain(schedule.due));
        let firings: Vec<_> = firings.into_iter().flatten().collect();
        let message = "the workflow was switched off, or the trigger taken away, before it could start".to_owned();
        let reason = Reason { code: "inactive", message, opens_breaker: false };
        let mut refused = Vec::new();
        for firing in firings.iter().take(REFUSED_MOST) {
            let event = schedule::event(workflow, trigger, firing);
            let key = items::execution::key(&ids::execution_id(&event.id, workflow));
            if self.tables.get(items::execution::TABLE, &key, Consistency::Strong).await?.is_none() {
                refused.push((refusals::of_start(plan, Some(trigger), &event, &reason), event));
            }
        }
        if let Some((last, _)) = refused.last_mut() {
            last.count += u64::try_from(firings.len().saturating_sub(REFUSED_MOST)).unwrap_or(u64::MAX);
        }
        let put = |(refusal, event): (Refusal, Event)| {
            let item = items::refusal::item_with_event(&refusal, Some(&event), 1);
            Write::Put { table: items::refusal::TABLE, item, expect: refusals::unless_decided(None) }
        };
        Ok(std::iter::once(delete).chain(refused.into_iter().map(put)).collect())
    }

    /// Sets the timers of what was listed. One that fails is found by the sweeper.
    pub(crate) async fn set_timers(&self, writes: &[Write]) {
        for write in writes {
            let Write::Put { table: stored::TABLE, item, .. } = write else { continue };
            let Ok(schedule) = stored::parse(item) else { continue };
            if let Some(at) = schedule.due_at().filter(|_| stored::names(&item.key.partition).is_some())
                && let Err(error) = self.remind(&schedule, at).await
            {
                tracing::warn!(workflow = %schedule.workflow, "the timer of a schedule of {} was not set: {error}", schedule.workflow);
            }
        }
    }

    /// Sets the timer of a schedule for a time.
    pub(super) async fn remind(&self, schedule: &Schedule, at: Timestamp) -> Result<(), Error> {
        self.dispatcher.remind_schedule((&schedule.workflow, &schedule.trigger), at).await
    }
}

/// A schedule that fires at other times from now on. A firing whose time has come is none of these.
fn edited(before: Schedule, text: String, next: Option<Timestamp>, now: Timestamp) -> Schedule {
    let mut due = before.due.clone();
    due.extend(before.next.filter(|planned| *planned <= now).map(|at| Firing { at, missed: 0 }));
    Schedule { text, next, due, ..before }
}
