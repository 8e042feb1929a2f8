//! A delivery on a webhook, from the point where its signature was found right.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::trigger::{RecordMatch, Webhook};
use pawl_definition::{Expression, Scope, TriggerKind, Workflow};
use pawl_engine::{Cause, Creation, Event, EventType, RecordQuery, ResolvedTest, Subject, coerce, ids};
use serde_json::{Map, Value, json};

use super::{Delivered, HappeningError, World, at_once};

/// Accepts a delivery: finds its record, reads its values, queues its event.
pub(super) fn deliver(world: &World, delivered: &Delivered) -> Result<(), HappeningError> {
    let workflow = workflow(world, &delivered.workflow)?;
    let trigger = workflow.triggers.iter().find(|trigger| trigger.id == delivered.trigger);
    let Some(TriggerKind::Webhook(webhook)) = trigger.map(|trigger| &trigger.kind) else {
        let message = format!("workflow {:?} has no webhook {:?}", delivered.workflow, delivered.trigger);
        return Err(HappeningError::new("unknown_hook", message));
    };
    let id = match &delivered.key {
        Some(key) => ids::delivery_event_id(&delivered.workflow, &delivered.trigger, key),
        None => world.system.ingest.fresh_id(),
    };
    let mut event = event(world, delivered, id);
    let scope = DeliveryScope { trigger: event.view(), now: world.now() };
    event.data.insert("values".to_owned(), Value::Object(values(webhook, &scope)?));
    if let (Some(rule), Some(object)) = (&webhook.record, &workflow.object) {
        let (subject, creation) = record(world, rule, object, &event, &scope)?;
        event.subject = Some(subject);
        event.creation = creation;
    }
    world.accept(event, delivered.key.as_deref())
}

fn workflow(world: &World, id: &str) -> Result<Workflow, HappeningError> {
    let head = at_once(world.system.workflows.head(id)).expect("memory is readable");
    let head = head.ok_or_else(|| HappeningError::new("unknown_hook", format!("there is no workflow {id:?}")))?;
    let revision = at_once(world.system.workflows.revision(id, head.revision)).expect("memory is readable");
    let source = revision.expect("the revision of a head is stored").source;
    Ok(serde_json::from_value(source).expect("a stored revision was checked"))
}

fn event(world: &World, delivered: &Delivered, id: String) -> Event {
    let mut data = Map::new();
    data.insert("body".to_owned(), delivered.body.clone());
    data.insert("headers".to_owned(), json!(delivered.headers));
    data.insert("query".to_owned(), json!(delivered.query));
    Event {
        id,
        kind: EventType::Webhook,
        workflow: Some(delivered.workflow.clone()),
        trigger: Some(delivered.trigger.clone()),
        subject: None,
        occurred_at: world.now(),
        data,
        creation: None,
        cause: Cause::default(),
    }
}

fn values(webhook: &Webhook, scope: &DeliveryScope) -> Result<Map<String, Value>, HappeningError> {
    let value = |(name, source): (&String, &Expression)| Ok((name.clone(), evaluate(source, scope, name)?));
    webhook.values.iter().map(value).collect()
}

fn evaluate(source: &Expression, scope: &DeliveryScope, name: &str) -> Result<Value, HappeningError> {
    source.evaluate(scope).map_err(|error| HappeningError::new("invalid_delivery", format!("`{name}`: {error}")))
}

type Found = (Subject, Option<Creation>);

/// The one record that matches; none is made if the rule says so.
fn record(
    world: &World,
    rule: &RecordMatch,
    object: &str,
    event: &Event,
    scope: &DeliveryScope,
) -> Result<Found, HappeningError> {
    let mut fields = Map::new();
    for (name, source) in &rule.r#match {
        fields.insert(name.clone(), evaluate(source, scope, name)?);
    }
    if let Some((name, _)) = fields.iter().find(|(_, value)| coerce::is_blank(value)) {
        return Err(HappeningError::new("invalid_delivery", format!("`{name}`: the value to match is blank")));
    }
    let tests = fields.iter().map(|(field, value)| test(field, value)).collect();
    let query = RecordQuery { object: object.to_owned(), tests, order: None, limit: 2 };
    let found = at_once(world.system.records.find(&query));
    let found = found.map_err(|error| HappeningError::new("invalid_delivery", error.to_string()))?;
    match (found.as_slice(), rule.create) {
        ([one], _) => Ok((one.subject(), None)),
        ([], true) => Ok(creation(world, object, fields, event)),
        ([], false) => Err(HappeningError::new("unknown_record", "no record matches")),
        _ => Err(HappeningError::new("ambiguous_record", "several records match")),
    }
}

fn test(field: &str, value: &Value) -> ResolvedTest {
    ResolvedTest { field: field.to_owned(), operator: "equals", value: value.clone() }
}

/// The record that the event makes: `match` and the values that name a field fill it.
fn creation(world: &World, object: &str, mut fields: Map<String, Value>, event: &Event) -> Found {
    let (field, value) = fields.iter().next().expect("a rule matches at least one field");
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let id = ids::matched_record_id(object, field, &value);
    let schema = at_once(world.system.records.object(object)).expect("a checked workflow names an object");
    let values = event.data.get("values").and_then(Value::as_object).into_iter().flatten();
    for (name, value) in values.filter(|(name, _)| schema.fields.contains_key(*name)) {
        fields.entry(name.clone()).or_insert_with(|| value.clone());
    }
    (Subject { object: object.to_owned(), id }, Some(Creation { fields }))
}

/// What the expressions of a webhook see: the delivery.
struct DeliveryScope {
    trigger: Value,
    now: Timestamp,
}

static UTC: TimeZone = TimeZone::UTC;

impl Scope for DeliveryScope {
    fn root(&self, name: &str) -> Option<Value> {
        match name {
            "trigger" => Some(self.trigger.clone()),
            "vars" | "steps" => Some(json!(BTreeMap::<String, Value>::new())),
            _ => None,
        }
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn timezone(&self) -> &TimeZone {
        &UTC
    }
}
