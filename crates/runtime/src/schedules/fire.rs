//! A schedule fires.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::trigger::Overlap;
use pawl_engine::schedule::{self, Firing};
use pawl_engine::{Event, Plan};

use super::{Recurring, Schedules};
use crate::admission::Reason;
use crate::evaluator::Outcome;
use crate::items::schedule::{self as stored, Schedule};
use crate::items::workflow::Head;
use crate::ports::{Consistency, Durability, Expect, Item, Transaction, Write};
use crate::{Error, firings, items};

/// Steps of one message: a schedule that is behind goes on in another one.
const STEPS_MOST: usize = 64;

/// How soon a queued firing looks again whether it may start, at the earliest and at the latest.
const LOOKS: (SignedDuration, SignedDuration) = (SignedDuration::from_mins(1), SignedDuration::from_mins(15));

/// When a queued firing looks again: after half the time that it has waited, within bounds.
fn next_look(firing: &Firing, now: Timestamp) -> Timestamp {
    now + (now.duration_since(firing.at) / 2).clamp(LOOKS.0, LOOKS.1)
}

/// A schedule as it is stored, with what it belongs to.
struct Stored<'a> {
    item: &'a Item,
    schedule: Schedule,
    head: &'a Head,
    plan: &'a Plan,
    now: Timestamp,
}

/// What is to be done next.
enum Step {
    /// Something was done: look again.
    Again,
    /// Nothing before a time; `None` if nothing any more.
    Wait(Option<Timestamp>),
}

impl Schedules {
    /// Carries out what is due of a schedule, and sees to its timer. Doing it again changes nothing.
    pub(crate) async fn fire(&self, workflow: &str, trigger: &str, deadline: Option<Timestamp>) -> Result<(), Error> {
        for _ in 0..STEPS_MOST {
            match self.step(workflow, trigger).await {
                Ok(Step::Again) => {}
                Ok(Step::Wait(None)) => return Ok(()),
                Ok(Step::Wait(Some(at))) => return self.dispatcher.remind_schedule((workflow, trigger), at).await,
                Err(error) if error.is_conflict() || error.is_unknown() => {}
                Err(error) => return Err(error),
            }
            if deadline.is_some_and(|deadline| self.clock.now() >= deadline) {
                break;
            }
        }
        self.dispatcher.send_schedule(workflow, trigger).await
    }

    async fn step(&self, workflow: &str, trigger: &str) -> Result<Step, Error> {
        let Some(item) = self.stored(workflow, trigger).await? else { return Ok(Step::Wait(None)) };
        let schedule = stored::parse(&item)?;
        let Some(head) = self.catalog.head(workflow).await? else { return self.remove(&item).await };
        let plan = self.catalog.plan(workflow, head.revision).await?;
        let Some(recurring) = self.recurring_of(&plan, trigger).await?.filter(|_| head.active) else {
            return self.remove(&item).await;
        };
        let stored = Stored { item: &item, schedule, head: &head, plan: &plan, now: self.clock.now() };
        if stored.schedule.next.is_some_and(|next| next <= stored.now) {
            return self.plan_next(&stored, &recurring).await;
        }
        if let Some(firing) = stored.schedule.due.first() {
            return self.start_due(&stored, firing, &recurring).await;
        }
        if let Some(firing) = &stored.schedule.queued {
            return self.start_queued(&stored, firing).await;
        }
        match stored.schedule.next {
            Some(next) => Ok(Step::Wait(Some(next))),
            None => self.remove(&item).await,
        }
    }

    /// The time of a firing has come: it is written down, and the next one is planned.
    async fn plan_next(&self, stored: &Stored<'_>, recurring: &Recurring<'_>) -> Result<Step, Error> {
        let planned = stored.schedule.next.unwrap_or(stored.now);
        let due = schedule::due(&recurring.recurrence, planned, stored.now, recurring.keys.catch_up);
        if let Some(missed) = &due.missed {
            let message = format!(
                "nobody could carry it out at its time, and `catch_up` lets it start nothing: {} firings, the last at {}",
                missed.missed, missed.at
            );
            let reason = Reason { code: "missed", message, opens_breaker: false };
            self.refuse(stored, missed, &reason).await?;
        }
        let mut after = stored.schedule.clone();
        after.due.extend(due.firings);
        after.next = due.next;
        self.write(stored, after).await
    }

