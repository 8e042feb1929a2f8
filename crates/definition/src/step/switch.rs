//! `switch`: one of several cases by value.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Branch, Shape};
use crate::{Check, Expression, Step, code};

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

    fn decides(&self) -> bool {
        true
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if self.cases.contains_key("default") {
            let message = "expected the steps for all other values under the key `default` of the switch, found a case of that name";
            cx.error(code::NOT_ALLOWED, &cx.key("cases").key("default"), message);
        }
        if self.cases.is_empty() {
            cx.warning(code::SUSPICIOUS, &cx.key("cases"), "a switch without cases always takes `default`");
        }
    }
}
