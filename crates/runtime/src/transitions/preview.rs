//! What the step that a paused execution stands before would do. It is decided as the executor would decide it, and nothing of it
//! is written or performed.

use async_recursion::async_recursion as boxed;
use jiff::Timestamp;
use pawl_engine::{Context, Decision, Found, LookedUp, Lookups, Preview, Read, try_enter};

use super::{Run, Transitions};
use crate::snapshot::Snapshot;
use crate::values::StoredChunks;
use crate::{Error, Finder, lookups, reads};

/// The step that a paused execution stands before, and what it would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Ahead {
    /// The step.
    pub step: String,
    /// Its type.
    pub step_type: String,
    /// What it would do.
    pub would: Preview,
}

impl Transitions {
    /// The step that an execution stands before, with what it would do by the variables and the record as they are now; the inner
    /// `None` if it stands before none, the outer if there is no such execution.
    #[boxed]
    pub async fn ahead(&self, execution: &str) -> Result<Option<Option<Ahead>>, Error> {
        let Some(run) = self.load(execution).await? else { return Ok(None) };
        if run.execution.stands_before().is_none() {
            return Ok(Some(None));
        }
        let now = self.clock.now();
        let snapshot = self.snapshot(&run, now, false).await?;
        let step = run.execution.stands_before().and_then(|id| snapshot.plan.step(id));
        let Some(step) = step else { return Ok(Some(None)) };
        let would = match self.would_enter(&run, &snapshot, now).await? {
            Some(decision) => Preview::of(&decision),
            None => return Ok(Some(None)),
        };
        Ok(Some(Some(Ahead { step: step.id.clone(), step_type: step.kind.tag().to_owned(), would })))
    }

    /// What entering the step comes to, with the reads that the step asks for.
    async fn would_enter(&self, run: &Run, snapshot: &Snapshot, now: Timestamp) -> Result<Option<Decision>, Error> {
        let (finder, chunks) =
            (Finder::new(self.tables.clone(), self.catalog.shared_unreadable()), StoredChunks::new(self.blobs.clone()));
        let (finder, chunks) = (&finder, &chunks);
        let decide = |found: Option<Found>| {
            let enter = move |known: &[LookedUp]| {
                let cx = Context { lookups: Lookups::of(known), ..snapshot.context(&run.event, now, &run.invocation) };
                try_enter(&cx, &run.execution, found.as_ref()).ok_or(())
            };
            async move { lookups::decided((finder, &snapshot.objects), &enter).await }
        };
        let Ok(decision) = decide(None).await? else { return Ok(None) };
        let decide = &decide;
        let answer = |read: Read| -> reads::Answer<'_> {
            Box::pin(async move {
                read.objects().into_iter().try_for_each(|object| snapshot.objects.require(object))?;
                let found = match &read {
                    Read::Values { owner, chunks: names, at } => {
                        let owner = owner.as_deref().unwrap_or(&run.execution.id);
                        chunks.read(owner, names, *at).await?
                    }
                    read => finder.answer(read, &snapshot.objects).await?,
                };
                Ok(decide(Some(found)).await?.expect("it stands before the step that asked for the read"))
            })
        };
        match reads::answered(decision, &answer).await? {
            Ok(decision) => Ok(Some(decision)),
            Err(error) => {
                let found = Found { refused: Some(error), ..Found::default() };
                Ok(decide(Some(found)).await?.ok())
            }
        }
    }
}
