//! Offers the signals of a line to those who wait for them: the first signal to the oldest waiter for whom it counts.
//!
//! Several processes may do so at the same time. The transition that takes a signal requires that it still stands in the
//! line, so one execution gets it; and it writes the head of its execution, so an execution gets one.

use std::collections::BTreeSet;

use async_recursion::async_recursion as boxed;
use jiff::{SignedDuration, Timestamp};
use pawl_engine::signal as topics;

use super::{Signals, look};
use crate::Error;
use crate::items::signal_line::{self, Entry};
use crate::items::{signal, waiter};
use crate::ports::{Consistency, Item, Pages, Query, QueueName};

/// Entries of a line and waiters that are read at once: nearly always one of them suffices.
const PAGE: usize = 32;

impl Signals {
    /// Offers the signals of a topic to those who wait for them, until none of the signals that are kept counts for anybody
    /// who takes it. What is left at the deadline is done by another message.
    #[boxed]
    pub async fn hand_over(&self, topic: &str, deadline: Option<Timestamp>) -> Result<(), Error> {
        let mut passed = BTreeSet::new();
        while let Some((entry, execution)) = self.next_pair(topic, &passed).await? {
            let id = entry.id.clone();
            self.offer(topic, &id, &execution).await?;
            // Whether it was taken, the next look at the line shows.
            passed.insert((id, execution));
            if deadline.is_some_and(|deadline| self.clock.now() >= deadline) {
                let message = look(topic, SignedDuration::ZERO);
                return Ok(self.events.send(QueueName::Events, vec![message]).await?);
            }
        }
        Ok(())
    }

    /// Offers a signal to an execution.
    async fn offer(&self, topic: &str, id: &str, execution: &str) -> Result<(), Error> {
        let item = self.tables.get(signal::TABLE, &signal::key(id), Consistency::Strong).await?;
        let Some(stored) = item.as_ref().map(signal::parse).transpose()? else { return Ok(()) };
        match self.transitions.offer(execution, &stored.sent(id).event(stored.payload.clone())).await {
            Err(Error::Contended(_)) if !self.is_kept(topic, stored.number).await? => Ok(()),
            // What cannot be read must not keep the signal from those who wait behind it.
            Err(error) if !error.is_transient() => {
                tracing::warn!(
                    execution_id = execution,
                    event_id = id,
                    "execution {execution} is not offered {id}: {error}"
                );
                Ok(())
            }
            result => result,
        }
    }

    /// Whether a signal stands in its line.
    async fn is_kept(&self, topic: &str, number: u64) -> Result<bool, Error> {
        let key = signal_line::entry_key(topic, number);
        Ok(self.tables.get(signal_line::TABLE, &key, Consistency::Strong).await?.is_some())
    }

    /// The first signal of a line, with the oldest of those who wait and for whom it counts, that were not tried together.
    async fn next_pair(
        &self,
        topic: &str,
        passed: &BTreeSet<(String, String)>,
    ) -> Result<Option<(Entry, String)>, Error> {
        let line =
            Query::of(signal_line::TABLE, signal_line::partition(topic)).range(signal_line::entries()).limit(PAGE);
        let mut line = Pages::of(&*self.tables, line);
        let mut waiters: Option<Vec<Item>> = None;
        while let Some(entries) = line.next().await? {
            for entry in &entries {
                let entry = signal_line::parse_entry(entry)?;
                let waiters = match &mut waiters {
                    Some(waiters) => waiters,
                    None => waiters.insert(self.waiters(topic).await?),
                };
                let takes = |item: &&Item| {
                    let (place, execution) = waiter::parse(item);
                    place.is_some_and(|place| topics::counts_for(place, entry.sent_at))
                        && !passed.contains(&(entry.id.clone(), execution.to_owned()))
                };
                if let Some(item) = waiters.iter().find(takes) {
                    let execution = waiter::parse(item).1.to_owned();
                    return Ok(Some((entry, execution)));
                }
                if waiters.is_empty() {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// All who wait on a topic, the oldest first.
    async fn waiters(&self, topic: &str) -> Result<Vec<Item>, Error> {
        let query = Query::of(waiter::TABLE, waiter::partition(topic));
        Ok(Pages::of(&*self.tables, query).all().await?)
    }
}
