//! `*.activity.yaml`: a type of what people do about records, such as a call, a meeting or a to-do.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{DefinitionKind, Kind, KindCheck, check_known};
use crate::describe::JsonSchema;
use crate::path::Path;
use crate::problem::code;
use crate::validate::{Report, check_fields, words};
use crate::{Around, Field, Object};

/// A type of activities, as written in an `*.activity.yaml` file. An activity is a task, or something that people did, about
/// records.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Id, `[a-z0-9_-]{1,64}`.
    #[serde(rename = "activity")]
    #[schemars(regex(pattern = r"^[a-z0-9_-]{1,64}$"))]
    pub id: String,
    /// Name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// Fields by name, as of an object. None is unique or indexed.
    #[serde(default)]
    pub fields: BTreeMap<String, Field>,
    /// The objects whose records it may be about; all if absent.
    #[serde(default)]
    pub objects: Option<BTreeSet<String>>,
}

impl Activity {
    /// Whether it may be about records of an object.
    pub fn is_about(&self, object: &str) -> bool {
        self.objects.as_ref().is_none_or(|objects| objects.contains(object))
    }

    /// An object with its fields and nothing else, by which their values are checked as those of a record are.
    pub fn as_object(&self) -> Object {
        Object {
            id: self.id.clone(),
            name: self.name.clone(),
            fields: self.fields.clone(),
            stages: Vec::new(),
            relationships: BTreeMap::new(),
            title: None,
            contact: None,
        }
    }
}

impl Kind for Activity {
    fn check(file: &Value, check: &mut KindCheck<'_, '_>) {
        let root = Path::root();
        check_fields(check.report, file);
        for (name, field) in file.get("fields").and_then(Value::as_object).into_iter().flatten() {
            let path = root.key("fields").key(name);
            for key in ["unique", "indexed"] {
                if field.get(key) == Some(&Value::Bool(true)) {
                    let message = format!("`{key}` has no place here: activities are not found by their fields");
                    check.report.error_at_key(code::NOT_ALLOWED, &path.key(key), message);
                }
            }
        }
        let Some(objects) = file.get("objects").and_then(Value::as_array) else { return };
        if objects.is_empty() {
            let message = "expected at least one object, or no key `objects`, which means all of them; found none";
            check.error(code::INVALID_VALUE, &root.key("objects"), message);
        }
        for (at, object) in objects.iter().enumerate() {
            let path = root.key("objects").index(at);
            if objects[..at].contains(object) {
                let message = format!("expected each object once, found {} again", words::found(object));
                check.error(code::DUPLICATE_ID, &path, message);
            }
            let known = check.around;
            if let Some(id) = object.as_str() {
                check_object_known(check.report, known, id, &path);
            }
        }
    }

    fn depends(&self) -> Value {
        self.objects.as_ref().map_or(Value::Null, |objects| json!({"activity": self.id, "objects": objects}))
    }
}

/// Tells of an object that is not there, if objects are known at all.
fn check_object_known(report: &mut Report<'_>, around: Around<'_>, id: &str, path: &Path) {
    let (objects, broken) = (around.objects, around.broken);
    if objects.is_empty() || objects.contains_key(id) || broken.contains(id) {
        return;
    }
    let known = || objects.keys().map(String::as_str);
    let message =
        format!("expected an object that exists, found {}; there are {}", words::quoted(id), words::all_of(known()));
    report.error(code::UNKNOWN_OBJECT, path, message).suggest(words::did_you_mean(id, known()));
}

/// Tells of a type of activities that is not there.
pub(crate) fn check_activity(report: &mut Report<'_>, around: Around<'_>, id: &str, path: &Path) {
    check_known(report, around, (DefinitionKind::Activity, id), (path, 0));
}
