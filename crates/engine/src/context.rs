//! The context of a decision: everything beside the execution that the decision may depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::step::after_record;
use pawl_definition::{
    Calendar, Definitions, ExpressionError, Group, Hop, Meter, Object, STAGE, Scope, Step, Variable, chained, hops,
};
use serde_json::{Map, Value, json};

use crate::lookup;
use crate::{ChildSeen, Execution, Hold, Lookup, Lookups, Occurrence, Plan, Record, Usage};

/// The context of one decision.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The revision in force.
    pub plan: &'a Plan,
    /// The revision that the execution used last, if it is another one and still known.
    pub former: Option<&'a Plan>,
    /// Objects by id.
    pub objects: &'a BTreeMap<String, Object>,
    /// Groups, calendars and other definitions.
    pub definitions: &'a Definitions,
    /// The revision of the objects and of the other definitions.
    pub objects_revision: u64,
    /// The event that started the execution.
    pub event: &'a Occurrence,
    /// Its record, as it is now; `None` if global, deleted, or not needed for this decision.
    pub record: Option<&'a Record>,
    /// Related records by the chain of relationships that leads to them (`company.parent`), as far as expressions name them.
    pub related: &'a BTreeMap<String, Vec<Record>>,
    /// Records that expressions look up by values of unique fields, as far as they were read.
    pub lookups: Lookups<'a>,
    /// The present time.
    pub now: Timestamp,
    /// Names this invocation of the executor, for leases.
    pub invocation: &'a str,
    /// In a replay, the topic of the callback token that this decision received: rows do not contain the token.
    pub callback: Option<&'a str>,
    /// The workflow or the installation is killed.
    pub killed: bool,
    /// The slot of `limits.concurrency` that is free, as [`Execution::holds_slot`] names it; `None` if the execution has to
    /// wait for one. It is 0 where nothing is limited.
    pub free_slot: Option<u16>,
    /// Cost of models today, for budgets by day.
    pub spent_today: Usage,
    /// Cost of models for all parts of the tree that the execution is a part of, for budgets by execution.
    pub spent_by_parts: Usage,
    /// The children that the execution waits for, by id; one that is not there any more is absent.
    pub children: &'a BTreeMap<String, ChildSeen>,
    /// What those who wait for the execution let it do.
    pub hold: &'a Hold,
}

impl<'a> Context<'a> {
    /// The same, with a place for the first lookup that is lacking.
    pub(crate) fn noting<'b>(&self, lacking: &'b OnceLock<Lookup>) -> Context<'b>
    where
        'a: 'b,
    {
        let cx: Context<'b> = *self;
        Context { lookups: cx.lookups.noting(lacking), ..cx }
    }

    /// The business days of the workflow.
    ///
    /// # Errors
    /// The calendar that it names is not there.
    pub fn calendar(&self) -> Result<&Calendar, ExpressionError> {
        calendar_of(self.plan, self.definitions)
    }
}

/// The business days of a workflow.
///
/// # Errors
/// The calendar that it names is not there.
pub fn calendar_of<'a>(plan: &'a Plan, definitions: &'a Definitions) -> Result<&'a Calendar, ExpressionError> {
    match plan.workflow.calendar.named() {
        None => Ok(&plan.calendar),
        Some(id) => definitions
            .calendars
            .get(id)
            .ok_or_else(|| ExpressionError::Value { message: format!("the calendar {id:?} is not there") }),
    }
}

/// The values that expressions can read while a step is decided.
#[derive(Debug, Clone)]
pub struct StepScope<'a> {
    /// The context of the decision.
    pub cx: &'a Context<'a>,
    /// The execution.
    pub execution: &'a Execution,
    /// Whether `secret(…)` is allowed here.
    pub secrets: bool,
    /// Shared budget of evaluations that belong together: those of one step, of one filter, of the variables at start.
    pub meter: Rc<Meter>,
    /// What came of a call, where an expression is about that.
    pub answer: Option<&'a Value>,
}

