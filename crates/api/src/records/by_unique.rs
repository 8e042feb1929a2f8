//! The record that has a value in a unique field.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use pawl_runtime::RecordError;
use serde::Deserialize;

use super::{RecordView, answer};
use crate::describe::{IntoParams, operation};
use crate::problem::Sent;
use crate::request::{Params, Route};
use crate::state::Api;
use crate::{Code, Problem};

/// The value that a record has.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Having {
    /// Value of the field, as text; it is brought to the type of the field, as in a write.
    value: String,
}

/// Shows the record that has a value in a unique field, whether or not it is in the archive.
#[operation(
    get, path = "/v1/objects/{object}/by/{field}", tag = "records", operation_id = "show_record_by",
    params(
        ("object" = String, Path, description = "Record type"), ("field" = String, Path, description = "Unique field"), Having
    ),
    responses(
        (status = 200, body = RecordView, headers(("etag", description = "Version"))),
        (status = 404, body = Sent), (status = 422, body = Sent)
    )
)]
pub(super) async fn show_by(
    State(api): State<Arc<Api>>,
    Route((object, field)): Route<(String, String)>,
    Params(having): Params<Having>,
) -> Result<Response, Problem> {
    match api.core.records.by_unique(&object, &field, having.value.into()).await {
        Ok(record) => Ok(answer(StatusCode::OK, record)),
        Err(RecordError::Invalid(error)) => Err(Problem::new(Code::BadFilter, error.message)),
        Err(error) => Err(error.into()),
    }
}
