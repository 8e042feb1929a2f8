//! `switch`: one of several cases by value.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Branch, Shape};
use crate::{Expression, Step};

/// The step `switch`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// CEL whose value, as text, names the case.
    pub on: Expression,
    /// Steps by value.
    pub cases: BTreeMap<String, Vec<Step>>,
    /// Steps if no case fits.
    #[serde(default)]
    pub default: Vec<Step>,
}

impl Shape for Switch {
    fn branches(&self) -> Vec<Branch<'_>> {
        let cases = self.cases.iter().map(|(name, steps)| Branch { name, path: "cases", steps });
        cases.chain([Branch { name: "default", path: "default", steps: &self.default }]).collect()
    }
}