impl StepScope<'_> {
    fn steps(&self) -> Value {
        let view = |id: &String| {
            self.execution
                .steps
                .get(id)
                .map(|state| json!({"output": state.output, "status": state.status, "error": state.error}))
        };
        Value::Object(self.execution.steps.keys().filter_map(|id| Some((id.clone(), view(id)?))).collect())
    }

    /// Variables; those that nothing has set yet are null, or of a list the empty list.
    fn variables(&self) -> Value {
        let empty =
            |name| if self.declared(name).is_some_and(|variable| variable.many) { json!([]) } else { Value::Null };
        let unset = self.cx.plan.assigned.iter().map(|name| (name.clone(), empty(name)));
        let set = self.execution.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
        Value::Object(unset.chain(set).collect())
    }

    fn declared(&self, name: &str) -> Option<&Variable> {
        self.cx.plan.workflow.variables.iter().find(|variable| variable.name == name)
    }

    fn execution(&self) -> Value {
        let execution = self.execution;
        let attempt = execution.cursor.as_ref().and_then(|id| execution.steps.get(id)).map_or(1, |state| state.attempt);
        json!({
            "id": execution.id,
            "status": execution.status,
            "started_at": execution.started_at,
            "created_at": execution.created_at,
            "attempt": attempt,
            "failed_steps": execution.failed_steps,
        })
    }

    fn workflow(&self) -> Value {
        let workflow = &self.cx.plan.workflow;
        json!({
            "id": workflow.id,
            "name": workflow.display_name(),
            "owner": workflow.owner,
            "revision": self.cx.plan.revision,
        })
    }
}

impl Scope for StepScope<'_> {
    fn root(&self, name: &str) -> Option<Value> {
        match name {
            "record" => self.cx.record.map(|record| record_view(record, self.cx)),
            "vars" => Some(self.variables()),
            "trigger" => Some(self.cx.event.view().clone()),
            "steps" => Some(self.steps()),
            "execution" => Some(self.execution()),
            "workflow" => Some(self.workflow()),
            "item" => self.execution.item().map(|item| item.value.clone()),
            "index" => self.execution.item().map(|item| item.index.into()),
            "answer" => self.answer.cloned(),
            _ => None,
        }
    }

    fn root_ref(&self, name: &str) -> Option<&Value> {
        match name {
            "trigger" => Some(self.cx.event.view()),
            "answer" => self.answer,
            _ => None,
        }
    }

    /// A declared variable exists from the start, and counts as set once it is not blank.
    fn is_set(&self, root: &str, name: &str) -> bool {
        let value = self.execution.variables.get(name);
        let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        root != "vars" || value.is_some_and(|value| self.declared(name).is_none() || !is_empty(value))
    }

    fn is_relationship(&self, root: &str, name: &str) -> bool {
        let object = self.cx.record.and_then(|record| self.cx.objects.get(&record.object));
        root == "record" && object.is_some_and(|object| object.relationships.contains_key(name))
    }

    fn now(&self) -> Timestamp {
        self.cx.now
    }

    fn timezone(&self) -> &TimeZone {
        &self.cx.plan.timezone
    }

    fn calendar(&self) -> Result<&Calendar, ExpressionError> {
        self.cx.calendar()
    }

    fn group(&self, id: &str) -> Option<&Group> {
        self.cx.definitions.groups.get(id)
    }

    fn lookup(&self, object: &str, field: &str, value: Value) -> Result<Value, ExpressionError> {
        lookup::find(self.cx, object, field, value)
    }

    fn meter(&self) -> Option<&Meter> {
        Some(&self.meter)
    }

    fn secrets(&self) -> bool {
        self.secrets
    }
}

/// A record as expressions see it: every field of its schema, empty ones null (lists the empty list), and related
/// records in place of their ids as far as they were read.
pub fn record_view(record: &Record, cx: &Context<'_>) -> Value {
    view_behind(None, record, cx)
}

