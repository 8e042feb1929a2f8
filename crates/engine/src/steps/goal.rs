//! `goal`: waits until a condition on the record holds, an event arrives, or the time-out ends the wait.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pawl_definition::step::{Goal, IfPast};
use pawl_definition::{Expression, Object, WaitLength, Workflow, hops, led_to};
use serde_json::json;

use super::{Listening, OnEvent, StepContext, StepDecision, StepHandler, StepResult, Waits, delay};
use crate::event::waiting_on;
use crate::triggers::Interest;
use crate::{Context, Event, Occurrence, Record, StepCode, StepError, StepStatus, coerce, ids, triggers};

impl StepHandler for Goal {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        if holds(self, at)? {
            return Ok(StepDecision::done(met("holds on entry")));
        }
        let mut until = timeout(at)?;
        let input = json!({"until": self.until.as_ref().map(pawl_definition::Expression::source), "timeout": until.map(|at| at.to_string())});
        if until.is_some_and(|until| until <= at.cx.now) {
            match self.if_past {
                IfPast::Met => return Ok(StepDecision::done(met("the time-out is in the past"))),
                IfPast::Unmet => return Ok(StepDecision::done(unmet("the time-out is in the past"))),
                IfPast::Wait => until = None,
            }
        }
        Ok(StepDecision::Wait(Box::new(Waits::signal(until, listens_on(self, at), input))))
    }

    fn due(&self, _at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        Ok(StepDecision::done(unmet("timed out")))
    }

    fn event(&self, at: &StepContext<'_>, event: &Event) -> Result<OnEvent, StepError> {
        // A slow writer stamps a change before the wait began and commits it after: the condition is looked at whatever
        // the event's time is.
        if holds(self, at)? {
            return Ok(OnEvent::Done(Box::new(met("the condition holds"))));
        }
        let since = at.execution.waiting.as_ref().map(|waiting| waiting.since);
        if since.is_some_and(|since| event.occurred_at < since) {
            return Ok(OnEvent::Nothing);
        }
        let of_other_record =
            matches!((&at.execution.record, &event.subject), (Some(own), Some(other)) if own != other);
        if of_other_record {
            return Ok(OnEvent::Nothing);
        }
        let matching: Vec<_> = self.on.iter().filter(|trigger| triggers::matches(trigger, at.cx.plan, event)).collect();
        if matching.is_empty() {
            return Ok(OnEvent::Nothing);
        }
        // In the filters of these triggers, `trigger` is the event that came, not the one that began the execution.
        let came = Occurrence::new(event.clone());
        let cx = Context { event: &came, ..*at.cx };
        for trigger in matching {
            if triggers::passes(trigger, &cx, at.execution)? {
                return Ok(OnEvent::Done(Box::new(met(&format!("event {} on {}", event.id, trigger.id)))));
            }
        }
        Ok(OnEvent::Nothing)
    }

    fn again(&self, at: &StepContext<'_>) -> Result<Option<StepResult>, StepError> {
        Ok(holds(self, at)?.then(|| met("the condition holds")))
    }

    fn listens(&self, at: &StepContext<'_>) -> Option<Listening> {
        Some(listens_on(self, at))
    }

    fn awaits(&self, workflow: &Workflow, objects: &BTreeMap<String, Object>) -> BTreeSet<String> {
        let interests: Vec<_> = self.on.iter().flat_map(|trigger| triggers::interests(trigger, workflow)).collect();
        let mut terms: BTreeSet<_> = interests.iter().filter_map(Interest::awaited_apart).collect();
        let Some(own) = workflow.object.as_deref() else { return terms };
        let object = objects.get(own);
        let mut watched = Watched::default();
        let related = || object.into_iter().flat_map(|object| object.relationships.keys().cloned()).collect();
        if let Some(until) = &self.until {
            watched.condition(until, object, objects, related);
        }
        for interest in interests.iter().filter(|interest| interest.awaited_apart().is_none()) {
            watched.own.add(interest.changed_field());
        }
        let of_related = watched
            .related
            .iter()
            .filter_map(|(chain, fields)| Some((led_to(object?, objects, chain)?.object.as_str(), fields)));
        let all = std::iter::once((own, &watched.own)).chain(of_related);
        terms.extend(
            all.flat_map(|(object, fields)| fields.words().into_iter().map(|field| triggers::awaited(object, field))),
        );
        terms
    }

    fn skipped_branch(&self, yes: bool) -> Option<&'static str> {
        Some(if yes { "met" } else { "unmet" })
    }
}

fn holds(step: &Goal, at: &StepContext<'_>) -> Result<bool, StepError> {
    let Some(until) = &step.until else { return Ok(false) };
    until.test(&at.scope()).map_err(|error| StepError::from(error).at("until"))
}

fn met(note: &str) -> StepResult {
    StepResult {
        output: json!("met"),
        branch: Some("met".to_owned()),
        note: Some(note.to_owned()),
        ..StepResult::default()
    }
}

