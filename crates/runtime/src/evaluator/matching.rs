//! The trigger that an event matches.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use pawl_definition::{Debounce, Expression, OWNER, Step, Trigger};
use pawl_engine::{
    ChildSeen, Context, Event, Lookups, Occurrence, Plan, Record, RecordWrite, StepError, Subject, Usage, context,
    fields, people, slots, triggers,
};

use crate::admission::Reason;
use crate::items::record_change::{self, ChangedBy};
use crate::ports::Write;
use crate::{Catalog, Error, Objects, items, snapshot};

/// The trigger that an event matches.
pub(super) enum Matched {
    /// A trigger.
    By(ToStart),
    Refused(Option<String>, Reason),
    Nobody,
}

/// What the execution that is to start comes of.
#[derive(Default)]
pub(super) struct ToStart {
    pub(super) trigger: String,
    /// What makes the event's record, if it is not there yet.
    pub(super) creation: Vec<Write>,
    /// Nobody seems to listen to that.
    pub(super) unheard: bool,
    /// The key of `limits.concurrency` that the execution counts for.
    pub(super) slot_key: Option<String>,
    /// The key of `limits.debounce`, the record among it.
    pub(super) debounce_key: Option<String>,
}

impl Matched {
    /// By a trigger; the event's record is there, or it has none.
    fn by(trigger: &str) -> Self {
        Self::By(ToStart { trigger: trigger.to_owned(), ..ToStart::default() })
    }
}

/// What expressions see before an execution starts.
pub(super) struct Known {
    objects: Arc<Objects>,
    objects_revision: u64,
    listening: u64,
    record: Option<Record>,
    related: BTreeMap<String, Vec<Record>>,
    /// What makes the record, if it is not there yet.
    creation: Vec<Write>,
    occurrence: Occurrence,
}

impl Known {
    /// Reads what some expressions see of an event.
    pub(super) async fn read<'e>(
        catalog: &Catalog,
        (plan, event): (&Plan, &Event),
        expressions: impl Iterator<Item = &'e Expression>,
        now: Timestamp,
    ) -> Result<Result<Self, StepError>, Error> {
        let mut keys = vec![(items::installation::TABLE, items::installation::key())];
        keys.extend(event.subject.iter().map(|subject| (items::record::TABLE, items::record::key(subject))));
        let found = catalog.tables().get_many(&keys).await?;
        let installation = Catalog::installation(found[0].as_ref())?;
        let objects = catalog.objects(installation.objects_revision).await?;
        event.subject.iter().try_for_each(|subject| objects.require(&subject.object))?;
        let present = found.get(1).and_then(Option::as_ref).map(items::record::parse).transpose()?;
        if event.creation.as_ref().is_some_and(|creation| creation.fields.contains_key(OWNER)) {
            objects.require_definitions()?;
        }
        let (record, creation) = match about((plan, event), present, &objects, now) {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let mut reads = context::Reads::default();
        if plan.workflow.calendar.named().is_some() {
            objects.require_definitions()?;
        }
        for expression in expressions {
            if !expression.groups().is_empty() {
                objects.require_definitions()?;
            }
            reads.names.extend(pawl_definition::step::names_after_record(expression.source()));
            reads.paths.extend(pawl_definition::step::after_record(expression.reads()));
        }
        let related = snapshot::related(catalog, record.as_ref(), &objects, &reads).await?;
        let occurrence = Occurrence::new(event.clone());
        let (objects_revision, listening) = (installation.objects_revision, installation.listening);
        Ok(Ok(Self { objects, objects_revision, listening, record, related, creation, occurrence }))
    }

    /// The engine's view of it.
    pub(super) fn context<'a>(&'a self, plan: &'a Plan, now: Timestamp) -> Context<'a> {
        Context {
            plan,
            former: None,
            objects: &self.objects,
            definitions: &self.objects.definitions,
            objects_revision: self.objects_revision,
            event: &self.occurrence,
            record: self.record.as_ref(),
            related: &self.related,
            lookups: Lookups::NONE,
            now,
            invocation: "",
            callback: None,
            killed: false,
            free_slot: Some(0),
            spent_today: Usage::default(),
            spent_by_parts: Usage::default(),
            children: &NO_CHILDREN,
            hold: &pawl_engine::Hold::Free,
        }
    }
}

static NO_CHILDREN: BTreeMap<String, ChildSeen> = BTreeMap::new();

/// The first trigger that matches the event and whose filter passes it, against the record as it is now.
pub(super) async fn matched(catalog: &Catalog, plan: &Plan, event: &Event, now: Timestamp) -> Result<Matched, Error> {
    let written = |trigger: &Trigger| trigger.kind.facts().by_hand;
    let is_unwritten = event.kind.facts().is_by_hand && !plan.workflow.triggers.iter().any(written);
    let matching: Vec<_> =
        plan.workflow.triggers.iter().filter(|trigger| triggers::matches(trigger, plan, event)).collect();
    let first = match matching.first() {
        _ if is_unwritten => "manual",
        Some(first) => &first.id,
        None => return Ok(nobody(event)),
    };
    let debounce = collects(plan, event);
    // With others, the event counts for a slot when the burst is over.
    let of_slot = per_slot(plan).filter(|_| debounce.is_none());
    let of_window = debounce.and_then(|debounce| debounce.per.as_ref());
    let is_filtered = !is_unwritten && matching[0].filter.is_some();
    if event.creation.is_none() && !is_filtered && of_slot.is_none() && of_window.is_none() {
        let debounce_key = debounce.map(|_| window_key(plan, event, ""));
        return Ok(Matched::By(ToStart { trigger: first.to_owned(), debounce_key, ..ToStart::default() }));
    }
    let filters = matching.iter().filter_map(|trigger| trigger.filter.as_ref());
    let known = match Known::read(catalog, (plan, event), filters.chain(of_slot).chain(of_window), now).await? {
        Ok(known) => known,
        Err(error) => return Ok(refusing(first, "invalid_record", &error.message)),
    };
    let cx = known.context(plan, now);
    let judged = if is_unwritten { Matched::by(first) } else { judge(&matching, &cx) };
    let Matched::By(ToStart { trigger, .. }) = judged else { return Ok(judged) };
    let slot_key = of_slot.map(|per| key("limits.concurrency.per", per, &cx)).transpose();
    let in_window = of_window.map_or(Ok(String::new()), |per| key("limits.debounce.per", per, &cx));
    let (slot_key, in_window) = match (slot_key, in_window) {
        (Ok(slot_key), Ok(in_window)) => (slot_key, in_window),
        (Err(error), _) | (_, Err(error)) => return Ok(refusing(&trigger, "key_error", &error.message)),
    };
    let debounce_key = debounce.map(|_| window_key(plan, event, &in_window));
    let Known { record, creation, listening, .. } = known;
    let made = record.filter(|_| !creation.is_empty()).map(|after| RecordWrite { before: None, after });
    let unheard = catalog.are_unheard(listening, &made.iter().collect::<Vec<_>>()).await?;
    Ok(Matched::By(ToStart { trigger, creation, unheard, slot_key, debounce_key }))
}

