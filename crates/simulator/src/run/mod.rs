//! One run: time, tasks and disasters in the order that a seed chooses.

mod disaster;
mod later;
mod operator;
mod senders;

use std::sync::Arc;

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};

use pawl_runtime::ports::{QueueName, QueueSource, Received};
use pawl_runtime::{BlockSizes, LoopLimits};

use super::acting;
use super::bug::Bug;
use super::chance::Chance;
use super::hub::{Hub, Who};
use super::process::{Nature, Process};
use super::profile::Profile;
use super::rest;
use super::script::Script;
use super::task::{Accepted, Answer, Ended, Purpose, Task, Work};
use pawl_testkit::SeededRandom;
use senders::Asked;

/// All queues, in the order in which they are received from.
const QUEUES: [QueueName; 4] = [QueueName::JobsHigh, QueueName::Jobs, QueueName::JobsSlow, QueueName::Events];
/// How much a run of a loop takes on: mostly so little that it stops before its end. A task is at one execution at a time:
/// the monitor knows by the task what a decision looked at.
fn loops(seed: u64, calm: bool) -> LoopLimits {
    let chance = Chance::new(seed, "loops");
    let (page, pages) = (*chance.pick(&[1, 2, 3, 100]), *chance.pick(&[1, 2, usize::MAX]));
    let waiters = *chance.pick(&[1, 1, 2, 100]);
    let limits = LoopLimits { at_once: 1, ..LoopLimits::default() };
    if calm { limits } else { LoopLimits { page, pages, waiters, ..limits } }
}

/// From which size on limits are split: in half of the seeds each slot and each start is a block of its own.
fn block_sizes(seed: u64) -> BlockSizes {
    let is_split = Chance::new(seed, "blocks").percent(50);
    if is_split { BlockSizes { starts: 1, slots: 1 } } else { BlockSizes::default() }
}

/// Looks at tasks after which a run counts as one that never comes to rest.
const MOST_STEPS: u32 = 1_000_000;
/// Messages in all queues that no sound run comes near.
const MOST_MESSAGES: usize = 400;
/// Tasks at once.
const MOST_TASKS: usize = 8;
/// How often an action is asked again before its sender gives up: storage may be full several times in a row, for three
/// minutes each, and what was never accepted is no event that was lost.
const MOST_TRIES: u32 = 400;

/// A run under way.
pub(super) struct Run {
    pub(super) hub: Arc<Hub>,
    pub(super) processes: Vec<Process>,
    pub(super) confluent: bool,
    chance: Chance,
    profile: Profile,
    visibility: SignedDuration,
    source: Arc<dyn QueueSource>,
    tasks: Vec<Task>,
    asked: Vec<Asked>,
    last_task: u64,
    last_sweep: Timestamp,
    steps: u32,
    /// When an operator redrives what was given up for an item that is restored.
    redrive_at: Option<Timestamp>,
    /// How often somebody asked again to forget a record.
    asked_to_forget: u32,
    /// Disturbances of later days are allowed for.
    is_renewed: bool,
    pub(super) accepted: Vec<Accepted>,
}

impl Run {
    /// Makes the world of a seed, with everything saved and nothing done yet.
    pub(super) fn prepare(seed: u64, profile: Profile, bug: Option<Bug>) -> Self {
        let script = Script::of(seed);
        let chance = Chance::new(seed, if profile.budget == 0 { "calm" } else { "order" });
        let hub = Arc::new(Hub::new(seed, Profile::calm(), bug));
        hub.store.set_secret("service", "a secret");
        let random = Arc::new(SeededRandom::new(seed));
        let alone = profile.budget > 0 && chance.percent(30);
        let max_steps_per_invocation = if profile.budget == 0 { 50 } else { *chance.pick(&[0, 1, 3, 50, 50]) };
        let hold = if profile.budget == 0 { 0 } else { *chance.pick(&[0, 0, 2, 20, 20]) };
        let skew = profile.skew && !alone;
        let loops = loops(seed, profile.budget == 0);
        let natures = (0..if alone { 1 } else { 2 }).map(|_| Nature {
            max_steps_per_invocation,
            hold,
            alone,
            loops,
            block_sizes: block_sizes(seed),
            skew: if skew { chance.millis(-2_000, 2_000) } else { SignedDuration::ZERO },
        });
        let processes = natures.map(|nature| Process::start(&hub, nature, &random)).collect();
        let now = hub.now();
        let asked = script.actions.iter().map(|action| Asked::new(action, now)).collect();
        let run = Self {
            source: hub.store.source(),
            visibility: chance.millis(40_000, 120_000),
            hub,
            processes,
            confluent: script.confluent,
            chance,
            profile,
            tasks: Vec::new(),
            asked,
            last_task: 0,
            last_sweep: now,
            steps: 0,
            redrive_at: None,
            asked_to_forget: 0,
            is_renewed: false,
            accepted: Vec::new(),
        };
        run.set_up(&script);
        run.hub.begin(profile);
        run
    }

