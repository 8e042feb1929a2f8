//! Protocol bugs made by hand, which the simulator must find.
//!
//! Each lives in a decorator around a port or in the driver: nothing of it enters the runtime.

mod actions;
mod children;
mod forks;
mod lookups;
mod loops;
mod posts;
mod schedules;
mod signals;
mod stepping;

use jiff::SignedDuration;
use pawl_engine::Status;
use pawl_engine::steps::children_of_row;
use pawl_runtime::items;
use pawl_runtime::items::guard::Guard;
use pawl_runtime::ports::rules::counter_body;
use pawl_runtime::ports::{Durability, Expect, Item, Key, Table, Transaction, Write};
use serde_json::Value;

use super::monitor::carry_out;

pub(super) use posts::corrupt_post;

/// A mistake that a hasty author of the protocol could make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A message is deleted before it is handled.
    DeleteFirst,
    /// Commits do not require the version of the head that was read.
    BlindHeads,
    /// An execution is made although it is there already.
    MadeAgain,
    /// An unknown outcome of a write counts as success.
    UnknownIsSuccess,
    /// Claims of outside effects are not committed.
    NoClaims,
    /// Claims are committed without their lease.
    NoLease,
    /// A goal's interest in a topic is not committed.
    NoWaiters,
    /// Messages that tell of an event those who wait for it, where they are many, are not sent.
    UntoldWaiters,
    /// Places in the line of those who wait for a slot are not committed.
    NoLine,
    /// A goal begins to wait without requiring that the record is as it was read.
    NoChecks,
    /// Rows that leave the head are not committed.
    LostRows,
    /// Rows do not keep what they were decided on.
    UnobservedRows,
    /// Records are written before the transition, in a transaction of their own.
    RecordsFirst,
    /// Guards of starts are written without requiring what was read.
    BlindGuards,
    /// Places in the line are counted without a bound.
    UnboundedPlaces,
    /// A slot is given back to the first block, whichever it was taken from.
    SlotToFirstBlock,
    /// Nobody looks for a slot in another block than its own.
    OnlyHomeBlock,
    /// The window of a burst is written without requiring what was read.
    BlindWindows,
    /// A slot of a key is taken without requiring that it is free.
    SlotTakenTwice,
    /// A slot of a key stays taken when it is given back.
    SlotKept,
    /// A delivery's key is claimed although it is taken.
    BlindKeys,
    /// Sends are answered before they leave the process.
    BufferedSends,
    /// Nothing waits for the disk.
    NotDurable,
    /// Nobody sees the kill switches of workflows and of the installation.
    BlindKill,
    /// Timers are not set, and nothing sweeps.
    LostTimers,
    /// Nothing sweeps.
    NoSweeper,
    /// The message of a handler that panicked is deleted.
    PanicDeletes,
    /// A page with an item that cannot be read is not answered.
    UnreadableStopsListing,
    /// Large values stand in the items that refer to them.
    OversizedStored,
    /// Storage that was full once takes nothing any more.
    FullForGood,
    /// Children get ids that chance gives.
    ChildTwice,
    /// A join does not require the head that was read.
    JoinTwice,
    /// A child does not see that those who wait for it are held or canceled.
    BlindParents,
    /// Nobody tells children that their parent was canceled.
    UntoldChildren,
    /// Nobody tells a parent that a child has ended.
    UntoldParents,
    /// Nobody tells workflows that listen that an execution has ended.
    UntoldEnds,
    /// Workflows are not listed under events that are posted.
    PostsUnlisted,
    /// Workflows are not listed under interactions.
    InteractionsUnlisted,
    /// Each sending of a posted event has an id of its own.
    FreshPosts,
    /// An event that a step published does not tell what led to it.
    PublishedUncaused,
    /// Rows that left the head keep the values of a person who is forgotten.
    RowsRemember,
    /// Blobs outlive their execution.
    KeptBlobs,
    /// Retention begins with an execution, and not at its end.
    OpenExpires,
    /// A signal is taken without requiring that it is still kept.
    SignalTwice,
    /// A signal leaves its line before the transition that receives it, in a transaction of its own.
    SignalDropped,
    /// Nobody looks for signals that are kept when a wait begins.
    SignalUnseen,
    /// Executions do not keep the ids of controls that steps made.
    ControlsForgotten,
    /// The control of a step is told and not committed.
    ControlDropped,
    /// A loop passes over an item.
    ItemSkipped,
    /// A loop forgets items that run.
    SliceForgotten,
    /// Lanes do not keep to their share of the steps of the tree.
    ShareIgnored,
    /// What models cost lanes is not counted for the tree.
    LanesUncounted,
    /// An action does not store whom it touches next.
    BatchDropped,
    /// A firing of a schedule is not written down when the next one is planned.
    FiringDropped,
    /// A firing of a schedule is written down twice.
    FiringTwice,
    /// Entries of dates are written without requiring what they were worked out from.
    BlindDates,
    /// Entries of dates stay when they have fired.
    DatesKept,
    /// Nobody looks at the records that are there when a date trigger is switched on.
    DatesUnlooked,
    /// A fork begins without the results of the steps before it.
    ForkForgets,
    /// The original is not told of a fork.
    ForkUnlisted,
    /// A group or calendar that is edited is not kept as it was.
    DefinitionsUnkept,
    /// An execution that stops before each step goes on by itself.
    StepsUnasked,
    /// The round of a step moves without requiring that it stands as it was read.
    BlindPositions,
    /// Rows do not keep what was looked up.
    LookupsUnobserved,
    /// The history of a record misses what steps change.
    ChangesLost,
    /// The history of a record stays when it is forgotten.
    ChangesRemember,
    /// Activities are written before the transition, in a transaction of their own.
    ActivitiesFirst,
    /// The rows by which open activities are found stay when these have ended.
    ActivityRowsKept,
    /// Workflows are not listed under the activities that they listen for.
    ActivitiesUnlisted,
    /// Workflows are not listed under the messages that they listen for.
    MailUnlisted,
    /// It is not stored when an activity is due.
    DueUnstored,
}

