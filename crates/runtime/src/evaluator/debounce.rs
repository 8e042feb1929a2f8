//! Bursts: events are collected in the window of a key, and start one execution when it closes.

use jiff::Timestamp;
use pawl_definition::Debounce;
use pawl_engine::{Event, debounce, ids};

use super::Outcome;
use super::matching::{self, ToStart};
use super::start::{Asked, Earlier, RACES, Starter, Undecided, record_forgotten};
use crate::admission::Reason;
use crate::items::debounce::{self as stored, Window};
use crate::items::refusal::{self, Collected, Refusal};
use crate::ports::{BlobOwner, Consistency, Durability, Expect, Item, Pages, Query, SortRange, Transaction, Write};
use crate::transitions::HEAL_AFTER;
use crate::{Error, offload, refusals};

/// Events of a window that are read or deleted at once.
const PAGE: usize = 50;

impl Starter {
    /// Takes an event into the window of its key, and opens that first if there is none. The event, its mark and what makes its
    /// record are written together.
    pub(super) async fn collect(
        &self,
        asked: &Asked<'_>,
        to_start: ToStart,
        limit: &Debounce,
    ) -> Result<Outcome, Error> {
        let Asked { plan, event, over, .. } = *asked;
        let workflow = &plan.workflow.id;
        let now = self.clock.now();
        let key = to_start.debounce_key.unwrap_or_default();
        let partition = stored::partition(workflow, &key);
        let before = self.open_window(&partition, now).await?;
        let (window, expect, version) = next(workflow, &key, (limit, &to_start.trigger), (before.as_ref(), event), now);
        let mut kept = event.clone();
        offload::event(&*self.blobs, BlobOwner::event(&window.id), &mut kept).await?;
        let execution = ids::execution_id(&window.id, workflow);
        let message = format!("it is one of the events that {execution} starts by");
        let reason = Reason { code: "debounced", message, opens_breaker: false };
        let mark = refusals::of_start(plan, Some(&window.trigger), event, &reason);
        let collected = Collected { execution: execution.clone(), window: partition.clone() };
        let mark = Refusal { collected: Some(collected), ..mark };
        let put = |item: Item, expect| Write::Put { table: stored::TABLE, item, expect };
        let mut writes = vec![
            put(stored::item(&partition, &window, version), expect),
            put(stored::event_item(&partition, &window, &kept), Expect::Absent),
            put(refusal::item(&mark, over.unwrap_or(0) + 1), refusals::unless_decided(over)),
        ];
        writes.extend(to_start.creation);
        let transaction = Transaction { writes, durability: Durability::Ordered };
        if to_start.unheard {
            self.tables.transact_unheard(transaction).await?;
        } else {
            self.tables.transact(transaction).await?;
        }
        if before.is_none() || window.due <= now {
            self.dispatcher.send_window(&partition, window.due.duration_since(now)).await?;
        }
        Ok(Outcome::Debounced(execution))
    }

    /// An event comes again that was collected: its receiver may have died before the window's message was sent.
    pub(super) async fn collected(&self, collected: Collected) -> Result<Outcome, Error> {
        let Collected { execution, window: partition } = collected;
        if let Some(item) = self.window(&partition).await? {
            let window = stored::parse(&item)?;
            let wait = window.due.duration_since(self.clock.now());
            self.dispatcher.send_window(&partition, wait.max(HEAL_AFTER)).await?;
        }
        Ok(Outcome::Debounced(execution))
    }

    /// The window that is open, with its version. One whose time has come is closed first: the event begins another burst.
    async fn open_window(&self, partition: &str, now: Timestamp) -> Result<Option<(Window, u64)>, Error> {
        let Some(item) = self.window(partition).await? else { return Ok(None) };
        let window = stored::parse(&item)?;
        if window.due > now {
            return Ok(Some((window, item.version)));
        }
        self.close(partition).await?;
        Ok(None)
    }

    async fn window(&self, partition: &str) -> Result<Option<Item>, Error> {
        Ok(self.tables.get(stored::TABLE, &stored::key(partition), Consistency::Strong).await?)
    }

    /// Closes a window whose time has come: its events start an execution, or are refused together. Before its time, it sees to
    /// the message that closes it.
    pub(crate) async fn close(&self, partition: &str) -> Result<(), Error> {
        for _ in 0..RACES {
            match self.try_close(partition).await {
                Err(error) if error.is_conflict() || error.is_unknown() => {}
                result => return result,
            }
        }
        Err(Error::Contended(partition.to_owned()))
    }

