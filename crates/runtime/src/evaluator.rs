//! The evaluator: an event, the triggers that listen, and the executions that begin.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pawl_definition::{Object, Step, Trigger};
use pawl_engine::{
    Context, Event, Execution, Occurrence, Plan, Record, RecordWrite, StepError, Subject, Usage, context, fields, ids,
    triggers,
};

use crate::admission::{Admission, Admitted, Denied, Reason};
use crate::changes;
use crate::executor::Executor;
use crate::items::refusal::Refusal;
use crate::items::workflow::Head;
use crate::message::EventMessage;
use crate::ports::{
    BlobOwner, Durability, Expect, Message, QueueName, RecordChange, TableError, Transaction, Write, stream_message,
};
use crate::snapshot;
use crate::starts;
use crate::{Catalog, Error, Metrics, dispatch, items, listeners, offload, waiters};

/// How often a start that lost a race on a guard is tried again before the message is given back.
const RACES: usize = 8;

/// Decides what events start and which goals they meet.
pub struct Evaluator {
    executor: Arc<Executor>,
}

/// What became of an event for one workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An execution began, or had begun.
    Started(String),
    /// It was refused, visibly.
    Refused {
        /// Stable code.
        code: String,
        /// In words.
        message: String,
    },
    /// No trigger matches it.
    NoMatch,
}

impl Evaluator {
    /// Over an executor, whose ports it shares.
    pub fn new(executor: Arc<Executor>) -> Self {
        Self { executor }
    }

    /// Handles a message of the event queue. The caller deletes it after.
    pub async fn handle(&self, body: &str) -> Result<(), Error> {
        match EventMessage::parse(body)? {
            EventMessage::Event(event) => self.evaluate(*event).await,
            EventMessage::Stream(change) => self.changed(&change).await,
        }
    }

    /// Evaluates a change of a record.
    pub async fn changed(&self, change: &RecordChange) -> Result<(), Error> {
        match changes::event(change)? {
            Some(event) => self.evaluate(event).await,
            None => Ok(()),
        }
    }

    /// Puts a change of a record on the event queue, where it is evaluated later. It goes as the event that it is, for
    /// the record before and after may be too large for a message; what cannot be read as one goes as it came.
    pub async fn enqueue(&self, change: &RecordChange) -> Result<(), Error> {
        let executor = &self.executor;
        let message = match changes::event(change) {
            Ok(None) => return Ok(()),
            Ok(Some(mut event)) => {
                offload::event(&*executor.blobs, BlobOwner::event(&event.id), &mut event).await?;
                let group = event.subject.as_ref().map(ToString::to_string).unwrap_or_default();
                let body = serde_json::to_string(&EventMessage::Event(Box::new(event))).expect("an event is JSON");
                Message { body, delay: SignedDuration::ZERO, group }
            }
            Err(_) => match stream_message(change.old.as_ref(), change.new.as_ref()) {
                Some(message) => message,
                None => return Ok(()),
            },
        };
        Ok(executor.jobs.send(QueueName::Events, vec![message]).await?)
    }

    /// Evaluates an event against the workflows and the waiting executions that listen.
    pub async fn evaluate(&self, mut event: Event) -> Result<(), Error> {
        offload::restore_event(&*self.executor.blobs, BlobOwner::event(&event.id), &mut event).await?;
        // Each has its turn although another fails, and the first failure is told: a repeat starts nothing twice.
        let mut result = Ok(());
        for workflow in self.candidates(&event).await? {
            result = result.and(self.start(&workflow, &event).await.map(drop));
        }
        for execution in waiters::of(&*self.executor.tables, &event).await? {
            result = result.and(self.executor.on_event(&execution, &event).await);
        }
        result
    }

    /// The workflows that an event may start: the one that it is addressed to, or those that are listed under what it says.
    async fn candidates(&self, event: &Event) -> Result<Vec<String>, Error> {
        if let Some(workflow) = &event.workflow {
            return Ok(vec![workflow.clone()]);
        }
        Ok(listeners::of(&self.executor.catalog, event).await?.into_iter().collect())
    }

    /// Starts a workflow for an event, at most once, if one of its triggers matches and the guards let it pass.
    pub async fn start(&self, workflow: &str, event: &Event) -> Result<Outcome, Error> {
        let mut taken = None;
        for _ in 0..RACES {
            match self.try_start(workflow, event).await {
                Err(error) if error.is_conflict() || error.is_unknown() => taken = error.taken(),
                result => return result,
            }
        }
        match taken {
            Some(error) => self.reject(workflow, event, error).await,
            None => Err(Error::Contended(ids::execution_id(&event.id, workflow))),
        }
    }

