//! Tracked actions: what people do to many executions or records at once, as operations.
//!
//! - `pages`: counts whom an action concerns, then acts on them, batch by batch.
//! - `control`, `start`: one file for each kind of action: whom it concerns, what it does to one, why it would be refused.
//! - here: how an action begins, and what people do to it.
//!
//! Nobody is touched twice and nobody is forgotten, wherever a process dies: the batch is stored before anybody in it is
//! touched, together with where the search goes on. A batch that is touched again finds what was done: a control has an id
//! that follows from the action ([`pawl_engine::ids::action_control_id`]), and so has the event of a start.

mod control;
mod pages;
mod start;

use async_recursion::async_recursion as boxed;
use jiff::SignedDuration;
use pawl_engine::{Act, ids};
use serde_json::json;

use super::action::{Action, ActionLimits, Counts, Preview, Task};
use super::{Operations, RACES};
use crate::items::audit::{self, ActionEntry, Entry, Stage};
use crate::items::operation::{Operation, State};
use crate::items::operation_records::{self, PER_ITEM};
use crate::items::operation_result::{self, OperationResult};
use crate::items::{self, Unreadable};
use crate::ports::{Durability, Expect, Query, SortRange, Transaction, Write};
use crate::{Error, Listed};

/// How long a request counts before it answers; what is left to count is counted by messages.
const COUNTED_AT_ONCE: SignedDuration = SignedDuration::from_millis(1_500);

/// Most records that are given with a request.
pub const LISTED_MOST: usize = 10_000;

/// Most bytes of the values that each start gets.
const VALUES_MOST: usize = 32 * 1024;

/// An action to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAction {
    /// What it does, and to whom.
    pub task: Task,
    /// The records of [`super::action::Records::Listed`].
    pub listed: Vec<String>,
    /// Who begins it, when and why.
    pub by: Act,
    /// How fast it goes.
    pub limits: ActionLimits,
    /// It only counts, until a person lets it run.
    pub awaits_run: bool,
    /// Identifies the request: a repeat begins nothing.
    pub key: Option<String>,
}

/// Why nothing was done to an action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// A filter without a key would mean everything.
    #[error("expected a filter with at least one key, found none")]
    EmptyFilter,
    /// The filter cannot be used.
    #[error("{detail}")]
    BadFilter {
        /// Where it is wrong.
        path: &'static str,
        /// What was expected and found.
        detail: String,
    },
    /// The key was used for another action.
    #[error("expected the same action as the first with this key, found another one")]
    OtherContent,
    /// No action has this id.
    #[error("there is no action {0:?}")]
    NotFound(String),
    /// It does not fit the state of the action.
    #[error("cannot {verb} an action that is {state}")]
    Illegal {
        /// What was asked.
        verb: &'static str,
        /// The state of the action, in a word.
        state: String,
    },
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// What a person does to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// It has counted, and acts now.
    Run,
    /// It stops after the batch in hand.
    Pause,
    /// It goes on.
    Resume,
    /// It stops for good after the batch in hand; what it did stays.
    Cancel,
}

impl Handling {
    fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }

    /// The state after it; `None` if it does not fit the present one.
    fn after(self, state: State) -> Option<State> {
        match (self, state) {
            (Self::Run, State::Ready | State::Running)
            | (Self::Resume, State::Paused | State::Failed | State::Running) => Some(State::Running),
            (Self::Pause, State::Running | State::Paused) => Some(State::Paused),
            (Self::Cancel, State::Completed) => None,
            (Self::Cancel, _) => Some(State::Canceled),
            _ => None,
        }
    }

    fn stage(self) -> Stage {
        match self {
            Self::Run => Stage::Begun,
            Self::Pause => Stage::Paused,
            Self::Resume => Stage::Resumed,
            Self::Cancel => Stage::Canceled,
        }
    }
}

impl Operations {
    /// Begins an action. One that only counts is counted at once, as far as a request can wait.
    #[boxed]
    pub async fn begin_action(&self, new: NewAction) -> Result<Operation, ActionError> {
        self.check(&new).await?;
        let NewAction { task, listed, by, limits, awaits_run, key } = new;
        let id = self.action_id(&task, key.as_deref());
        let action = Action {
            task,
            by,
            limits,
            awaits_run,
            preview: Preview::default(),
            counts: Counts::default(),
            batch: Vec::new(),
            is_searched: false,
            free_at: None,
        };
        let operation = Operation::of_action(id, action);
        let records = listed.chunks(PER_ITEM).enumerate();
        let records = records.map(|some| operation_records::item(&operation.id, operation.begun_at, some));
        let put = |item| Write::Put { table: operation_records::TABLE, item, expect: Expect::Any };
        let writes = std::iter::once(operation.begin()).chain(records.map(put)).collect();
        match self.tables.transact(Transaction { writes, durability: Durability::Durable }).await.map_err(Error::from) {
            Err(error) if error.is_conflict() => return self.repeated(&operation).await,
            result => result?,
        }
        self.set_going(&operation, awaits_run).await;
        self.of_id(&operation.id).await
    }

