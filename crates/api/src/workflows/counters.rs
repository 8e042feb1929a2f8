//! What the newest executions of a workflow came to, by trigger, step and branch.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use pawl_runtime::{Counters, StepCounts, TriggerCounts};
use serde::{Deserialize, Serialize};

use super::unknown;
use crate::describe::{IntoParams, ToSchema, operation};
use crate::problem::Sent;
use crate::request::{Params, Route};
use crate::state::Api;
use crate::{Code, Problem};

/// Executions that are counted, unless the request says.
const DEFAULT: usize = 200;

/// Executions that a request may ask for.
const MOST: usize = 1_000;

/// How many executions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct HowMany {
    /// Newest executions that are counted at most, parts of executions among them, 1–1,000; 200 if absent.
    #[param(minimum = 1, maximum = 1000)]
    executions: Option<usize>,
}

/// Counters of a workflow. They cover its newest executions, and say which.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkflowCounters)]
pub(super) struct CountersView {
    /// Workflow.
    workflow: String,
    /// Executions that were counted, without lanes and items of loops.
    executions: u64,
    /// Lanes and items of loops that were counted: they are executions of their own.
    parts: u64,
    /// Creation of the oldest of them; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// Time of the count.
    until: Timestamp,
    /// False if there are older executions, or steps of the oldest, that were not counted.
    complete: bool,
    /// Present if there are so many refusals that those before this time were not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusals_since: Option<Timestamp>,
    /// Stored items that cannot be read, and were not counted; absent if there are none.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    unreadable: u64,
    /// By trigger: those of the workflow, and others that are not in its present revision.
    triggers: Vec<TriggerView>,
    /// By step, in the order of the workflow; then those that are not in its present revision.
    steps: Vec<StepView>,
}

/// What a trigger did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TriggerCounters)]
struct TriggerView {
    /// Trigger; empty of deliveries that were rejected before their trigger was known.
    trigger: String,
    /// Executions that it started.
    started: u64,
    /// Starts that were refused, and deliveries that were rejected.
    refused: u64,
    /// The same by code.
    refusals: BTreeMap<String, u64>,
}

/// What visits of a step came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StepCounters)]
struct StepView {
    /// Step.
    step: String,
    /// Its type; absent if no visit was counted.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    step_type: Option<String>,
    /// Visits that completed.
    completed: u64,
    /// Visits that failed. A visit that a person retried or skipped afterwards is counted again.
    failed: u64,
    /// Visits that were skipped.
    skipped: u64,
    /// Visits that ended otherwise: `partial`, `timed_out`, `canceled`.
    others: BTreeMap<&'static str, u64>,
    /// Attempts that were followed by another one.
    retried: u64,
    /// Visits that took a branch, by branch.
    branches: BTreeMap<String, u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl TriggerView {
    fn of(trigger: String, counts: TriggerCounts) -> Self {
        let TriggerCounts { started, refused: refusals } = counts;
        Self { trigger, started, refused: refusals.values().sum(), refusals }
    }
}

impl StepView {
    fn of(step: String, counts: StepCounts) -> Self {
        let StepCounts { step_type, visits: mut others, retried, branches } = counts;
        let [completed, failed, skipped] =
            ["completed", "failed", "skipped"].map(|word| others.remove(word).unwrap_or_default());
        Self { step, step_type, completed, failed, skipped, others, retried, branches }
    }
}

/// Counts what the newest executions of a workflow came to: how many each trigger started and refused, how many visits each
/// step completed, failed and skipped, and how many took each branch. Counted from history when asked, for at most two
/// seconds: the answer says how many executions it covers, and since when.
#[operation(
    get, path = "/v1/workflows/{id}/counters", tag = "workflows", operation_id = "count_workflow",
    params(("id" = String, Path, description = "Workflow"), HowMany),
    responses((status = 200, body = CountersView), (status = 404, body = Sent))
)]
pub(super) async fn counters(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    Params(how_many): Params<HowMany>,
) -> Result<axum::Json<CountersView>, Problem> {
    let most = how_many.executions.unwrap_or(DEFAULT);
    if !(1..=MOST).contains(&most) {
        return Err(Problem::new(Code::BadQuery, format!("expected executions from 1 to {MOST}, found {most}")));
    }
    let (_, plan) = api.core.workflows.in_force(&id).await?.ok_or_else(|| unknown(&id))?;
    // What this process rejected itself is counted at once; where others reject, they write it.
    api.core.ingest.write_rejections().await?;
    let counted = api.core.history.counters(&id, most, &|| api.core.ingest.now()).await?;
    let Counters { executions, parts, since, has_older, refusals_since, mut triggers, mut steps, unreadable } = counted;
    let mut trigger_views = Vec::new();
    for trigger in &plan.workflow.triggers {
        let counts = triggers.remove(&trigger.id).unwrap_or_default();
        trigger_views.push(TriggerView::of(trigger.id.clone(), counts));
    }
    trigger_views.extend(triggers.into_iter().map(|(id, counts)| TriggerView::of(id, counts)));
    let mut step_views = Vec::new();
    for step in plan.workflow.all_steps() {
        let counts = steps.remove(&step.id).unwrap_or_default();
        step_views.push(StepView::of(step.id.clone(), counts));
    }
    step_views.extend(steps.into_iter().map(|(id, counts)| StepView::of(id, counts)));
    Ok(axum::Json(CountersView {
        workflow: id,
        executions,
        parts,
        since,
        until: api.core.ingest.now(),
        complete: !has_older,
        refusals_since,
        unreadable,
        triggers: trigger_views,
        steps: step_views,
    }))
}
