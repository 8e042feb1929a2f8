//! Types of what the expressions of a workflow see: its record, variables, outputs of steps, and the event.

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::{Facts, field_type};
use super::flow::Flow;
use super::found::{ExpressionSite, Found, Owner};
use super::references;
use crate::expression::Seen;
use crate::path::{Path, Segment};
use crate::step::HttpRequest;
use crate::types::{Kinds, Shape, Type};
use crate::{Field, Object, StepKind, TriggerKind};

/// Words of the states of a step, and of an execution.
const STEP_STATES: [&str; 9] =
    ["running", "waiting", "retrying", "completed", "partial", "failed", "skipped", "canceled", "timed_out"];
const EXECUTION_STATES: [&str; 7] = ["queued", "running", "waiting", "paused", "completed", "canceled", "failed"];

/// The types, put together once for a workflow. Names that are unknown are told by `references`: what has them is open
/// here.
#[derive(Debug)]
pub(crate) struct Typing<'f, 'a> {
    found: &'f Found<'a>,
    objects: &'a BTreeMap<String, Object>,
    flow: Flow,
    record: Type,
    whole_record: Type,
    variables: Type,
    steps: Type,
    execution: Type,
    workflow: Type,
    /// What each trigger gives as `trigger`, by its place in [`Found::triggers`].
    triggers: Vec<Type>,
    /// `trigger` of a step: any of them.
    trigger: Type,
    /// The places of the steps that set each variable which is not declared.
    set_by: BTreeMap<String, Vec<usize>>,
}

impl<'f, 'a> Typing<'f, 'a> {
    pub(super) fn gather(
        file: &'a Value,
        found: &'f Found<'a>,
        facts: &Facts<'a>,
        (kinds, triggers): (&[Option<StepKind>], &[Option<TriggerKind>]),
    ) -> Self {
        let collects = file.get("limits").is_some_and(|limits| limits.get("debounce").is_some());
        let of_trigger = |kind: Option<&TriggerKind>| of_trigger(kind, collects, facts);
        let each: Vec<_> = triggers.iter().map(|kind| of_trigger(kind.as_ref())).collect();
        let started = found.triggers.iter().zip(&each).filter(|(site, _)| !site.waits).map(|(_, given)| given);
        let manual = of_trigger(Some(&TriggerKind::always()));
        let object = facts.object();
        let mut typing = Self {
            found,
            objects: facts.objects,
            flow: Flow::of(file, found, kinds),
            record: object.map_or_else(Type::any, |object| Type::of_record_and_related(object, facts.objects)),
            whole_record: object.map_or_else(Type::any, Type::of_loose_record),
            variables: Type::any(),
            steps: steps(found, kinds, facts),
            execution: execution(),
            workflow: workflow(),
            trigger: started.fold(manual, |all, one| all.or(one)),
            triggers: each,
            set_by: set_by(found, facts),
        };
        // Twice: what is set from variables is known once those are.
        typing.variables = variables(&typing, kinds, facts);
        typing.variables = variables(&typing, kinds, facts);
        typing
    }

    pub(super) fn flow(&self) -> &Flow {
        &self.flow
    }

    /// What an expression sees.
    pub(super) fn seen_by(&self, site: &ExpressionSite<'_>) -> View<'_, 'f, 'a> {
        self.seen_at(site.owner, &site.path)
    }

    pub(super) fn seen_at(&self, owner: Owner, path: &Path) -> View<'_, 'f, 'a> {
        let waited_for = || {
            let mut sites = self.found.triggers.iter().enumerate().filter(|(_, site)| site.waits);
            sites.find(|(_, site)| path.is_within(&site.path)).map(|(at, _)| at)
        };
        let (step, trigger) = match owner {
            Owner::Workflow => (None, None),
            Owner::Trigger(at) => (None, Some(at)),
            Owner::Step(at) => (Some(at), waited_for()),
        };
        let source = Segment::Key("from".into());
        let is_source = path.segments().get(2) == Some(&source);
        let tolerant = owner == Owner::Workflow && (is_source || references::is_of_start(path));
        View { typing: self, step, tolerant, trigger: trigger.map_or(&self.trigger, |at| &self.triggers[at]) }
    }

    /// What the filter of a trigger sees, of the workflow's or of one that a step waits for.
    pub(super) fn seen_by_trigger(&self, at: usize) -> View<'_, 'f, 'a> {
        View { typing: self, step: None, tolerant: false, trigger: &self.triggers[at] }
    }
}

/// What one place sees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'t, 'f, 'a> {
    typing: &'t Typing<'f, 'a>,
    step: Option<usize>,
    /// It stands in `from` of a variable or is a key of a limit, where what the event does not have is blank.
    tolerant: bool,
    trigger: &'t Type,
}

