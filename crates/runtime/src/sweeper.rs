//! The sweeper: executions whose reason to wake is overdue are put back on the queue, and what was given up is made
//! visible.

mod loops;

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use jiff::Timestamp;

use crate::dead_letters::Marks;
use crate::message::About;
use crate::operations::Operations;
use crate::ports::{Clock, DeadLetter, DeadLetters, Tables};
use crate::refusals::Refusals;
use crate::turn::Turn;
use crate::wake_backoff::WakeBackoff;
use crate::{Catalog, Error, LoopLimits, Metrics, Notices, Transitions};
use loops::Loop;

/// Why what is found as a dead letter came to nothing; the error of each delivery stands in the log.
const GIVEN_UP: &str = "its message was delivered too often without coming to an end, and is in the dead-letter queue";

/// How often a dead letter of which nobody knows why it died is sent back without a person. Each time it has all of its
/// deliveries again, which takes an hour or more.
const SENT_BACK_MOST: u32 = 3;

/// Dead letters that one sweep looks at; those beyond are looked at by the sweeps after.
const DEAD_LETTERS: usize = 100;

/// Looks for what was left behind.
pub struct Sweeper {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) notices: Arc<Notices>,
    pub(crate) transitions: Arc<Transitions>,
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) dead_letters: Arc<dyn DeadLetters>,
    pub(crate) operations: Arc<Operations>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) wakes: WakeBackoff,
    pub(crate) limits: LoopLimits,
}

impl Sweeper {
    /// Sends back dead letters that no worker marked, marks the others, puts overdue executions back on the queue, looks
    /// again at edits, sees to operations and hands on notices that were left; returns how many executions it woke. A
    /// stalled execution waits for a person. Each has its turn although another fails; the first failure is returned.
    ///
    /// At the deadline it stops. The next sweep goes on where this one stopped.
    #[boxed]
    pub async fn sweep(&self, deadline: Option<Timestamp>) -> Result<usize, Error> {
        // First the marks: what is stalled is not woken.
        let marked = self.see_to_dead_letters(deadline).await;
        let now = self.clock.now();
        let mut loops = Loop::all(&*self.tables, now).await?;
        // Another one begins each minute, so that none is always the last before the deadline.
        let first = usize::try_from(now.as_second().div_euclid(60)).unwrap_or(0) % loops.len();
        loops.rotate_left(first);
        let mut turns: Vec<_> = loops.iter().map(|_| Turn::new(&*self.clock, deadline, self.limits)).collect();
        let (mut woken, mut result) = (0, Ok(()));
        // A page of each in turn.
        while loops.iter().any(Loop::has_more) {
            let mut went_on = false;
            for (one, turn) in loops.iter_mut().zip(&mut turns) {
                if one.has_more() && turn.take() {
                    went_on = true;
                    match self.page(one).await {
                        Ok(more) => woken += more,
                        Err(error) => result = result.and(Err(error)),
                    }
                }
            }
            if !went_on {
                break;
            }
        }
        self.tell(&loops, woken);
        if let Some(began) = Loop::wakes_began(&loops) {
            self.wakes.forget_all_but(began);
        }
        marked.and(result).map(|()| woken)
    }

    /// Says what came of a sweep.
    fn tell(&self, loops: &[Loop], woken: usize) {
        if woken > 0 {
            tracing::info!(woken, "the sweeper woke {woken} executions");
        }
        let left: Vec<_> = loops.iter().filter(|one| one.has_more()).map(Loop::name).collect();
        if !left.is_empty() {
            Metrics::count(&self.metrics.runs_cut_short);
            let left = left.join(", ");
            tracing::warn!(left, woken, "the sweep stopped at its deadline; the next one goes on with: {left}");
        }
    }

    /// Makes a message visible that was given up: the execution of a job is marked as stalled, an event is refused.
    /// Doing it again changes nothing.
    #[boxed]
    pub async fn mark_dead_letter(&self, letter: &DeadLetter, why: &str) -> Result<(), Error> {
        self.marks().dead_letter(letter, why).await
    }

    fn marks(&self) -> Marks<'_> {
        Marks {
            tables: &*self.tables,
            clock: &*self.clock,
            unreadable: self.catalog.unreadable(),
            transitions: &self.transitions,
            refusals: &self.refusals,
            operations: &self.operations,
        }
    }

    async fn see_to_dead_letters(&self, deadline: Option<Timestamp>) -> Result<(), Error> {
        let turn = Turn::new(&*self.clock, deadline, self.limits);
        for letter in self.dead_letters.look(DEAD_LETTERS).await? {
            if turn.is_late() {
                break;
            }
            // One that cannot be marked must not keep the others, nor the sweep, from their turn.
            if let Err(error) = self.see_to(&letter).await {
                let About { execution_id, event_id, operation } = About::read(&letter.body);
                tracing::error!(
                    execution_id,
                    event_id,
                    operation,
                    queue = ?letter.queue,
                    "a dead letter is not marked: {error}"
                );
            }
        }
        Ok(())
    }

    /// The worker that fails for the last time marks what it gives up, with the cause. A letter without a mark died of
    /// something else: its function could not run, was cut off, or could reach neither tables nor queue. That ends by
    /// itself, so the letter is sent back; after some times it is marked all the same.
    async fn see_to(&self, letter: &DeadLetter) -> Result<(), Error> {
        if letter.sent_back >= SENT_BACK_MOST || !self.marks().are_missing(letter).await? {
            return self.mark_dead_letter(letter, GIVEN_UP).await;
        }
        self.dead_letters.send_back(letter).await?;
        let About { execution_id, event_id, operation } = About::read(&letter.body);
        tracing::warn!(
            execution_id,
            event_id,
            operation,
            queue = ?letter.queue,
            "a dead letter that no worker marked is sent back"
        );
        Ok(())
    }
}