    fn set_up(&self, script: &Script) {
        let system = self.processes[0].system.clone();
        let work = acting::set_up(&system, script);
        let mut task = Task::new(Who::default(), Purpose::Sweep, self.hub.now(), work);
        while task.step(&self.hub).is_none() {}
        // Workflows are active before anything happens on any clock.
        self.hub.clock.advance(SignedDuration::from_secs(10));
    }

    /// Runs until nothing is left to do, or an invariant does not hold.
    pub(super) fn run(&mut self) {
        while self.hub.lock().violation.is_none() {
            if self.steps > MOST_STEPS {
                return self.hub.violate(0, "the run does not come to rest");
            }
            self.renew_weather();
            self.operate();
            self.start_actions();
            self.flush();
            self.receive();
            if self.strike() {
                continue;
            }
            if !self.step() && !self.pass_time() && !rest::resolve(self) {
                return;
            }
        }
    }

    /// Lets one of the tasks that are ready go on; `false` if none is.
    fn step(&mut self) -> bool {
        let now = self.hub.now();
        let ready: Vec<_> = (0..self.tasks.len()).filter(|at| self.tasks[*at].ready <= now).collect();
        if ready.is_empty() {
            return false;
        }
        self.steps += 1;
        self.shorten_lines();
        let at = *self.chance.pick(&ready);
        if let Some(ended) = self.tasks[at].step(&self.hub) {
            let task = self.tasks.remove(at);
            self.hub.lock().monitor.forget_task(task.who.task);
            self.ended(task.purpose, ended);
        }
        true
    }

    fn ended(&mut self, purpose: Purpose, ended: Ended) {
        if ended == Ended::Redriven {
            self.redrive_at = None;
        }
        let (Purpose::Action(index), Ended::Answered(answer)) = (purpose, ended) else { return };
        let asked = &mut self.asked[index];
        asked.busy = false;
        if answer == Answer::Lost && asked.tries < MOST_TRIES {
            asked.next = self.hub.now() + self.chance.millis(500, 20_000);
            return;
        }
        if let Answer::Done(Some(accepted)) = &answer {
            self.accepted.push(accepted.clone());
        }
        asked.answer = Some(answer);
        self.check_repeats(index);
    }

    fn spawn(&mut self, process: usize, purpose: Purpose, delay: SignedDuration, work: Work) {
        self.last_task += 1;
        let who = Who { process, task: self.last_task };
        self.tasks.push(Task::new(who, purpose, self.hub.now() + delay, work));
    }

    pub(super) fn any_process(&self) -> usize {
        self.chance.below(self.processes.len())
    }

    pub(super) fn spawn_operator(&mut self, process: usize, work: Work) {
        self.spawn(process, Purpose::Operator, SignedDuration::ZERO, work);
    }

    /// With a bug that buffers sends: those whose time has come leave their process.
    fn flush(&self) {
        let now = self.hub.now();
        let buffered = std::mem::take(&mut self.hub.lock().buffered);
        let (due, later) = buffered.into_iter().partition(|(_, at, ..)| *at <= now);
        self.hub.lock().buffered = later;
        for (_, _, queue, messages) in due {
            let sent = self.hub.store.queue().send(queue, messages).now_or_never();
            sent.expect("memory answers at once").expect("only valid messages are sent");
        }
    }

    fn receive(&mut self) {
        for queue in QUEUES {
            while self.tasks.len() < MOST_TASKS {
                let received = self.source.receive(queue, 1, self.visibility).now_or_never();
                let Some(Ok(messages)) = received else { break };
                for message in messages {
                    self.take(queue, message);
                }
            }
        }
        // After a week of downtime many executions may expire at one time, and each tells it once.
        let waiting = QUEUES.iter().flat_map(|queue| self.hub.store.messages(*queue));
        let messages = waiting.filter(|message| !message.body.starts_with("{\"expired\"")).count();
        if messages > MOST_MESSAGES {
            self.hub.violate(0, format!("{messages} messages are in the queues: they multiply"));
        }
    }

