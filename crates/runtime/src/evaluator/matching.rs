//! The trigger that an event matches.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pawl_definition::{Expression, Object, Step, Trigger};
use pawl_engine::{
    Context, Event, Occurrence, Plan, Record, RecordWrite, StepError, Subject, Usage, context, fields, slots, triggers,
};

use crate::admission::Reason;
use crate::ports::Write;
use crate::{Catalog, Error, items, snapshot};

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
}

impl Matched {
    /// By a trigger; the event's record is there, or it has none.
    fn by(trigger: &str) -> Self {
        Self::By(ToStart { trigger: trigger.to_owned(), ..ToStart::default() })
    }
}

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
    let per = plan.workflow.limits.concurrency.as_ref().and_then(|limit| limit.per.as_ref());
    let is_filtered = !is_unwritten && matching[0].filter.is_some();
    if event.creation.is_none() && !is_filtered && per.is_none() {
        return Ok(Matched::by(first));
    }
    let mut keys = vec![(items::installation::TABLE, items::installation::key())];
    keys.extend(event.subject.iter().map(|subject| (items::record::TABLE, items::record::key(subject))));
    let found = catalog.tables().get_many(&keys).await?;
    let installation = Catalog::installation(found[0].as_ref())?;
    let objects = catalog.objects(installation.objects_revision).await?;
    event.subject.iter().try_for_each(|subject| objects.require(&subject.object))?;
    let present = found.get(1).and_then(Option::as_ref).map(items::record::parse).transpose()?;
    let (record, creation) = match about(event, present, &objects, &plan.timezone, now) {
        Ok(found) => found,
        Err(error) => return Ok(refusing(first, "invalid_record", &error.message)),
    };
    let mut reads = context::Reads::default();
    for expression in matching.iter().filter_map(|trigger| trigger.filter.as_ref()).chain(per) {
        reads.names.extend(pawl_definition::step::names_after_record(expression.source()));
    }
    let related = snapshot::related(catalog, record.as_ref(), &objects, &reads).await?;
    let cx = Context {
        plan,
        former: None,
        objects: &objects,
        objects_revision: installation.objects_revision,
        event: &Occurrence::new(event.clone()),
        record: record.as_ref(),
        related: &related,
        now,
        invocation: "",
        callback: None,
        killed: false,
        free_slot: Some(0),
        spent_today: Usage::default(),
        children: &BTreeMap::new(),
        hold: &pawl_engine::Hold::Free,
    };
    let judged = if is_unwritten { Matched::by(first) } else { judge(&matching, &cx) };
    let Matched::By(ToStart { trigger, .. }) = judged else { return Ok(judged) };
    let slot_key = match per.map(|per| slot_key(per, &cx)).transpose() {
        Ok(key) => key,
        Err(error) => return Ok(refusing(&trigger, "key_error", &error.message)),
    };
    let made = record.filter(|_| !creation.is_empty()).map(|after| RecordWrite { before: None, after });
    let unheard = catalog.are_unheard(installation.listening, &made.iter().collect::<Vec<_>>()).await?;
    Ok(Matched::By(ToStart { trigger, creation, unheard, slot_key }))
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

/// The key of `limits.concurrency` that the execution will count for.
fn slot_key(per: &Expression, cx: &Context<'_>) -> Result<String, StepError> {
    let (execution, _) = pawl_engine::create(cx.plan, &cx.event.event, cx.now, None);
    slots::key(per, cx, &execution).map_err(|error| error.at("limits.concurrency.per"))
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
        forgotten: None,
        cause: (!event.cause.chain.is_empty()).then(|| event.cause.clone()),
    }
}