impl Seen for View<'_, '_, '_> {
    fn root(&self, name: &str) -> Type {
        match name {
            "record" => self.typing.record.clone(),
            "vars" => self.typing.variables.clone(),
            "steps" => self.typing.steps.clone(),
            "trigger" => self.trigger.clone(),
            "execution" => self.typing.execution.clone(),
            "workflow" => self.typing.workflow.clone(),
            "answer" => HttpRequest::answer(),
            _ => Type::any(),
        }
    }

    fn whole(&self, name: &str) -> Type {
        // Related records are read only where a path names them.
        if name == "record" { self.typing.whole_record.clone() } else { self.root(name) }
    }

    fn record_of(&self, object: &str) -> Type {
        self.typing.objects.get(object).map_or_else(Type::any, Type::of_record)
    }

    fn takes_missing(&self) -> bool {
        self.tolerant
    }

    fn step_can_precede(&self, id: &str) -> bool {
        let Some(step) = self.step else { return true };
        let mut sites = self.typing.found.steps.iter().enumerate().filter(|(_, site)| site.id == Some(id));
        let Some((earlier, _)) = sites.next() else { return true };
        // Of a step that is never reached only that is told.
        earlier == step || !self.typing.flow.reaches(step) || self.typing.flow.can_precede(earlier, step)
    }

    fn variable_can_be_set(&self, name: &str) -> bool {
        let (Some(step), Some(set_by)) = (self.step, self.typing.set_by.get(name)) else { return true };
        !self.typing.flow.reaches(step) || set_by.iter().any(|earlier| self.typing.flow.can_precede(*earlier, step))
    }
}

/// The field whose values a declared variable takes.
pub(crate) fn variable_field(facts: &Facts<'_>, name: &str) -> Option<Field> {
    let (kind, many) = facts.variable(name)?;
    Some(Field { many, ..Field::of(field_type(kind)) })
}

/// What a trigger gives; with `limits.debounce`, all events of the burst too.
fn of_trigger(kind: Option<&TriggerKind>, collects: bool, facts: &Facts<'_>) -> Type {
    let Some(kind) = kind else { return Type::any() };
    let mut keys: BTreeMap<_, _> =
        kind.shape().event(facts).into_iter().map(|(key, inside)| (key.to_owned(), inside)).collect();
    keys.insert("type".to_owned(), Type::words(kind.shape().event_types(kind.tag()).iter().copied()));
    keys.insert("id".to_owned(), Type::text());
    keys.insert("occurred_at".to_owned(), Type::text());
    if collects {
        keys.insert("events".to_owned(), Type::list(Type::any()));
    }
    Type::shaped(Shape { keys, open: false, object: None })
}

fn steps(found: &Found<'_>, kinds: &[Option<StepKind>], facts: &Facts<'_>) -> Type {
    let error = || {
        let keys = [("code", Type::text()), ("message", Type::text())];
        Type::open_object(keys).or_null()
    };
    let each = found.steps.iter().zip(kinds).filter_map(|(site, kind)| {
        let output = kind.as_ref().map_or_else(Type::any, |kind| {
            let shape = kind.shape();
            shape.output(facts).or(&shape.failed_output(facts)).or_null()
        });
        let state = [("output", output), ("status", Type::words(STEP_STATES)), ("error", error())];
        Some((site.id?, Type::open_object(state)))
    });
    Type::open_object(each)
}

fn execution() -> Type {
    Type::open_object([
        ("id", Type::text()),
        ("status", Type::words(EXECUTION_STATES)),
        ("started_at", Type::text().or_null()),
        ("created_at", Type::text()),
        ("attempt", Type::of(Kinds::NUMBER)),
        ("failed_steps", Type::list(Type::text())),
    ])
}

fn workflow() -> Type {
    let number = Type::of(Kinds::NUMBER);
    Type::open_object([("id", Type::text()), ("name", Type::text()), ("owner", Type::text()), ("revision", number)])
}

/// The variables: declared ones have their type, others what any step gives them.
fn variables(typing: &Typing<'_, '_>, kinds: &[Option<StepKind>], facts: &Facts<'_>) -> Type {
    let mut given: BTreeMap<String, Type> = BTreeMap::new();
    let mut give = |name: &str, value: Type| {
        let value = given.get(name).map_or_else(|| value.clone(), |known| known.or(&value));
        given.insert(name.to_owned(), value.or_null());
    };
    for (at, (site, kind)) in typing.found.steps.iter().zip(kinds).enumerate() {
        let seen = typing.seen_at(Owner::Step(at), &site.path);
        match kind {
            Some(kind) => {
                kind.shape().assigns().into_iter().for_each(|(name, value)| give(name, value.infer(&seen)));
            }
            // Of what could not be read, the names are known.
            None => site.sets().into_iter().for_each(|name| give(name, Type::any())),
        }
        if let Some(name) = site.keys.get("save_as").and_then(Value::as_str) {
            give(name, kind.as_ref().map_or_else(Type::any, |kind| kind.shape().output(facts)));
        }
    }
    facts.delivered.iter().for_each(|name| give(name, Type::any()));
    for (name, ..) in &facts.declared {
        let declared = variable_field(facts, name).map_or_else(Type::any, |field| Type::of_field(&field));
        given.insert((*name).to_owned(), declared);
    }
    Type::shaped(Shape { keys: given, open: true, object: None })
}

/// The places of the steps that set each variable that nothing else sets.
fn set_by(found: &Found<'_>, facts: &Facts<'_>) -> BTreeMap<String, Vec<usize>> {
    let mut set_by: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, site) in found.steps.iter().enumerate() {
        let saved = site.keys.get("save_as").and_then(Value::as_str);
        for name in saved.into_iter().chain(site.sets()) {
            set_by.entry(name.to_owned()).or_default().push(at);
        }
    }
    let elsewhere = facts.declared.iter().map(|(name, ..)| *name).chain(facts.delivered.iter().copied());
    elsewhere.for_each(|name| {
        set_by.remove(name);
    });
    set_by
}