impl Bug {
    /// All of them, with their names.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("delete-first", Self::DeleteFirst),
        ("blind-heads", Self::BlindHeads),
        ("made-again", Self::MadeAgain),
        ("unknown-is-success", Self::UnknownIsSuccess),
        ("no-claims", Self::NoClaims),
        ("no-lease", Self::NoLease),
        ("no-waiters", Self::NoWaiters),
        ("untold-waiters", Self::UntoldWaiters),
        ("no-line", Self::NoLine),
        ("no-checks", Self::NoChecks),
        ("lost-rows", Self::LostRows),
        ("unobserved-rows", Self::UnobservedRows),
        ("records-first", Self::RecordsFirst),
        ("blind-guards", Self::BlindGuards),
        ("unbounded-places", Self::UnboundedPlaces),
        ("slot-to-first-block", Self::SlotToFirstBlock),
        ("only-home-block", Self::OnlyHomeBlock),
        ("blind-windows", Self::BlindWindows),
        ("slot-taken-twice", Self::SlotTakenTwice),
        ("slot-kept", Self::SlotKept),
        ("blind-keys", Self::BlindKeys),
        ("buffered-sends", Self::BufferedSends),
        ("not-durable", Self::NotDurable),
        ("blind-kill", Self::BlindKill),
        ("lost-timers", Self::LostTimers),
        ("no-sweeper", Self::NoSweeper),
        ("panic-deletes", Self::PanicDeletes),
        ("full-for-good", Self::FullForGood),
        ("child-twice", Self::ChildTwice),
        ("join-twice", Self::JoinTwice),
        ("blind-parents", Self::BlindParents),
        ("untold-children", Self::UntoldChildren),
        ("untold-parents", Self::UntoldParents),
        ("untold-ends", Self::UntoldEnds),
        ("posts-unlisted", Self::PostsUnlisted),
        ("interactions-unlisted", Self::InteractionsUnlisted),
        ("fresh-posts", Self::FreshPosts),
        ("published-uncaused", Self::PublishedUncaused),
        ("rows-remember", Self::RowsRemember),
        ("kept-blobs", Self::KeptBlobs),
        ("open-expires", Self::OpenExpires),
        ("signal-twice", Self::SignalTwice),
        ("signal-dropped", Self::SignalDropped),
        ("signal-unseen", Self::SignalUnseen),
        ("controls-forgotten", Self::ControlsForgotten),
        ("control-dropped", Self::ControlDropped),
        ("item-skipped", Self::ItemSkipped),
        ("slice-forgotten", Self::SliceForgotten),
        ("share-ignored", Self::ShareIgnored),
        ("lanes-uncounted", Self::LanesUncounted),
        ("batch-dropped", Self::BatchDropped),
        ("firing-dropped", Self::FiringDropped),
        ("firing-twice", Self::FiringTwice),
        ("blind-dates", Self::BlindDates),
        ("dates-kept", Self::DatesKept),
        ("dates-unlooked", Self::DatesUnlooked),
        ("fork-forgets", Self::ForkForgets),
        ("fork-unlisted", Self::ForkUnlisted),
        ("definitions-unkept", Self::DefinitionsUnkept),
        ("steps-unasked", Self::StepsUnasked),
        ("blind-positions", Self::BlindPositions),
        ("activities-first", Self::ActivitiesFirst),
        ("activity-rows-kept", Self::ActivityRowsKept),
        ("activities-unlisted", Self::ActivitiesUnlisted),
        ("mail-unlisted", Self::MailUnlisted),
        ("due-unstored", Self::DueUnstored),
        ("oversized-stored", Self::OversizedStored),
        ("lookups-unobserved", Self::LookupsUnobserved),
        ("changes-lost", Self::ChangesLost),
        ("changes-remember", Self::ChangesRemember),
        ("unreadable-stops-listing", Self::UnreadableStopsListing),
    ];

    /// The bug of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, bug)| *bug)
    }

    /// The transactions that really reach the tables; one, and unchanged, without a bug.
    pub(super) fn corrupt(bug: Option<Self>, transaction: Transaction) -> Vec<Transaction> {
        let Some(bug) = bug else { return vec![transaction] };
        let Transaction { mut writes, durability } = transaction;
        match bug {
            Self::NoClaims if is_claim(&writes) => return Vec::new(),
            Self::NoWaiters => writes.retain(|write| !stands_in(write, "waiter#")),
            Self::SlotKept => actions::without_deletes(&mut writes, &["slots#"]),
            Self::LanesUncounted => writes.retain(|write| !write.address().1.sort.starts_with("budget#")),
            Self::ForkUnlisted => writes.retain(|write| !write.address().1.sort.starts_with(items::fork::PREFIX)),
            Self::DefinitionsUnkept => writes.retain(|write| !stands_in(write, items::definition::REVISIONS)),
            Self::DatesKept => actions::without_deletes(&mut writes, &["dates#"]),
            Self::ActivityRowsKept => actions::without_deletes(&mut writes, &["activities#", "assigned#"]),
            Self::DatesUnlooked => writes.retain(|write| !stands_in(write, "operation#dates.")),
            Self::BlindDates if writes.iter().any(|write| stands_in(write, "dates#")) => {
                writes.retain(|write| !matches!(write, Write::Check { .. }));
                writes.iter_mut().for_each(without_expectation);
            }
            Self::ChangesLost if writes.iter().any(|write| is_head(write.address().1)) => {
                writes.retain(|write| !stands_in(write, "changes#"));
            }
            Self::ChangesRemember => {
                writes.retain(|write| !(matches!(write, Write::Delete { .. }) && stands_in(write, "changes#")));
            }
            Self::DueUnstored => writes.retain(|write| !stands_in(write, items::due_activity::PREFIX)),
            Self::ActivitiesUnlisted => writes.retain(|write| !stands_in(write, "listen#activity/")),
            Self::InteractionsUnlisted => writes.retain(|write| !stands_in(write, "listen#interaction/")),
            Self::MailUnlisted => writes.retain(|write| !stands_in(write, "listen#email/")),
            Self::PostsUnlisted => writes.retain(|write| !stands_in(write, "listen#bus")),
            Self::NoLine => writes.retain(|write| !stands_in(write, "line#")),
            Self::LostRows => writes.retain(|write| !write.address().1.sort.starts_with(items::history::PREFIX)),
            Self::NoChecks => writes.retain(|write| !matches!(write, Write::Check { table: Table::Records, .. })),
            Self::ChildTwice => writes.iter_mut().for_each(children::rename),
            Self::RowsRemember if rewrites_rows(&writes) => return Vec::new(),
            Self::ControlDropped if carry_out(&writes) => return Vec::new(),
            Self::NotDurable => return vec![Transaction { writes, durability: Durability::Ordered }],
            Self::RecordsFirst => {
                let is_record = |write: &Write| write.address().0 == Table::Records;
                return apart(writes, durability, is_record);
            }
            Self::ActivitiesFirst => return apart(writes, durability, |write| stands_in(write, "activity#")),
            Self::SignalDropped => {
                let leaves = |write: &Write| matches!(write, Write::Delete { .. }) && stands_in(write, "signals#");
                return apart(writes, durability, leaves);
            }
            _ => writes.iter_mut().for_each(|write| bug.corrupt_write(write)),
        }
        vec![Transaction { writes, durability }]
    }

    /// What a reader of several items sees of one; `of_decision` if it reads what a decision depends on.
    pub(super) fn blind(bug: Option<Self>, key: &Key, item: &mut Option<Item>, of_decision: bool) {
        match bug {
            Some(Self::BlindKill) => item.iter_mut().for_each(without_kill),
            // Its own block is read alone.
            Some(Self::OnlyHomeBlock) if is_slots(key) => *item = Some(full(key)),
            Some(Self::BlindParents) if of_decision && is_head(key) => item.iter_mut().for_each(without_hold),
            _ => {}
        }
    }

    /// Whether it writes what stands at a key without requiring what was read.
    fn puts_blindly(self, key: &Key) -> bool {
        let partition = match self {
            Self::BlindKeys => "delivery#",
            Self::BlindPositions => "position#",
            Self::BlindWindows => "debounce#",
            Self::SlotTakenTwice => "slots#",
            _ => return false,
        };
        key.partition.starts_with(partition)
    }

    fn corrupt_write(self, write: &mut Write) {
        let is_guard = stands_in(write, "guard#");
        match (self, write) {
            (Self::BlindHeads, Write::Put { item, expect: expect @ Expect::Version(_), .. }) if is_head(&item.key) => {
                *expect = Expect::Any;
            }
            (Self::MadeAgain, Write::Put { item, expect: expect @ Expect::Absent, .. })
                if item.key.partition.starts_with("execution#") =>
            {
                *expect = Expect::Any;
            }
            (Self::BlindGuards, Write::Put { expect, .. }) if is_guard => *expect = Expect::Any,
            (Self::UnboundedPlaces, Write::Add { at_most, .. }) if is_guard => *at_most = None,
            (Self::SlotToFirstBlock, Write::Add { key, amount: -1, .. }) if is_guard => {
                let workflow = key.partition.split('#').nth(1).unwrap_or_default();
                *key = items::guard::key(workflow, Guard::ConcurrencySlots(0));
            }
            (Self::SignalTwice, Write::Delete { key, expect, .. }) if key.partition.starts_with("signals#") => {
                *expect = Expect::Any;
            }
            (Self::SignalTwice, Write::Put { item, expect, .. }) if item.key.sort.ends_with("#taken") => {
                *expect = Expect::Any;
            }
            (Self::SignalUnseen, Write::Put { item, .. }) => signals::without_look(item),
            (Self::ShareIgnored, Write::Put { item, expect: Expect::Absent, .. })
                if item.key.partition.starts_with("execution#") =>
            {
                without_share(item);
            }
            (Self::ItemSkipped, Write::Put { item, .. }) if is_head(&item.key) => loops::skip_item(item),
            (Self::SliceForgotten, Write::Put { item, .. }) if is_head(&item.key) => loops::forget_slice(item),
            (Self::BatchDropped, Write::Put { item, .. }) if item.key.partition.starts_with("operation#") => {
                actions::without_batch(item);
            }
            (Self::FiringDropped, Write::Put { item, .. }) => schedules::without_due(item),
            (Self::FiringTwice, Write::Put { item, .. }) => schedules::twice(item),
            (Self::ForkForgets, Write::Put { item, expect: Expect::Absent, .. }) if is_head(&item.key) => {
                forks::without_results(item);
            }
            (Self::StepsUnasked, Write::Put { item, .. }) if is_head(&item.key) => stepping::let_go(item),
            (_, Write::Put { item, expect, .. }) if self.puts_blindly(&item.key) => *expect = Expect::Any,
            (Self::UnobservedRows, Write::Put { item, .. }) if item.key.partition.starts_with("execution#") => {
                without_observed(item);
            }
            (Self::LookupsUnobserved, Write::Put { item, .. }) if is_head(&item.key) => lookups::unobserved(item),
            (Self::ControlsForgotten, Write::Put { item, .. }) if is_head(&item.key) => without_controls(item),
            (Self::JoinTwice, Write::Put { item, expect, .. }) if is_join(item) => *expect = Expect::Any,
            (Self::OpenExpires, Write::Put { item, .. }) if is_head(&item.key) => expire_early(item),
            (Self::NoLease, Write::Put { item, .. }) if is_head(&item.key) => without_lease(item),
            _ => {}
        }
    }
}

