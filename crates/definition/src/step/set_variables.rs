//! `set_variables`: assigns variables of this execution.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Carried, Shape, Step};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::source::TextPlaces;
use crate::types::Type;
use crate::validate::Facts;
use crate::validate::literal::is_variable_name;
use crate::{Check, Template, code};

/// The step `set_variables`. All values are computed from the state before the step.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetVariables {
    /// Values by variable.
    pub values: BTreeMap<String, Template>,
}

impl Shape for SetVariables {
    fn words(&self, _: &Step) -> String {
        let values = self.values.iter().map(|(name, value)| format!("{name} to {}", value.words()));
        format!("sets the variables {}", listed(values, "and"))
    }

    fn wants_text(_: &Value, place: &[&str], file: &TextPlaces<'_>) -> bool {
        matches!(place, ["values", name, ..] if file.variable(name))
    }

    fn sets(keys: &Map<String, Value>) -> Vec<&str> {
        let values = keys.get("values").and_then(Value::as_object);
        values.into_iter().flat_map(Map::keys).map(String::as_str).collect()
    }

    fn assigns(&self) -> Vec<(&str, &Template)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value)).collect()
    }

    fn carries(&self, meant: &dyn Fn(&Template) -> bool) -> Carried<'_> {
        let values = self.values.iter().filter(|(_, value)| meant(value));
        let variables: Vec<_> = values.map(|(name, _)| name.as_str()).collect();
        Carried { output: !variables.is_empty(), variables, fields: Vec::new() }
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        Type::object(self.values.keys().map(|name| (name.as_str(), Type::any())))
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if self.values.is_empty() && !cx.has_problem("values") {
            cx.error(code::INVALID_VALUE, &cx.key("values"), "expected at least one variable, found none");
        }
        for (name, given) in &self.values {
            let path = cx.key("values").key(name);
            if !is_variable_name(name) {
                let message = format!("expected a name of the form [a-z_][a-z0-9_]*, found {name:?}");
                cx.error_at_key(code::INVALID_ID, &path, message);
            }
            if let Some(value) = given.literal() {
                cx.variable_value(name, value, &path);
            }
            cx.variable_takes(name, given, &path);
        }
    }
}