    fn take(&mut self, queue: QueueName, message: Received) {
        let process = self.any_process();
        if message.attempt > self.profile.deliveries {
            self.hub.count("dead letters marked");
            let work = self.processes[process].mark_dead_letter(&self.hub, queue, message);
            return self.spawn(process, Purpose::Message(queue), SignedDuration::ZERO, work);
        }
        self.hub.count("messages");
        let again = self.hub.lock().disturbs(self.profile.duplicate);
        if again {
            self.hub.count("duplicates");
            let other = self.any_process();
            let work = self.processes[other].handle(&self.hub, queue, message.clone(), true);
            let delay = self.chance.millis(0, *self.chance.pick(&[50, 2_000, 400_000]));
            self.spawn(other, Purpose::Message(queue), delay, work);
        }
        let receipt = message.receipt.clone();
        let work = self.processes[process].handle(&self.hub, queue, message, false);
        let delay = if self.chance.percent(25) { self.chance.millis(0, 500) } else { SignedDuration::ZERO };
        self.spawn(process, Purpose::Message(queue), delay, work);
        if let Some(task) = self.tasks.last_mut() {
            task.receipt = Some(receipt);
        }
    }

    /// Moves to the next time at which something can happen; `false` if there is none.
    fn pass_time(&mut self) -> bool {
        let now = self.hub.now();
        let sweep = self.next_sweep();
        if sweep.is_some_and(|at| at <= now) {
            self.last_sweep = now;
            let process = self.any_process();
            let work = self.processes[process].sweep(&self.hub);
            self.spawn(process, Purpose::Sweep, SignedDuration::ZERO, work);
            return true;
        }
        let tasks = self.tasks.iter().map(|task| task.ready);
        let waits = |asked: &&Asked| asked.answer.is_none() && !asked.busy && asked.next > now;
        let actions = self.asked.iter().filter(waits).map(|asked| asked.next);
        let sends: Vec<_> = self.hub.lock().buffered.iter().map(|(_, at, ..)| *at).collect();
        let operator = self.next_operation();
        let times = tasks.chain(actions).chain(sends).chain(self.hub.store.next_due()).chain(sweep).chain(operator);
        let Some(next) = times.filter(|at| *at > now).min() else { return false };
        if rest::only_lines_move(self, next) {
            return false;
        }
        self.hub.clock.advance_to(next);
        true
    }

    /// The sweeper looks once a minute; looks that would find nothing are left out.
    fn next_sweep(&self) -> Option<Timestamp> {
        let busy = self.tasks.iter().any(|task| task.purpose == Purpose::Sweep);
        if busy || matches!(self.hub.bug, Some(Bug::NoSweeper | Bug::LostTimers)) {
            return None;
        }
        let state = self.hub.lock();
        let monitor = &state.monitor;
        let wakes = monitor.open().filter(|head| !monitor.is_held(head));
        let untold = monitor.heads.values().filter(|head| head.has_news());
        let due = wakes
            .chain(untold)
            .filter_map(pawl_engine::Execution::due_at)
            .min()
            .map(|due| due + SignedDuration::from_secs(91));
        let notices = state.monitor.unsent.first().map(|_| self.hub.now());
        let edits = monitor.workflows.values().filter(|head| head.revision > 1).map(|head| head.saved_at);
        let edits = edits.filter(|at| self.hub.now().duration_since(*at) < SignedDuration::from_mins(5));
        let operations = state.monitor.operations.first().map(|_| self.hub.now());
        // The sweeper is what fires dates, and tells of overdue activities.
        let dates = monitor.dates.entries().map(|entry| entry.at).chain(monitor.activities.waiting()).min();
        let next = due.into_iter().chain(dates).chain(notices).chain(edits).chain(operations).min()?;
        Some(next.max(self.last_sweep + SignedDuration::from_secs(60)))
    }

    /// Whether somebody still waits for an answer.
    pub(super) fn is_asking(&self) -> bool {
        self.asked.iter().any(|asked| asked.answer.is_none())
    }

    pub(super) fn has_tasks(&self) -> bool {
        !self.tasks.is_empty()
    }
}
