//! `stop`: ends or pauses the execution, with a reason.

use pawl_definition::step::{RegionKind, Shape, Stop, StopAs};
use serde_json::json;

use super::{StepContext, StepDecision, StepHandler, StepResult};
use crate::{Effect, NoticeText, Status, StepCode, StepError, failure};

impl StepHandler for Stop {
    fn enter(&self, at: &StepContext<'_>) -> Result<StepDecision, StepError> {
        let reason = self.reason.as_ref().map(|reason| reason.resolve_text(&at.scope())).transpose();
        let reason = reason.map_err(|error| StepError::from(error).at("reason"))?;
        let status = match self.r#as {
            // Of a part of the workflow.
            StopAs::Completed | StopAs::Lane | StopAs::Item => Status::Completed,
            StopAs::Canceled => Status::Canceled,
            StopAs::Failed => Status::Failed,
            StopAs::Paused => Status::Paused,
        };
        let region = self.ends_region();
        let word = region.map_or(status.as_str(), RegionKind::word);
        let notice = notice(self, at, status, reason.as_deref());
        let told = notice.as_ref().map(|notice| (&notice.to, notice.severity));
        let (to, severity) = told.unzip();
        Ok(StepDecision::done(StepResult {
            output: json!({"as": word, "notify": to, "severity": severity}),
            ends_region: region.is_some(),
            note: reason.clone(),
            effects: notice.map(Effect::Notify).into_iter().collect(),
            end: Some((status, reason)),
            ..StepResult::default()
        }))
    }
}

impl StepError {
    /// A workflow ended its execution as failed.
    pub(crate) fn stopped_as_failed(reason: Option<String>) -> Self {
        Self::new(StepCode::StoppedAsFailed, reason.unwrap_or_else(|| "the workflow stopped as failed".to_owned()))
    }
}

/// What people are told of it, if anybody is.
fn notice(stop: &Stop, at: &StepContext<'_>, status: Status, reason: Option<&str>) -> Option<NoticeText> {
    let workflow = &at.cx.plan.workflow;
    let to = failure::addressee(stop.told(), workflow)?;
    let severity = stop.gravity().as_str();
    if status == Status::Failed {
        let error = StepError::stopped_as_failed(reason.map(str::to_owned));
        return Some(NoticeText { to, severity, ..failure::ended_notice(workflow, &at.execution.id, &error) });
    }
    let what = if status == Status::Completed { "completed".to_owned() } else { format!("is {status}") };
    let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    Some(NoticeText {
        to,
        severity,
        subject: format!("{}: an execution {what}", workflow.display_name()),
        text: format!("Execution {} {what} at the step {}{why}.", at.execution.id, at.step.id),
    })
}
