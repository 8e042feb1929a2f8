//! What happens after everything has ended: people are forgotten to the end, and time passes retention.

use jiff::SignedDuration;

use super::Run;
use crate::forgetting;

/// Days in which no world of a run begins anything new, and executions expire.
const LATER: SignedDuration = SignedDuration::from_hours(24 * 5);

/// How often somebody asks to forget one record, until all of it is done.
const MOST_ASKED: u32 = 60;

/// After so many times in a row somebody waits before each: storage may be throttling.
const ASKED_AT_ONCE: u32 = 10;

/// How long.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);

impl Run {
    /// Asks once more to forget, or lets executions expire; `false` if nothing of either is left to do.
    pub(crate) fn go_on_later(&mut self) -> bool {
        self.ask_again() || self.expire()
    }

    fn ask_again(&mut self) -> bool {
        let record = {
            let state = self.hub.lock();
            state.monitor.forgotten.keys().find(|record| !state.seen_to.contains(record)).cloned()
        };
        let Some(record) = record else { return false };
        self.asked_to_forget += 1;
        if self.asked_to_forget > MOST_ASKED {
            self.hub.violate(12, format!("{record} is never forgotten to the end"));
            return true;
        }
        if self.asked_to_forget > ASKED_AT_ONCE {
            self.hub.clock.advance(PATIENCE);
        }
        let process = self.any_process();
        let work = forgetting::again(&self.hub, &self.processes[process].system, record);
        self.spawn_operator(process, work);
        true
    }

    fn expire(&mut self) -> bool {
        let next = self.hub.lock().monitor.heads.values().filter_map(|head| head.expires_at).min();
        let Some(next) = next else { return false };
        self.hub.clock.advance_to(next.max(self.hub.now()) + self.chance.millis(0, 86_400_000));
        self.hub.count("times that retention passed");
        true
    }

    /// What goes wrong in the first hours leaves nothing for the days after; they have weather of their own.
    pub(super) fn renew_weather(&mut self) {
        if !self.is_renewed && self.hub.has_lasted(LATER) {
            self.is_renewed = true;
            self.hub.renew();
        }
    }
}
