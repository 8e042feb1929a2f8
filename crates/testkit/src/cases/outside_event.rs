//! An event from outside, as a case tells it.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cases::describe::JsonSchema;
use crate::scenario::World;

/// An event of the bus, with the keys of `EventBridge`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct OutsideEvent {
    /// A file with a whole event; what is said beside it wins.
    #[serde(default)]
    pub(super) file: Option<String>,
    /// Id; absent: a fresh one.
    #[serde(default)]
    id: Option<String>,
    /// Who tells of it.
    #[serde(default)]
    source: Option<String>,
    /// What happened.
    #[serde(default)]
    detail_type: Option<String>,
    /// What is said of it.
    #[serde(default)]
    detail: Option<Value>,
    /// The account that it comes from.
    #[serde(default)]
    account: Option<String>,
    /// The region that it comes from.
    #[serde(default)]
    region: Option<String>,
    /// What it is about.
    #[serde(default)]
    resources: Option<Vec<String>>,
}

impl OutsideEvent {
    /// As the bus brings it now.
    pub(super) fn envelope(&self, world: &World, whole: Option<&Value>) -> Value {
        let mut envelope: Map<String, Value> = whole.and_then(Value::as_object).cloned().unwrap_or_default();
        let Self { file: _, id, source, detail_type, detail, account, region, resources } = self;
        let texts =
            [("id", id), ("source", source), ("detail-type", detail_type), ("account", account), ("region", region)];
        envelope.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text.clone()?.into()))));
        envelope.extend(detail.iter().map(|detail| ("detail".to_owned(), detail.clone())));
        envelope.extend(resources.iter().map(|resources| ("resources".to_owned(), resources.clone().into())));
        envelope.entry("id").or_insert_with(|| world.system.ingest.fresh_id().into());
        envelope.entry("detail").or_insert_with(|| Map::new().into());
        // In a file is the time at which it happened, and here it happens now.
        envelope.insert("time".to_owned(), world.now().to_string().into());
        Value::Object(envelope)
    }
}
