//! Starts a workflow for an event, at most once, or refuses it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_definition::Trigger;
use pawl_engine::{Event, Execution, Plan, StepError, debounce, ids, slots, triggers};

use super::Outcome;
use super::matching::{self, Matched, ToStart};
use crate::admission::{Admission, Admitted, Denied, Reason};
use crate::breaker::Breaker;
use crate::dispatch::Dispatcher;
use crate::items::refusal::Refusal;
use crate::items::workflow::Head;
use crate::ports::{BlobOwner, Blobs, Clock, Consistency, Durability, Expect, Tables, Transaction, Write};
use crate::refusals::{self, Refusals};
use crate::{Catalog, Error, Intake, Metrics, items, offload};

/// How often a start that lost a race on a guard is tried again before the message is given back.
pub(super) const RACES: usize = 8;

/// Makes executions.
pub(crate) struct Starter {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<dyn Tables>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) intake: Arc<Intake>,
}

/// An event that asks a workflow to start.
pub(super) struct Asked<'a> {
    pub(super) plan: &'a Plan,
    pub(super) event: &'a Event,
    /// Version of the refusal that stands in the execution's place, and does not stand against it.
    pub(super) over: Option<u64>,
    /// Ends the window whose events became the event, with whatever comes of it.
    pub(super) closes: Option<&'a Write>,
}

/// What an earlier delivery of an event came to.
pub(super) enum Earlier {
    Decided(Outcome),
    /// Nothing yet.
    Undecided(Undecided),
}

/// What a start that is not decided yet is decided on.
#[derive(Default)]
pub(super) struct Undecided {
    /// The version of a refusal that does not stand.
    pub(super) over: Option<u64>,
    /// The workflow as it is.
    pub(super) head: Option<Box<Head>>,
    /// When the record was forgotten.
    pub(super) forgotten: Option<Timestamp>,
}

impl Starter {
    /// Starts a workflow for an event, at most once, if one of its triggers matches and the guards let it pass.
    pub(crate) async fn start(&self, workflow: &str, event: &Event) -> Result<Outcome, Error> {
        if event.is_unfilled() && event.trigger.is_none() {
            return self.start_filled(workflow, event).await;
        }
        self.start_as_it_is(workflow, event).await
    }

    /// The same, unless the event moves a date of the workflow: then nothing is decided yet, and it is `None`.
    pub(super) async fn start_unless_it_moves(&self, workflow: &str, event: &Event) -> Result<Option<Outcome>, Error> {
        if event.is_unfilled() && event.trigger.is_none() {
            return self.start_filled(workflow, event).await.map(Some);
        }
        self.start_in_turn(workflow, event, true).await
    }

    /// Starts it for an event that is whole.
    pub(super) async fn start_as_it_is(&self, workflow: &str, event: &Event) -> Result<Outcome, Error> {
        let outcome = self.start_in_turn(workflow, event, false).await?;
        Ok(outcome.expect("only what may move a date is left undecided"))
    }

    async fn start_in_turn(&self, workflow: &str, event: &Event, may_move: bool) -> Result<Option<Outcome>, Error> {
        let mut taken = None;
        for _ in 0..RACES {
            match self.try_start(workflow, event, may_move).await {
                Err(error) if error.is_conflict() || error.is_unknown() => taken = error.taken(),
                result => return result,
            }
        }
        match taken {
            Some(error) => self.reject(workflow, event, error).await.map(Some),
            None => Err(Error::Contended(ids::execution_id(&event.id, workflow))),
        }
    }

    /// Refuses a start whose record can never be made.
    async fn reject(&self, workflow: &str, event: &Event, error: StepError) -> Result<Outcome, Error> {
        let (over, head) = match self.earlier(workflow, &ids::execution_id(&event.id, workflow), event).await? {
            Earlier::Decided(outcome) => return Ok(outcome),
            Earlier::Undecided(Undecided { over, head, .. }) => (over, head),
        };
        let Some(head) = head else { return Ok(Outcome::NoMatch) };
        let plan = self.catalog.plan(workflow, head.revision).await?;
        let reason = Reason { code: "duplicate_record", message: error.message, opens_breaker: false };
        self.refuse(&Asked { plan: &plan, event, over, closes: None }, event.trigger.as_deref(), &reason).await
    }

