//! Items that nobody can read for a while, until an operator restores them.
//!
//! Storage keeps them as they are, and readers are shown a broken body. What is written meanwhile can be read again, as
//! after any write of a whole item.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use pawl_runtime::ports::{Item, Key, Table, TableError, Transaction, Write};

use super::chance::Chance;
use super::hub::State;

/// Damages of one run: each costs the messages that meet it many deliveries.
const MOST: u32 = 3;

/// How a body is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// It is no JSON; so a body looks that cannot be unpacked.
    NoJson,
    /// It ends in the middle.
    CutOff,
    /// It is an object without the fields that its reader needs.
    NoFields,
}

/// One item that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damage {
    harm: Harm,
    pub(super) since: Timestamp,
    until: Timestamp,
    /// No other item was unreadable at the same time.
    pub(super) is_alone: bool,
}

/// The items that cannot be read now.
#[derive(Debug, Default)]
pub(super) struct UnreadableItems {
    items: BTreeMap<(Table, Key), Damage>,
    happened: u32,
    /// Somebody should look at the listings.
    pub(super) is_new: bool,
}

impl UnreadableItems {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// When an operator restores the next one.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.items.values().map(|damage| damage.until).min()
    }

    /// Shows an item as readers see it; whether it cannot be read.
    pub(super) fn show(&self, table: Table, item: &mut Item) -> bool {
        // Nearly always.
        if self.items.is_empty() {
            return false;
        }
        let Some(damage) = self.items.get(&(table, item.key.clone())) else { return false };
        item.body = damage.harm.body(&item.body);
        true
    }

    /// A counter that cannot be read takes no addition.
    pub(super) fn refuses(&self, transaction: &Transaction) -> Option<TableError> {
        let is_broken = |write: &Write| {
            let (table, key) = write.address();
            matches!(write, Write::Add { .. }) && self.items.contains_key(&(table, key.clone()))
        };
        let refused = !self.items.is_empty() && transaction.writes.iter().any(is_broken);
        refused.then(|| TableError::Invalid("expected a counter with the body {\"count\": n}".to_owned()))
    }

    /// Items that were written can be read.
    pub(super) fn written(&mut self, transaction: &Transaction) {
        if self.items.is_empty() {
            return;
        }
        for write in transaction.writes.iter().filter(|write| !matches!(write, Write::Check { .. })) {
            let (table, key) = write.address();
            self.items.remove(&(table, key.clone()));
        }
    }

    /// An operator restores those whose time has come.
    pub(super) fn mend(&mut self, now: Timestamp) -> Vec<(Key, Damage)> {
        let due: Vec<_> =
            self.items.iter().filter(|(_, damage)| damage.until <= now).map(|(at, _)| at.clone()).collect();
        let mended = due.into_iter().filter_map(|at| Some((at.1.clone(), self.items.remove(&at)?)));
        mended.collect()
    }
}

impl Harm {
    fn body(self, whole: &str) -> String {
        match self {
            Self::NoJson => "\u{1}".to_owned(),
            Self::CutOff => whole.chars().take(whole.chars().count() / 2).collect(),
            Self::NoFields => "{}".to_owned(),
        }
    }
}

/// One of the items that are being read becomes unreadable, if chance says so; a line for the trace.
pub(super) fn strike(state: &mut State, now: Timestamp, found: &[(Table, &mut Item)]) -> Option<String> {
    let most = state.profile.unreadable;
    let items = &state.unreadable;
    let broken = |table: Table, key: &Key| items.items.contains_key(&(table, key.clone()));
    let open = |(table, item): &&(Table, &mut Item)| is_read(&item.key) && !broken(*table, &item.key);
    if most == 0 || items.happened >= MOST {
        return None;
    }
    let open: Vec<_> = found.iter().filter(open).map(|(table, item)| (*table, item.key.clone())).collect();
    if open.is_empty() || !state.disturbs(most) {
        return None;
    }
    let (table, key) = state.chance.pick(&open).clone();
    let harm = harm(&state.chance, &key);
    let span = if state.chance.percent(25) { (1_800, 2_700) } else { (1, 600) };
    let until = now + state.chance.millis(span.0 * 1_000, span.1 * 1_000);
    let items = &mut state.unreadable;
    items.items.values_mut().for_each(|damage| damage.is_alone = false);
    let damage = Damage { harm, since: now, until, is_alone: items.items.is_empty() };
    let line = format!("{}/{} cannot be read until {until}: {harm:?}", key.partition, key.sort);
    items.items.insert((table, key), damage);
    items.happened += 1;
    items.is_new = true;
    state.counts.add("unreadable items");
    Some(line)
}

/// Whether anybody reads the body: an item that only says that somebody listens has none.
fn is_read(key: &Key) -> bool {
    !key.partition.starts_with("waiter#") && !key.partition.starts_with("listen#")
}

/// A body without fields is broken only if one of them must be there.
fn harm(chance: &Chance, key: &Key) -> Harm {
    let kind = key.partition.split('#').next().unwrap_or_default();
    let harm = *chance.pick(&[Harm::NoJson, Harm::CutOff, Harm::NoFields]);
    let takes_any = matches!(kind, "guard" | "usage" | "installation");
    if harm == Harm::NoFields && takes_any { Harm::NoJson } else { harm }
}

impl Damage {
    /// How long it lasted.
    pub(super) fn lasted(&self) -> SignedDuration {
        self.until.duration_since(self.since)
    }
}