/// The record at the end of a chain of relationships.
fn view_behind(chain: Option<&str>, record: &Record, cx: &Context<'_>) -> Value {
    let mut view = plain_view(record, cx.objects);
    // No chain is longer than those that were read.
    let relationships = cx.objects.get(&record.object).filter(|_| !cx.related.is_empty());
    for (name, relationship) in relationships.into_iter().flat_map(|object| &object.relationships) {
        let chain = chained(chain, name);
        let Some(related) = cx.related.get(&chain) else { continue };
        let mut views = related.iter().map(|record| view_behind(Some(&chain), record, cx));
        let value =
            if relationship.many { Value::Array(views.collect()) } else { views.next_back().unwrap_or(Value::Null) };
        view.insert(name.clone(), value);
    }
    Value::Object(view)
}

/// A record with every field of its schema, empty ones null; its relationships are ids.
pub(crate) fn plain_view(record: &Record, objects: &BTreeMap<String, Object>) -> Map<String, Value> {
    view_of(record, objects.get(&record.object))
}

/// The same, of a record whose object is at hand.
pub(crate) fn view_of(record: &Record, object: Option<&Object>) -> Map<String, Value> {
    let Value::Object(mut view) = record.view() else { return Map::new() };
    if let Some(object) = object {
        fill_empty(&mut view, object);
    }
    view
}

/// Returns null for an empty value, and the empty list for a list without elements.
fn fill_empty(view: &mut Map<String, Value>, object: &Object) {
    let fields = object.fields.iter().map(|(name, field)| (name.as_str(), field.many));
    let relationships = object.relationships.iter().map(|(name, relationship)| (name.as_str(), relationship.many));
    let stage = (!object.stages.is_empty()).then_some((STAGE, false));
    for (name, many) in fields.chain(relationships).chain(stage) {
        if view.get(name).is_none_or(Value::is_null) {
            view.insert(name.to_owned(), if many { json!([]) } else { Value::Null });
        }
    }
}

/// The record data that the next transition may read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reads {
    /// The execution's own record.
    pub record: bool,
    /// Names after `record.`, relationships among them.
    pub names: BTreeSet<String>,
    /// Paths after `record`, as expressions say them: an empty one is the whole record.
    pub paths: BTreeSet<Vec<String>>,
}

impl Reads {
    /// The relationships to follow from a record, by their chains, each after the one that it goes on from.
    pub fn hops<'a>(&self, object: &'a Object, objects: &'a BTreeMap<String, Object>) -> BTreeMap<String, Hop<'a>> {
        let first = self.names.iter().map(|name| vec![name.clone()]);
        hops(object, objects, &self.paths.iter().cloned().chain(first).collect())
    }
}

/// Returns the record data that the next transition of an execution may read.
pub fn reads(plan: &Plan, execution: &Execution) -> Reads {
    let mut reads = Reads::default();
    if execution.status == crate::Status::Queued {
        for variable in &plan.workflow.variables {
            for source in &variable.from {
                add_text(&mut reads, source.source());
                reads.paths.extend(after_record(source.reads()));
            }
            if let Some(default) = &variable.default {
                reads.paths.extend(after_record(&default.reads()));
                add_text(&mut reads, &default.source().to_string());
            }
        }
    }
    match execution.cursor.as_deref() {
        Some(id) => plan.step(id).into_iter().for_each(|step| add_step(&mut reads, step)),
        None if execution.status == crate::Status::Running => {
            let reached = plan.workflow.outcome.iter().map(|outcome| &outcome.reached);
            for expression in plan.workflow.output.values().chain(reached) {
                add_text(&mut reads, expression.source());
                reads.paths.extend(after_record(expression.reads()));
            }
        }
        None => {}
    }
    reads
}

fn add_text(reads: &mut Reads, text: &str) {
    reads.record = reads.record || text.contains("record");
    reads.names.extend(pawl_definition::step::names_after_record(text));
}

fn add_step(reads: &mut Reads, step: &Step) {
    reads.record = reads.record || step.kind.facts().reads_record || step.reads_record;
    reads.names.extend(step.record_reads.iter().cloned());
    reads.paths.extend(step.record_paths.iter().cloned());
}
