//! `pawl activities show | create | log | reschedule | cancel`.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::record::{encoded, named};
use super::show;
use super::start::given_values;
use super::view::text;
use crate::args::{ActivitiesOf, CreateActivity};
use crate::client::Client;
use crate::output::say;
use crate::when::When;

/// Does it; `false` if the installation refused.
pub(super) async fn run(client: &Client, what: &ActivitiesOf) -> anyhow::Result<bool> {
    let request = match what {
        ActivitiesOf::Show { id } => client.request(Method::GET, &path(id)),
        ActivitiesOf::Create(new) => client.request(Method::POST, "/v1/activities").json(&body(new)?),
        ActivitiesOf::Log { id, note, values } => {
            let log = json!({"note": note, "fields": given_values(values)?});
            client.request(Method::POST, &format!("{}/log", path(id))).json(&log)
        }
        ActivitiesOf::Reschedule { id, due } => {
            client.request(Method::POST, &format!("{}/reschedule", path(id))).json(&json!({"due": due}))
        }
        ActivitiesOf::Cancel { id, note } => {
            client.request(Method::POST, &format!("{}/cancel", path(id))).json(&json!({"note": note}))
        }
    };
    show(client, request, |body| say!("{}", view(body, &When::system()))).await
}

fn path(id: &str) -> String {
    format!("/v1/activities/{}", encoded(id))
}

fn body(new: &CreateActivity) -> anyhow::Result<Value> {
    let mut records = Map::new();
    for record in &new.record {
        let (object, id) = named(record)?;
        records.insert(object.to_owned(), id.into());
    }
    let CreateActivity { activity, due, assignee, note, values, logged, .. } = new;
    let fields = given_values(values)?;
    Ok(json!({
        "activity": activity, "records": records, "due": due, "assignee": assignee, "note": note, "fields": fields,
        "logged": logged,
    }))
}

/// The records of an activity, `<object>/<id>`.
pub(super) fn records(activity: &Value) -> String {
    let records = activity.get("records").and_then(Value::as_object).into_iter().flatten();
    let records: Vec<_> = records.map(|(object, id)| format!("{object}/{}", id.as_str().unwrap_or_default())).collect();
    records.join(" ")
}

/// An activity with its values.
fn view(activity: &Value, when: &When) -> String {
    let of = |key: &str| text(activity, key);
    let mut lines = vec![format!("{}  {} {}", of("id"), of("activity"), of("status"))];
    lines.push(format!("  about {}, made {}", records(activity), when.with_distance(&of("created_at"))));
    for (key, word) in [("due", "due"), ("ended_at", "ended")] {
        if let Some(at) = activity.get(key).and_then(Value::as_str) {
            lines.push(format!("  {word} {}", when.with_distance(at)));
        }
    }
    for key in ["assignee", "ended_by", "note"] {
        if !of(key).is_empty() {
            lines.push(format!("  {key} {}", of(key)));
        }
    }
    let fields = activity.get("fields").and_then(Value::as_object).into_iter().flatten();
    lines.extend(fields.map(|(name, _)| format!("  {name} = {}", text(&activity["fields"], name))));
    lines.join("\n")
}
