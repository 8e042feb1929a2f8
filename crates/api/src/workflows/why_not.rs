//! Why a workflow does not start on a record.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use pawl_engine::Subject;
use pawl_runtime::TriggerNow;
use serde::{Deserialize, Serialize};

use super::unknown;
use super::view::RefusalView;
use crate::describe::{IntoParams, ToSchema, operation};
use crate::executions::{ActView, RecordName};
use crate::problem::Sent;
use crate::request::{Params, Route};
use crate::state::Api;
use crate::{Code, Problem};

/// Refusals that are looked through, newest first.
const REFUSALS_MOST: usize = 1_000;

/// Refusals of the record that are shown.
const SHOWN_MOST: usize = 20;

/// Which record.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Of {
    /// `<object>/<id>`.
    record: String,
}

/// What stands between a record and a start of a workflow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhyNot)]
pub(super) struct WhyNotView {
    /// Workflow.
    workflow: String,
    /// Record.
    record: RecordName,
    /// The record is there.
    exists: bool,
    /// The triggers of the workflow are enabled.
    active: bool,
    /// Who killed the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    killed: Option<ActView>,
    /// Who or what suspended its triggers.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended: Option<ActView>,
    /// The object of the workflow's records; absent if it runs on none.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// Its triggers.
    triggers: Vec<TriggerView>,
    /// The newest starts on the record that were refused, among the newest 1,000 refusals of the workflow: why then.
    refusals: Vec<RefusalView>,
}

/// A trigger, as it would meet the record now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TriggerNow)]
struct TriggerView {
    /// Id.
    id: String,
    /// Type.
    r#type: &'static str,
    /// False if it is switched off in the workflow.
    enabled: bool,
    /// Its filter, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    /// What the filter says of the record as it is now; true without a filter; absent if it cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    passes: Option<bool>,
    /// Why it cannot be said: a filter may read the event, which there is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// When it fires next for the record, if it fires around a date and one is to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    fires_at: Option<Timestamp>,
}

impl From<TriggerNow> for TriggerView {
    fn from(trigger: TriggerNow) -> Self {
        let TriggerNow { id, kind, enabled, filter, passes, fires_at } = trigger;
        let (passes, error) = match passes {
            Ok(passes) => (Some(passes), None),
            Err(error) => (None, Some(error)),
        };
        Self { id, r#type: kind, enabled, filter, passes, error, fires_at }
    }
}

/// Says why a workflow does not start on a record: its state, what its filters say of the record as it is now, and why starts
/// on the record were refused. Nothing is started.
#[operation(
    get, path = "/v1/workflows/{id}/why-not", tag = "workflows", operation_id = "why_not",
    params(("id" = String, Path, description = "Workflow"), Of),
    responses((status = 200, body = WhyNotView), (status = 404, body = Sent), (status = 422, body = Sent))
)]
pub(super) async fn why_not(
    State(api): State<Arc<Api>>,
    Route(id): Route<String>,
    Params(of): Params<Of>,
) -> Result<axum::Json<WhyNotView>, Problem> {
    let Some((object, key)) = of.record.split_once('/').filter(|(object, key)| !object.is_empty() && !key.is_empty())
    else {
        let detail = format!("expected <object>/<id>, found {:?}", of.record);
        return Err(Problem::new(Code::BadQuery, detail).at("record"));
    };
    let record = Subject { object: object.to_owned(), id: key.to_owned() };
    let found = api.core.evaluator.why_not(&id, &record).await?.ok_or_else(|| unknown(&id))?;
    let exists = api.core.records.get(&record).await.is_ok();
    let (mut refusals, mut after, mut looked) = (Vec::new(), None, 0);
    loop {
        let page = api.core.history.refusals(&id, 200, after).await?;
        looked += page.items.len();
        refusals.extend(page.items.into_iter().filter(|refusal| refusal.record.as_ref() == Some(&record)));
        after = page.next;
        if after.is_none() || looked >= REFUSALS_MOST || refusals.len() >= SHOWN_MOST {
            break;
        }
    }
    refusals.truncate(SHOWN_MOST);
    Ok(axum::Json(WhyNotView {
        workflow: id,
        record: RecordName::from(&record),
        exists,
        active: found.active,
        killed: found.killed.as_ref().map(ActView::from),
        suspended: found.suspended.as_ref().map(ActView::from),
        object: found.object,
        triggers: found.triggers.into_iter().map(TriggerView::from).collect(),
        refusals: refusals.into_iter().map(RefusalView::from).collect(),
    }))
}
