//! Generates the JSON Schema of a `*.cases.yaml` file from its types.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::super::file::CaseFile;

/// The JSON Schema (2020-12) of a `*.cases.yaml` file.
pub fn cases() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<CaseFile>().to_value();
    plain(&mut schema);
    schema["title"] = json!("Test cases of a Pawl workflow");
    schema
}

/// Says things the short way: an optional key is not also null, and a choice of words is an `enum`.
fn plain(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(plain),
        Value::Object(keys) => {
            if let Some(only) = keys.get_mut("anyOf").and_then(without_null) {
                keys.remove("anyOf");
                keys.extend(only);
            }
            if let Some(Value::Array(types)) = keys.get_mut("type") {
                types.retain(|name| name != "null");
                if let [one] = types.as_slice() {
                    keys["type"] = one.clone();
                }
            }
            if let Some(words) = keys.get("oneOf").and_then(words) {
                keys.remove("oneOf");
                keys.insert("enum".to_owned(), words);
            }
            if keys.get("default").is_some_and(Value::is_null) {
                keys.remove("default");
            }
            keys.values_mut().for_each(plain);
        }
        _ => {}
    }
}

fn without_null(any: &mut Value) -> Option<serde_json::Map<String, Value>> {
    let schemas = any.as_array()?;
    match schemas.as_slice() {
        [Value::Object(one), null] if *null == json!({"type": "null"}) => Some(one.clone()),
        _ => None,
    }
}

fn words(one_of: &Value) -> Option<Value> {
    one_of.as_array()?.iter().map(|word| word.get("const").cloned()).collect()
}
