//! Where a file of cases wants texts: a number there is the text that was written, `1.10` and not `1.1`.

use std::collections::BTreeMap;

use pawl_definition::{Object, Segment, Source};
use serde_json::Value;

/// Whether a text is wanted at a place: in fields and variables that take texts, in headers and parameters.
pub(super) fn wanted(root: &Value, path: &[Segment], workflow: &Source, objects: &BTreeMap<String, Object>) -> bool {
    let takes_text = |object: &str, name: &str| objects.get(object).is_some_and(|object| object.takes_text(name));
    let is_key = |segment: &Segment, key: &str| matches!(segment, Segment::Key(found) if **found == *key);
    let name_after = |at: usize| path.get(at + 1).and_then(key);
    for (at, segment) in path.iter().enumerate() {
        let Some(word) = key(segment) else { continue };
        match word {
            // What a body holds is as it is sent.
            "body" | "answer" if !path[at..].iter().any(|segment| is_key(segment, "headers")) => return false,
            "headers" | "query" | "secrets" => return true,
            "variables" | "values" => return name_after(at).is_some_and(|name| workflow.variable_takes_text(name)),
            "fields" => {
                let around = value_at(root, &path[..at]);
                let text = |key: &str| around.and_then(|around| around.get(key)).and_then(Value::as_str);
                let object = text("object").or_else(|| text("record").and_then(|record| record.split('/').next()));
                return object.zip(name_after(at)).is_some_and(|(object, name)| takes_text(object, name));
            }
            "records" if at > 0 && is_key(&path[at - 1], "expect") => {
                let name = path.get(at + 3).and_then(key);
                return name_after(at).zip(name).is_some_and(|(object, name)| takes_text(object, name));
            }
            _ => {}
        }
    }
    false
}

fn key(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Key(key) => Some(key),
        Segment::Index(_) => None,
    }
}

fn value_at<'a>(root: &'a Value, path: &[Segment]) -> Option<&'a Value> {
    path.iter().try_fold(root, |value, segment| match segment {
        Segment::Key(key) => value.get(&**key),
        Segment::Index(index) => value.get(index),
    })
}
