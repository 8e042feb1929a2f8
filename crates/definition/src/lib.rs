//! What an author writes: workflows, triggers, steps, expressions and objects. Pure.
//!
//! - [`expression`]: CEL, templates and durations.
//! - [`value`]: equality, order, blanks and the writing of values, for all that compares any.
//! - [`step`] and [`trigger`]: one file for each type, and a registry line.
//! - [`Workflow`] and [`Object`], and [`DefinitionKind`] with one file for each other kind of file.
//! - [`Source`], [`check_workflow`] and [`check_object`]: from a text to these, with every [`Problem`] at once.
//! - [`json`]: the one entrance of JSON from outside, with its bounds.
//! - [`JsonSchema`]: JSON Schema over values; [`OrderedSchema`]: one as its author ordered it.
//! - [`describe`]: JSON Schemas of the language, generated from these types.
//! - [`workflow_schema`], [`checklist`] and [`mermaid`], [`told`]: what authors get from them.

pub mod describe;
pub mod expression;
pub mod json;
pub mod step;
pub mod trigger;
pub mod value;

mod checklist;
mod concurrency;
mod debounce;
mod failure;
mod graph;
mod hops;
mod json_schema;
mod kind;
mod limits;
mod object;
mod outcome;
mod path;
mod pattern;
mod problem;
mod recurrence;
mod schema;
mod signature;
mod source;
mod told;
mod types;
mod url_pattern;
mod validate;
mod variable;
mod who;
mod workflow;

pub use checklist::{ChecklistItem, ChecklistStatus, checklist};
pub use concurrency::{Concurrency, SLOTS_OF_KEY_MOST, SlotHold};
pub use debounce::{Debounce, WINDOW_LONGEST};
pub use expression::{Comparison, Conjunct, Duration, Expression, ExpressionError, Meter, Scope, Template, WaitLength};
pub use failure::{Failure, FailureClass, Notify, Retry, Severity, Then};
pub use graph::mermaid;
pub use hops::{HOPS_MOST, Hop, chained, hops, led_to};
pub use json_schema::{
    JsonSchema, Mismatch, MismatchKind, OrderedSchema, PROPERTY_ORDER, SchemaBudget, SchemaTooCostly,
};
pub use kind::{
    Activity, Calendar, DefinitionKind, Definitions, Group, Member, People, Team, Weekday, WorkflowCalendar,
};
pub use limits::{Budget, BudgetPer, Limits, Reentry, Starts};
pub use object::{ARCHIVED_AT, Contact, Field, FieldType, OWNER, Object, Relationship, STAGE, TAGS};
pub use outcome::Outcome;
pub use path::{Path, Segment};
pub use pattern::EventPattern;
pub use problem::{Level, Problem, code};
pub use recurrence::{AroundDate, BusinessDays, Pattern, Recurrence, RecurrenceTime};
pub use schema::{object_schema, workflow_schema};
pub use signature::HmacScheme;
pub use source::{Position, Source};
pub use step::{Branch, Delivery, Step, StepKind, Take};
pub use told::told;
pub use trigger::{Trigger, TriggerKind};
pub use url_pattern::{URL_MOST, UrlPattern, check_url};
pub use validate::{Around, Check, check_definition, check_object, check_objects, check_starts, check_workflow};
pub use variable::{Variable, VariableType};
pub use who::{Among, Chooser, Who};
pub use workflow::{Edits, Hook, Priority, RETENTION_LEAST, Workflow};