fn stands_in(write: &Write, partition: &str) -> bool {
    write.address().1.partition.starts_with(partition)
}

fn is_slots(key: &Key) -> bool {
    key.partition.starts_with("guard#") && key.sort == "slots"
}

/// Some writes in a transaction of their own, before the others.
fn apart(writes: Vec<Write>, durability: Durability, first: impl Fn(&Write) -> bool) -> Vec<Transaction> {
    let (first, rest): (Vec<_>, Vec<_>) = writes.into_iter().partition(first);
    let parts = [first, rest].into_iter().filter(|part| !part.is_empty());
    parts.map(|writes| Transaction { writes, durability }).collect()
}

/// A write that requires nothing of what it overwrites.
fn without_expectation(write: &mut Write) {
    if let Write::Put { expect, .. } = write {
        *expect = Expect::Any;
    }
}

/// A head that knows no control of a step.
fn without_controls(item: &mut Item) {
    if let Ok(Some((mut head, rows))) = items::execution::parse_whole(item) {
        head.step_controls.clear();
        *item = items::execution::changed(item, &head, &rows).expect("it was just read");
    }
}

/// A counter that has reached any limit.
fn full(key: &Key) -> Item {
    let body = counter_body(i64::from(u32::MAX));
    Item { key: key.clone(), version: 1, indexes: Vec::new(), expires_at: None, body }
}