    /// Refuses a start whose record can never be made.
    async fn reject(&self, workflow: &str, event: &Event, error: StepError) -> Result<Outcome, Error> {
        let (over, head) = match self.earlier(workflow, &ids::execution_id(&event.id, workflow)).await? {
            Earlier::Decided(outcome) => return Ok(outcome),
            Earlier::Undecided(over, head) => (over, head),
        };
        let Some(head) = head else { return Ok(Outcome::NoMatch) };
        let plan = self.executor.catalog.plan(workflow, head.revision).await?;
        let reason = Reason { code: "duplicate_record", message: error.message, opens_breaker: false };
        self.refuse(&Asked { plan: &plan, event, over }, event.trigger.as_deref(), &reason).await
    }

    async fn try_start(&self, workflow: &str, event: &Event) -> Result<Outcome, Error> {
        let id = ids::execution_id(&event.id, workflow);
        let (over, head) = match self.earlier(workflow, &id).await? {
            Earlier::Decided(outcome) => return Ok(outcome),
            Earlier::Undecided(over, head) => (over, head),
        };
        let Some(head) = head else { return Ok(Outcome::NoMatch) };
        let plan = self.executor.catalog.plan(workflow, head.revision).await?;
        if event.trigger.as_ref().is_some_and(|trigger| is_goals(&plan, trigger)) {
            // A goal's webhook: it starts nothing, and goals that wait for it find it by its topic.
            return Ok(Outcome::NoMatch);
        }
        let asked = Asked { plan: &plan, event, over };
        let is_manual = event.kind.facts().is_by_hand;
        // An inactive workflow starts by no trigger; a person may start it all the same.
        if !head.active && !is_manual {
            return self.inactive(&asked, "the workflow is inactive").await;
        }
        if let Some(since) = head.active_since.filter(|since| event.occurred_at < *since && !is_manual) {
            let message = format!("it happened before the workflow became active at {since}");
            return self.inactive(&asked, &message).await;
        }
        let now = self.executor.clock.now();
        let (trigger, creation) = match self.matched(&plan, event, now).await? {
            Matched::By { trigger, creation } => (trigger, creation),
            Matched::Nobody => return Ok(Outcome::NoMatch),
            Matched::Refused(trigger, reason) => return self.refuse(&asked, trigger.as_deref(), &reason).await,
        };
        if let Some(act) = head.suspended.as_ref().filter(|_| !is_manual) {
            let message = format!("its triggers are suspended: {}", act.reason.as_deref().unwrap_or("by the breaker"));
            let reason = Reason { code: "breaker", message, opens_breaker: false };
            return self.refuse(&asked, Some(&trigger), &reason).await;
        }
        let admission = Admission {
            tables: &*self.executor.tables,
            plan: &plan,
            event,
            execution: &id,
            makes_record: !creation.is_empty(),
            now,
        };
        match admission.ask().await {
            Ok(mut admitted) => {
                admitted.writes.extend(creation);
                self.create(&asked, admitted, now).await
            }
            Err(Denied::Failed(error)) => Err(error),
            Err(Denied::Refused(reason)) => {
                if reason.opens_breaker {
                    starts::open_breaker(&self.executor, workflow, &reason.message).await?;
                }
                self.refuse(&asked, Some(&trigger), &reason).await
            }
        }
    }

    /// What an earlier delivery of the same event came to: a start, or a refusal, which stands although its reason may
    /// have passed; only one that was given up is decided anew. With the head of the workflow, read beside it.
    async fn earlier(&self, workflow: &str, id: &str) -> Result<Earlier, Error> {
        let keys = [
            (items::execution::TABLE, items::execution::key(id)),
            (items::workflow::TABLE, items::workflow::head_key(workflow)),
        ];
        let found = self.executor.tables.get_many(&keys).await?;
        let head = found[1].as_ref().map(items::workflow::parse_head).transpose()?.map(Box::new);
        let Some(item) = &found[0] else { return Ok(Earlier::Undecided(None, head)) };
        if let Some(execution) = items::execution::parse(item)? {
            return self.begun(&execution).await.map(Earlier::Decided);
        }
        Ok(match items::refusal::parse(item)?.filter(Refusal::stands) {
            Some(Refusal { code, message, .. }) => Earlier::Decided(Outcome::Refused { code, message }),
            None => Earlier::Undecided(Some(item.version), head),
        })
    }

