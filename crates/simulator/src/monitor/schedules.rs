//! Schedules: each firing whose time has come is written down, and comes to an execution or to a refusal.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use pawl_definition::trigger::CatchUp;
use pawl_engine::schedule::{Firing, event};
use pawl_engine::{Plan, ids};
use pawl_runtime::items::schedule::{self as stored, Schedule};
use pawl_runtime::ports::Item;

use super::{Broken, Monitor};

/// The schedules as they are stored, by the partition of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedules(BTreeMap<String, Schedule>);

impl Schedules {
    /// A firing waits for the end of an execution, and asks again and again.
    pub(crate) fn only_wait(&self) -> bool {
        self.0.values().any(|schedule| schedule.queued.is_some())
            && self.0.values().all(|schedule| schedule.next.is_none())
    }

    /// What is stored.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Schedule> {
        self.0.values()
    }

    /// One is deleted.
    pub(super) fn gone(&mut self, partition: &str) -> Option<Schedule> {
        self.0.remove(partition)
    }
}

impl Monitor {
    /// A schedule is written.
    pub(super) fn schedule(&mut self, now: Timestamp, item: &Item, broken: &mut Vec<Broken>) {
        let Ok(after) = stored::parse(item) else { return };
        let before = self.schedules.0.insert(item.key.partition.clone(), after.clone());
        let Some(before) = before else { return };
        let name = format!("{}/{}", after.workflow, after.trigger);
        let waiting = |schedule: &Schedule| schedule.due.iter().chain(&schedule.queued).cloned().collect::<Vec<_>>();
        let (old, new) = (waiting(&before), waiting(&after));
        for firing in new.iter().filter(|firing| !old.contains(firing)) {
            if !self.is_planned(&after, firing.at) {
                broken.push((4, format!("{name}: a firing at {}, when it does not fire", firing.at)));
            }
        }
        let planned = before.next.filter(|planned| *planned <= now && after.next != before.next);
        // An edit of its times may have been decided before the firing, and takes its place.
        let planned = planned.filter(|_| after.text == before.text);
        let lasts = |planned: Timestamp| new.iter().any(|firing| firing.at >= planned);
        if let Some(planned) = planned.filter(|planned| !lasts(*planned) && !self.lets_go(&after)) {
            broken
                .push((2, format!("{name}: the firing of {planned} is not written down, and the next one is planned")));
        }
        for firing in old.iter().filter(|firing| !new.contains(firing)) {
            if let Some(why) = self.came_to_nothing(&after, firing) {
                broken.push((2, format!("{name}: {why}")));
            }
        }
    }

    /// Whether some revision of the workflow fires at a time.
    fn is_planned(&self, schedule: &Schedule, at: Timestamp) -> bool {
        let before = at - SignedDuration::from_nanos(1);
        self.definitions(&schedule.workflow).any(|workflow| {
            let plan = Plan::new(std::sync::Arc::new(workflow.clone()), 1);
            let trigger = workflow.triggers.iter().find(|trigger| trigger.id == schedule.trigger);
            let keys = trigger.and_then(|trigger| trigger.kind.shape().schedule());
            let recurrence = keys.and_then(|keys| keys.recurrence(&plan.timezone).ok());
            recurrence.is_some_and(|recurrence| recurrence.next_after(before) == Some(at))
        })
    }

    /// Whether a revision refuses what was missed.
    fn lets_go(&self, schedule: &Schedule) -> bool {
        self.definitions(&schedule.workflow).any(|workflow| {
            let trigger = workflow.triggers.iter().find(|trigger| trigger.id == schedule.trigger);
            let keys = trigger.and_then(|trigger| trigger.kind.shape().schedule());
            keys.is_some_and(|keys| keys.catch_up == CatchUp::None)
        })
    }

    fn came_to_nothing(&self, schedule: &Schedule, firing: &Firing) -> Option<String> {
        let event = event(&schedule.workflow, &schedule.trigger, firing).id;
        let started = self.has_begun(&ids::execution_id(&event, &schedule.workflow));
        let refused = self.refusals.contains(&(event, schedule.workflow.clone()));
        (!started && !refused).then(|| format!("the firing of {} is taken away, and came to nothing", firing.at))
    }
}
