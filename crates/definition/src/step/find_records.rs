//! `find_records`: reads records into a list.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Carried, Shape};
use crate::describe::JsonSchema;
use crate::source::TextPlaces;
use crate::types::{Kinds, Type};
use crate::validate::Facts;
use crate::{Check, Object, Template, code};

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

#[cfg(feature = "describe")]
impl JsonSchema for Written {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldTestOrValue".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (test, value) = (generator.subschema_for::<FieldTest>(), generator.subschema_for::<Template>());
        schemars::json_schema!({ "anyOf": [test, value] })
    }
}

const KEYS: &[&str] = &["equals", "not", "in", "gt", "gte", "lt", "lte", "contains", "blank"];

fn test<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<FieldTest, D::Error> {
    use serde::de::Error;
    let value = Value::deserialize(deserializer)?;
    let is_test =
        value.as_object().is_some_and(|keys| !keys.is_empty() && keys.keys().all(|key| KEYS.contains(&key.as_str())));
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
    #[schemars(with = "BTreeMap<String, Written>")]
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

impl Shape for FindRecords {
    fn wants_text(keys: &Value, place: &[&str], file: &TextPlaces<'_>) -> bool {
        matches!(place, ["where", name, ..] if file.object(keys.get("object")).is_some_and(|object| object.takes_text(name)))
    }

    fn carries(&self, meant: &dyn Fn(&Template) -> bool) -> Carried<'_> {
        let takes = |test: &FieldTest| test.equals.iter().chain(&test.r#in).any(meant);
        Carried { output: self.tests.values().any(takes), ..Carried::default() }
    }

    fn object(&self) -> Option<&str> {
        Some(&self.object)
    }

    fn output(&self, facts: &Facts<'_>) -> Type {
        Type::list(facts.objects.get(&self.object).map_or_else(Type::any, Type::of_record))
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        let Some(object) = cx.object(&self.object, &cx.key("object")) else { return };
        for (name, test) in &self.tests {
            let path = cx.key("where").key(name);
            if cx.field_name(object, name, &path) {
                test.check(object, name, cx);
            }
        }
        if let Some(order) = &self.order {
            cx.field_name(object, order.strip_prefix('-').unwrap_or(order), &cx.key("order"));
        }
    }
}

impl FieldTest {
    fn check(&self, object: &Object, name: &str, cx: &mut Check<'_, '_>) {
        let Some(field) = object.field(name) else { return };
        let path = cx.key("where").key(name);
        let one = crate::Field { many: false, ..field.clone().into_owned() };
        let operands = [
            ("equals", &self.equals),
            ("not", &self.not),
            ("gt", &self.gt),
            ("gte", &self.gte),
            ("lt", &self.lt),
            ("lte", &self.lte),
        ];
        for (key, value) in operands {
            let Some(value) = value else { continue };
            let place = if cx.written_at(&["where", name, key]) { path.key(key) } else { path.clone() };
            match value.literal() {
                Some(literal) => cx.value_of(&field, literal, &place),
                None => cx.field_takes(&field, value, &place),
            }
        }
        if let Some(list) = self.r#in.as_ref() {
            let kinds = cx.type_of(list).kinds.present();
            if !kinds.meets(Kinds::LIST) {
                cx.error(code::WRONG_TYPE, &path.key("in"), format!("expected a list, found {kinds}"));
            }
        }
        if let Some(Value::Array(values)) = self.r#in.as_ref().and_then(Template::literal) {
            values.iter().enumerate().for_each(|(at, value)| cx.value_of(&one, value, &path.key("in").index(at)));
        }
    }
}
