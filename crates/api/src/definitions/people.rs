//! Members and teams.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use jiff::Timestamp;
use pawl_definition::DefinitionKind;
use serde::{Deserialize, Serialize};

use super::{DeletedView, SavedView};
use crate::Problem;
use crate::body::Text;
use crate::describe::{ToSchema, operation};
use crate::page::Listing;
use crate::problem::Sent;
use crate::request::{Actor, Route};
use crate::state::Api;

/// Members and teams, as in a `*.people.yaml` file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = PeopleFile)]
struct PeopleView {
    /// Id.
    people: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The members.
    #[serde(default)]
    members: Vec<MemberView>,
    /// The teams.
    #[serde(default)]
    teams: Vec<TeamView>,
    /// Revision, from 1.
    revision: u64,
    /// The actor who saved it.
    saved_by: String,
    /// When it was saved.
    saved_at: Timestamp,
}

/// A member.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Member)]
struct MemberView {
    /// Id.
    member: String,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// Ids of the member's teams.
    #[serde(default)]
    teams: Vec<String>,
    /// Whether the member can be chosen.
    #[serde(default = "yes")]
    active: bool,
}

/// A team.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Team)]
struct TeamView {
    /// Id.
    team: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

fn yes() -> bool {
    true
}

routes! {
    /// Lists all files of people by id, on one page.
    list "/v1/people", "list_people";
    /// Shows members and teams.
    show "/v1/people/{id}", "show_people";
    /// Saves members and teams, as a new revision. Steps choose among them at once.
    save "save_people";
    /// Deletes members and teams that no workflow names.
    delete "delete_people";
    People, PeopleView, "People"
}
