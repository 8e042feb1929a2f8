//! What guards the starts of a workflow: loops, re-entry, cooldown, spacing, and starts that come too often.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::Reentry;
use pawl_engine::{Event, Link, Plan, Subject};

use crate::items::Unreadable;
use crate::items::guard::{self, Guard, State};
use crate::ports::{Consistency, Expect, Item, Key, TableError, Tables, Write};
use crate::{Catalog, Error, StartWindow, items};

/// The breaker: this many starts of one workflow on one record…
const BREAKER_STARTS: u32 = 50;
/// …within this many seconds suspend its triggers.
const BREAKER_WINDOW_S: i64 = 60;

/// Why an event starts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The breaker opens: triggers are suspended.
    pub(crate) opens_breaker: bool,
}

fn because(code: &'static str, message: String) -> Reason {
    Reason { code, message, opens_breaker: false }
}

/// Why an event is not let pass, or nobody knows.
pub(crate) enum Denied {
    /// A guard says so.
    Refused(Reason),
    /// Infrastructure failed.
    Failed(Error),
}

impl From<Reason> for Denied {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<TableError> for Denied {
    fn from(error: TableError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<items::Unreadable> for Denied {
    fn from(error: items::Unreadable) -> Self {
        Self::Failed(error.into())
    }
}

/// What the guards say.
#[derive(Default)]
pub(crate) struct Admitted {
    /// Writes that hold the guards.
    pub(crate) writes: Vec<Write>,
    /// Begins at this time, if later than now.
    pub(crate) start_at: Option<Timestamp>,
    /// The execution holds the only open execution of its record.
    pub(crate) holds_record: bool,
    /// Nobody seems to listen to the record that it makes.
    pub(crate) unheard: bool,
    /// The key of `limits.concurrency` that the execution counts for.
    pub(crate) slot_key: Option<String>,
    /// The trigger that starts the execution.
    pub(crate) trigger: Option<String>,
}

impl Admitted {
    /// With the writes that make the record, and whether anybody listens to them; and the key of its slot.
    pub(crate) fn with(mut self, (creation, unheard): (Vec<Write>, bool), slot_key: Option<String>) -> Self {
        self.writes.extend(creation);
        Self { unheard, slot_key, ..self }
    }
}

/// A start that asks its guards.
pub(crate) struct Admission<'a> {
    pub(crate) tables: &'a dyn Tables,
    pub(crate) catalog: &'a Catalog,
    pub(crate) plan: &'a Plan,
    pub(crate) event: &'a Event,
    /// The execution that it would make.
    pub(crate) execution: &'a str,
    /// The start makes the record that the event is about.
    pub(crate) makes_record: bool,
    pub(crate) now: Timestamp,
}

impl Admission<'_> {
    /// Asks all guards, and says what holds them.
    pub(crate) async fn ask(&self) -> Result<Admitted, Denied> {
        check_chain(self.plan, self.event)?;
        let mut admitted = Admitted::default();
        if let Some(record) = self.plan.record_of(self.event) {
            self.reentry(record, &mut admitted).await?;
            self.cooldown(record, &mut admitted).await?;
            self.window(record, &mut admitted).await?;
        }
        self.spacing(&mut admitted).await?;
        Ok(admitted)
    }

    async fn reentry(&self, record: &Subject, admitted: &mut Admitted) -> Result<(), Denied> {
        let (guard, why) = match self.plan.workflow.limits.reentry {
            Reentry::EveryEvent => return Ok(()),
            Reentry::OneActivePerRecord => (Guard::Active(record), "an execution is open on this record"),
            Reentry::OncePerRecord => (Guard::Once(record), "the workflow ran on this record before"),
        };
        admitted.holds_record = matches!(guard, Guard::Active(_));
        let key = self.key(guard);
        if let (Some(_), state) = self.read(&key).await? {
            let by = state.execution.unwrap_or_default();
            return Err(because("reentry", format!("{why}: {by}")).into());
        }
        admitted.writes.push(put(key, None, &self.holder(), guard::KEPT.expires_at(self.now)));
        Ok(())
    }

    async fn cooldown(&self, record: &Subject, admitted: &mut Admitted) -> Result<(), Denied> {
        let Some(cooldown) = &self.plan.workflow.limits.cooldown else { return Ok(()) };
        let key = self.key(Guard::Cooldown(record));
        let (version, state) = self.read(&key).await?;
        let span = cooldown.approximate();
        if let Some(free) = state.at.map(|last| last + span).filter(|free| *free > self.now) {
            return Err(because("cooldown", format!("the workflow may start on this record again at {free}")).into());
        }
        admitted.writes.push(put(key, version, &self.holder(), guard::KEPT_SPAN.expires_at(self.now + span)));
        Ok(())
    }