    /// A firing starts an execution, is refused, or waits for the end of another one.
    async fn start_due(&self, stored: &Stored<'_>, firing: &Firing, recurring: &Recurring<'_>) -> Result<Step, Error> {
        let mut after = stored.schedule.clone();
        after.due.remove(0);
        let overlap = recurring.keys.overlap;
        if let Some(reason) = self.killed(stored).await? {
            self.refuse(stored, firing, &reason).await?;
        } else if overlap == Overlap::Allow {
            self.start(stored, firing, &mut after).await?;
        } else if let Some(open) = self.open(stored).await? {
            let waits = stored.schedule.queued.is_some();
            if overlap == Overlap::Queue && !waits {
                after.queued = Some(firing.clone());
                after.look_at = Some(next_look(firing, stored.now));
            } else {
                let behind = if waits { ", and a firing waits for its end" } else { "" };
                let message = format!("{open} has not ended, which an earlier firing started{behind}");
                let reason = Reason { code: "overlap", message, opens_breaker: false };
                self.refuse(stored, firing, &reason).await?;
            }
        } else if let Some(queued) = stored.schedule.queued.clone() {
            // The execution has ended: the firing that waited is first.
            self.start(stored, &queued, &mut after).await?;
            after.queued = Some(firing.clone());
            after.look_at = Some(next_look(firing, stored.now));
        } else {
            self.start(stored, firing, &mut after).await?;
        }
        self.write(stored, after).await
    }

    /// A firing that waits starts once the execution of an earlier one has ended.
    async fn start_queued(&self, stored: &Stored<'_>, firing: &Firing) -> Result<Step, Error> {
        let mut after = stored.schedule.clone();
        (after.queued, after.look_at) = (None, None);
        if let Some(reason) = self.killed(stored).await? {
            self.refuse(stored, firing, &reason).await?;
        } else if self.open(stored).await?.is_some() {
            let look_at = stored.schedule.look_at.filter(|at| *at > stored.now);
            let Some(look_at) = look_at else {
                let mut later = stored.schedule.clone();
                later.look_at = Some(next_look(firing, stored.now));
                return self.write(stored, later).await;
            };
            return Ok(Step::Wait(Some(stored.schedule.next.map_or(look_at, |next| next.min(look_at)))));
        } else {
            self.start(stored, firing, &mut after).await?;
        }
        self.write(stored, after).await
    }

    async fn start(&self, stored: &Stored<'_>, firing: &Firing, after: &mut Schedule) -> Result<(), Error> {
        let Schedule { workflow, trigger, .. } = &stored.schedule;
        let event = schedule::event(workflow, trigger, firing);
        match self.starter.start(workflow, &event).await? {
            Outcome::Started(execution) | Outcome::Debounced(execution) => after.last = Some(execution),
            Outcome::Refused { .. } | Outcome::NoMatch => {}
        }
        Ok(())
    }

    /// The execution of an earlier firing that has not ended.
    async fn open(&self, stored: &Stored<'_>) -> Result<Option<String>, Error> {
        let Some(last) = &stored.schedule.last else { return Ok(None) };
        let head = self.tables.get(items::execution::TABLE, &items::execution::key(last), Consistency::Strong).await?;
        let execution = head.as_ref().map(items::execution::parse).transpose()?.flatten();
        Ok(execution.filter(|execution| !execution.status.is_ended()).map(|execution| execution.id))
    }

    /// Why nothing starts while the workflow or the installation is killed.
    async fn killed(&self, stored: &Stored<'_>) -> Result<Option<Reason>, Error> {
        firings::killed(&self.catalog, stored.head, "its schedules start nothing").await
    }

    /// Stores that a firing starts nothing, unless it has come to something.
    async fn refuse(&self, stored: &Stored<'_>, firing: &Firing, reason: &Reason) -> Result<(), Error> {
        let Schedule { workflow, trigger, .. } = &stored.schedule;
        let event: Event = schedule::event(workflow, trigger, firing);
        firings::refuse(&*self.tables, &self.refusals, (stored.plan, &event), reason).await
    }

    async fn write(&self, stored: &Stored<'_>, after: Schedule) -> Result<Step, Error> {
        let item = stored::item(&after, stored.item.version + 1);
        let write = Write::Put { table: stored::TABLE, item, expect: Expect::Version(stored.item.version) };
        self.tables.transact(Transaction { writes: vec![write], durability: Durability::Ordered }).await?;
        Ok(Step::Again)
    }

    /// A schedule that fires no more, or whose workflow does not listen.
    async fn remove(&self, item: &Item) -> Result<Step, Error> {
        let write =
            Write::Delete { table: stored::TABLE, key: item.key.clone(), expect: Expect::Version(item.version) };
        self.tables.transact(Transaction { writes: vec![write], durability: Durability::Ordered }).await?;
        Ok(Step::Wait(None))
    }
}
