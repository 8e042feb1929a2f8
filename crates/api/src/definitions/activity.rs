//! Types of activities.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use jiff::Timestamp;
use pawl_definition::DefinitionKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DeletedView, SavedView};
use crate::Problem;
use crate::body::Text;
use crate::describe::{ToSchema, operation};
use crate::page::Listing;
use crate::problem::Sent;
use crate::request::{Actor, Route};
use crate::state::Api;

/// A type of activities, as in an `*.activity.yaml` file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ActivityFile)]
struct ActivityView {
    /// Id.
    activity: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Fields by name.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Object>)]
    fields: BTreeMap<String, Value>,
    /// The objects whose records it may be about; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objects: Option<Vec<String>>,
    /// Revision, from 1.
    revision: u64,
    /// The actor who saved it.
    saved_by: String,
    /// When it was saved.
    saved_at: Timestamp,
}

routes! {
    /// Lists all types of activities by id, on one page.
    list "/v1/activity-types", "list_activity_types";
    /// Shows a type of activities.
    show "/v1/activity-types/{id}", "show_activity_type";
    /// Saves a type of activities, as a new revision. Activities that are there stay as they are.
    save "save_activity_type";
    /// Deletes a type of activities that no workflow names.
    delete "delete_activity_type";
    Activity, ActivityView, "Type of activities"
}