    /// The execution is there: whoever made it may have died before its job was sent.
    async fn begun(&self, execution: &Execution) -> Result<Outcome, Error> {
        let executor = &self.executor;
        if execution.seq == 0 {
            let now = executor.clock.now();
            dispatch::ensure_scheduled(executor, execution, now, SignedDuration::ZERO).await?;
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

    /// The first trigger that matches the event and whose filter passes it, against the record as it is now.
    async fn matched(&self, plan: &Arc<Plan>, event: &Event, now: Timestamp) -> Result<Matched, Error> {
        let written = |trigger: &Trigger| trigger.kind.facts().by_hand;
        if event.kind.facts().is_by_hand && !plan.workflow.triggers.iter().any(written) {
            return Ok(Matched::By { trigger: "manual".to_owned(), creation: Vec::new() });
        }
        let matching: Vec<_> =
            plan.workflow.triggers.iter().filter(|trigger| triggers::matches(trigger, plan, event)).collect();
        if matching.is_empty() {
            return Ok(nobody(event));
        }
        if event.creation.is_none() && matching[0].filter.is_none() {
            return Ok(Matched::By { trigger: matching[0].id.clone(), creation: Vec::new() });
        }
        let mut keys = vec![(items::installation::TABLE, items::installation::key())];
        keys.extend(event.subject.iter().map(|subject| (items::record::TABLE, items::record::key(subject))));
        let found = self.executor.tables.get_many(&keys).await?;
        let installation = Catalog::installation(found[0].as_ref())?;
        let objects = self.executor.catalog.objects(installation.objects_revision).await?;
        event.subject.iter().try_for_each(|subject| objects.require(&subject.object))?;
        let present = found.get(1).and_then(Option::as_ref).map(items::record::parse).transpose()?;
        let (record, creation) = match about(event, present, &objects, &plan.timezone, now) {
            Ok(found) => found,
            Err(error) => return Ok(refusing(&matching[0].id, "invalid_record", &error.message)),
        };
        let mut reads = context::Reads::default();
        for filter in matching.iter().filter_map(|trigger| trigger.filter.as_ref()) {
            reads.names.extend(pawl_definition::step::names_after_record(filter.source()));
        }
        let related = snapshot::related(&self.executor.catalog, record.as_ref(), &objects, &reads).await?;
        let cx = Context {
            plan,
            former: None,
            objects: &objects,
            event: &Occurrence::new(event.clone()),
            record: record.as_ref(),
            related: &related,
            now,
            invocation: "",
            killed: false,
            no_place: false,
            spent_today: Usage::default(),
        };
        Ok(judge(&matching, &cx, creation))
    }

    /// Makes the execution with its event, its first row and its guards, and sends its job. A refusal that does not stand
    /// is written over.
    async fn create(&self, asked: &Asked<'_>, admitted: Admitted, now: Timestamp) -> Result<Outcome, Error> {
        let Asked { plan, event, over } = *asked;
        let executor = &self.executor;
        let (mut execution, row) = pawl_engine::create(plan, event, now, admitted.start_at);
        execution.holds_record = admitted.holds_record;
        // Whoever would write over the same refusal must find another version.
        execution.version += over.unwrap_or(0);
        let mut stored = event.clone();
        offload::event(&*executor.blobs, BlobOwner::execution(&execution.id), &mut stored).await?;
        let body = offload::execution_body(&*executor.blobs, &execution).await?;
        let head = items::execution::item_with_body(&execution, items::execution::body_of(&body, &[row]));
        let event = items::event::item(&execution.id, &stored);
        let mut writes = vec![
            Write::Put { table: items::execution::TABLE, item: head, expect: unless_decided(over) },
            Write::Put { table: items::event::TABLE, item: event, expect: Expect::Absent },
        ];
        writes.extend(admitted.writes);
        executor.tables.transact(Transaction { writes, durability: Durability::Ordered }).await?;
        Metrics::count(&executor.metrics.executions_created);
        tracing::debug!(
            execution_id = %execution.id, workflow = %execution.workflow, event_id = %execution.event_id,
            "execution {} begins", execution.id
        );
        dispatch::ensure_scheduled(executor, &execution, now, SignedDuration::ZERO).await?;
        Ok(Outcome::Started(execution.id))
    }

    async fn refuse(&self, asked: &Asked<'_>, trigger: Option<&str>, reason: &Reason) -> Result<Outcome, Error> {
        let refusal = starts::refusal(asked.plan, trigger, asked.event, reason);
        write_refusal(&self.executor, &refusal, asked.over).await?;
        Ok(Outcome::Refused { code: reason.code.to_owned(), message: reason.message.clone() })
    }
}

/// The first trigger whose filter lets the event pass; else why none does.
fn judge(matching: &[&Trigger], cx: &Context<'_>, creation: Vec<Write>) -> Matched {
    let event = &cx.event.event;
    let (execution, _) = pawl_engine::create(cx.plan, event, cx.now, None);
    let mut refused = nobody(event);
    for trigger in matching {
        match triggers::passes(trigger, cx, &execution) {
            Ok(true) => return Matched::By { trigger: trigger.id.clone(), creation },
            // A change of a record that a filter leaves out is no news; a delivery to this very workflow is.
            Ok(false) if event.workflow.is_none() => {}
            Ok(false) => refused = refusing(&trigger.id, "filtered", "the trigger's filter is false"),
            Err(error) => refused = refusing(&trigger.id, "filter_error", &error.message),
        }
    }
    refused
}

/// An event that asks a workflow to start.
struct Asked<'a> {
    plan: &'a Plan,
    event: &'a Event,
    /// Version of the refusal that stands in the execution's place, and does not stand against it.
    over: Option<u64>,
}

/// What an earlier delivery of an event came to.
enum Earlier {
    Decided(Outcome),
    /// Nothing yet, or a refusal that does not stand, in this version; and the workflow as it is.
    Undecided(Option<u64>, Option<Box<Head>>),
}

/// The trigger that an event matches.
enum Matched {
    /// A trigger; and what makes the event's record, if it is not there yet.
    By {
        trigger: String,
        creation: Vec<Write>,
    },
    Refused(Option<String>, Reason),
    Nobody,
}

/// Whether a trigger is one that goals wait for, and none of the workflow's own. A trigger that is neither was deleted
/// after the delivery had been accepted.
fn is_goals(plan: &Plan, trigger: &str) -> bool {
    let waits = |step: &Step| step.kind.shape().awaits().on.iter().any(|on| on.id == *trigger);
    plan.workflow.triggers.iter().all(|own| own.id != *trigger) && plan.workflow.all_steps().into_iter().any(waits)
}

/// A change of a record that matches no trigger is no news; a delivery to this very workflow is.
fn nobody(event: &Event) -> Matched {
    if event.workflow.is_none() {
        return Matched::Nobody;
    }
    let reason = Reason { code: "no_match", message: "no enabled trigger matches it".to_owned(), opens_breaker: false };
    Matched::Refused(event.trigger.clone(), reason)
}

fn refusing(trigger: &str, code: &'static str, message: &str) -> Matched {
    Matched::Refused(Some(trigger.to_owned()), Reason { code, message: message.to_owned(), opens_breaker: false })
}

/// The record that an event is about; if the event makes it, as it will be, with the writes that make it.
fn about(
    event: &Event,
    present: Option<Record>,
    objects: &BTreeMap<String, Object>,
    timezone: &jiff::tz::TimeZone,
    now: Timestamp,
) -> Result<(Option<Record>, Vec<Write>), StepError> {
    if present.is_some() {
        return Ok((present, Vec::new()));
    }
    let (Some(subject), Some(creation)) = (&event.subject, &event.creation) else { return Ok((None, Vec::new())) };
    let Some(object) = objects.get(&subject.object) else { return Ok((None, Vec::new())) };
    let fields = fields::new_fields(object, creation.fields.clone(), timezone)?;
    let record = new_record(subject, fields, event, now);
    let writes = items::record::writes(&RecordWrite { before: None, after: record.clone() }, Some(object));
    Ok((Some(record), writes))
}

fn new_record(
    subject: &Subject,
    fields: serde_json::Map<String, serde_json::Value>,
    event: &Event,
    now: Timestamp,
) -> Record {
    Record {
        object: subject.object.clone(),
        id: subject.id.clone(),
        version: 1,
        fields,
        created_at: now,
        updated_at: now,
        archived: false,
        cause: (!event.cause.chain.is_empty()).then(|| event.cause.clone()),
    }
}

/// Stores a refusal for people to see; it conflicts if the same event was decided meanwhile.
pub(crate) async fn write_refusal(executor: &Executor, refusal: &Refusal, over: Option<u64>) -> Result<(), TableError> {
    tracing::info!(
        workflow = %refusal.workflow, event_id = %refusal.event_id, code = %refusal.code,
        "event {} starts nothing: {}", refusal.event_id, refusal.code
    );
    Metrics::count(&executor.metrics.starts_refused);
    let item = items::refusal::item(refusal, over.unwrap_or(0) + 1);
    let put = Write::Put { table: items::refusal::TABLE, item, expect: unless_decided(over) };
    executor.tables.transact(Transaction { writes: vec![put], durability: Durability::Ordered }).await
}

/// Nothing stands there, or what was found to be no decision.
fn unless_decided(over: Option<u64>) -> Expect {
    over.map_or(Expect::Absent, Expect::Version)
}
