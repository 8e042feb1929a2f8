//! JSON Schema over values: what a model must answer, and what a file must look like.

mod bounds;
mod budget;
mod cost;
mod ordered;
mod pattern;

use std::fmt;

use boon::{CompileError, Compiler, Draft, ErrorKind, SchemaIndex, Schemas, SchemeUrlLoader, ValidationError};
use percent_encoding::percent_decode_str;
use serde_json::Value;

pub use budget::{SchemaBudget, SchemaTooCostly};
use cost::Costs;
pub use ordered::{OrderedSchema, PROPERTY_ORDER};

/// The address under which a schema stands while it is read. Nothing else can be reached from it.
const ROOT: &str = "schema:///";

/// A schema that values are checked against: draft 2020-12 if it does not say otherwise.
pub struct JsonSchema {
    schemas: Schemas,
    index: SchemaIndex,
    /// How deep a value may be, if the schema leads back to itself.
    levels: Option<usize>,
    /// What it takes to hold a value against it, of an author's.
    costs: Option<Costs>,
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
    /// Reads an author's schema; fails with the first mistake in it. A `format` such as `date` or `email` is demanded of
    /// a value, not only noted. References lead to places of the same schema, by
    /// pointers; size and repetition are bounded, and where it leads back to itself, so is the depth of values.
    ///
    /// ```
    /// use pawl_definition::{JsonSchema, SchemaBudget};
    /// use serde_json::json;
    ///
    /// let schema = JsonSchema::new(&json!({"type": "object", "required": ["city"]})).unwrap();
    /// let found = schema.mismatches(&json!({}), &mut SchemaBudget::default()).unwrap();
    /// assert_eq!(found[0].to_string(), ": missing properties 'city'");
    /// ```
    pub fn new(schema: &Value) -> Result<Self, Mismatch> {
        let levels = bounds::check(schema)?;
        let costs = Costs::of(schema);
        bounds::check_patterns(costs.weight())?;
        let mut compiler = compiler();
        compiler.enable_format_assertions();
        Ok(Self { levels, costs: Some(costs), ..Self::compiled(compiler, schema)? })
    }

    /// Reads a schema of our own, such as that of a file: without bounds.
    pub fn ours(schema: &Value) -> Result<Self, Mismatch> {
        Self::compiled(compiler(), schema)
    }

    fn compiled(mut compiler: Compiler, schema: &Value) -> Result<Self, Mismatch> {
        let mut schemas = Schemas::new();
        compiler.add_resource(ROOT, schema.clone()).map_err(|error| mistake(&error))?;
        let index = compiler.compile(ROOT, &mut schemas).map_err(|error| mistake(&error))?;
        Ok(Self { schemas, index, levels: None, costs: None })
    }

    /// Whether it accepts a value. Fails if the budget does not suffice to say so.
    pub fn accepts(&self, value: &Value, budget: &mut SchemaBudget) -> Result<bool, SchemaTooCostly> {
        self.mismatches(value, budget).map(|mismatches| mismatches.is_empty())
    }

    /// All that it refuses of a value, in the order of places. Fails, before it is begun, if the budget does not suffice
    /// to hold the value against it, and if it does not suffice to tell what is refused.
    pub fn mismatches(&self, value: &Value, budget: &mut SchemaBudget) -> Result<Vec<Mismatch>, SchemaTooCostly> {
        if let Some(levels) = self.levels.filter(|levels| bounds::levels(value) > *levels) {
            let message = format!("expected at most {levels} levels of nesting, found more");
            budget.spend_each(message.len())?;
            return Ok(vec![Mismatch {
                place: String::new(),
                schema: String::new(),
                kind: MismatchKind::Other,
                message,
            }]);
        }
        if let Some(costs) = &self.costs {
            costs.spend(value, budget)?;
        }
        let mut found = Vec::new();
        if let Err(error) = self.schemas.validate(value, self.index) {
            collect(&error, &mut found, budget)?;
        }
        // The library finds them in the order of its hash tables.
        found.sort_by_cached_key(order);
        Ok(found)
    }
}

