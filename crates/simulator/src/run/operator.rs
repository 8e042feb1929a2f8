//! The operator of a run: restores what cannot be read, looks at the listings, and redrives.

use jiff::{SignedDuration, Timestamp};
use pawl_engine::steps::awaited_children;
use pawl_engine::{Control, Execution, Parent};
use pawl_runtime::ports::Key;

use super::Run;
use crate::task::Purpose;
use crate::unreadable::Damage;
use crate::{acting, looking};

/// An item that could not be read for longer than this tells whether others went on meanwhile.
const LONG: SignedDuration = SignedDuration::from_mins(29);

/// How late an execution may be for another reason: the sweeper wakes it again and again, every 15 minutes at least.
const LATE: SignedDuration = SignedDuration::from_mins(20);

/// How long an operator waits for a redrive before asking again.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);

/// Looks at tasks after which an operator counts a line as one that takes too long, and those between two cancels.
const LINE_MOST: u32 = 500_000;
const LINE_CANCELS: u32 = 2_000;

impl Run {
    /// A line of many executions that wait for days each asks for its places a hundred thousand times: its last one is canceled.
    pub(super) fn shorten_lines(&mut self) {
        if self.confluent || self.steps < LINE_MOST || !self.steps.is_multiple_of(LINE_CANCELS) {
            return;
        }
        let last = {
            let state = self.hub.lock();
            let in_line = state.monitor.open().filter(|head| head.is_in_line() && head.requested.is_none());
            in_line.max_by_key(|head| head.created_at).map(|head| head.id.clone())
        };
        let Some(last) = last else { return };
        self.hub.count("lines shortened");
        let process = self.any_process();
        let work = acting::operate(&self.hub, &self.processes[process].system, last, Control::Cancel);
        self.spawn_operator(process, work);
    }

    /// Restores what is to be restored by now, and redrives after it, as `docs/errors/unreadable_item.md` says.
    pub(super) fn operate(&mut self) {
        let now = self.hub.now();
        let (mended, is_new) = {
            let mut state = self.hub.lock();
            let is_new = std::mem::take(&mut state.unreadable.is_new);
            if state.unreadable.is_empty() { (Vec::new(), is_new) } else { (state.unreadable.mend(now), is_new) }
        };
        for (key, damage) in mended {
            self.hub.count("items mended");
            self.hub.note(&format!("operator: restores {}/{}", key.partition, key.sort));
            self.others_went_on(&key, &damage, now);
            self.redrive_at = Some(now);
        }
        if is_new {
            let process = self.any_process();
            let work = looking::look(&self.hub, &self.processes[process].system);
            self.spawn_operator(process, work);
        }
        if self.redrive_at.is_some_and(|at| at <= now) {
            self.redrive_at = Some(now + PATIENCE);
            let process = self.any_process();
            let work = acting::redrive(&self.hub, &self.processes[process].system);
            self.spawn(process, Purpose::Operator, SignedDuration::ZERO, work);
        }
    }

    /// The next time at which the operator does something.
    pub(super) fn next_operation(&self) -> Option<Timestamp> {
        self.hub.lock().unreadable.next().into_iter().chain(self.redrive_at).min()
    }

    /// While an item of one execution could not be read for long, no other execution stood still.
    fn others_went_on(&self, key: &Key, damage: &Damage, now: Timestamp) {
        let Some(own) = key.partition.strip_prefix("execution#") else { return };
        if !damage.is_alone || damage.lasted() < LONG || self.profile.full > 0 {
            return;
        }
        self.hub.count("looks at whether others went on");
        let state = self.hub.lock();
        let monitor = &state.monitor;
        let is_late = |head: &&Execution| {
            let relatives = head.parent.iter().flat_map(Parent::waiting).map(|by| by.execution.clone());
            let held = monitor.is_held(head) || relatives.chain(awaited_children(head)).any(|relative| relative == own);
            let due = head.due_at().is_some_and(|due| now.duration_since(due.max(damage.since)) > LATE);
            head.id != own && !held && !head.is_in_line() && due
        };
        let late = monitor
            .open()
            .find(is_late)
            .map(|head| format!("{} is {} since {:?}", head.id, head.status, head.due_at()));
        drop(state);
        if let Some(late) = late {
            self.hub.violate(3, format!("{late}, while only {}/{} could not be read", key.partition, key.sort));
        }
    }
}