    async fn try_start(&self, workflow: &str, event: &Event, may_move: bool) -> Result<Option<Outcome>, Error> {
        let id = ids::execution_id(&event.id, workflow);
        let Undecided { over, head, forgotten } = match self.earlier(workflow, &id, event).await? {
            Earlier::Decided(outcome) => return Ok(Some(outcome)),
            Earlier::Undecided(undecided) => undecided,
        };
        let Some(head) = head else { return Ok(Some(Outcome::NoMatch)) };
        let plan = self.plan(workflow, event, &head).await?;
        if may_move
            && event.workflow.is_none()
            && plan.workflow.triggers.iter().any(|trigger| triggers::moves(trigger, &plan, event))
        {
            return Ok(None);
        }
        let asked = Asked { plan: &plan, event, over, closes: None };
        self.decide(&asked, (&head, forgotten)).await.map(Some)
    }

    /// Starts it or refuses it. A part of an execution that was let in passes no guard.
    async fn decide(&self, asked: &Asked<'_>, (head, forgotten): (&Head, Option<Timestamp>)) -> Result<Outcome, Error> {
        let (plan, event, now) = (asked.plan, asked.event, self.clock.now());
        if event.region.is_some() {
            return self.create(asked, Admitted::default(), now).await;
        }
        if let Some(start) = &event.fork {
            return self.fork(asked, start, forgotten).await;
        }
        if event.trigger.as_ref().is_some_and(|trigger| matching::is_goals(plan, trigger)) {
            // A goal's webhook: it starts nothing, and goals that wait for it find it by its topic.
            return Ok(Outcome::NoMatch);
        }
        let gone = forgotten.map(|at| record_forgotten(event, at));
        if let Some(reason) = gone.or_else(|| too_old(plan, event.occurred_at, now)) {
            return self.refuse(asked, event.trigger.as_deref(), &reason).await;
        }
        // An inactive workflow starts by no trigger and by no other workflow; a person may start it all the same.
        let is_manual = event.kind.facts().is_by_hand && event.parent.is_none();
        if !head.active && !is_manual {
            return self.inactive(asked, "the workflow is inactive").await;
        }
        if let Some(since) = head.active_since.filter(|since| event.occurred_at < *since && !is_manual) {
            let message = format!("it happened before the workflow became active at {since}");
            return self.inactive(asked, &message).await;
        }
        let to_start = match matching::matched(&self.catalog, plan, event, now).await? {
            Matched::By(to_start) => to_start,
            Matched::Nobody => return Ok(Outcome::NoMatch),
            Matched::Refused(trigger, reason) => return self.refuse(asked, trigger.as_deref(), &reason).await,
        };
        match matching::collects(plan, event) {
            Some(debounce) if head.suspended.is_none() || is_manual => self.collect(asked, to_start, debounce).await,
            None if plan.workflow.limits.debounce.is_some() => {
                let alone = debounce::merged(&event.id, vec![event.clone()]).expect("there is an event");
                self.admit(&Asked { event: &alone, ..*asked }, head, to_start).await
            }
            _ => self.admit(asked, head, to_start).await,
        }
    }

    /// Why a start would be refused now: code and message. It starts nothing and stores no refusal.
    pub(crate) async fn would_refuse(&self, workflow: &str, event: &Event) -> Result<Option<(String, String)>, Error> {
        let told = |reason: Reason| Ok(Some((reason.code.to_owned(), reason.message)));
        let execution = ids::execution_id(&event.id, workflow);
        let Undecided { head, forgotten, .. } = match self.earlier(workflow, &execution, event).await? {
            Earlier::Decided(Outcome::Refused { code, message }) => return Ok(Some((code, message))),
            Earlier::Decided(_) => return Ok(None),
            Earlier::Undecided(undecided) => undecided,
        };
        let Some(head) = head else {
            return Ok(Some(("no_workflow".to_owned(), format!("there is no workflow {workflow:?}"))));
        };
        let plan = self.catalog.plan(workflow, head.revision).await?;
        let now = self.clock.now();
        if let Some(reason) =
            forgotten.map(|at| record_forgotten(event, at)).or_else(|| too_old(&plan, event.occurred_at, now))
        {
            return told(reason);
        }
        let makes_record = match matching::matched(&self.catalog, &plan, event, now).await? {
            Matched::Refused(_, reason) => return told(reason),
            Matched::By(_) if matching::collects(&plan, event).is_some() => return Ok(None),
            Matched::By(to_start) => !to_start.creation.is_empty(),
            Matched::Nobody => false,
        };
        let (tables, catalog) = (&*self.tables, &*self.catalog);
        let execution = execution.as_str();
        let admission = Admission { tables, catalog, plan: &plan, event, execution, makes_record, now };
        match admission.ask().await {
            Ok(_) => Ok(None),
            Err(Denied::Refused(reason)) => told(reason),
            Err(Denied::Failed(error)) => Err(error),
        }
    }

