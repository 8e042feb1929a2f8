//! `switch`: one of several cases by value.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Branch, Shape};
use crate::describe::JsonSchema;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::validate::words::{any_of, did_you_mean, quoted};
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

impl Switch {
    /// Cases of values that never come are never taken.
    fn check_cases(&self, cx: &mut Check<'_, '_>) {
        let found = cx.gives(&self.on, Kinds::ANY, "a value", &cx.key("on"));
        let boolean = ["true".to_owned(), "false".to_owned()];
        let words = match (found.kinds.present(), &found.words) {
            (Kinds::TEXT, Some(words)) => words.as_slice(),
            (Kinds::BOOLEAN, _) => &boolean,
            _ => return,
        };
        for name in self.cases.keys().filter(|name| !words.contains(name) && *name != "null" && *name != "default") {
            let known = || words.iter().map(String::as_str);
            let message = format!(
                "this case is never taken: {} is {}, never {}",
                self.on.described(&found),
                any_of(known()),
                quoted(name)
            );
            cx.error_at_key(code::INVALID_VALUE, &cx.key("cases").key(name), message)
                .suggest(did_you_mean(name, known()));
        }
    }
}

impl Shape for Switch {
    fn words(&self, _: &Step) -> String {
        format!("looks at {}", self.on.words())
    }

    fn heading(&self, branch: &Branch<'_>) -> String {
        if branch.is_keyed { format!("if it is {}", branch.name) } else { "else".to_owned() }
    }

    fn decides_by(&self) -> Option<&BTreeSet<Vec<String>>> {
        Some(self.on.reads())
    }

    fn branches(&self) -> Vec<Branch<'_>> {
        let cases = self.cases.iter().map(|(name, steps)| Branch::keyed(name, "cases", steps));
        cases.chain([Branch::new("default", "default", &self.default)]).collect()
    }

    fn decides(&self) -> bool {
        true
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        Type::any()
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if self.cases.contains_key("default") {
            let message = "expected the steps for all other values under the key `default` of the switch, found a case of that name";
            cx.error(code::NOT_ALLOWED, &cx.key("cases").key("default"), message);
        }
        self.check_cases(cx);
        if self.cases.is_empty() {
            cx.warning(code::SUSPICIOUS, &cx.key("cases"), "a switch without cases always takes `default`");
        }
    }
}
