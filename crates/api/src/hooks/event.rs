//! The event that a delivery becomes: its values, and the record that it is about.

use jiff::Timestamp;
use pawl_definition::trigger::Webhook;
use pawl_definition::{ARCHIVED_AT, Definitions, Expression, ExpressionError, Meter, OWNER, Object, Trigger, value};
use pawl_engine::{Creation, Event, Plan, Record, RecordQuery, ResolvedTest, Subject, coerce, fields, ids, people};
use serde_json::{Map, Value};

use super::scope::HookScope;
use crate::state::Api;
use crate::{Code, Problem};

/// The workflow of a webhook, and the definitions of the installation as far as it asks for them.
pub(super) type Around<'a> = (&'a Plan, &'a Definitions);

/// The definitions that the expressions of a webhook ask for: the workflow's calendar, groups,
/// and members if it gives a new record its owner.
pub(super) async fn definitions(api: &Api, plan: &Plan, trigger: &Trigger) -> Result<Definitions, Problem> {
    let values = trigger.kind.shape().webhook().into_iter().flat_map(|webhook| webhook.values.values());
    let asks = trigger.filter.iter().chain(values).any(|expression| !expression.groups().is_empty());
    let gives_owner = trigger.kind.shape().webhook().is_some_and(|webhook| webhook.values.contains_key(OWNER));
    if plan.workflow.calendar.named().is_none() && !asks && !gives_owner {
        return Ok(Definitions::default());
    }
    let objects = api.core.workflows.objects().await?;
    objects.require_definitions().map_err(pawl_runtime::Error::from)?;
    Ok(objects.definitions.clone())
}

/// Whether the trigger's filter leaves a delivery out whatever its record is, or fails on it. Such a delivery, a
/// provider's ping for one, is accepted and shown as filtered: it need not name a record.
pub(super) fn is_left_out(around: Around<'_>, trigger: &Trigger, event: &Event) -> bool {
    let (plan, definitions) = around;
    let Some(filter) = &trigger.filter else { return false };
    let on_delivery_alone = filter.roots().iter().all(|root| ["trigger", "workflow", "now"].contains(&root.as_str()));
    let view = event.view();
    let scope = HookScope { plan, trigger: &view, definitions, now: event.occurred_at, meter: Meter::default() };
    on_delivery_alone && filter.test(&scope) != Ok(true)
}

/// Evaluates the values of a webhook, and finds or plans the record of the event.
pub(super) async fn fill(api: &Api, around: Around<'_>, webhook: &Webhook, event: &mut Event) -> Result<(), Problem> {
    let (plan, definitions) = around;
    if webhook.values.is_empty() && webhook.record.is_none() {
        return Ok(());
    }
    let view = event.view();
    let scope = HookScope { plan, trigger: &view, definitions, now: event.occurred_at, meter: Meter::default() };
    let values = values(plan, webhook, &scope)?;
    if let Some(rule) = &webhook.record
        && let Some((field, expression)) = rule.r#match.iter().next()
    {
        let target = Target { api, plan, definitions, field, create: rule.create.then_some(&values) };
        (event.subject, event.creation) = target.find(expression, &scope).await?;
    }
    if !values.is_empty() {
        event.data.insert("values".to_owned(), Value::Object(values));
    }
    Ok(())
}

