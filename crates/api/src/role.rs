//! Roles, and the one table of what each may do.

use http::Method;

/// What somebody may do; each may also do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Starts and controls executions, and writes records.
    Operator,
    /// Saves and switches workflows, and saves objects and other definitions.
    Editor,
    /// Kills and lifts what concerns everybody.
    Admin,
}

impl Role {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }

    /// The role of a word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Editor, Self::Admin].into_iter().find(|role| role.as_str() == word)
    }
}

/// Routes that change something, or reach nothing that needs a role, with their least role. GET on any other route
/// under `/v1` asks for a viewer; what else is not named here asks for an admin.
const CHANGES: &[(&str, &str, Role)] = &[
    ("POST", "/v1/check", Role::Viewer),
    ("POST", "/v1/objects/{object}/records/find", Role::Viewer),
    ("POST", "/v1/workflows/{id}/start", Role::Operator),
    ("POST", "/v1/workflows/{id}/starts", Role::Operator),
    ("POST", "/v1/operations", Role::Operator),
    ("POST", "/v1/operations/{id}/run", Role::Operator),
    ("POST", "/v1/operations/{id}/pause", Role::Operator),
    ("POST", "/v1/operations/{id}/resume", Role::Operator),
    ("POST", "/v1/operations/{id}/cancel", Role::Operator),
    ("POST", "/v1/signals/{name}", Role::Operator),
    ("POST", "/v1/events", Role::Operator),
    ("POST", "/v1/interactions", Role::Operator),
    ("POST", "/v1/mail-events", Role::Operator),
    ("POST", "/v1/executions/{id}/pause", Role::Operator),
    ("POST", "/v1/executions/{id}/resume", Role::Operator),
    ("POST", "/v1/executions/{id}/cancel", Role::Operator),
    ("POST", "/v1/executions/{id}/retry", Role::Operator),
    ("POST", "/v1/executions/{id}/skip", Role::Operator),
    ("POST", "/v1/executions/{id}/step", Role::Operator),
    ("POST", "/v1/executions/{id}/run", Role::Operator),
    ("POST", "/v1/executions/{id}/fork", Role::Operator),
    ("POST", "/v1/refusals/{id}/replay", Role::Operator),
    ("POST", "/v1/executions/{id}/kill", Role::Operator),
    ("POST", "/v1/executions/{id}/lift", Role::Operator),
    ("POST", "/v1/objects/{object}/records", Role::Operator),
    ("PUT", "/v1/objects/{object}/records/{id}", Role::Operator),
    ("PATCH", "/v1/objects/{object}/records/{id}", Role::Operator),
    ("POST", "/v1/objects/{object}/records/{id}/archive", Role::Operator),
    ("POST", "/v1/objects/{object}/records/{id}/unarchive", Role::Operator),
    ("POST", "/v1/activities", Role::Operator),
    ("POST", "/v1/activities/{id}/log", Role::Operator),
    ("POST", "/v1/activities/{id}/cancel", Role::Operator),
    ("POST", "/v1/activities/{id}/reschedule", Role::Operator),
    ("POST", "/v1/workflows/{id}/kill", Role::Operator),
    ("POST", "/v1/installation/redrive", Role::Operator),
    ("POST", "/v1/workflows", Role::Editor),
    ("PUT", "/v1/workflows/{id}", Role::Editor),
    ("POST", "/v1/workflows/{id}/activate", Role::Editor),
    ("POST", "/v1/workflows/{id}/deactivate", Role::Editor),
    ("POST", "/v1/workflows/{id}/close-breaker", Role::Editor),
    ("POST", "/v1/workflows/{id}/lift", Role::Editor),
    ("POST", "/v1/objects", Role::Editor),
    ("PUT", "/v1/objects/{object}", Role::Editor),
    ("PUT", "/v1/groups/{id}", Role::Editor),
    ("DELETE", "/v1/groups/{id}", Role::Editor),
    ("PUT", "/v1/calendars/{id}", Role::Editor),
    ("DELETE", "/v1/calendars/{id}", Role::Editor),
    ("PUT", "/v1/people/{id}", Role::Editor),
    ("DELETE", "/v1/people/{id}", Role::Editor),
    ("PUT", "/v1/activity-types/{id}", Role::Editor),
    ("DELETE", "/v1/activity-types/{id}", Role::Editor),
    ("POST", "/v1/objects/{object}/records/{id}/forget", Role::Admin),
    ("POST", "/v1/installation/kill", Role::Admin),
    ("POST", "/v1/installation/lift", Role::Admin),
];

/// The least role that a route asks for, given its template.
pub(crate) fn least(method: &Method, route: &str) -> Role {
    let named = CHANGES.iter().find(|(verb, path, _)| *verb == method.as_str() && *path == route);
    match named {
        Some((_, _, role)) => *role,
        None if *method == Method::GET || *method == Method::HEAD => Role::Viewer,
        None => Role::Admin,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A route that is not in the table is closed to all but admins: nobody should find that out by a complaint.
    #[test]
    fn the_table_has_every_route_that_changes_something_and_no_other() {
        let description: serde_json::Value = serde_json::from_str(crate::description()).expect("a description is JSON");
        let paths = description["paths"].as_object().expect("paths are an object");
        let routes = paths.iter().filter(|(path, _)| path.starts_with("/v1"));
        let operations = routes.flat_map(|(path, verbs)| {
            let verbs = verbs.as_object().into_iter().flatten();
            verbs.filter(|(verb, _)| *verb != "get").map(|(verb, _)| (verb.to_uppercase(), path.clone()))
        });
        let described: BTreeSet<_> = operations.collect();
        let table: BTreeSet<_> =
            CHANGES.iter().map(|(verb, path, _)| ((*verb).to_owned(), (*path).to_owned())).collect();
        assert_eq!(described, table);
    }

    #[test]
    fn roles_and_words_belong_together() {
        for word in ["viewer", "operator", "editor", "admin"] {
            assert_eq!(Role::of(word).map(Role::as_str), Some(word));
        }
        assert_eq!(Role::of("root"), None);
    }

    #[test]
    fn what_is_not_named_asks_for_an_admin() {
        assert_eq!(least(&Method::DELETE, "/v1/workflows/{id}"), Role::Admin);
        assert_eq!(least(&Method::GET, "/v1/workflows/{id}"), Role::Viewer);
        assert_eq!(least(&Method::PUT, "/v1/workflows/{id}"), Role::Editor);
    }
}