/// Whether the record of an event passes a filter.
pub(super) async fn passes(
    catalog: &Catalog,
    (plan, filter): (&Plan, &Trigger),
    event: &Event,
    now: Timestamp,
) -> Result<bool, Result<StepError, Error>> {
    let known = Known::read(catalog, (plan, event), filter.filter.iter(), now).await.map_err(Err)?.map_err(Ok)?;
    let cx = known.context(plan, now);
    let (execution, _) = pawl_engine::create(plan, event, now, None);
    triggers::passes(filter, &cx, &execution).map_err(Ok)
}

/// The key of `limits.concurrency` of an execution that starts when a burst is over.
pub(super) async fn slot_key_of(
    catalog: &Catalog,
    plan: &Plan,
    event: &Event,
    now: Timestamp,
) -> Result<Result<Option<String>, Reason>, Error> {
    let Some(per) = per_slot(plan) else { return Ok(Ok(None)) };
    let refused = |error: StepError| Reason { code: "key_error", message: error.message, opens_breaker: false };
    let known = match Known::read(catalog, (plan, event), std::iter::once(per), now).await? {
        Ok(known) => known,
        Err(error) => return Ok(Err(refused(error))),
    };
    Ok(key("limits.concurrency.per", per, &known.context(plan, now)).map(Some).map_err(refused))
}

/// How a workflow collects an event with others. The start by a step is awaited, and starts by itself.
pub(super) fn collects<'p>(plan: &'p Plan, event: &Event) -> Option<&'p Debounce> {
    plan.workflow.limits.debounce.as_ref().filter(|_| event.parent.is_none())
}

fn per_slot(plan: &Plan) -> Option<&Expression> {
    plan.workflow.limits.concurrency.as_ref()?.per.as_ref()
}

/// The key of a window: the record is a part of it.
fn window_key(plan: &Plan, event: &Event, key: &str) -> String {
    let record = plan.record_of(event);
    record.map_or_else(|| format!("#{key}"), |record| format!("{record}#{key}"))
}

/// The first trigger whose filter lets the event pass; else why none does.
fn judge(matching: &[&Trigger], cx: &Context<'_>) -> Matched {
    let event = &cx.event.event;
    let (execution, _) = pawl_engine::create(cx.plan, event, cx.now, None);
    let mut refused = nobody(event);
    for trigger in matching {
        match triggers::passes(trigger, cx, &execution) {
            Ok(true) => return Matched::by(&trigger.id),
            // A change of a record that a filter leaves out is no news; a delivery to this very workflow is.
            Ok(false) if event.workflow.is_none() => {}
            Ok(false) => refused = refusing(&trigger.id, "filtered", "the trigger's filter is false"),
            Err(error) => refused = refusing(&trigger.id, "filter_error", &error.message),
        }
    }
    refused
}

/// The key that an expression of a limit gives.
fn key(at: &str, per: &Expression, cx: &Context<'_>) -> Result<String, StepError> {
    let (execution, _) = pawl_engine::create(cx.plan, &cx.event.event, cx.now, None);
    slots::key(per, cx, &execution).map_err(|error| error.at(at))
}

/// Whether a trigger is one that goals wait for, and none of the workflow's own. A trigger that is neither was deleted
/// after the delivery had been accepted.
pub(super) fn is_goals(plan: &Plan, trigger: &str) -> bool {
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
    (plan, event): (&Plan, &Event),
    present: Option<Record>,
    objects: &Objects,
    now: Timestamp,
) -> Result<(Option<Record>, Vec<Write>), StepError> {
    if present.is_some() {
        return Ok((present, Vec::new()));
    }
    let (Some(subject), Some(creation)) = (&event.subject, &event.creation) else { return Ok((None, Vec::new())) };
    let Some(object) = objects.get(&subject.object) else { return Ok((None, Vec::new())) };
    let fields = fields::new_fields(object, creation.fields.clone(), &plan.timezone)?;
    people::check_owner(&objects.definitions, None, &fields)?;
    let record = new_record(subject, fields, event, now);
    let made = RecordWrite { before: None, after: record.clone() };
    let mut writes = items::record::writes(&made, Some(object));
    writes.push(record_change::write(&made, ChangedBy::event(&plan.workflow.id, &event.id)));
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
        archived_at: None,
        forgotten: None,
        cause: (!event.cause.chain.is_empty()).then(|| event.cause.clone()),
    }
}
