//! Disasters: processes die, handlers panic, the power is lost.

use std::mem;

use futures::FutureExt;
use jiff::SignedDuration;

use super::Run;
use crate::bug::Bug;
use crate::task::{Answer, Ended, Purpose, Task};

impl Run {
    /// A process dies, or all of them with what was not durable.
    pub(super) fn strike(&mut self) -> bool {
        if self.tasks.is_empty() {
            return false;
        }
        if self.hub.lock().disturbs(self.profile.crash) {
            let process = self.chance.below(self.processes.len());
            self.hub.note(&format!("process {process} dies"));
            self.hub.count("crashes");
            self.kill(process);
            return true;
        }
        if self.hub.lock().disturbs(self.profile.panic) && self.panic() {
            return true;
        }
        let power_loss = self.hub.lock().disturbs(self.profile.power_loss);
        if power_loss {
            self.hub.note("the power is lost");
            self.hub.count("power losses");
            self.hub.lose_power();
            (0..self.processes.len()).for_each(|process| self.kill(process));
        }
        power_loss
    }

    /// A handler panics where it stands; `false` if none is at work.
    fn panic(&mut self) -> bool {
        let at_work: Vec<_> = (0..self.tasks.len()).filter(|at| self.tasks[*at].receipt.is_some()).collect();
        if at_work.is_empty() {
            return false;
        }
        let task = self.tasks.remove(*self.chance.pick(&at_work));
        self.hub.lock().monitor.forget_task(task.who.task);
        let (Purpose::Message(queue), Some(receipt)) = (task.purpose, &task.receipt) else { return false };
        self.hub.note(&format!("the handler of {queue:?} {receipt} panics"));
        self.hub.count("panics");
        let source = self.hub.store.source();
        let seen_to = if self.hub.bug == Some(Bug::PanicDeletes) {
            source.delete(queue, receipt).now_or_never()
        } else {
            source.give_back(queue, receipt, SignedDuration::from_secs(2)).now_or_never()
        };
        seen_to.expect("memory answers at once").expect("a queue in memory takes it");
        true
    }

    fn kill(&mut self, process: usize) {
        let (dead, left) = mem::take(&mut self.tasks).into_iter().partition(|task| task.who.process == process);
        self.tasks = left;
        self.hub.lock().buffered.retain(|(who, ..)| who.process != process);
        for Task { who, purpose, .. } in dead {
            self.hub.lock().monitor.forget_task(who.task);
            if let Purpose::Action(index) = purpose {
                self.ended(Purpose::Action(index), Ended::Answered(Answer::Lost));
            }
        }
        self.processes[process] = self.processes[process].restart(&self.hub);
    }
}