fn compiler() -> Compiler {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    // Without it, `file:` would be read.
    compiler.use_loader(Box::new(SchemeUrlLoader::new()));
    compiler
}

fn mistake(error: &CompileError) -> Mismatch {
    if let CompileError::ValidationError { src, .. } = error {
        let mut found = Vec::new();
        let all_told = collect(src, &mut found, &mut SchemaBudget::default());
        if let Some(first) = all_told.ok().and(found.into_iter().min_by_key(order)) {
            return first;
        }
    }
    let message = match error {
        // The only thing that can be wrong after a schema was found to be one.
        CompileError::Bug(_) => "expected patterns that can be compiled".to_owned(),
        error => format!("{error:#}").replace(ROOT, ""),
    };
    Mismatch { place: String::new(), schema: String::new(), kind: MismatchKind::Other, message }
}

/// Tells what an error says. What is told of all values together is bounded: a place may be long, and stands in each error.
fn collect(
    error: &ValidationError<'_, '_>,
    into: &mut Vec<Mismatch>,
    budget: &mut SchemaBudget,
) -> Result<(), SchemaTooCostly> {
    let (kind, message) = match &error.kind {
        // What each alternative wants, in one.
        ErrorKind::AnyOf | ErrorKind::OneOf(None) if !error.causes.is_empty() => {
            let mut wants = wants(error, budget)?;
            wants.sort();
            wants.dedup();
            (MismatchKind::Other, wants.join(", or "))
        }
        // The library does not say where the name stands, and of a list what is wrong with each item.
        ErrorKind::PropertyName { prop } => {
            (MismatchKind::Other, format!("invalid property '{prop}': {}", wants(error, budget)?.join(", ")))
        }
        ErrorKind::Contains | ErrorKind::MinContains { .. } => (MismatchKind::Other, error.kind.to_string()),
        ErrorKind::FalseSchema => (MismatchKind::Other, "must be absent".to_owned()),
        _ if !error.causes.is_empty() => {
            return error.causes.iter().try_for_each(|cause| collect(cause, into, budget));
        }
        ErrorKind::AdditionalProperties { got } => {
            let mut keys: Vec<_> = got.iter().map(ToString::to_string).collect();
            keys.sort();
            let message = format!("unknown properties '{}'", keys.join("', '"));
            (MismatchKind::UnknownKeys(keys), message)
        }
        ErrorKind::Required { want } => {
            let keys = want.iter().map(|key| (*key).to_owned()).collect();
            (MismatchKind::MissingKeys(keys), error.kind.to_string())
        }
        ErrorKind::Enum { .. } => (MismatchKind::UnknownWord, error.kind.to_string()),
        ErrorKind::Type { .. } => (MismatchKind::WrongType, error.kind.to_string()),
        kind => (MismatchKind::Other, kind.to_string()),
    };
    let mismatch = mismatch(error, kind, message);
    budget.spend_each(mismatch.place.len() + mismatch.message.len())?;
    into.push(mismatch);
    Ok(())
}

/// What the causes of an error want.
fn wants(error: &ValidationError<'_, '_>, budget: &mut SchemaBudget) -> Result<Vec<String>, SchemaTooCostly> {
    let mut inner = Vec::new();
    error.causes.iter().try_for_each(|cause| collect(cause, &mut inner, budget))?;
    Ok(inner.into_iter().map(|mismatch| mismatch.message).collect())
}

fn mismatch(error: &ValidationError<'_, '_>, kind: MismatchKind, message: String) -> Mismatch {
    let fragment = error.schema_url.split_once('#').map_or("", |(_, fragment)| fragment);
    let schema = percent_decode_str(fragment).decode_utf8_lossy().into_owned();
    Mismatch { place: error.instance_location.to_string(), schema, kind, message }
}