    /// Whether the record of an event passes the filter of a trigger.
    ///
    /// # Errors
    /// The filter cannot be evaluated on it: `Ok` of the error's own `Result` says why. Or something could not be read.
    pub(crate) async fn passes(
        &self,
        (plan, filter): (&Plan, &Trigger),
        event: &Event,
    ) -> Result<bool, Result<StepError, Error>> {
        matching::passes(&self.catalog, (plan, filter), event, self.clock.now()).await
    }

    /// Asks the guards of a start that a trigger lets pass, and starts or refuses.
    pub(super) async fn admit(&self, asked: &Asked<'_>, head: &Head, to_start: ToStart) -> Result<Outcome, Error> {
        let Asked { plan, event, .. } = *asked;
        let ToStart { trigger, creation, unheard, slot_key, .. } = to_start;
        let is_manual = event.kind.facts().is_by_hand && event.parent.is_none();
        if let Some(act) = head.suspended.as_ref().filter(|_| !is_manual) {
            let message = format!("its triggers are suspended: {}", act.reason.as_deref().unwrap_or("by the breaker"));
            let reason = Reason { code: "breaker", message, opens_breaker: false };
            return self.refuse(asked, Some(&trigger), &reason).await;
        }
        let now = self.clock.now();
        let admission = Admission {
            tables: &*self.tables,
            catalog: &self.catalog,
            plan,
            event,
            execution: &ids::execution_id(&event.id, &plan.workflow.id),
            makes_record: !creation.is_empty(),
            now,
        };
        match admission.ask().await {
            Ok(admitted) => {
                let admitted = admitted.with((creation, unheard), slot_key);
                self.create(asked, Admitted { trigger: Some(trigger), ..admitted }, now).await
            }
            Err(Denied::Failed(error)) => Err(error),
            Err(Denied::Refused(reason)) => {
                if reason.opens_breaker {
                    self.breaker.open(&plan.workflow.id, &reason.message).await?;
                }
                self.refuse(asked, Some(&trigger), &reason).await
            }
        }
    }

    /// The revision by which an execution begins: a part of one that keeps the revision which it began with has the same.
    async fn plan(&self, workflow: &str, event: &Event, head: &Head) -> Result<Arc<Plan>, Error> {
        let of_fork = event.fork.as_ref().and_then(|start| start.revision);
        let kept = event.region.as_ref().map_or(of_fork, |start| start.revision);
        if let Some(kept) = kept {
            return self.catalog.plan(workflow, kept).await;
        }
        let mut revision = head.revision;
        if let Some(parent) = event.parent.as_ref().filter(|_| event.region.is_some() && head.pinned) {
            let key = items::execution::key(&parent.by.execution);
            let item = self.tables.get(items::execution::TABLE, &key, Consistency::Strong).await?;
            let whole = item.as_ref().map(items::execution::parse).transpose()?.flatten();
            revision = whole.map_or(revision, |whole| whole.revision);
        }
        self.catalog.plan(workflow, revision).await
    }

    /// What an earlier delivery of the same event came to: a start, or a refusal, which stands although its reason may
    /// have passed; only one that was given up is decided anew. With the head of the workflow and whether the record was
    /// forgotten, read beside it.
    pub(super) async fn earlier(&self, workflow: &str, id: &str, event: &Event) -> Result<Earlier, Error> {
        let mut keys = vec![
            (items::execution::TABLE, items::execution::key(id)),
            (items::workflow::TABLE, items::workflow::head_key(workflow)),
        ];
        let subject = event.subject.iter().filter(|record| pawl_engine::fields::is_key(&record.id));
        keys.extend(subject.map(|record| (items::record::TABLE, items::record::key(record))));
        let found = self.tables.get_many(&keys).await?;
        let head = found[1].as_ref().map(items::workflow::parse_head).transpose()?.map(Box::new);
        // A record that cannot be read is in the way of what needs it, and of nothing here.
        let record = found.get(2).and_then(Option::as_ref).and_then(|item| items::record::parse(item).ok());
        let undecided = Undecided { over: None, head, forgotten: record.and_then(|record| record.forgotten) };
        let Some(item) = &found[0] else { return Ok(Earlier::Undecided(undecided)) };
        if let Some(execution) = items::execution::parse(item)? {
            return self.begun(&execution).await.map(Earlier::Decided);
        }
        Ok(match items::refusal::parse(item)?.filter(Refusal::stands) {
            Some(Refusal { collected: Some(collected), .. }) => Earlier::Decided(self.collected(collected).await?),
            Some(Refusal { code, message, .. }) => Earlier::Decided(Outcome::Refused { code, message }),
            None => Earlier::Undecided(Undecided { over: Some(item.version), ..undecided }),
        })
    }

