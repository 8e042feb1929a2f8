//! Calendars of business days.

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

/// A calendar, as in a `*.calendar.yaml` file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = CalendarFile)]
struct CalendarView {
    /// Id.
    calendar: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Days of each week that are no business days; Saturday and Sunday if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weekend: Option<Vec<String>>,
    /// Dates that are no business days.
    #[serde(default)]
    holidays: Vec<String>,
    /// Revision, from 1.
    revision: u64,
    /// The actor who saved it.
    saved_by: String,
    /// When it was saved.
    saved_at: Timestamp,
}

routes! {
    /// Lists all calendars by id, on one page.
    list "/v1/calendars", "list_calendars";
    /// Shows a calendar.
    show "/v1/calendars/{id}", "show_calendar";
    /// Saves a calendar, as a new revision. Workflows that name it use it at once.
    save "save_calendar";
    /// Deletes a calendar that no workflow names.
    delete "delete_calendar";
    Calendar, CalendarView, "Calendar"
}