    async fn try_close(&self, partition: &str) -> Result<(), Error> {
        let Some(item) = self.window(partition).await? else { return Ok(()) };
        let window = stored::parse(&item)?;
        let now = self.clock.now();
        if window.due > now {
            return self.dispatcher.send_window(partition, window.due.duration_since(now)).await;
        }
        let gone =
            Write::Delete { table: stored::TABLE, key: stored::key(partition), expect: Expect::Version(item.version) };
        let events = self.events_of(partition, &window).await?;
        let Some(event) = debounce::merged(&window.id, events) else {
            tracing::error!(workflow = %window.workflow, "a window of {} has lost its events", window.workflow);
            let transaction = Transaction { writes: vec![gone], durability: Durability::Ordered };
            return Ok(self.tables.transact(transaction).await?);
        };
        self.start_closed(&window, &event, &gone).await?;
        self.clear(partition, &window).await
    }

    /// Starts by the event that the events of a window have become, if the guards let it pass.
    async fn start_closed(&self, window: &Window, event: &Event, gone: &Write) -> Result<(), Error> {
        let now = self.clock.now();
        let id = ids::execution_id(&event.id, &window.workflow);
        let Earlier::Undecided(undecided) = self.earlier(&window.workflow, &id, event).await? else {
            // It was decided, and the window went with it.
            return Ok(());
        };
        let Undecided { over, head, forgotten } = undecided;
        let Some(head) = head else { return Ok(()) };
        let plan = self.catalog.plan(&window.workflow, head.revision).await?;
        let asked = Asked { plan: &plan, event, over, closes: Some(gone) };
        let by_hand = event.kind.facts().is_by_hand;
        let inactive = || {
            let message = "the workflow was inactive when the burst was over".to_owned();
            Reason { code: "inactive", message, opens_breaker: false }
        };
        let reason =
            forgotten.map(|at| record_forgotten(event, at)).or_else(|| (!head.active && !by_hand).then(inactive));
        if let Some(reason) = reason {
            return self.refuse(&asked, Some(&window.trigger), &reason).await.map(drop);
        }
        let slot_key = match matching::slot_key_of(&self.catalog, &plan, event, now).await? {
            Ok(slot_key) => slot_key,
            Err(reason) => return self.refuse(&asked, Some(&window.trigger), &reason).await.map(drop),
        };
        let to_start = ToStart { trigger: window.trigger.clone(), slot_key, ..ToStart::default() };
        self.admit(&asked, &head, to_start).await.map(drop)
    }

    async fn events_of(&self, partition: &str, window: &Window) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        let mut pages = Pages::of(&*self.tables, events_in(partition, window));
        while let Some(page) = pages.next().await? {
            for item in &page {
                let mut event = stored::parse_event(item)?;
                offload::restore_event(&*self.blobs, BlobOwner::event(&window.id), &mut event).await?;
                events.push(event);
            }
        }
        Ok(events)
    }

    /// Deletes the events of a window that is closed. What a crash leaves of them expires.
    async fn clear(&self, partition: &str, window: &Window) -> Result<(), Error> {
        loop {
            let page = self.tables.query(&events_in(partition, window)).await?.items;
            if page.is_empty() {
                break;
            }
            let delete = |item: Item| Write::Delete { table: stored::TABLE, key: item.key, expect: Expect::Any };
            let writes = page.into_iter().map(delete).collect();
            self.tables.transact(Transaction { writes, durability: Durability::Ordered }).await?;
        }
        Ok(())
    }
}

fn events_in(partition: &str, window: &Window) -> Query {
    Query::of(stored::TABLE, partition).range(SortRange::Prefix(stored::prefix(window))).limit(PAGE)
}

/// The window with one more event, what its write expects, and its version. Versions of different windows of a key are far from
/// each other, so that a write which was decided for one never meets another.
fn next(
    workflow: &str,
    key: &str,
    (limit, trigger): (&Debounce, &str),
    (before, event): (Option<&(Window, u64)>, &Event),
    now: Timestamp,
) -> (Window, Expect, u64) {
    let size = serde_json::to_string(event).map_or(0, |text| text.len());
    let size = u64::try_from(size).unwrap_or(u64::MAX);
    let (opened, expect, version) = if let Some((window, version)) = before {
        (window.clone(), Expect::Version(*version), version + 1)
    } else {
        let id = ids::window_event_id(workflow, key, &event.id);
        let version = (u64::from(ids::number_below(&["window", &id], u32::MAX)) + 1) << 16;
        let (workflow, trigger) = (workflow.to_owned(), trigger.to_owned());
        (Window { workflow, id, trigger, opened_at: now, due: now, events: 0, bytes: 0 }, Expect::Absent, version)
    };
    let (events, bytes) = (opened.events + 1, opened.bytes.saturating_add(size));
    let due = debounce::due(limit, opened.opened_at, now, (events, bytes));
    (Window { trigger: trigger.to_owned(), due, events, bytes, ..opened }, expect, version)
}