/// The values by name; one that a variable will take has its type already. What the delivery does not have is no value.
fn values(plan: &Plan, webhook: &Webhook, scope: &HookScope<'_>) -> Result<Map<String, Value>, Problem> {
    let mut values = Map::new();
    for (name, expression) in &webhook.values {
        let path = || format!("values.{name}");
        let mut value = match expression.evaluate(scope) {
            // As to a source of a variable: it is blank.
            Ok(Value::Null) | Err(ExpressionError::Missing { .. }) => continue,
            result => result.map_err(|error| failed(&error).at(path()))?,
        };
        if let Some(variable) = plan.workflow.variables.iter().find(|variable| variable.name == *name) {
            let typed = coerce::variable(value, variable.kind, variable.many, &plan.timezone);
            value = typed.map_err(|error| Problem::new(Code::ValueFailed, error.message).at(path()))?;
        }
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn failed(error: &ExpressionError) -> Problem {
    Problem::new(Code::ValueFailed, error.to_string())
}

/// The record that a delivery is about: the one of the workflow's object with a value in a field.
struct Target<'a> {
    api: &'a Api,
    plan: &'a Plan,
    definitions: &'a Definitions,
    field: &'a str,
    /// If it is to be made: the values that fill its fields.
    create: Option<&'a Map<String, Value>>,
}

type Found = (Option<Subject>, Option<Creation>);

impl Target<'_> {
    async fn find(&self, expression: &Expression, scope: &HookScope<'_>) -> Result<Found, Problem> {
        let Some(object) = &self.plan.workflow.object else { return Ok((None, None)) };
        let objects = self.api.core.workflows.objects().await?;
        let unknown = || Problem::new(Code::NoObject, format!("there is no object {object:?}"));
        objects.require(object).map_err(pawl_runtime::Error::from)?;
        let object = objects.get(object).ok_or_else(unknown)?;
        let value = self.value(object, expression, scope).map_err(|problem| problem.at(self.path()))?;
        let (archived, mut records) = self.matching(object, &value).await?;
        match (records.pop(), records.pop(), self.create) {
            (Some(record), None, _) => Ok((Some(record.subject()), None)),
            (None, _, Some(values)) => {
                let (subject, creation) = self.creation(object, &value, values)?;
                self.refuse_archived(archived, &subject).await?;
                Ok((Some(subject), Some(creation)))
            }
            (None, _, None) => Err(Problem::new(Code::NoRecord, self.no_record(object)).at(self.path())),
            (Some(_), Some(_), _) => {
                let detail = format!("expected one record of {:?} with this {}, found several", object.id, self.field);
                Err(Problem::new(Code::AmbiguousRecord, detail).at(self.path()))
            }
        }
    }

    fn path(&self) -> String {
        format!("record.match.{}", self.field)
    }

    fn no_record(&self, object: &Object) -> String {
        format!("expected a record of {:?} with this {}, found none", object.id, self.field)
    }

    /// The value by which it is found, as the field takes it.
    fn value(&self, object: &Object, expression: &Expression, scope: &HookScope<'_>) -> Result<Value, Problem> {
        let value = expression.evaluate(scope).map_err(|error| failed(&error))?;
        if coerce::is_blank(&value) {
            let detail = format!("expected a value by which a record of {:?} is found, found a blank one", object.id);
            return Err(Problem::new(Code::BlankMatch, detail));
        }
        if self.field == "id" {
            return Ok(value);
        }
        let typed = fields::coerce_field(object, self.field, value, &self.plan.timezone);
        typed.map_err(|error| Problem::new(Code::ValueFailed, error.message))
    }

    /// The records that have the value: those in the archive, and the others. Of a forgotten one the evaluator tells that it was
    /// forgotten.
    async fn matching(&self, object: &Object, value: &Value) -> Result<(Vec<Record>, Vec<Record>), Problem> {
        let found = if self.field == "id" {
            self.api.matcher.one(&object.id, &value::text_of(value)).await?
        } else {
            let test = |field: &str, operator, value| ResolvedTest { field: field.to_owned(), operator, value };
            let query = RecordQuery {
                any: [true, false].map(|blank| vec![test(ARCHIVED_AT, "blank", Value::Bool(blank))]).into(),
                ..RecordQuery::new(&object.id, vec![test(self.field, "equals", value.clone())], usize::MAX)
            };
            self.api.matcher.find(&query, Some(object)).await?
        };
        if let Some(error) = found.refused {
            return Err(Problem::new(Code::BadFilter, error.message).at(self.path()));
        }
        Ok(found.records.into_iter().partition(is_in_archive))
    }

    /// No record is made beside one in the archive that has the value, or the id that the new one would have.
    async fn refuse_archived(&self, mut archived: Vec<Record>, subject: &Subject) -> Result<(), Problem> {
        // By its id it was looked for already.
        if archived.is_empty() && self.field != "id" {
            archived = self.api.matcher.one(&subject.object, &subject.id).await?.records;
        }
        let Some(record) = archived.into_iter().find(is_in_archive) else { return Ok(()) };
        let detail = format!("the record {} has this {}, and is in the archive", record.subject(), self.field);
        Err(Problem::new(Code::RecordArchived, detail).at(self.path()))
    }

    /// The record to be made, checked now: the evaluator could not tell the sender any more.
    fn creation(
        &self,
        object: &Object,
        value: &Value,
        values: &Map<String, Value>,
    ) -> Result<(Subject, Creation), Problem> {
        let names = object.names();
        let own = values.iter().filter(|(name, _)| names.contains(&name.as_str()) && !is_built_in(name));
        let mut given: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        let id = if self.field == "id" {
            let id = value::text_of(value);
            fields::check_id(&id).map_err(pawl_runtime::RecordError::from)?;
            id
        } else {
            given.insert(self.field.to_owned(), value.clone());
            ids::matched_record_id(&object.id, self.field, &value::text_of(value))
        };
        let fields = fields::new_fields(object, given, &self.plan.timezone).map_err(pawl_runtime::RecordError::from)?;
        people::check_owner(self.definitions, None, &fields).map_err(pawl_runtime::RecordError::from)?;
        Ok((Subject { object: object.id.clone(), id }, Creation { fields }))
    }
}

fn is_in_archive(record: &Record) -> bool {
    record.is_archived() && record.forgotten.is_none()
}

fn is_built_in(name: &str) -> bool {
    Object::BUILT_IN.contains(&name)
}

/// An event of a delivery, with nothing but what was delivered.
pub(super) fn bare(id: String, workflow: &str, trigger: &str, at: Timestamp, data: Map<String, Value>) -> Event {
    Event {
        id,
        kind: pawl_engine::EventType::Webhook,
        workflow: Some(workflow.to_owned()),
        trigger: Some(trigger.to_owned()),
        subject: None,
        occurred_at: at,
        data,
        creation: None,
        cause: pawl_engine::Cause::default(),
        parent: None,
        region: None,
        fork: None,
        debug: false,
    }
}
