//! Groups of records.

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

/// A group, as in a `*.group.yaml` file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = GroupFile)]
struct GroupView {
    /// Id.
    group: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Record type.
    object: String,
    /// CEL over `record`.
    #[schema(value_type = String)]
    r#where: Value,
    /// Revision, from 1.
    revision: u64,
    /// The actor who saved it.
    saved_by: String,
    /// When it was saved.
    saved_at: Timestamp,
}

routes! {
    /// Lists all groups by id, on one page.
    list "/v1/groups", "list_groups";
    /// Shows a group.
    show "/v1/groups/{id}", "show_group";
    /// Saves a group, as a new revision. Expressions, searches and starts use it at once.
    save "save_group";
    /// Deletes a group that no workflow names.
    delete "delete_group";
    Group, GroupView, "Group"
}
