//! What every part of a run shares: time, chance, the trace, and what is watched.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use jiff::{SignedDuration, Timestamp};
use pawl_engine::Subject;
use pawl_runtime::ports::{Clock, Item, Message, QueueName, Table};

use super::bug::Bug;
use super::chance::Chance;
use super::counts::Counts;
use super::ledger::Ledger;
use super::monitor::Monitor;
use super::posting::Posts;
use super::profile::Profile;
use super::trace::Trace;
use super::unreadable::{self, UnreadableItems};
use pawl_testkit::VirtualClock;
use pawl_testkit::memory::{Checkpoint, MemoryStore};

/// How far indexes lag at most.
const MOST_LAG: SignedDuration = SignedDuration::from_secs(3);

/// What becomes of one call of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It happens and is answered.
    Through,
    /// It is refused, and nothing happens.
    Refused,
    /// It gets lost on the way, and nobody knows.
    RequestLost,
    /// It happens, and nobody knows.
    AnswerLost,
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its number in the design, 1–8, 11 and 12; 0 for a run that does not come to rest.
    pub invariant: u8,
    /// What was expected and what was found.
    pub text: String,
}

/// Who is at work: a task of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Who {
    pub(super) process: usize,
    pub(super) task: u64,
}

pub(super) struct State {
    pub(super) chance: Chance,
    pub(super) profile: Profile,
    pub(super) trace: Trace,
    pub(super) counts: Counts,
    pub(super) monitor: Monitor,
    pub(super) ledger: Ledger,
    pub(super) who: Who,
    pub(super) durable: Option<(Checkpoint, Monitor)>,
    pub(super) violation: Option<Violation>,
    /// Messages that were answered and have not left their process: only with a bug.
    pub(super) buffered: Vec<(Who, Timestamp, QueueName, Vec<Message>)>,
    /// What indexes show, and since when.
    lagging: Option<(Timestamp, MemoryStore)>,
    /// What readers cannot read now.
    pub(super) unreadable: UnreadableItems,
    /// Records that were forgotten when every execution had ended.
    pub(super) seen_to: BTreeSet<Subject>,
    /// Events that were posted.
    pub(super) posts: Posts,
    /// The next change of a record or a workflow comes now.
    pub(super) hurry: bool,
    left: u32,
    wait: Option<SignedDuration>,
    /// Until when storage is full.
    full_until: Option<Timestamp>,
}

/// What every part of a run shares.
pub(super) struct Hub {
    pub(super) clock: VirtualClock,
    pub(super) store: MemoryStore,
    pub(super) bug: Option<Bug>,
    start: Timestamp,
    state: Mutex<State>,
}

impl Hub {
    pub(super) fn new(seed: u64, profile: Profile, bug: Option<Bug>) -> Self {
        let clock = VirtualClock::default();
        let state = State {
            chance: Chance::new(seed, "weather"),
            profile,
            trace: Trace::default(),
            counts: Counts::default(),
            monitor: Monitor::default(),
            ledger: Ledger::default(),
            who: Who::default(),
            durable: None,
            violation: None,
            buffered: Vec::new(),
            lagging: None,
            unreadable: UnreadableItems::default(),
            seen_to: BTreeSet::new(),
            posts: Posts::new(),
            hurry: false,
            left: profile.budget,
            wait: None,
            full_until: None,
        };
        let store = MemoryStore::new(clock.clone());
        Self { start: clock.now(), store, clock, bug, state: Mutex::new(state) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The world stands and is durable: the weather begins.
    pub(super) fn begin(&self, profile: Profile) {
        let mut state = self.lock();
        state.profile = profile;
        state.left = profile.budget;
        state.durable = Some((self.store.checkpoint(), state.monitor.clone()));
    }

    /// Whether the run has lasted for so long.
    pub(super) fn has_lasted(&self, span: SignedDuration) -> bool {
        self.now().duration_since(self.start) >= span
    }

    /// Allows half as many disturbances as at the beginning, if fewer are left.
    pub(super) fn renew(&self) {
        let mut state = self.lock();
        state.left = state.left.max(state.profile.budget / 2);
    }

    /// What indexes show if they lag: the store as it was up to some seconds ago.
    pub(super) fn lagging(&self) -> Option<MemoryStore> {
        let now = self.now();
        let mut state = self.lock();
        if !state.profile.lag {
            return None;
        }
        let is_old = state.lagging.as_ref().is_none_or(|(at, _)| now.duration_since(*at) > MOST_LAG);
        if is_old || state.chance.percent(40) {
            let shown = MemoryStore::new(self.clock.clone());
            shown.restore(&self.store.checkpoint());
            state.lagging = Some((now, shown));
        }
        state.lagging.as_ref().map(|(_, shown)| shown.clone())
    }

    /// Writes a line of the trace.
    pub(super) fn note(&self, what: &str) {
        let now = self.now();
        let mut state = self.lock();
        let who = (state.who.process, state.who.task);
        state.trace.line(self.start, now, who, what);
    }

    pub(super) fn count(&self, what: &str) {
        self.lock().counts.add(what);
    }

    /// Keeps the first invariant that does not hold; the run ends there.
    pub(super) fn violate(&self, invariant: u8, text: impl Into<String>) {
        let violation = Violation { invariant, text: text.into() };
        self.note(&format!("VIOLATION of invariant {invariant}: {}", violation.text));
        self.lock().violation.get_or_insert(violation);
    }

    /// A point at which a task can be overtaken, held up, or die.
    pub(super) fn pause(&self) -> Pause<'_> {
        Pause { hub: self, asked: false, span: None }
    }

    /// The pause between a decision and its commit, in which others overtake it: most often one that decides about what
    /// others want too, such as a place or a guard, or to wait for what others do, which people then hurry to do.
    pub(super) fn pause_before_commit(&self, begins_to_wait: bool, is_contended: bool) -> Pause<'_> {
        let mut state = self.lock();
        let often =
            if begins_to_wait || is_contended { state.profile.contend } else { state.profile.freeze.div_ceil(6) };
        let held_up = state.disturbs(often);
        state.hurry |= begins_to_wait && held_up;
        let span = held_up.then(|| state.chance.millis(1_000, 100_000));
        Pause { hub: self, asked: false, span }
    }

