//! What rows are held against: the object of their records, as the installation has it.

use std::collections::BTreeMap;

use anyhow::bail;
use reqwest::Method;
use serde_json::Value;

use super::super::record::encoded;
use crate::client::{Answer, Client};

/// The columns of an object's records.
#[derive(Debug)]
pub(super) struct Schema {
    object: String,
    /// Whether a field holds a list, by name.
    fields: BTreeMap<String, bool>,
}

impl Schema {
    /// Reads it; `None` if the installation refused, which was told.
    pub(super) async fn read(client: &Client, object: &str) -> anyhow::Result<Option<Self>> {
        let request = client.request(Method::GET, &format!("/v1/objects/{}", encoded(object)));
        match client.send(request).await? {
            Answer::Done(body) => Ok(Some(Self::of(object, &body))),
            Answer::Problem(problem) => {
                super::super::refused(client, &problem);
                Ok(None)
            }
        }
    }

    pub(super) fn of(object: &str, body: &Value) -> Self {
        let part = |key: &str| body.get(key).and_then(Value::as_object).into_iter().flatten();
        let is_many = |value: &Value| value.get("many") == Some(&Value::Bool(true));
        let mut fields: BTreeMap<_, _> =
            part("fields").chain(part("relationships")).map(|(name, value)| (name.clone(), is_many(value))).collect();
        fields.insert("owner".to_owned(), false);
        fields.insert("tags".to_owned(), true);
        if body.get("stages").and_then(Value::as_array).is_some_and(|stages| !stages.is_empty()) {
            fields.insert("stage".to_owned(), false);
        }
        Self { object: object.to_owned(), fields }
    }

    /// Whether the object has a field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Its columns, the id first.
    pub(super) fn columns(&self) -> Vec<&str> {
        std::iter::once("id").chain(self.fields.keys().map(String::as_str)).collect()
    }

    /// Requires that a column is one of the object, or is left out.
    pub(super) fn require(&self, name: &str, ignored: &[String]) -> anyhow::Result<()> {
        if name == "id" || self.has(name) || ignored.iter().any(|ignored| ignored == name) {
            return Ok(());
        }
        let columns = self.columns().join(", ");
        bail!(
            "expected columns of {:?} ({columns}), found {name:?}; `--ignore {name}` leaves the column out",
            self.object
        )
    }

    /// The value of a cell: a list where the field holds one, JSON where it is written so, else the text.
    pub(super) fn cell(&self, name: &str, cell: &str) -> Value {
        let json = || serde_json::from_str(cell).ok().filter(|value: &Value| value.is_object() || value.is_array());
        if cell.trim_start().starts_with(['{', '['])
            && let Some(value) = json()
        {
            return value;
        }
        if self.fields.get(name) == Some(&true) {
            let items = cell.split(';').map(str::trim).filter(|item| !item.is_empty());
            return items.map(Value::from).collect();
        }
        Value::from(cell)
    }
}