fn is_head(key: &Key) -> bool {
    key.partition.starts_with("execution#") && key.sort == "head"
}

/// The head and its rows alone, with a lease.
fn is_claim(writes: &[Write]) -> bool {
    let [Write::Put { item, .. }, rows @ ..] = writes else { return false };
    let leased = items::execution::parse(item).is_ok_and(|head| head.is_some_and(|head| !head.leases.is_empty()));
    let is_rows = |write: &Write| write.address().1.sort.starts_with(items::history::PREFIX);
    is_head(&item.key) && leased && rows.iter().all(is_rows)
}

/// A workflow or the installation as if nobody had killed it.
fn without_kill(item: &mut Item) {
    if let Ok(mut head) = items::workflow::parse_head(item) {
        head.killed = None;
        item.body = items::workflow::head_item(&head).body;
    } else if let Ok(mut controls) = items::installation::parse(item)
        && item.key == items::installation::key()
    {
        controls.killed = None;
        item.body = items::installation::item(&controls, item.version).body;
    }
}

/// The head of an execution that has just gone on because its children have ended.
fn is_join(item: &Item) -> bool {
    let Ok(Some((head, rows))) = items::execution::parse_whole(item) else { return false };
    let last = rows.last().filter(|row| row.seq == head.seq);
    is_head(&item.key)
        && last.is_some_and(|row| row.error.is_none() && !children_of_row(row).is_empty() && head.entered.is_none())
}

