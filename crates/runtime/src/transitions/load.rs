//! Loads an execution with its event, once and again.

use jiff::Timestamp;
use pawl_engine::{Activity, Address, Event, Execution, Occurrence, Performance, Performed, Row};

use super::Transitions;
use crate::items::execution::Head;
use crate::ports::Consistency;
use crate::snapshot::Snapshot;
use crate::write_buffer::WriteBuffer;
use crate::{Error, events, items, offload};

/// One invocation at work on one execution.
pub(crate) struct Run {
    pub(crate) execution: Execution,
    pub(crate) event: Occurrence,
    pub(crate) invocation: String,
    pub(crate) buffer: WriteBuffer,
    /// What the transition that is held last was decided on. As it was no more than thought about, the next one is decided
    /// on the same: what is written together is decided together.
    pub(crate) snapshot: Option<Snapshot>,
    /// What the last effect outside came to, until it is written: it rides with what follows at once, and whatever becomes of
    /// that, it is written before this run ends.
    pub(crate) outcome: Option<Outcome>,
    /// When it must be over; none is no bound.
    pub(crate) deadline: Option<Timestamp>,
    /// It may make calls that last long.
    pub(crate) makes_slow_calls: bool,
    /// It has made a transition: the time that it was given is no longer whole.
    pub(crate) has_begun: bool,
}

/// What an effect outside came to.
pub(crate) struct Outcome {
    /// Address of its claim.
    pub(crate) address: Address,
    /// The attempt that was claimed.
    pub(crate) attempt: u32,
    /// The effect.
    pub(crate) activity: Activity,
    /// Its result.
    pub(crate) performed: Performed,
}

impl Outcome {
    /// As the engine takes it.
    pub(crate) fn performance(&self) -> Performance<'_> {
        let Self { address, attempt, activity, performed } = self;
        Performance { address, attempt: *attempt, activity, performed }
    }
}

impl Run {
    /// What was held is written, and these rows stand in the head now.
    pub(crate) fn written(&mut self, kept: Vec<Row>) {
        self.buffer.written(kept);
        self.outcome = None;
    }
}

impl Transitions {
    pub(crate) async fn load(&self, id: &str) -> Result<Option<Run>, Error> {
        self.load_whole(id, true).await
    }

    /// Loads an execution; if not `whole`, an event that cannot be read is an empty one.
    pub(crate) async fn load_whole(&self, id: &str, whole: bool) -> Result<Option<Run>, Error> {
        let (table, key) = (items::execution::TABLE, items::execution::key(id));
        let Some(item) = self.tables.get(table, &key, Consistency::Strong).await? else { return Ok(None) };
        let Some(Head { mut execution, rows, event: kept }) = items::execution::parse_head(&item)? else {
            return Ok(None);
        };
        let ports = (&*self.tables, &*self.blobs);
        let event = match events::of(ports, (&item, kept.as_ref()), Consistency::Strong).await {
            Err(Error::Unreadable(_)) if !whole => Some(unknown_event(&execution)),
            // The whole is not there any more, beside which the data stand: its parts have nothing to do but to end.
            Ok(None) if execution.region.is_some() => Some(unknown_event(&execution)),
            event => event?,
        };
        let Some(event) = event else { return Ok(None) };
        self.end_dead_leases(&mut execution);
        offload::restore_execution(&*self.blobs, &mut execution).await?;
        let invocation = format!("{:032x}", self.random.bits());
        Ok(Some(Run {
            execution,
            event: Occurrence::new(event),
            invocation,
            buffer: WriteBuffer::up_to(self.options.hold, rows, kept.map(|event| event.text())),
            snapshot: None,
            outcome: None,
            deadline: None,
            makes_slow_calls: true,
            has_begun: false,
        }))
    }

    /// In a process that is alone, a lease from before it began is over.
    fn end_dead_leases(&self, execution: &mut Execution) {
        for (_, lease) in execution.leases.iter_mut() {
            if self.options.alone_since.is_some_and(|since| lease.claimed_at < since) {
                lease.until = lease.claimed_at;
            }
        }
    }

    /// Reads the head anew after a lost race; `false` if the execution is gone. If it fails, the run is as it was: a head
    /// whose large values were not brought back must not be written.
    pub(crate) async fn reload(&self, run: &mut Run) -> Result<bool, Error> {
        let item = self
            .tables
            .get(items::execution::TABLE, &items::execution::key(&run.execution.id), Consistency::Strong)
            .await?;
        let Some((mut execution, rows)) = item.as_ref().map(items::execution::parse_whole).transpose()?.flatten()
        else {
            return Ok(false);
        };
        self.end_dead_leases(&mut execution);
        offload::restore_execution(&*self.blobs, &mut execution).await?;
        run.buffer.lost(rows);
        run.snapshot = None;
        run.execution = execution;
        Ok(true)
    }
}

/// In the place of an event that cannot be read and is not looked at.
fn unknown_event(execution: &Execution) -> Event {
    Event {
        id: execution.event_id.clone(),
        kind: pawl_engine::EventType::Manual,
        workflow: Some(execution.workflow.clone()),
        trigger: None,
        subject: execution.record.clone(),
        occurred_at: execution.created_at,
        data: serde_json::Map::new(),
        creation: None,
        cause: execution.cause.clone(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }
}
