//! `for_each`: carries steps out for each item of a list.

use serde::Deserialize;
use serde_json::Value;

use super::{Branch, RegionKind, Shape};
use crate::describe::JsonSchema;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::validate::words::found;
use crate::{Check, Expression, Step, Template, code};

/// Most items of a loop.
pub const ITEMS_MOST: usize = 10_000;

/// What an item may come to.
const STATES: [&str; 2] = ["completed", "failed"];

/// The step `for_each`. Output: `{completed, failed, items: [{index, status, output, error}]}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForEach {
    /// The items: a list, or a template that gives one, of at most 10,000.
    pub items: Template,
    /// Steps for each item.
    pub r#do: Vec<Step>,
    /// Items that run at once, each then in an execution of its own or with some others one after the other.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 25))]
    pub concurrency: u32,
    /// What an item that failed does to the others.
    #[serde(default)]
    pub item_failed: ItemFailed,
    /// CEL: what is kept of an item; null if absent.
    #[serde(default)]
    pub output: Option<Expression>,
}

fn one() -> u32 {
    1
}

/// What an item that failed does to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemFailed {
    /// No other begins, and the step fails. A retry by an operator goes on with the items that are not finished.
    #[default]
    Stop,
    /// The others go on, and the step is `partial`.
    Continue,
}

impl Shape for ForEach {
    fn words(&self, _: &Step) -> String {
        let beside = if self.concurrency > 1 { format!(", {} at a time", self.concurrency) } else { String::new() };
        format!("goes through {}{beside}", self.items.words())
    }

    fn heading(&self, _: &Branch<'_>) -> String {
        "for each item".to_owned()
    }

    fn branches(&self) -> Vec<Branch<'_>> {
        vec![Branch::new("do", "do", &self.r#do).region(RegionKind::Item)]
    }

    fn items_at_once(&self) -> Option<u32> {
        Some(self.concurrency.max(1))
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        let error = Type::open_object([("code", Type::text()), ("message", Type::text())]).or_null();
        let number = || Type::of(Kinds::NUMBER);
        let item = Type::object([
            ("index", number()),
            ("status", Type::words(STATES)),
            ("output", Type::any()),
            ("error", error),
        ]);
        Type::object([("completed", number()), ("failed", number()), ("items", Type::list(item))])
    }

    fn failed_output(&self, facts: &Facts<'_>) -> Type {
        self.output(facts)
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        match self.items.literal() {
            Some(Value::Array(items)) if items.len() > ITEMS_MOST => {
                let message = format!("expected at most {ITEMS_MOST} items, found {}", items.len());
                cx.error(code::INVALID_VALUE, &cx.key("items"), message);
            }
            Some(Value::Array(_)) => {}
            Some(Value::String(text)) if Expression::parse(text).is_ok() => {
                let message = format!(
                    "expected a list, or a template that gives one, found {}",
                    found(&Value::String(text.clone()))
                );
                cx.error(code::WRONG_TYPE, &cx.key("items"), message).suggest(format!("write \"{{{{ {text} }}}}\""));
            }
            Some(other) => {
                let message = format!("expected a list, or a template that gives one, found {}", found(other));
                cx.error(code::WRONG_TYPE, &cx.key("items"), message);
            }
            None => {
                let kinds = cx.type_of(&self.items).kinds.present();
                if !kinds.meets(Kinds::LIST) {
                    cx.error(code::WRONG_TYPE, &cx.key("items"), format!("expected a list, found {kinds}"));
                }
            }
        }
        let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
        if cx.keys.get("do").is_some_and(is_empty) {
            cx.warning(code::SUSPICIOUS, &cx.key("do"), "a loop without steps does nothing");
        }
    }
}
