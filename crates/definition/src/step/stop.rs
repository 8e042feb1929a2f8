//! `stop`: ends or pauses the execution.

use serde::Deserialize;

use super::{Onward, RegionKind, Shape, Step, TypeFacts};
use crate::describe::JsonSchema;
use crate::types::Type;
use crate::validate::Facts;
use crate::{Check, Notify, Severity, Template, code};

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopAs {
    /// Completed.
    #[default]
    Completed,
    /// Canceled.
    Canceled,
    /// Failed.
    Failed,
    /// Paused; resumed by an operator, it goes on with the next step.
    Paused,
    /// The lane that it stands in is completed; the other lanes go on.
    Lane,
    /// The item that it stands in is completed; the loop goes on with the next one.
    Item,
}

/// The step `stop`. Output: `{as, notify, severity}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// How.
    #[serde(default)]
    pub r#as: StopAs,
    /// Why.
    #[serde(default)]
    pub reason: Option<Template>,
    /// Who is told; absent: the owner if it ends as failed, else nobody.
    #[serde(default)]
    pub notify: Option<Notify>,
    /// How grave, for the notice; absent: `error` if it ends as failed, `warning` if it pauses or is canceled, else `info`.
    #[serde(default)]
    pub severity: Option<Severity>,
}

impl Stop {
    /// Who is told.
    pub fn told(&self) -> &Notify {
        let by_default = if self.r#as == StopAs::Failed { &Notify::Owner } else { &Notify::None };
        self.notify.as_ref().unwrap_or(by_default)
    }

    /// How grave it is.
    pub fn gravity(&self) -> Severity {
        let by_default = match self.r#as {
            StopAs::Completed | StopAs::Lane | StopAs::Item => Severity::Info,
            StopAs::Canceled | StopAs::Paused => Severity::Warning,
            StopAs::Failed => Severity::Error,
        };
        self.severity.unwrap_or(by_default)
    }
}

impl Shape for Stop {
    fn words(&self, _: &Step) -> String {
        let end = match self.r#as {
            StopAs::Completed => "ends the execution, completed",
            StopAs::Canceled => "cancels the execution",
            StopAs::Failed => "ends the execution as failed",
            StopAs::Paused => "pauses until somebody lets it go on",
            StopAs::Lane => "ends this lane",
            StopAs::Item => "ends this item",
        };
        let reason = self.reason.as_ref().map_or(String::new(), |reason| format!(": {}", reason.words()));
        format!("{end}{reason}")
    }

    fn facts() -> TypeFacts {
        TypeFacts { only_leads: true, ..TypeFacts::PLAIN }
    }

    fn onward(&self) -> Onward<'_> {
        if self.r#as == StopAs::Paused { Onward::Resumed } else { Onward::Nowhere }
    }

    fn ends_region(&self) -> Option<RegionKind> {
        match self.r#as {
            StopAs::Lane => Some(RegionKind::Lane),
            StopAs::Item => Some(RegionKind::Item),
            _ => None,
        }
    }

    fn names_outcome(&self) -> bool {
        self.reason.is_some()
    }

    fn output(&self, _: &Facts<'_>) -> Type {
        let told = [("notify", Type::text().or_null()), ("severity", Type::text().or_null())];
        Type::object([("as", Type::text())].into_iter().chain(told))
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if cx.written("severity") && *self.told() == Notify::None {
            let message = "`severity` goes into a notice, and nobody is told: add `notify: owner` or an address";
            cx.warning(code::SUSPICIOUS, &cx.key("severity"), message);
        }
        if let Some(Notify::Address(address)) = &self.notify
            && address.trim().is_empty()
        {
            cx.error(code::BLANK_VALUE, &cx.key("notify"), "expected owner, none or an address, found a blank text");
        }
    }
}
