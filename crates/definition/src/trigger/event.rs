//! `event`: an event of the bus, or one that the API took in.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Fills, Listen, RecordMatch, fills};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::pattern::{EventPattern, Step};
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::{Check, Expression, code};

/// The trigger `event`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusEvent {
    /// The events that it takes, as a pattern of `EventBridge` says.
    pub pattern: EventPattern,
    /// How to find or create the record.
    #[serde(default)]
    pub record: Option<RecordMatch>,
    /// Values by name, which a variable of the same name takes as its first source.
    #[serde(default)]
    pub values: BTreeMap<String, Expression>,
}

impl Listen for BusEvent {
    fn words(&self) -> String {
        let one_of = |texts: Vec<&str>| listed(texts.into_iter().map(|text| format!("{text:?}")), "or");
        let of = |key| self.pattern.texts(key).map(one_of);
        match (of("detail-type"), of("source")) {
            (Some(what), Some(from)) => format!("an event {what} comes from {from}"),
            (Some(what), None) => format!("an event {what} comes"),
            (None, Some(from)) => format!("an event comes from {from}"),
            (None, None) => "an event comes that fits its pattern".to_owned(),
        }
    }

    fn brings(keys: &Map<String, Value>) -> Vec<&str> {
        fills::named_values(keys)
    }

    fn fills(&self) -> Option<Fills<'_>> {
        Some(Fills { record: self.record.as_ref(), values: &self.values })
    }

    fn event(&self, _: &Facts<'_>) -> Vec<(&'static str, Type)> {
        let texts = ["id", "source", "detail-type", "time", "account", "region", "version"];
        let texts = texts.map(|key| (key, Type::text().or_null()));
        let others = [("detail", Type::any()), ("resources", Type::list(Type::text()))];
        vec![("event", Type::open_object(texts.into_iter().chain(others))), ("values", Type::of(Kinds::OBJECT))]
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if let Some(wrong) = self.pattern.wrong() {
            let place = wrong.place.iter().fold(cx.key("pattern"), |path, step| match step {
                Step::Key(key) => path.key(key),
                Step::At(at) => path.index(*at),
            });
            cx.error(code::INVALID_VALUE, &place, wrong.message.clone());
        }
        if cx.waits {
            for key in ["record", "values"] {
                if cx.written(key) {
                    let message = "a step that waits has its record: say by `filter` which events count for it";
                    cx.error(code::NOT_ALLOWED, &cx.key(key), message);
                }
            }
            return;
        }
        fills::check(self.record.as_ref(), "its events", cx);
    }
}
