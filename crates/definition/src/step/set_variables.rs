//! `set_variables`: assigns variables of this execution.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Shape;
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
    fn output(&self, _: &Facts<'_>) -> Type {
        Type::object(self.values.keys().map(|name| (name.as_str(), Type::any())))
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
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
