//! `*.group.yaml`: records of an object that have something in common.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Kind, KindCheck};
use crate::describe::JsonSchema;
use crate::path::Path;
use crate::problem::code;
use crate::validate::{check_workflow, words};
use crate::{Expression, Object, Source};

/// Records of an object for which an expression is true, as written in a `*.group.yaml` file.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Id, `[a-z0-9_-]{1,64}`.
    #[serde(rename = "group")]
    #[schemars(regex(pattern = r"^[a-z0-9_-]{1,64}$"))]
    pub id: String,
    /// Name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// Record type.
    pub object: String,
    /// CEL over the fields of `record`: the record belongs to the group while it is true.
    #[serde(rename = "where")]
    pub test: Expression,
}

impl Kind for Group {
    fn check(file: &Value, check: &mut KindCheck<'_, '_>) {
        let written = |key: &str| file.get(key).and_then(Value::as_str);
        let object = written("object").and_then(|id| object(id, check));
        // A truth and a number are expressions too.
        let test = match file.get("where") {
            Some(Value::String(test)) => test.clone(),
            Some(plain @ (Value::Bool(_) | Value::Number(_))) => plain.to_string(),
            _ => return,
        };
        let test = test.as_str();
        if test.trim().is_empty() {
            check.error(
                code::BLANK_VALUE,
                &Path::root().key("where"),
                "expected an expression (CEL), found an empty text",
            );
            return;
        }
        in_itself(test, object, check);
        as_a_filter(written("object").unwrap_or_default(), test, check);
    }

    fn depends(&self) -> Value {
        json!({"group": self.id, "object": self.object, "where": self.test.source()})
    }
}

/// The object of a group, which must be there if objects are known at all.
fn object<'c>(id: &str, check: &mut KindCheck<'c, '_>) -> Option<&'c Object> {
    let (objects, broken) = (check.around.objects, check.around.broken);
    if !objects.is_empty() && !objects.contains_key(id) && !broken.contains(id) {
        let known = || objects.keys().map(String::as_str);
        let message = format!(
            "expected an object that exists, found {}; there are {}",
            words::quoted(id),
            words::all_of(known())
        );
        let near = words::did_you_mean(id, known());
        check.error(code::UNKNOWN_OBJECT, &Path::root().key("object"), message).suggest(near);
    }
    objects.get(id)
}

/// A group looks at the fields of one record, so that it can be decided from the record alone.
fn in_itself(test: &str, object: Option<&Object>, check: &mut KindCheck<'_, '_>) {
    let Ok(expression) = Expression::parse(test) else { return };
    let path = Path::root().key("where");
    if let Some(other) = expression.roots().iter().find(|root| *root != "record") {
        let message = format!("expected an expression over `record`, found one that reads `{other}`");
        check.error(code::NOT_ALLOWED, &path, message);
    }
    if !expression.secrets().is_empty() {
        check.error(code::EXPRESSION_SECRET, &path, "secret() is not allowed here");
    }
    if !expression.groups().is_empty() {
        check.error(code::NOT_ALLOWED, &path, "expected an expression without in_group(): a group asks for no group");
    }
    if !expression.lookups().is_empty() {
        let message = "expected an expression without lookup(): a group looks at one record";
        check.error(code::NOT_ALLOWED, &path, message);
    }
    let named = expression.reads().iter().filter_map(|read| read.get(1));
    let mut relationships = named.filter(|name| object.is_some_and(|object| object.relationships.contains_key(*name)));
    if let Some(relationship) = relationships.next() {
        let message = format!(
            "expected an expression over the fields of the record itself, found one that reads the relationship \
             `{relationship}`"
        );
        check.error(code::NOT_ALLOWED, &path, message);
    }
}

/// The rest is as strict as the filter of a trigger.
fn as_a_filter(object: &str, test: &str, check: &mut KindCheck<'_, '_>) {
    let file = json!({
        "workflow": "group", "owner": "group", "object": object,
        "triggers": [{"id": "group", "type": "manual", "filter": test}],
        "steps": [{"id": "group", "type": "note", "text": "group"}],
    });
    let path = Path::root().key("where");
    let (_, problems) = check_workflow(&Source::from_value("group", file), check.around);
    for problem in problems.into_iter().filter(|problem| problem.path.ends_with("filter")) {
        if check.report.has_error_within(&path) {
            return;
        }
        let told = if problem.is_error() {
            check.report.error(&problem.code, &path, problem.message)
        } else {
            check.report.warning(&problem.code, &path, problem.message)
        };
        told.suggest(problem.suggestion);
    }
}
