//! `pawl interaction`: posts what a person did on a page or elsewhere.

use anyhow::Context;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::record::named;
use super::show;
use super::start::given_values;
use super::view::text;
use crate::args::Interaction;
use crate::client::Client;
use crate::output::say;

/// Posts it; `false` if the installation refused.
pub(super) async fn run(client: &Client, interaction: &Interaction) -> anyhow::Result<bool> {
    let request = client.request(Method::POST, "/v1/interactions").json(&body(interaction)?);
    show(client, request, |body| say!("accepted {}", text(body, "event_id"))).await
}

fn body(interaction: &Interaction) -> anyhow::Result<Value> {
    let Interaction { kind, record, object, found_by, url, time, values, id } = interaction;
    let mut body = Map::from_iter([("kind".to_owned(), json!(kind)), ("data".to_owned(), given_values(values)?)]);
    let texts = [("id", id), ("url", url), ("time", time)];
    body.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text.clone()?.into()))));
    if let Some(record) = record {
        let (object, id) = named(record)?;
        body.extend([("object".to_owned(), object.into()), ("record".to_owned(), id.into())]);
    }
    if let (Some(object), Some(found_by)) = (object, found_by) {
        let (field, value) =
            found_by.split_once('=').with_context(|| format!("--match: expected field=value, found {found_by:?}"))?;
        body.extend([("object".to_owned(), json!(object)), ("match".to_owned(), json!({field: value}))]);
    }
    Ok(Value::Object(body))
}