    /// The execution is there: whoever made it may have died before its job was sent.
    async fn begun(&self, execution: &Execution) -> Result<Outcome, Error> {
        if execution.seq == 0 {
            self.dispatcher.ensure_scheduled(execution, self.clock.now(), SignedDuration::ZERO).await?;
        }
        Ok(Outcome::Started(execution.id.clone()))
    }

    /// An event starts no inactive workflow; one that was addressed to it is refused visibly.
    async fn inactive(&self, asked: &Asked<'_>, message: &str) -> Result<Outcome, Error> {
        if asked.event.workflow.is_none() {
            return Ok(Outcome::NoMatch);
        }
        let reason = Reason { code: "inactive", message: message.to_owned(), opens_breaker: false };
        self.refuse(asked, asked.event.trigger.as_deref(), &reason).await
    }

    /// Makes the execution with its event, its first row and its guards, and sends its job. A refusal that does not stand
    /// is written over.
    pub(super) async fn create(&self, asked: &Asked<'_>, admitted: Admitted, now: Timestamp) -> Result<Outcome, Error> {
        let Asked { plan, event, over, closes } = *asked;
        let (mut execution, mut row) = pawl_engine::create(plan, event, now, admitted.start_at);
        slots::count_for(&mut execution, &mut row, admitted.slot_key);
        execution.holds_record = admitted.holds_record;
        row.trigger = admitted.trigger;
        // Whoever would write over the same refusal must find another version.
        execution.version += over.unwrap_or(0);
        let mut stored = event.clone();
        offload::event(&*self.blobs, BlobOwner::execution(&execution.id), &mut stored).await?;
        let body = offload::execution_body(&*self.blobs, &execution).await?;
        let small = items::execution::small_event(&stored);
        let body = items::execution::body_of(&body, &items::execution::rows_body(&[row]), small.as_deref());
        let head = items::execution::item_with_body(&execution, body);
        let expect = refusals::unless_decided(over);
        let mut writes = vec![Write::Put { table: items::execution::TABLE, item: head, expect }];
        if small.is_none() {
            let item = items::event::item(&execution.id, &stored);
            writes.push(Write::Put { table: items::event::TABLE, item, expect: Expect::Absent });
        }
        writes.extend(admitted.writes);
        writes.extend(closes.cloned());
        let transaction = Transaction { writes, durability: Durability::Ordered };
        if admitted.unheard {
            self.tables.transact_unheard(transaction).await?;
        } else {
            self.tables.transact(transaction).await?;
        }
        self.metrics.created(&execution, event);
        tracing::debug!(
            execution_id = %execution.id, workflow = %execution.workflow, event_id = %execution.event_id,
            "execution {} begins", execution.id
        );
        self.dispatcher.ensure_scheduled(&execution, now, SignedDuration::ZERO).await?;
        Ok(Outcome::Started(execution.id))
    }

    pub(super) async fn refuse(
        &self,
        asked: &Asked<'_>,
        trigger: Option<&str>,
        reason: &Reason,
    ) -> Result<Outcome, Error> {
        let refusal = refusals::of_start(asked.plan, trigger, asked.event, reason);
        let mut event = refusals::is_replayable(asked.event, reason.code).then(|| Box::new(asked.event.clone()));
        if let Some(event) = &mut event {
            let owner = BlobOwner::execution(&ids::execution_id(&event.id, &refusal.workflow));
            offload::event(&*self.blobs, owner, event).await?;
        }
        self.refusals.write((&refusal, event.as_deref()), asked.over, asked.closes).await?;
        Ok(Outcome::Refused { code: reason.code.to_owned(), message: reason.message.clone() })
    }
}

/// An event that is older than the retention: an execution that it began may have ended and expired, so that nobody can tell
/// whether it would begin a second time.
pub(super) fn too_old(plan: &Plan, occurred_at: Timestamp, now: Timestamp) -> Option<Reason> {
    let retention = plan.workflow.retention?;
    let age = now.duration_since(occurred_at);
    if age < retention.approximate() {
        return None;
    }
    let message = format!(
        "it happened at {occurred_at}, longer ago than executions are kept ({retention}): the one that it started may have \
         been deleted"
    );
    Some(Reason { code: "too_old", message, opens_breaker: false })
}

/// An event on a record whose values were forgotten.
pub(super) fn record_forgotten(event: &Event, at: Timestamp) -> Reason {
    let record = event.subject.as_ref().map(ToString::to_string).unwrap_or_default();
    let message = format!("the record {record} was forgotten at {at}; no event starts anything on it");
    Reason { code: "record_forgotten", message, opens_breaker: false }
}
