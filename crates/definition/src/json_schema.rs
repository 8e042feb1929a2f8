//! JSON Schema over values: what a model must answer, and what a file must look like.

use std::fmt;

use boon::{CompileError, Compiler, Draft, ErrorKind, SchemaIndex, Schemas, SchemeUrlLoader, ValidationError};
use serde_json::Value;

/// The address under which a schema stands while it is read. Nothing else can be reached from it.
const ROOT: &str = "schema:///";

/// A schema that values are checked against: draft 2020-12 if it does not say otherwise.
pub struct JsonSchema {
    schemas: Schemas,
    index: SchemaIndex,
}

/// A part of a value that a schema refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Which part, as a JSON pointer into the value.
    pub place: String,
    /// The schema that refuses it, as a JSON pointer into the whole schema.
    pub schema: String,
    /// What is wrong with it.
    pub kind: MismatchKind,
    /// The same in words.
    pub message: String,
}

/// What is wrong with a part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MismatchKind {
    /// It has keys that no schema names.
    UnknownKeys(Vec<String>),
    /// It lacks keys.
    MissingKeys(Vec<String>),
    /// It is none of the words that may stand there.
    UnknownWord,
    /// It is of another type.
    WrongType,
    /// Something else.
    Other,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl JsonSchema {
    /// Reads a schema; fails with the first mistake in it. A reference to another document is one.
    ///
    /// ```
    /// use pawl_definition::JsonSchema;
    /// use serde_json::json;
    ///
    /// let schema = JsonSchema::new(&json!({"type": "object", "required": ["city"]})).unwrap();
    /// let told: Vec<_> = schema.mismatches(&json!({})).iter().map(ToString::to_string).collect();
    /// assert_eq!(told, [": missing properties 'city'"]);
    /// ```
    pub fn new(schema: &Value) -> Result<Self, Mismatch> {
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        // Without it, `file:` would be read.
        compiler.use_loader(Box::new(SchemeUrlLoader::new()));
        let mut schemas = Schemas::new();
        compiler.add_resource(ROOT, schema.clone()).map_err(|error| mistake(&error))?;
        let index = compiler.compile(ROOT, &mut schemas).map_err(|error| mistake(&error))?;
        Ok(Self { schemas, index })
    }

    /// Whether it accepts a value.
    pub fn accepts(&self, value: &Value) -> bool {
        self.schemas.validate(value, self.index).is_ok()
    }

    /// All that it refuses of a value, in the order of places.
    pub fn mismatches(&self, value: &Value) -> Vec<Mismatch> {
        let mut found = Vec::new();
        if let Err(error) = self.schemas.validate(value, self.index) {
            collect(&error, &mut found);
        }
        // The library finds them in the order of its hash tables.
        found.sort_by(|one, other| (&one.place, &one.message).cmp(&(&other.place, &other.message)));
        found
    }
}

fn mistake(error: &CompileError) -> Mismatch {
    if let CompileError::ValidationError { src, .. } = error {
        let mut found = Vec::new();
        collect(src, &mut found);
        if let Some(first) = found.into_iter().min_by(|one, other| one.place.cmp(&other.place)) {
            return first;
        }
    }
    let message = format!("{error:#}").replace(ROOT, "");
    Mismatch { place: String::new(), schema: String::new(), kind: MismatchKind::Other, message }
}

fn collect(error: &ValidationError<'_, '_>, into: &mut Vec<Mismatch>) {
    match &error.kind {
        // What each alternative wants, in one.
        ErrorKind::AnyOf | ErrorKind::OneOf(None) if !error.causes.is_empty() => {
            let mut inner = Vec::new();
            error.causes.iter().for_each(|cause| collect(cause, &mut inner));
            let mut wants: Vec<_> = inner.into_iter().map(|mismatch| mismatch.message).collect();
            wants.sort();
            wants.dedup();
            into.push(mismatch(error, MismatchKind::Other, wants.join(", or ")));
        }
        _ if !error.causes.is_empty() => error.causes.iter().for_each(|cause| collect(cause, into)),
        ErrorKind::AdditionalProperties { got } => {
            let mut keys: Vec<_> = got.iter().map(ToString::to_string).collect();
            keys.sort();
            let message = format!("unknown properties '{}'", keys.join("', '"));
            into.push(mismatch(error, MismatchKind::UnknownKeys(keys), message));
        }
        kind => {
            let message = kind.to_string();
            let kind = match kind {
                ErrorKind::Required { want } => {
                    MismatchKind::MissingKeys(want.iter().map(|key| (*key).to_owned()).collect())
                }
                ErrorKind::Enum { .. } => MismatchKind::UnknownWord,
                ErrorKind::Type { .. } => MismatchKind::WrongType,
                _ => MismatchKind::Other,
            };
            into.push(mismatch(error, kind, message));
        }
    }
}

fn mismatch(error: &ValidationError<'_, '_>, kind: MismatchKind, message: String) -> Mismatch {
    let schema = error.schema_url.split_once('#').map_or("", |(_, pointer)| pointer).to_owned();
    Mismatch { place: error.instance_location.to_string(), schema, kind, message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(schema: &Value, value: &Value) -> Vec<String> {
        let schema = JsonSchema::new(schema).expect("a schema");
        schema.mismatches(value).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_that_is_refused_is_told_in_the_order_of_places() {
        let schema = json!({
            "type": "object",
            "required": ["b", "a"],
            "properties": {"size": {"type": "integer", "minimum": 1}, "kind": {"enum": ["x", "y"]}, "to": {"$ref": "#/$defs/to"}},
            "additionalProperties": false,
            "$defs": {"to": {"type": "string", "maxLength": 2}},
        });
        let value = json!({"size": 0, "kind": "z", "to": "abc", "d": 1, "c": 2});
        assert_eq!(
            told(&schema, &value),
            [
                ": missing properties 'b', 'a'",
                ": unknown properties 'c', 'd'",
                "/kind: value must be one of 'x', 'y'",
                "/size: must be >=1, but got 0",
                "/to: length must be <=2, but got 3",
            ]
        );
    }

    #[test]
    fn alternatives_are_told_as_one() {
        let schema = json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]});
        assert_eq!(told(&schema, &json!(1)), [": want array, but got number, or want string, but got number"]);
        assert_eq!(told(&schema, &json!("a")), [""; 0]);
    }

    #[test]
    fn a_mismatch_names_the_schema_that_refuses() {
        let schema = json!({"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "string"}}});
        let found = JsonSchema::new(&schema).expect("a schema").mismatches(&json!({"a": 1}));
        assert_eq!((found[0].place.as_str(), found[0].schema.as_str()), ("/a", "/$defs/a"));
        assert_eq!(found[0].kind, MismatchKind::WrongType);
    }

    #[test]
    fn a_mistake_in_a_schema_is_told_with_its_place() {
        let mistake = JsonSchema::new(&json!({"properties": {"a": {"type": "text"}}})).err().expect("no such type");
        assert_eq!(mistake.place, "/properties/a/type");
        let unreadable = JsonSchema::new(&json!({"pattern": "("})).err().expect("no such pattern");
        assert!(unreadable.message.contains("regex") && !unreadable.message.contains(ROOT), "{unreadable}");
    }

    #[test]
    fn nothing_but_the_schema_itself_is_read() {
        let file = format!("file://{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
        for elsewhere in [file.as_str(), "https://example.com/schema.json", "other.json"] {
            assert!(JsonSchema::new(&json!({"$ref": elsewhere})).is_err(), "{elsewhere}");
        }
    }
}
