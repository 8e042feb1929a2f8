//! What the runtime writes for the effects of a transition, and what it does after their commit. One file for each effect,
//! and one line in the registry below.

mod move_position;
mod notify;
mod store_values;
mod take_signal;
mod write_activity;
mod write_record;

use async_trait::async_trait;
use jiff::Timestamp;
use pawl_engine::{Commit, Effect, Execution, RecordWrite};

use crate::notices::Notices;
use crate::ports::{Blobs, Durability, Write};
use crate::{Error, Objects};

/// The transition that an effect belongs to.
#[derive(Clone, Copy)]
pub(crate) struct EffectContext<'a> {
    /// The head after it.
    pub(crate) execution: &'a Execution,
    /// The step that it is of.
    pub(crate) step: Option<&'a str>,
    /// Its time.
    pub(crate) at: Timestamp,
    /// Objects by id.
    pub(crate) objects: &'a Objects,
    /// Its place among the effects of the transition, from 0.
    pub(crate) place: usize,
}

/// What the runtime does for one effect.
#[async_trait]
pub(crate) trait EffectHandler: Sync {
    /// What is written in the transaction of its transition.
    fn writes(&self, cx: &EffectContext<'_>) -> Vec<Write>;

    /// What is done before its transition is written. Doing it again changes nothing.
    async fn prepare(&self, _cx: &EffectContext<'_>, _blobs: &dyn Blobs) -> Result<(), Error> {
        Ok(())
    }

    /// Whether its transition waits until it is on disk: something leaves Pawl by it.
    fn durability(&self) -> Durability {
        Durability::Ordered
    }

    /// The change of a record that it makes.
    fn change(&self) -> Option<&RecordWrite> {
        None
    }

    /// What follows once it is written. If the process dies before, the sweeper does it.
    async fn committed(&self, _cx: &EffectContext<'_>, _notices: &Notices) {}
}

/// The handler of an effect.
fn handler(effect: &Effect) -> &dyn EffectHandler {
    match effect {
        Effect::WriteRecord(write) => &**write,
        Effect::WriteActivity(write) => &**write,
        Effect::Notify(notice) => notice,
        Effect::TakeSignal(taken) => &**taken,
        Effect::MovePosition(moves) => &**moves,
        Effect::StoreValues(stored) => &**stored,
    }
}

fn each<'a>(
    commit: &'a Commit,
    objects: &'a Objects,
) -> impl Iterator<Item = (&'a dyn EffectHandler, EffectContext<'a>)> {
    let step = commit.row.step.as_deref();
    let cx = EffectContext { execution: &commit.execution, step, at: commit.row.at, objects, place: 0 };
    commit.effects.iter().enumerate().map(move |(place, effect)| (handler(effect), EffectContext { place, ..cx }))
}

/// What the effects of a transition write in its transaction.
pub(crate) fn writes(commit: &Commit, objects: &Objects) -> Vec<Write> {
    each(commit, objects).flat_map(|(effect, cx)| effect.writes(&cx)).collect()
}

/// Does what must be done before a transition is written.
pub(crate) async fn prepare(commit: &Commit, objects: &Objects, blobs: &dyn Blobs) -> Result<(), Error> {
    for (effect, cx) in each(commit, objects) {
        effect.prepare(&cx, blobs).await?;
    }
    Ok(())
}

/// How long the transition waits for its effects.
pub(crate) fn durability(commit: &Commit) -> Durability {
    let is_durable = |effect| handler(effect).durability() == Durability::Durable;
    if commit.effects.iter().any(is_durable) { Durability::Durable } else { Durability::Ordered }
}

/// The changes of records that a transition makes.
pub(crate) fn changes(commit: &Commit) -> impl Iterator<Item = &RecordWrite> {
    commit.effects.iter().filter_map(|effect| handler(effect).change())
}

/// Does what follows the commit of a transition.
pub(crate) async fn committed(commit: &Commit, objects: &Objects, notices: &Notices) {
    for (effect, cx) in each(commit, objects) {
        effect.committed(&cx, notices).await;
    }
}
