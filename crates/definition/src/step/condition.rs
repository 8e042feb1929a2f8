//! `condition`: yes or no.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Branch, Shape, TypeFacts};
use crate::describe::JsonSchema;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::{Check, Expression, Step, code};

/// The step `condition`. Its branches rejoin.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// CEL that gives true or false.
    pub r#if: Expression,
    /// Steps if true.
    #[serde(default)]
    pub yes: Vec<Step>,
    /// Steps if false.
    #[serde(default)]
    pub no: Vec<Step>,
}

impl Shape for Condition {
    fn words(&self, _: &Step) -> String {
        format!("checks whether {}", self.r#if.words())
    }

    fn heading(&self, branch: &Branch<'_>) -> String {
        if branch.name == "yes" { "if so" } else { "if not" }.to_owned()
    }

    fn facts() -> TypeFacts {
        TypeFacts { common_keys: &["take"], must_branch: true, ..TypeFacts::PLAIN }
    }

    fn decides_by(&self) -> Option<&BTreeSet<Vec<String>>> {
        Some(self.r#if.reads())
    }

    fn branches(&self) -> Vec<Branch<'_>> {
        vec![Branch::new("yes", "yes", &self.yes), Branch::new("no", "no", &self.no)]
    }

    fn decides(&self) -> bool {
        true
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        Type::of(Kinds::BOOLEAN)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        cx.truth(&self.r#if, &cx.key("if"));
        if !cx.written("yes") && !cx.written("no") {
            let message = "a condition with neither `yes` nor `no` decides nothing";
            cx.warning(code::SUSPICIOUS, &cx.path.clone(), message);
        }
    }
}