    /// Takes time that cannot be longer than said: an outside call with its time-out.
    pub(super) fn pause_for(&self, span: SignedDuration) -> Pause<'_> {
        Pause { hub: self, asked: false, span: Some(span) }
    }

    /// What becomes of a call.
    pub(super) fn fate(&self, writes: bool) -> Fate {
        let now = self.now();
        let mut state = self.lock();
        let profile = state.profile;
        if writes && state.is_full(now, self.bug) {
            return Fate::Refused;
        }
        if state.disturbs(profile.refuse) {
            state.counts.add("faults refused");
            return Fate::Refused;
        }
        if writes && state.disturbs(profile.lose) {
            let happens = state.chance.percent(60);
            state.counts.add(if happens { "faults answer lost" } else { "faults request lost" });
            return if happens { Fate::AnswerLost } else { Fate::RequestLost };
        }
        Fate::Through
    }

    /// Shows items as readers see them, of which one may become unreadable now; whether any cannot be read.
    pub(super) fn show(&self, mut found: Vec<(Table, &mut Item)>) -> bool {
        let now = self.now();
        let mut state = self.lock();
        let line = unreadable::strike(&mut state, now, &found);
        let shown = found.iter_mut().map(|(table, item)| state.unreadable.show(*table, item));
        let broken = shown.filter(|broken| *broken).count();
        drop(state);
        if let Some(line) = line {
            self.note(&line);
        }
        broken > 0
    }

    /// Goes back to the last moment that was durable. Whoever was at work is dead.
    pub(super) fn lose_power(&self) {
        let mut state = self.lock();
        if let Some((checkpoint, monitor)) = state.durable.clone() {
            self.store.restore(&checkpoint);
            state.monitor = monitor;
        }
        state.monitor.forget_tasks();
        // What the monitor knew before may have expired since, and those in line ask anew.
        state.monitor.expire(self.now());
        state.monitor.last_change = self.now();
        state.lagging = None;
    }

    /// How long the task that was just polled wants to wait; `None` if it ended.
    pub(super) fn take_wait(&self) -> Option<SignedDuration> {
        self.lock().wait.take()
    }
}

impl State {
    /// Whether a disturbance happens now; each is taken from the budget of the run.
    pub(super) fn disturbs(&mut self, one_in: u32) -> bool {
        let happens = self.left > 0 && self.chance.one_in(one_in);
        if happens {
            self.left -= 1;
        }
        happens
    }

    /// Whether storage is full, or becomes so now. It goes on by itself once there is room.
    fn is_full(&mut self, now: Timestamp, bug: Option<Bug>) -> bool {
        if let Some(until) = self.full_until {
            let ends = until <= now && bug != Some(Bug::FullForGood);
            self.full_until = Some(until).filter(|_| !ends);
            return !ends;
        }
        let begins = self.disturbs(self.profile.full);
        if begins {
            self.counts.add("times storage was full");
            self.full_until = Some(now + self.chance.millis(1_000, 180_000));
        }
        begins
    }

    fn latency(&mut self) -> SignedDuration {
        let profile = self.profile;
        if self.disturbs(profile.freeze) {
            self.counts.add("freezes");
            return self.chance.millis(30_000, 180_000);
        }
        if profile.slow > 0 && self.chance.one_in(profile.slow) {
            return self.chance.millis(0, 3_000);
        }
        if self.chance.percent(70) { SignedDuration::ZERO } else { self.chance.millis(1, 20) }
    }
}

/// A future that is ready when its task is looked at again.
pub(super) struct Pause<'a> {
    hub: &'a Hub,
    asked: bool,
    span: Option<SignedDuration>,
}

impl Future for Pause<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.asked {
            return Poll::Ready(());
        }
        self.asked = true;
        let mut state = self.hub.lock();
        let span = self.span.unwrap_or_else(|| state.latency());
        state.wait = Some(span);
        Poll::Pending
    }
}