/// What orders mismatches as their places stand in the value, items by their number.
fn order(mismatch: &Mismatch) -> (Vec<(u64, String)>, String) {
    let parts = mismatch.place.split('/').map(|part| (part.parse().unwrap_or(u64::MAX), part.to_owned()));
    (parts.collect(), mismatch.message.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(schema: &JsonSchema, value: &Value) -> Vec<Mismatch> {
        schema.mismatches(value, &mut SchemaBudget::default()).expect("it costs little")
    }

    fn told(schema: &Value, value: &Value) -> Vec<String> {
        let schema = JsonSchema::new(schema).expect("a schema");
        found(&schema, value).iter().map(ToString::to_string).collect()
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
    fn formats_are_demanded() {
        let schema = json!({"properties": {"due": {"format": "date"}, "from": {"format": "email"}}});
        assert_eq!(told(&schema, &json!({"due": "2026-11-21", "from": "ada@example.com"})), [""; 0]);
        let places = |value| found(&JsonSchema::new(&schema).expect("a schema"), &value).len();
        assert_eq!(places(json!({"due": "tomorrow", "from": "Ada"})), 2);
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
        let found = found(&JsonSchema::new(&schema).expect("a schema"), &json!({"a": 1}));
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
    fn names_and_lists_are_told_as_what_they_are() {
        let names = json!({"propertyNames": {"maxLength": 2}});
        assert_eq!(told(&names, &json!({"abc": 1})), [": invalid property 'abc': length must be <=2, but got 3"]);
        let contains = json!({"contains": {"const": "x"}});
        assert_eq!(told(&contains, &json!(["a", "b"])), [": no items match contains schema"]);
        let nothing = json!({"properties": {"a": false}});
        assert_eq!(told(&nothing, &json!({"a": 1})), ["/a: must be absent"]);
    }

    #[test]
    fn items_are_told_in_their_order() {
        let schema = json!({"items": {"type": "string"}});
        let schema = JsonSchema::new(&schema).expect("a schema");
        let found = found(&schema, &json!([1, "", 1, "", "", "", "", "", "", "", 1]));
        let places: Vec<_> = found.iter().map(|mismatch| mismatch.place.as_str()).collect();
        assert_eq!(places, ["/0", "/2", "/10"]);
    }

    #[test]
    fn a_pattern_that_cannot_be_compiled_is_a_mistake() {
        for pattern in ["\\p{Foo}", "\\pL{100000}", "(?=a)"] {
            let mistake = JsonSchema::new(&json!({"pattern": pattern})).err().expect("no such pattern");
            assert!(!mistake.message.contains("report"), "{mistake}");
        }
    }

    #[test]
    fn a_value_is_followed_as_deep_as_the_schema_may_lead() {
        let list = json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#"}}]});
        let nested = |levels: usize| (1..levels).fold(json!("a"), |inner, _| json!([inner]));
        assert_eq!(told(&list, &nested(12)), [""; 0]);
        assert_eq!(told(&list, &nested(13)), [": expected at most 12 levels of nesting, found more"]);
    }

    #[test]
    fn the_longest_way_that_is_allowed_fits_on_the_stack() {
        let links = (0..60).map(|at| (format!("a{at}"), json!({"$ref": format!("#/$defs/a{}", at + 1)})));
        let last = [("a60".to_owned(), json!({"type": "string"}))];
        let schema = json!({"$ref": "#/$defs/a0", "$defs": links.chain(last).collect::<serde_json::Map<_, _>>()});
        let small = std::thread::Builder::new().stack_size(1 << 20);
        let found =
            small.spawn(move || told(&schema, &json!(1))).expect("a thread").join().expect("it does not overflow");
        assert_eq!(found, [": want string, but got number"]);
    }

    #[test]
    fn nothing_but_the_schema_itself_is_read() {
        let file = format!("file://{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
        for elsewhere in [file.as_str(), "https://example.com/schema.json", "other.json"] {
            assert!(JsonSchema::new(&json!({"$ref": elsewhere})).is_err(), "{elsewhere}");
        }
    }
}
