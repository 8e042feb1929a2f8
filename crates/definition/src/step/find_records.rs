//! `find_records`: reads records into a list.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Shape;
use crate::Template;

/// A test of one field. Several keys must all hold.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FieldTest {
    /// The same value.
    pub equals: Option<Template>,
    /// Another value.
    pub not: Option<Template>,
    /// One of a list.
    pub r#in: Option<Template>,
    /// Greater than.
    pub gt: Option<Template>,
    /// Greater than or equal.
    pub gte: Option<Template>,
    /// Less than.
    pub lt: Option<Template>,
    /// Less than or equal.
    pub lte: Option<Template>,
    /// Text that holds this text, or a list that holds this value.
    pub contains: Option<Template>,
    /// Blank, or not.
    pub blank: Option<bool>,
}

#[derive(Deserialize)]
struct Written(#[serde(deserialize_with = "test")] FieldTest);

const KEYS: &[&str] = &["equals", "not", "in", "gt", "gte", "lt", "lte", "contains", "blank"];

fn test<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<FieldTest, D::Error> {
    use serde::de::Error;
    let value = Value::deserialize(deserializer)?;
    let is_test = value.as_object().is_some_and(|keys| !keys.is_empty() && keys.keys().all(|key| KEYS.contains(&key.as_str())));
    if is_test {
        return serde_json::from_value(value).map_err(D::Error::custom);
    }
    let equals = Template::parse(&value).map_err(D::Error::custom)?;
    Ok(FieldTest { equals: Some(equals), ..FieldTest::default() })
}

fn tests<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, FieldTest>, D::Error> {
    let written = BTreeMap::<String, Written>::deserialize(deserializer)?;
    Ok(written.into_iter().map(|(name, Written(test))| (name, test)).collect())
}

/// The step `find_records`. Output: a list of records.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindRecords {
    /// Record type.
    pub object: String,
    /// Tests by field; all must hold.
    #[serde(default, rename = "where", deserialize_with = "tests")]
    #[schemars(with = "BTreeMap<String, Template>")]
    pub tests: BTreeMap<String, FieldTest>,
    /// Field to order by; `-field` for descending. Newest first if absent.
    #[serde(default)]
    pub order: Option<String>,
    /// Most records, 1–1,000.
    #[serde(default = "FindRecords::default_limit")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: usize,
}

impl FindRecords {
    fn default_limit() -> usize {
        100
    }
}

impl Shape for FindRecords {}
