//! What an outside event becomes for one workflow before it starts anything: values, and the record that it is about.
//!
//! A webhook's delivery is filled when it comes in, so that its sender is told what is wrong; an event of the bus, which
//! names no workflow, when it is evaluated.

mod record;
mod scope;

use std::sync::Arc;

use async_recursion::async_recursion as boxed;
use pawl_definition::trigger::Fills;
use pawl_definition::{Definitions, ExpressionError, Meter, OWNER, Trigger};
use pawl_engine::{Event, Plan, coerce};
use serde_json::{Map, Value};

use crate::ports::Tables;
use crate::{Catalog, Error, Finder, RecordError, UnreadableItems};
use record::Target;
use scope::IntakeScope;

/// Fills events.
pub struct Intake {
    catalog: Arc<Catalog>,
    /// One that cannot be read is not made anew.
    finder: Finder,
}

/// Why an event cannot be filled.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The event is not as the trigger expects it.
    #[error("{}", .0.detail)]
    Unfit(Unfit),
    /// The record that it would make cannot be made.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Infrastructure failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// What of an event is not as the trigger expects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Stable code.
    pub code: &'static str,
    /// The key below the trigger.
    pub path: Option<String>,
    /// What was expected and what was found.
    pub detail: String,
}

impl Unfit {
    /// The codes that it can have.
    pub const CODES: [&'static str; 7] =
        ["value_failed", "no_object", "no_record", "ambiguous_record", "blank_match", "bad_filter", "record_archived"];

    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, path: None, detail: detail.into() }
    }

    fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

impl From<Unfit> for IntakeError {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

impl Intake {
    /// Over the tables that a catalog reads.
    pub(crate) fn new(catalog: Arc<Catalog>, tables: Arc<dyn Tables>, unreadable: Arc<UnreadableItems>) -> Self {
        Self { catalog, finder: Finder::new(tables, unreadable).strict() }
    }

    /// Evaluates the values of a trigger and finds or plans the record of its event, unless the trigger's filter leaves the
    /// event out for each record that it may have. An event that its filter leaves out need not name a record.
    #[boxed]
    pub async fn fill(&self, plan: &Plan, trigger: &Trigger, event: &mut Event) -> Result<(), IntakeError> {
        let Some(fills) = trigger.kind.shape().fills() else { return Ok(()) };
        let definitions = self.definitions(plan, trigger, fills).await?;
        let view = event.view();
        let (definitions, now) = (&definitions, event.occurred_at);
        let scope = IntakeScope { plan, trigger: &view, definitions, now, meter: Meter::default() };
        if is_left_out(trigger, &scope) {
            return Ok(());
        }
        let values = values(plan, fills, &scope)?;
        if let Some(rule) = fills.record
            && let Some((field, expression)) = rule.r#match.iter().next()
        {
            let create = rule.create.then_some(&values);
            let (catalog, finder) = (&self.catalog, &self.finder);
            let target = Target { catalog, finder, plan, definitions, field, create };
            (event.subject, event.creation) = target.find(expression, &scope).await?;
        }
        if !values.is_empty() {
            event.data.insert("values".to_owned(), Value::Object(values));
        }
        Ok(())
    }

    /// The definitions that the expressions of a trigger ask for: the workflow's calendar, groups, and members if it gives a
    /// new record its owner.
    async fn definitions(&self, plan: &Plan, trigger: &Trigger, fills: Fills<'_>) -> Result<Definitions, Error> {
        let asks = trigger.filter.iter().chain(fills.values.values()).any(|expression| !expression.groups().is_empty());
        let gives_owner = fills.values.contains_key(OWNER);
        if plan.workflow.calendar.named().is_none() && !asks && !gives_owner {
            return Ok(Definitions::default());
        }
        let installation = self.catalog.read_installation().await?;
        let objects = self.catalog.objects(installation.objects_revision).await?;
        objects.require_definitions()?;
        Ok(objects.definitions.clone())
    }
}

/// Whether the trigger's filter leaves an event out for each record that it may have, or fails on it. Such a delivery, a
/// provider's ping for one, is accepted and shown as filtered.
fn is_left_out(trigger: &Trigger, scope: &IntakeScope<'_>) -> bool {
    let Some(filter) = &trigger.filter else { return false };
    let on_event_alone = filter.roots().iter().all(|root| ["trigger", "workflow", "now"].contains(&root.as_str()));
    on_event_alone && filter.test(scope) != Ok(true)
}

/// The values by name; one that a variable will take has its type already. What the event does not have is no value.
fn values(plan: &Plan, fills: Fills<'_>, scope: &IntakeScope<'_>) -> Result<Map<String, Value>, Unfit> {
    let mut values = Map::new();
    for (name, expression) in fills.values {
        let path = || format!("values.{name}");
        let mut value = match expression.evaluate(scope) {
            // As to a source of a variable: it is blank.
            Ok(Value::Null) | Err(ExpressionError::Missing { .. }) => continue,
            result => result.map_err(|error| failed(&error).at(path()))?,
        };
        if let Some(variable) = plan.workflow.variables.iter().find(|variable| variable.name == *name) {
            let typed = coerce::variable(value, variable.kind, variable.many, &plan.timezone);
            value = typed.map_err(|error| Unfit::new("value_failed", error.message).at(path()))?;
        }
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn failed(error: &ExpressionError) -> Unfit {
    Unfit::new("value_failed", error.to_string())
}