    /// A request that is repeated gets the action that the first one began.
    async fn repeated(&self, asked: &Operation) -> Result<Operation, ActionError> {
        let present = self.of_id(&asked.id).await?;
        let task = |operation: &Operation| operation.action.as_ref().map(|action| action.task.clone());
        if task(&present) == task(asked) { Ok(present) } else { Err(ActionError::OtherContent) }
    }

    /// Counts at once, or sends the message that does.
    async fn set_going(&self, operation: &Operation, counts_at_once: bool) {
        let deadline = self.now() + COUNTED_AT_ONCE;
        let counted = if counts_at_once { self.go_on(&operation.id, Some(deadline)).await.is_ok() } else { false };
        if !counted {
            self.send_begun(&operation.id).await;
        }
    }

    async fn check(&self, new: &NewAction) -> Result<(), ActionError> {
        match &new.task {
            Task::Control(controls) if controls.selection.is_empty() => Err(ActionError::EmptyFilter),
            Task::Control(_) => Ok(()),
            Task::Start(starts) => self.check_starts(starts, &new.listed).await,
        }
    }

    /// The id of an action: of the key of its request, or a fresh one that is ordered by time.
    fn action_id(&self, task: &Task, key: Option<&str>) -> String {
        let fresh = || format!("{:012x}{:08x}", self.now().as_millisecond(), self.transitions.random.bits() >> 96);
        format!("{}.{}", task.word(), key.map_or_else(fresh, |key| ids::action_digest(task.word(), key)))
    }

    async fn of_id(&self, id: &str) -> Result<Operation, ActionError> {
        let operation = self.read(id).await?.filter(|operation| operation.action.is_some());
        operation.ok_or_else(|| ActionError::NotFound(id.to_owned()))
    }

    /// Does something to an action. Doing it again changes nothing.
    #[boxed]
    pub async fn handle_action(&self, id: &str, handling: Handling, act: &Act) -> Result<Operation, ActionError> {
        for _ in 0..RACES {
            let operation = self.of_id(id).await?;
            let illegal = || ActionError::Illegal { verb: handling.word(), state: operation.state.as_str().to_owned() };
            if handling == Handling::Run && is_counting(&operation) {
                let state = "still counting whom it concerns".to_owned();
                return Err(ActionError::Illegal { verb: handling.word(), state });
            }
            let state = handling.after(operation.state).ok_or_else(illegal)?;
            if state == operation.state {
                return Ok(operation);
            }
            let mut after = Operation { state, updated_at: self.now(), ..operation };
            let action = after.action.as_mut().expect("an action was read");
            action.awaits_run &= handling != Handling::Run;
            let entry = entry(&after, handling.stage(), act);
            match self.write_with(after, entry.into_iter().collect()).await {
                Err(error) if error.is_conflict() => {}
                written => {
                    let written = written?;
                    if written.state == State::Running {
                        self.send_begun(id).await;
                    }
                    return Ok(written);
                }
            }
        }
        Err(Error::Contended(id.to_owned()).into())
    }

    /// The targets that an action did not touch as it should, and why, by their ids.
    #[boxed]
    pub async fn results(
        &self,
        id: &str,
        limit: usize,
        after: Option<String>,
    ) -> Result<Listed<OperationResult>, Error> {
        let range = SortRange::Prefix(operation_result::PREFIX.to_owned());
        let query = Query::of(operation_result::TABLE, items::operation::partition(id)).range(range);
        let page = self.tables.query(&query.limit(limit).after(after)).await?;
        let (items, unreadable): (Vec<_>, Vec<Unreadable>) =
            self.catalog.unreadable().read(&page.items, operation_result::parse);
        Ok(Listed { items, next: page.next, unreadable })
    }
}

/// Whether an action counts, and then waits for a person.
fn is_counting(operation: &Operation) -> bool {
    operation.state == State::Running && operation.action.as_ref().is_some_and(|action| action.awaits_run)
}

/// The entry of the audit that tells of an action.
fn entry(operation: &Operation, stage: Stage, act: &Act) -> Option<Write> {
    let action = operation.action.as_ref()?;
    let entry = ActionEntry {
        id: operation.id.clone(),
        action: action.task.word().to_owned(),
        stage,
        filter: action.task.filter(),
        found: action.preview.count,
        counts: json!(action.counts),
    };
    Some(audit::write_action(&Entry::of_action(action.task.workflow(), entry, act), operation.version + 1))
}
