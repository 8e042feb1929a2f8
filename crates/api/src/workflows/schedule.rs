//! When the schedules of a workflow fire next.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::RecurrenceTime;
use pawl_runtime::{FIRINGS_SHOWN_MOST, ScheduleAhead};
use serde::{Deserialize, Serialize};

use super::unknown;
use crate::describe::{IntoParams, ToSchema, operation};
use crate::problem::Sent;
use crate::request::{Params, Route};
use crate::state::Api;
use crate::{Code, Problem};

/// Firings of each trigger that are shown if nobody says how many.
const USUAL: usize = 10;

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Firings of each trigger, from 1 to 100; 10 if absent.
    #[param(minimum = 1, maximum = 100)]
    firings: Option<usize>,
}

/// When the schedules of a workflow fire next.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Schedule)]
pub(super) struct ScheduleView {
    /// Workflow.
    workflow: String,
    /// Its triggers listen: otherwise nothing fires.
    active: bool,
    /// Its schedule triggers that are enabled.
    triggers: Vec<TriggerFirings>,
}

/// When one trigger fires next.
#[derive(Debug, Serialize, ToSchema)]
struct TriggerFirings {
    /// Trigger.
    trigger: String,
    /// The time zone of its times.
    timezone: String,
    /// Its next firings, the first first.
    firings: Vec<FiringView>,
    /// The planned time of a firing that waits until the execution of an earlier one has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    queued: Option<Timestamp>,
    /// The execution that a firing started last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_execution: Option<String>,
}

/// One firing.
#[derive(Debug, Serialize, ToSchema)]
struct FiringView {
    /// When.
    at: Timestamp,
    /// The same as clocks in the trigger's time zone show it, with the offset.
    local: String,
    /// The time for which the pattern planned it, if it was moved to a business day.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_from: Option<Timestamp>,
}

impl From<ScheduleAhead> for TriggerFirings {
    fn from(ahead: ScheduleAhead) -> Self {
        let ScheduleAhead { trigger, timezone, firings, queued, last } = ahead;
        let zone = TimeZone::get(&timezone).unwrap_or(TimeZone::UTC);
        let local = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        let firings = firings
            .into_iter()
            .map(|RecurrenceTime { at, moved_from }| FiringView { at, local: local(at), moved_from })
            .collect();
        Self { trigger, timezone, firings, queued, last_execution: last }
    }
}

/// Tells when the schedules of a workflow fire next. Of a workflow that is inactive it tells when they would.
#[operation(
    get, path = "/v1/workflows/{id}/schedule", tag = "workflows", operation_id = "show_schedule",
    params(("id" = String, Path, description = "Workflow"), Asked),
    responses((status = 200, body = ScheduleView), (status = 400, body = Sent), (status = 404, body = Sent))
)]
pub(super) async fn schedule(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    Params(asked): Params<Asked>,
) -> Result<axum::Json<ScheduleView>, Problem> {
    let firings = asked.firings.unwrap_or(USUAL);
    if firings == 0 || firings > FIRINGS_SHOWN_MOST {
        let detail = format!("expected 1 to {FIRINGS_SHOWN_MOST} firings, found {firings}");
        return Err(Problem::new(Code::BadQuery, detail).at("firings"));
    }
    let head = api.core.workflows.head(&id).await?.ok_or_else(|| unknown(&id))?;
    let ahead = api.core.schedules.ahead(&id, firings).await?.ok_or_else(|| unknown(&id))?;
    let triggers = ahead.into_iter().map(TriggerFirings::from).collect();
    Ok(axum::Json(ScheduleView { workflow: id, active: head.active, triggers }))
}