    /// Counts starts on one record for the breaker, but for the one that makes it: a record is made once, and no loop begins
    /// so.
    async fn window(&self, record: &Subject, admitted: &mut Admitted) -> Result<(), Denied> {
        if self.makes_record {
            return Ok(());
        }
        let key = self.key(Guard::Window(record));
        let (version, state) = self.read(&key).await?;
        let span = SignedDuration::from_secs(BREAKER_WINDOW_S);
        let mut recent = state.recent;
        let count = recent.count(self.now, span);
        if count >= BREAKER_STARTS {
            let often = format!("{count} starts on one record within {BREAKER_WINDOW_S} s");
            let message = format!("{often}: the workflow's triggers are suspended");
            return Err(Reason { code: "breaker", message, opens_breaker: true }.into());
        }
        recent.add(self.now, span);
        let window = State { recent, ..State::default() };
        admitted.writes.push(put(key, version, &window, guard::KEPT_WINDOW.expires_at(self.now + span)));
        Ok(())
    }

    /// Spaces starts out: no span of time holds more of them than are allowed. A start is counted in its home block of the
    /// limit, or in another one in which it begins at once. If it has to be later in all, it takes the earlier of two blocks:
    /// so what is planned in each is about as long, and starts at the same time do not all plan in the same.
    async fn spacing(&self, admitted: &mut Admitted) -> Result<(), Denied> {
        let Some(starts) = &self.plan.workflow.limits.starts else { return Ok(()) };
        let (blocks, span) = (self.catalog.starts(starts.at_most), starts.per.approximate());
        let home = blocks.home(self.execution);
        let key = |block| self.key(Guard::Spacing(block));
        let item = self.tables.get(guard::TABLE, &key(home), Consistency::Strong).await?;
        let planned =
            |block, item: Option<&Item>| Planned::in_block(self.now, span, (block, blocks.share(block)), item);
        let mut chosen = planned(home, item.as_ref())?;
        if chosen.start > self.now && blocks.count() > 1 {
            let others: Vec<u8> = blocks.others(home).collect();
            let keys: Vec<_> = others.iter().map(|block| (guard::TABLE, key(*block))).collect();
            let found = self.tables.get_many(&keys).await?;
            let second = blocks.second(self.execution);
            for (block, item) in others.into_iter().zip(&found) {
                let other = planned(block, item.as_ref())?;
                let is_at_once = other.start <= self.now;
                if is_at_once || (block == second && other.start < chosen.start) {
                    chosen = other;
                }
                if is_at_once {
                    break;
                }
            }
        }
        let Planned { block, version, start, mut recent } = chosen;
        recent.add(start, span);
        let state = State { recent, ..State::default() };
        admitted.writes.push(put(key(block), version, &state, guard::KEPT_SPAN.expires_at(start + span)));
        admitted.start_at = Some(start).filter(|start| *start > self.now);
        Ok(())
    }

    fn holder(&self) -> State {
        State { execution: Some(self.execution.to_owned()), at: Some(self.now), ..State::default() }
    }

    fn key(&self, guard: Guard<'_>) -> Key {
        guard::key(&self.plan.workflow.id, guard)
    }

    async fn read(&self, key: &Key) -> Result<(Option<u64>, State), Denied> {
        let item = self.tables.get(guard::TABLE, key, Consistency::Strong).await?;
        Ok(versioned(item.as_ref())?)
    }
}

/// A start as it would be counted in one block of `limits.starts`.
struct Planned {
    block: u8,
    /// Version of the block.
    version: Option<u64>,
    start: Timestamp,
    /// The starts of the block without this one.
    recent: StartWindow,
}

impl Planned {
    /// In a block with its share of the limit, as it is stored.
    fn in_block(
        now: Timestamp,
        span: SignedDuration,
        (block, share): (u8, u32),
        item: Option<&Item>,
    ) -> Result<Self, Unreadable> {
        let (version, State { mut recent, .. }) = versioned(item)?;
        let start = recent.free(now, span, share);
        Ok(Self { block, version, start, recent })
    }
}

fn versioned(item: Option<&Item>) -> Result<(Option<u64>, State), Unreadable> {
    let state = item.map(guard::parse).transpose()?.unwrap_or_default();
    Ok((item.map(|item| item.version), state))
}

fn put(key: Key, version: Option<u64>, state: &State, expires_at: Option<Timestamp>) -> Write {
    let expect = version.map_or(Expect::Absent, Expect::Version);
    Write::Put { table: guard::TABLE, item: guard::item(key, version.unwrap_or(0) + 1, state, expires_at), expect }
}

/// The loop guards: depth, and starts of this workflow on this record inside its own chain of causes.
fn check_chain(plan: &Plan, event: &Event) -> Result<(), Reason> {
    let limits = &plan.workflow.limits;
    let chain = &event.cause.chain;
    if chain.len() >= usize::try_from(limits.depth).unwrap_or(usize::MAX) {
        return Err(because(
            "depth_limit",
            format!("{} workflows caused one another; the limit is {}", chain.len(), limits.depth),
        ));
    }
    let record = plan.record_of(event);
    let is_own = |link: &&Link| link.workflow == plan.workflow.id && link.record.as_ref() == record;
    let own = chain.iter().filter(is_own).count();
    if own >= usize::try_from(limits.own_chain).unwrap_or(usize::MAX) {
        return Err(because(
            "self_limit",
            format!("the workflow started itself {own} times on this record; the limit is {}", limits.own_chain),
        ));
    }
    Ok(())
}
