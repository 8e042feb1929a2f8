//! Types of what is declared: fields, records, variables, JSON Schemas.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Kinds, Shape, Type};
use crate::{Field, FieldType, HOPS_MOST, Object, Relationship};

impl Type {
    /// What a field holds. An empty one is null.
    pub(crate) fn of_field(field: &Field) -> Self {
        let one = match field.kind {
            FieldType::Number => Self::of(Kinds::NUMBER),
            FieldType::Boolean => Self::of(Kinds::BOOLEAN),
            FieldType::Object => Self::of(Kinds::OBJECT),
            FieldType::Money => Self::object([("amount", Self::of(Kinds::NUMBER)), ("currency", Self::text())]),
            FieldType::File => Self::object([
                ("id", Self::text()),
                ("name", Self::text().or_null()),
                ("media_type", Self::text().or_null()),
                ("size", Self::of(Kinds::NUMBER).or_null()),
                ("pages", Self::of(Kinds::NUMBER).or_null()),
            ]),
            FieldType::Option if !field.options.is_empty() => Self::words(field.options.iter().map(String::as_str)),
            _ => Self::text(),
        };
        if field.many { Self::list(one).or_null() } else { one.or_null() }
    }

    /// A record, its relationships as they are stored: ids.
    pub(crate) fn of_record(object: &Object) -> Self {
        Self::record_with(object, |_, relationship| Self::of_ids(relationship))
    }

    /// A record of which it is not known whether its relationships were read.
    pub(crate) fn of_loose_record(object: &Object) -> Self {
        Self::record_with(object, |_, _| Self::any())
    }

    /// A record with the records that chains of its relationships lead to.
    pub(crate) fn of_record_and_related(object: &Object, objects: &BTreeMap<String, Object>) -> Self {
        Self::with_hops(object, objects, HOPS_MOST, &mut BTreeMap::new())
    }

    /// A record with what lies behind so many relationships; `known` are those of objects that are known already.
    fn with_hops<'a>(
        object: &'a Object,
        objects: &'a BTreeMap<String, Object>,
        hops: usize,
        known: &mut BTreeMap<(&'a str, usize), Self>,
    ) -> Self {
        if let Some(known) = known.get(&(object.id.as_str(), hops)) {
            return known.clone();
        }
        let mut related = BTreeMap::new();
        for (name, relationship) in object.relationships.iter().filter(|_| hops > 0) {
            let Some(to) = objects.get(&relationship.object) else {
                related.insert(name.as_str(), Self::any());
                continue;
            };
            // A chain ends with many.
            let left = if relationship.many { 0 } else { hops - 1 };
            let one = Self::with_hops(to, objects, left, known);
            related.insert(name, if relationship.many { Self::list(one) } else { one.or_null() });
        }
        let whole = Self::record_with(object, |name, relationship| {
            related.remove(name).unwrap_or_else(|| Self::of_ids(relationship))
        });
        known.insert((&object.id, hops), whole.clone());
        whole
    }

    /// A relationship as it is stored.
    fn of_ids(relationship: &Relationship) -> Self {
        let id = Self::text();
        if relationship.many { Self::list(id) } else { id }.or_null()
    }

    fn record_with(object: &Object, mut related: impl FnMut(&str, &Relationship) -> Self) -> Self {
        let fields = object.names().into_iter().filter_map(|name| Some((name, Self::of_field(&*object.field(name)?))));
        let relationships = object.relationships.iter().map(|(name, to)| (name.as_str(), related(name, to)));
        let keys = fields.chain(relationships).map(|(name, inside)| (name.to_owned(), inside)).collect();
        let names = object.names().into_iter().map(str::to_owned).collect();
        Self::shaped(Shape { keys, open: false, object: Some((object.id.clone(), names)) })
    }

    /// What a value that fits a JSON Schema is, as far as plain keywords say.
    pub(crate) fn of_schema(schema: &Value) -> Self {
        let plain = |key: &str| schema.get(key).is_none();
        if !["$ref", "anyOf", "oneOf", "allOf", "not", "if"].iter().all(|key| plain(key)) {
            return Self::any();
        }
        let kinds = match schema.get("type") {
            Some(Value::String(name)) => json_kind(name),
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).map(json_kind).fold(Kinds::NONE, Kinds::or)
            }
            _ => Kinds::ANY,
        };
        let words = schema.get("enum").and_then(Value::as_array);
        let words = words.and_then(|words| words.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        let words = words.and_then(|words| Self::words(words).words);
        let element = schema.get("items").map(|items| Self::of_schema(items).into());
        let shape = schema.get("properties").and_then(Value::as_object).map(|properties| {
            let keys = properties.iter().map(|(key, inside)| (key.clone(), Self::of_schema(inside))).collect();
            let open = schema.get("additionalProperties") != Some(&Value::Bool(false)) || !plain("patternProperties");
            Shape { keys, open, object: None }.into()
        });
        Self { kinds, words, element, shape }
    }
}

fn json_kind(name: &str) -> Kinds {
    match name {
        "null" => Kinds::NULL,
        "boolean" => Kinds::BOOLEAN,
        "number" | "integer" => Kinds::NUMBER,
        "string" => Kinds::TEXT,
        "array" => Kinds::LIST,
        "object" => Kinds::OBJECT,
        _ => Kinds::ANY,
    }
}
