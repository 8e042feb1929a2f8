//! The loops of a sweep, page by page, over several sweeps if it takes as many.
//!
//! A loop that has more than one page stores where it goes on before it handles a page. So a page that kills its process
//! is passed over until the loop begins anew, and nothing behind it starves. A loop looks at what was there when it
//! began, however much comes meanwhile, and then begins anew. What moves on leaves its index, and what stays keeps its
//! place there, so each item is met once each time.

use jiff::{SignedDuration, Timestamp};

use super::Sweeper;
use crate::items::sweep::{self, Position};
use crate::ports::{Durability, Expect, Index, Item, Query, TableError, Tables, Transaction, Write};
use crate::waker::overdue;
use crate::{Error, Notices, items};

/// How long a reason may be overdue: deliveries take time.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// For how long an edit is looked at again.
const EDITS_SETTLE: SignedDuration = SignedDuration::from_mins(5);

/// What a loop looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Executions that wait for a time that is over.
    Due,
    /// Executions that should be moving.
    Moving,
    /// Workflows that were edited.
    Edits,
    /// Operations that are not over.
    Operations,
    /// Windows of events whose time has come.
    Windows,
    /// Schedules whose time has come.
    Schedules,
    /// Dates of records whose time has come.
    Dates,
    /// Notices that were not handed on.
    Notices,
}

const ALL: [What; 8] = [
    What::Due,
    What::Moving,
    What::Edits,
    What::Operations,
    What::Windows,
    What::Schedules,
    What::Dates,
    What::Notices,
];

impl What {
    /// Its name in the stored position. Stored, do not rename.
    const fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Moving => "moving",
            Self::Edits => "edits",
            Self::Operations => "operations",
            Self::Windows => "windows",
            Self::Schedules => "schedules",
            Self::Dates => "dates",
            Self::Notices => "notices",
        }
    }

    fn query(self, by: Timestamp) -> Query {
        match self {
            Self::Due => overdue(Index::Gsi4, items::execution::DUE, by),
            Self::Moving => overdue(Index::Gsi3, items::execution::MOVING, by),
            Self::Edits => Query::of_index(items::workflow::TABLE, Index::Gsi1, items::workflow::ALL),
            Self::Operations => Query::of_index(items::operation::TABLE, Index::Gsi1, items::operation::RUNNING),
            Self::Windows => overdue(Index::Gsi1, items::debounce::OPEN, by),
            Self::Schedules => overdue(Index::Gsi1, items::schedule::ALL, by),
            // The sweeper is what fires them: no message was sent before.
            Self::Dates => overdue(Index::Gsi1, items::date::ALL, by + GRACE),
            Self::Notices => Notices::unsent(),
        }
    }
}

/// A loop of this sweep.
pub(super) struct Loop {
    what: What,
    position: Position,
    is_stored: bool,
    has_more: bool,
}

impl Loop {
    /// All of them, each where the last sweep stopped.
    pub(super) async fn all(tables: &dyn Tables, now: Timestamp) -> Result<Vec<Self>, TableError> {
        let keys = ALL.map(|what| (sweep::TABLE, sweep::key(what.name())));
        let stored = tables.get_many(&keys).await?;
        let one = |(what, item): (What, &Option<Item>)| {
            // A position that cannot be read is none.
            let stored = item.as_ref().and_then(|item| sweep::parse(item).ok());
            let position = stored.unwrap_or(Position { by: now - GRACE, after: None });
            Self { what, position, is_stored: item.is_some(), has_more: true }
        };
        Ok(ALL.into_iter().zip(&stored).map(one).collect())
    }

    /// Whether there are pages that this sweep has not seen.
    pub(super) fn has_more(&self) -> bool {
        self.has_more
    }

    pub(super) fn name(&self) -> &'static str {
        self.what.name()
    }

    /// Since when all that is overdue was looked at, if the loops that wake have come to their ends.
    pub(super) fn wakes_began(loops: &[Self]) -> Option<Timestamp> {
        let is_noted = |what| matches!(what, What::Due | What::Moving | What::Windows | What::Schedules | What::Dates);
        let wakes = || loops.iter().filter(|one| is_noted(one.what));
        if wakes().any(Self::has_more) {
            return None;
        }
        wakes().map(|one| one.position.by + GRACE).min()
    }
}