/// The topics of what can meet the goal: changes of the fields that its condition reads, of its own record and of related ones, and what its
/// triggers take.
fn listens_on(step: &Goal, at: &StepContext<'_>) -> Listening {
    let (cx, workflow) = (at.cx, &at.cx.plan.workflow);
    let mut watched = Watched::default();
    if let Some(until) = &step.until {
        let object = cx.record.and_then(|record| cx.objects.get(&record.object));
        watched.condition(until, object, cx.objects, || cx.related.keys().cloned().collect());
    }
    let own_topic = workflow.object.as_deref().map(ids::object_topic);
    let mut topics = BTreeSet::new();
    for interest in step.on.iter().flat_map(|trigger| triggers::interests(trigger, workflow)) {
        if own_topic.as_deref() == Some(interest.topic()) {
            watched.own.add(interest.changed_field());
        } else {
            topics.insert(interest.waiter_topic(at.execution.record.as_ref()));
        }
    }
    for (record, fields) in watched.records(cx) {
        let topic = record.subject().topic();
        topics.extend(
            fields.words().into_iter().map(|field| field.map_or(topic.clone(), |field| waiting_on(&topic, field))),
        );
    }
    let records = cx.record.into_iter().chain(cx.related.values().flatten());
    Listening { topics, checks: records.map(|record| (record.subject(), record.version)).collect() }
}

/// Most fields of a record to which a goal listens one by one. A goal that reads more fields listens to every change.
const MOST_FIELDS: usize = 8;

/// What a goal watches.
#[derive(Debug, Default)]
struct Watched {
    own: Fields,
    /// By the chain of relationships that leads there.
    related: BTreeMap<String, Fields>,
}

/// Fields of one record.
#[derive(Debug, Default)]
struct Fields {
    names: BTreeSet<String>,
    /// Any change may count.
    all: bool,
}

impl Watched {
    /// What a condition reads. Of what changes with time, or with the record as a whole, every change is a reason to look.
    /// `related` are the chains of relationships that there are.
    fn condition(
        &mut self,
        until: &Expression,
        object: Option<&Object>,
        objects: &BTreeMap<String, Object>,
        related: impl Fn() -> BTreeSet<String>,
    ) {
        for path in until.reads().iter().filter(|path| path[0] == "record") {
            let path = &path[1..];
            if path.is_empty() {
                self.all(related());
                continue;
            }
            let followed = object.map(|object| hops(object, objects, &BTreeSet::from([path.to_vec()])));
            let (mut chain, mut object) = (None, object);
            let mut names = path.iter().map(String::as_str);
            for (next, hop) in followed.unwrap_or_default() {
                self.behind(hop.from.as_deref()).add(names.next());
                (chain, object) = (Some(next), objects.get(&hop.relationship.object));
            }
            self.behind(chain.as_deref()).read(object, names.next());
        }
        if until.reads_now() {
            self.all(related());
        }
    }

    /// What is watched of the records at the end of a chain.
    fn behind(&mut self, chain: Option<&str>) -> &mut Fields {
        match chain {
            Some(chain) => self.related.entry(chain.to_owned()).or_default(),
            None => &mut self.own,
        }
    }

    fn all(&mut self, related: BTreeSet<String>) {
        self.own.all = true;
        for chain in related {
            self.behind(Some(&chain)).all = true;
        }
        self.related.values_mut().for_each(|fields| fields.all = true);
    }

    fn records<'a>(&'a self, cx: &'a Context<'_>) -> impl Iterator<Item = (&'a Record, &'a Fields)> {
        let own = cx.record.into_iter().map(|record| (record, &self.own));
        let related = self.related.iter().filter_map(|(name, fields)| Some((cx.related.get(name)?, fields)));
        own.chain(related.flat_map(|(records, fields)| records.iter().map(move |record| (record, fields))))
    }
}

impl Fields {
    /// What a condition reads of a record. Some names never change, and what no change tells changes with every one.
    fn read(&mut self, object: Option<&Object>, name: Option<&str>) {
        match name {
            Some("id" | "object" | "created_at") => {}
            Some("updated_at") => self.all = true,
            name => self.add(name.filter(|name| object.is_some_and(|object| object.field(name).is_some()))),
        }
    }

    fn add(&mut self, name: Option<&str>) {
        match name {
            Some(name) => drop(self.names.insert(name.to_owned())),
            None => self.all = true,
        }
    }

    /// Each field, or none for every change.
    fn words(&self) -> Vec<Option<&str>> {
        if self.all || self.names.len() > MOST_FIELDS {
            return vec![None];
        }
        self.names.iter().map(|name| Some(name.as_str())).collect()
    }
}

fn unmet(note: &str) -> StepResult {
    let status = StepStatus::TimedOut;
    StepResult {
        status,
        output: json!("unmet"),
        branch: Some("unmet".to_owned()),
        note: Some(note.to_owned()),
        ..StepResult::default()
    }
}

/// `never`, a duration, or a date and time; absent means never.
pub(super) fn timeout(at: &StepContext<'_>) -> Result<Option<Timestamp>, StepError> {
    let Some(template) = &at.step.timeout else { return Ok(None) };
    let value = template.resolve(&at.scope()).map_err(|error| StepError::from(error).at("timeout"))?;
    if value == "never" {
        return Ok(None);
    }
    if let Some(length) = WaitLength::from_value(&value) {
        let over = length.after(at.cx.now, &at.cx.plan.timezone, || at.calendar());
        return Ok(Some(over.map_err(|error| StepError::from(error).at("timeout"))?));
    }
    let expected = || {
        StepError::new(
            StepCode::WrongType,
            format!("`timeout`: expected never, a duration or a date and time, found {}", coerce::short(&value)),
        )
    };
    delay::point(&value, at.cx.plan).map(Some).map_err(|_| expected())
}