/// A head that seems to run and to hold nobody.
fn without_hold(item: &mut Item) {
    if let Ok(Some((mut head, rows))) = items::execution::parse_whole(item) {
        head.status = Status::Completed;
        head.killed = None;
        head.requested = None;
        *item = items::execution::changed(item, &head, &rows).expect("it was just read");
    }
}

/// What a lane begins with, as if no limit were shared.
fn without_share(item: &mut Item) {
    let key = "\"steps_most\":";
    if let Some((before, after)) = item.body.split_once(key) {
        let rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
        item.body = format!("{before}{key}1000{rest}");
    }
}

/// Rows that left the head are written again only without their values.
fn rewrites_rows(writes: &[Write]) -> bool {
    let is_rows = |item: &Item| item.key.sort.starts_with(items::history::PREFIX);
    matches!(writes, [Write::Put { item, expect: Expect::Version(_), .. }] if is_rows(item))
}

/// A head that expires as long after its beginning as it should after its end.
fn expire_early(item: &mut Item) {
    if let Ok(Some(head)) = items::execution::parse(item) {
        item.expires_at = Some(head.created_at + SignedDuration::from_hours(7 * 24));
    }
}

fn without_lease(item: &mut Item) {
    if let Ok(Some((mut head, rows))) = items::execution::parse_whole(item) {
        head.leases.clear();
        *item = items::execution::changed(item, &head, &rows).expect("it was just read");
    }
}

/// The rows of a head, or those that left it, without what they were decided on.
fn without_observed(item: &mut Item) {
    if let Ok(Some((head, mut rows))) = items::execution::parse_whole(item) {
        for row in &mut rows {
            row.observed = Value::Null;
        }
        *item = items::execution::changed(item, &head, &rows).expect("it was just read");
    } else if let (Some(id), Ok(mut rows)) =
        (item.key.partition.strip_prefix("execution#"), items::history::parse(item))
    {
        for row in &mut rows {
            row.observed = Value::Null;
        }
        if let Some(Write::Put { item: without, .. }) = items::history::writes(id, &rows).pop() {
            *item = without;
        }
    }
}
