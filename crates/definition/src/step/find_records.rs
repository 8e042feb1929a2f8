//! `find_records`: reads records into a list.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Carried, Shape, Step};
use crate::describe::JsonSchema;
use crate::expression::listed;
use crate::path::Path;
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

fn any_tests<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<BTreeMap<String, FieldTest>>, D::Error> {
    let written = Vec::<BTreeMap<String, Written>>::deserialize(deserializer)?;
    let list = |tests: BTreeMap<String, Written>| tests.into_iter().map(|(name, Written(test))| (name, test)).collect();
    Ok(written.into_iter().map(list).collect())
}

/// The step `find_records`. Output: a list of records, or their number.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindRecords {
    /// Record type.
    pub object: String,
    /// Tests by field; all must hold.
    #[serde(default, rename = "where", deserialize_with = "tests")]
    #[schemars(with = "BTreeMap<String, Written>")]
    pub tests: BTreeMap<String, FieldTest>,
    /// A group of the object: only records that belong to it.
    #[serde(default)]
    pub in_group: Option<String>,
    /// Field to order by; `-field` for descending. Newest first if absent.
    #[serde(default)]
    pub order: Option<String>,
    /// Tests by field, of which all must hold: of several such lists one must, beside `where`.
    #[serde(default, deserialize_with = "any_tests")]
    #[schemars(with = "Vec<BTreeMap<String, Written>>")]
    pub any: Vec<BTreeMap<String, FieldTest>>,
    /// Most records, 1–1,000, or `all` of them.
    #[serde(default)]
    pub limit: Limit,
    /// The number of records is the output, and not the records.
    #[serde(default)]
    pub count: bool,
}

/// How many records a search gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// At most so many.
    Most(usize),
    /// All of them, as far as a search reaches.
    All,
}

impl Default for Limit {
    fn default() -> Self {
        Self::Most(100)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "all" => Ok(Self::All),
            Value::Number(number) => {
                let most = number.as_u64().and_then(|most| usize::try_from(most).ok());
                let expected = || D::Error::custom(format!("expected a whole number or all, found {number}"));
                most.map(Self::Most).ok_or_else(expected)
            }
            other => Err(D::Error::custom(format!("expected a whole number or all, found {other}"))),
        }
    }
}

#[cfg(feature = "describe")]
impl JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FindLimit".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{"type": "integer", "minimum": 1, "maximum": 1000}, {"enum": ["all"]}] })
    }
}

impl Shape for FindRecords {
    fn words(&self, _: &Step) -> String {
        let what = if self.count { "counts" } else { "finds" };
        let tests = (!self.tests.is_empty()).then(|| tests_words(&self.tests));
        let any = (!self.any.is_empty()).then(|| {
            self.any.iter().map(tests_words).map(|words| format!("({words})")).collect::<Vec<_>>().join(" or ")
        });
        let group = self.in_group.as_ref().map(|group| format!("it is in the group {group}"));
        let all: Vec<_> = tests.into_iter().chain(any).chain(group).collect();
        let whose = if all.is_empty() { String::new() } else { format!(" of which {}", all.join(" and ")) };
        format!("{what} records of {}{whose}", self.object)
    }

    fn wants_text(keys: &Value, place: &[&str], file: &TextPlaces<'_>) -> bool {
        matches!(place, ["where", name, ..] | ["any", _, name, ..] if file.object(keys.get("object")).is_some_and(|object| object.takes_text(name)))
    }

    fn carries(&self, meant: &dyn Fn(&Template) -> bool) -> Carried<'_> {
        let takes = |test: &FieldTest| test.equals.iter().chain(&test.r#in).any(meant);
        let mut all = self.tests.values().chain(self.any.iter().flat_map(BTreeMap::values));
        Carried { output: !self.count && all.any(takes), ..Carried::default() }
    }

    fn object(&self) -> Option<&str> {
        Some(&self.object)
    }

    fn output(&self, facts: &Facts<'_>) -> Type {
        if self.count {
            return Type::of(Kinds::NUMBER);
        }
        Type::list(facts.objects.get(&self.object).map_or_else(Type::any, Type::of_record))
    }

    fn check(&self, cx: &mut Check<'_, '_>) {
        if let Some(group) = &self.in_group {
            cx.group_of(group, &self.object, &cx.key("in_group"));
        }
        let Some(object) = cx.object(&self.object, &cx.key("object")) else { return };
        check_tests(&self.tests, object, (&["where"], &cx.key("where")), cx);
        for (at, tests) in self.any.iter().enumerate() {
            let index = at.to_string();
            let path = cx.key("any").index(at);
            if tests.is_empty() {
                cx.error(code::INVALID_VALUE, &path, "expected at least one test, found none: every record meets it");
            }
            check_tests(tests, object, (&["any", &index], &path), cx);
        }
        if self.any.is_empty() && cx.written("any") && !cx.has_problem("any") {
            cx.error(code::INVALID_VALUE, &cx.key("any"), "expected at least one list of tests, found none");
        }
        for key in ["order", "limit"].into_iter().filter(|key| self.count && cx.written(key)).collect::<Vec<_>>() {
            let message = format!("`{key}` has no effect beside `count: true`, which counts all records");
            cx.error(code::NOT_ALLOWED, &cx.key(key), message);
        }
        if let Some(order) = &self.order {
            cx.field_name(object, order.strip_prefix('-').unwrap_or(order), &cx.key("order"));
        }
    }
}

/// Checks tests that stand at a place below the step.
fn check_tests(
    tests: &BTreeMap<String, FieldTest>,
    object: &Object,
    (place, path): (&[&str], &Path),
    cx: &mut Check<'_, '_>,
) {
    for (name, test) in tests {
        let path = path.key(name);
        if cx.field_name(object, name, &path) {
            test.check(object, name, (place, &path), cx);
        }
    }
}

impl FieldTest {
    fn check(&self, object: &Object, name: &str, (below, path): (&[&str], &Path), cx: &mut Check<'_, '_>) {
        let Some(field) = object.field(name) else { return };
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
            let written: Vec<_> = below.iter().copied().chain([name, key]).collect();
            let place = if cx.written_at(&written) { path.key(key) } else { path.clone() };
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

/// Tests of fields, in words.
fn tests_words(tests: &BTreeMap<String, FieldTest>) -> String {
    listed(tests.iter().flat_map(|(name, test)| test.words(name)), "and")
}

impl FieldTest {
    fn words(&self, name: &str) -> Vec<String> {
        let parts = [
            ("is", &self.equals),
            ("is not", &self.not),
            ("is one of", &self.r#in),
            ("is more than", &self.gt),
            ("is at least", &self.gte),
            ("is less than", &self.lt),
            ("is at most", &self.lte),
            ("contains", &self.contains),
        ];
        let parts = parts.iter().filter_map(|(word, value)| Some(format!("{name} {word} {}", value.as_ref()?.words())));
        let blank = self.blank.map(|blank| format!("{name} {}", if blank { "is blank" } else { "is not blank" }));
        parts.chain(blank).collect()
    }
}