impl Sweeper {
    /// Handles the next page of a loop; returns how many executions it woke.
    pub(super) async fn page(&self, one: &mut Loop) -> Result<usize, Error> {
        let query = one.what.query(one.position.by).limit(self.limits.page).after(one.position.after.clone());
        let page = match self.tables.query(&query).await {
            // The cursor was made by a version that laid items out otherwise: the loop begins anew.
            Err(TableError::Invalid(why)) if one.position.after.is_some() => {
                tracing::warn!("the sweeper begins {} anew: {why}", one.name());
                one.position.after = None;
                return self.store(one).await.map(|()| 0);
            }
            Err(error) => {
                one.has_more = false;
                return Err(error.into());
            }
            Ok(page) => page,
        };
        one.position.after = page.next;
        one.has_more = one.position.after.is_some();
        let stored = self.store(one).await;
        let now = self.clock.now();
        let woken = match one.what {
            What::Due | What::Moving => {
                let is_time = |execution: &_| self.wakes.is_time(execution, now);
                let by = one.position.by;
                self.waker().wake(&page.items, by, |execution| !execution.stalled && is_time(execution)).await
            }
            What::Edits => self.settle(&page.items, now).await.map(|()| 0),
            What::Operations => self.operations.see_to(&page.items, &*self.dead_letters).await.map(|()| 0),
            What::Windows => self.close_windows(&page.items, now).await.map(|()| 0),
            What::Schedules => self.fire_schedules(&page.items, now).await.map(|()| 0),
            What::Dates => self.fire_dates(&page.items, now).await.map(|()| 0),
            What::Notices => {
                self.notices.hand_on_all(&page.items).await;
                Ok(0)
            }
        };
        stored.and(woken)
    }

    /// Sends again the messages that close windows. Of a window that cannot be closed messages come at longer and longer
    /// intervals, so that they do not multiply.
    async fn close_windows(&self, windows: &[Item], now: Timestamp) -> Result<(), Error> {
        let mut result = Ok(());
        let (read, _) =
            self.catalog.unreadable().read(windows, |item| Ok((item.clone(), items::debounce::parse(item)?)));
        for (window, _) in read.into_iter().filter(|(item, _)| self.wakes.is_time_of_item(item, now)) {
            let sent = self.transitions.dispatcher.send_window(&window.key.partition, SignedDuration::ZERO).await;
            result = result.and(sent);
        }
        result
    }

    /// Sends again the messages that fire schedules, at longer and longer intervals of one that cannot be fired.
    async fn fire_schedules(&self, schedules: &[Item], now: Timestamp) -> Result<(), Error> {
        let mut result = Ok(());
        let (read, _) =
            self.catalog.unreadable().read(schedules, |item| Ok((item.clone(), items::schedule::parse(item)?)));
        for (_, schedule) in read.iter().filter(|(item, _)| self.wakes.is_time_of_item(item, now)) {
            let sent = self.transitions.dispatcher.send_schedule(&schedule.workflow, &schedule.trigger).await;
            result = result.and(sent);
        }
        result
    }

    /// Sends the messages that fire dates and tell of overdue activities, at longer and longer intervals of one that stays due.
    async fn fire_dates(&self, page: &[Item], now: Timestamp) -> Result<(), Error> {
        let due: Vec<_> = page.iter().filter(|item| self.wakes.is_time_of_item(item, now)).cloned().collect();
        let (activities, entries): (Vec<_>, Vec<_>) =
            due.into_iter().partition(|item| item.key.partition.starts_with(items::due_activity::PREFIX));
        let (entries, _) = self.catalog.unreadable().read(&entries, items::date::parse);
        let (activities, _) = self.catalog.unreadable().read(&activities, items::due_activity::parse);
        if entries.is_empty() && activities.is_empty() {
            return Ok(());
        }
        self.transitions.dispatcher.send_dates(&entries, &activities).await
    }

    fn waker(&self) -> &crate::waker::Waker {
        &self.operations.waker
    }

    /// Stores where a loop goes on; of one that is at its end nothing is stored.
    async fn store(&self, one: &mut Loop) -> Result<(), Error> {
        let write = if one.has_more {
            let item = sweep::item(one.name(), &one.position);
            Write::Put { table: sweep::TABLE, item, expect: Expect::Any }
        } else if one.is_stored {
            Write::Delete { table: sweep::TABLE, key: sweep::key(one.name()), expect: Expect::Any }
        } else {
            return Ok(());
        };
        self.tables.transact(Transaction { writes: vec![write], durability: Durability::Ordered }).await?;
        one.is_stored = one.has_more;
        Ok(())
    }

    /// Looks again at the edits of the last minutes; see [`Operations::settle`](crate::Operations).
    async fn settle(&self, page: &[Item], now: Timestamp) -> Result<(), Error> {
        let (heads, _) = self.catalog.unreadable().read(page, items::workflow::parse_head);
        let mut settled = Ok(());
        for head in heads.iter().filter(|head| head.saved_at > now - EDITS_SETTLE) {
            // An edit that cannot be looked at keeps no other one.
            settled = settled.and(self.operations.settle(head).await);
        }
        settled
    }
}
