//! Files that fields hold.

use serde_json::Value;

/// A file as a field holds it: `{id, name, media_type, size, pages}`, of which all but `id` may be absent. Null if it is an
/// object without values, `None` if it is no file.
pub fn file(value: &Value) -> Option<Value> {
    let parts = value.as_object()?;
    let fits = |(key, part): (&String, &Value)| match key.as_str() {
        "id" => part.as_str().is_some_and(|id| !id.trim().is_empty()),
        "name" | "media_type" => part.is_string() || part.is_null(),
        "size" | "pages" => part.is_u64() || part.is_null(),
        _ => false,
    };
    if parts.is_empty() {
        return Some(Value::Null);
    }
    (parts.contains_key("id") && parts.iter().all(fits)).then(|| value.clone())
}
