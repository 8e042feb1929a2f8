//! From a file to a workflow or an object, with every problem at once.
//!
//! - [`walk`]: the file against the shapes of the language ([`shapes`]), which gives steps, triggers and expressions
//!   with their paths ([`found`]). Types and keys are settled here.
//! - [`typing`] and [`flow`]: what expressions see, and which step can follow which.
//! - [`identity`], [`settings`], [`expressions`], [`steps`], [`object`]: what shapes cannot say, one pass each. The
//!   types of steps and triggers check themselves through [`Check`].
//! - A file without errors is read into its type, which cannot fail any more.

mod around;
mod check;
mod choice;
mod expected;
mod expressions;
mod facts;
mod flow;
mod found;
mod given;
mod identity;
pub(crate) mod literal;
mod mapping;
mod nodes;
mod object;
mod references;
mod regions;
mod report;
mod settings;
pub(crate) mod shapes;
mod starts;
mod steps;
pub(crate) mod synonyms;
mod typed;
mod typing;
mod walk;
pub(crate) mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

pub use around::Around;
pub use check::Check;
pub(crate) use object::fields as check_fields;
pub use starts::check_starts;

use crate::kind::KindCheck;
use crate::path::Path;
use crate::problem::code;
use crate::{DefinitionKind, Object, Problem, Source, Workflow};
pub(crate) use facts::Facts;
use regions::Regions;
pub(crate) use report::Report;
use typing::Typing;
use walk::Walker;

/// Checks a workflow file. The workflow is there if and only if no problem is an error.
///
/// With no objects at all, what needs their schemas (fields, relationships, options) is not checked.
pub fn check_workflow<'a>(source: &Source, around: impl Into<Around<'a>>) -> (Option<Workflow>, Vec<Problem>) {
    let around = around.into();
    let source = &source.for_workflow(around.objects);
    let mut report = Report::new(source);
    report.too_large_numbers();
    let mut walker = Walker::new(&mut report);
    walker.value(&walker.shapes.workflow, &source.value, &Path::root());
    let found = walker.found;
    let facts = Facts::gather(&source.value, &found, around);
    identity::check(&mut report, &found, &source.value);
    settings::check(&mut report, &source.value, &facts);
    let expressions = expressions::read(&mut report, &found);
    let kinds: Vec<_> = found.steps.iter().map(|site| typed::step_kind(site, &report)).collect();
    let triggers: Vec<_> = found.triggers.iter().map(|site| typed::trigger_kind(site, &report)).collect();
    let typing = Typing::gather(&source.value, &found, &facts, (&kinds, &triggers));
    let regions = Regions::of(&found, &kinds);
    expressions::check(&mut report, &found, &expressions, (&facts, &typing, &regions));
    regions.check(&mut report);
    steps::variables(&mut report, &source.value, &facts, &typing);
    steps::outcome(&mut report, &source.value, &facts, &typing);
    steps::check(&mut report, &found, &facts, &typing);
    finish(report, source)
}

/// Checks an object file. The object is there if and only if no problem is an error.
pub fn check_object(source: &Source) -> (Option<Object>, Vec<Problem>) {
    let source = &crate::source::of_object(source);
    let mut report = Report::new(source);
    report.too_large_numbers();
    let mut walker = Walker::new(&mut report);
    walker.value(&walker.shapes.object, &source.value, &Path::root());
    object::check(&mut report, &source.value);
    finish(report, source)
}

/// Checks a definition file, with what stands around it. Gives its id if and only if no problem is an error.
pub fn check_definition<'a>(
    kind: DefinitionKind,
    source: &Source,
    around: impl Into<Around<'a>>,
) -> (Option<String>, Vec<Problem>) {
    let source = &source.for_definition();
    let mut report = Report::new(source);
    report.too_large_numbers();
    let mut walker = Walker::new(&mut report);
    walker.value(&walker.shapes.definitions_by_kind[&kind], &source.value, &Path::root());
    kind.check(&source.value, &mut KindCheck { report: &mut report, around: around.into() });
    let id = kind.id_of(&source.value);
    let id = id.filter(|_| !report.has_errors()).map(str::to_owned);
    (id, report.into_problems())
}

/// Checks that what several objects say of each other holds: relationships lead to objects that exist, right or
/// `broken`.
pub fn check_objects(
    source: &Source,
    object: &Object,
    objects: &BTreeMap<String, Object>,
    broken: &BTreeSet<String>,
) -> Vec<Problem> {
    let mut report = Report::new(source);
    for (name, relationship) in &object.relationships {
        if !objects.contains_key(&relationship.object) && !broken.contains(&relationship.object) {
            let known = || objects.keys().chain(broken).map(String::as_str);
            let path = Path::root().key("relationships").key(name).key("object");
            let found = words::quoted(&relationship.object);
            let message =
                format!("expected an object that exists, found {found}; there are {}", words::all_of(known()));
            let near = words::did_you_mean(&relationship.object, known());
            report.error(code::UNKNOWN_OBJECT, &path, message).suggest(near);
        }
    }
    report.into_problems()
}

/// Reads a file without errors into its type.
fn finish<T: DeserializeOwned>(mut report: Report<'_>, source: &Source) -> (Option<T>, Vec<Problem>) {
    let mut read = None;
    if !report.has_errors() {
        match serde_json::from_value(source.value.clone()) {
            Ok(value) => read = Some(value),
            // The checks above are meant to leave nothing for this; what they miss is still a problem, not a panic.
            Err(error) => {
                report.error(code::INVALID_VALUE, &Path::root(), error.to_string());
            }
        }
    }
    (read, report.into_problems())
}
