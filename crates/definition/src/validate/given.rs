//! Values that expressions give: whether their place takes them.

use super::check::Check;
use super::typing::variable_field;
use super::{literal, words};
use crate::path::Path;
use crate::problem::code;
use crate::step::Shape;
use crate::types::{Kinds, Type};
use crate::{Expression, Field, FieldType, Object, Template};

impl Check<'_, '_> {
    /// Demands that an expression gives true or false.
    pub(crate) fn truth(&mut self, expression: &Expression, path: &Path) {
        self.gives(expression, Kinds::BOOLEAN, "true or false", path);
    }

    /// Demands that an expression gives a value of one of these kinds.
    pub(crate) fn gives(&mut self, expression: &Expression, kinds: Kinds, expected: &str, path: &Path) -> Type {
        let (found, mistakes) = expression.infer(&self.view);
        if mistakes.is_empty() && !found.kinds.present().meets(kinds) {
            let message = format!("expected {expected}, found {}", expression.described(&found));
            let test = match (kinds, found.words.as_ref().and_then(|words| words.first())) {
                (Kinds::BOOLEAN, Some(word)) => {
                    Some(format!("write a test, such as `{} == {word:?}`", expression.source()))
                }
                (Kinds::BOOLEAN, None) => Some("write a test, such as `… == …` or `!blank(…)`".to_owned()),
                _ => None,
            };
            self.error(code::EXPRESSION_TYPE, path, message).suggest(test);
        }
        found
    }

    /// The type of what a template gives.
    pub(crate) fn type_of(&self, template: &Template) -> Type {
        template.infer(&self.view)
    }

    /// Demands that a field takes what a template gives. What is written out is checked as it is.
    pub(crate) fn field_takes(&mut self, field: &Field, template: &Template, path: &Path) {
        if template.literal().is_none() {
            let found = self.type_of(template);
            self.takes(field, &found, path);
        }
    }

    /// Demands that a field or relationship of an object takes what a template gives.
    pub(crate) fn field_takes_of(&mut self, object: &Object, name: &str, template: &Template, path: &Path) {
        let related = || object.relationships.get(name).map(|to| Field { many: to.many, ..Field::of(FieldType::Text) });
        if Object::BUILT_IN.contains(&name) {
            return;
        }
        if let Some(field) = object.field(name).map(std::borrow::Cow::into_owned).or_else(related) {
            self.field_takes(&field, template, path);
        }
    }

    /// Demands that a declared variable takes what a template gives.
    pub(crate) fn variable_takes(&mut self, name: &str, template: &Template, path: &Path) {
        if let Some(field) = variable_field(self.facts, name) {
            self.field_takes(&field, template, path);
        }
    }

    /// Demands that a declared variable takes the output of a step.
    pub(crate) fn saved_output(&mut self, shape: &dyn Shape) {
        let Some(name) = self.keys.get("save_as").and_then(serde_json::Value::as_str) else { return };
        if let Some(field) = variable_field(self.facts, name) {
            let output = shape.output(self.facts);
            self.takes(&field, &output, &self.key("save_as"));
        }
    }

    /// Demands that a declared variable takes what each of its sources gives, and its default.
    pub(crate) fn sources(&mut self, name: &str) {
        let Some(field) = variable_field(self.facts, name) else { return };
        let written = self.keys.get("from").and_then(serde_json::Value::as_array).into_iter().flatten();
        for (at, source) in written.enumerate() {
            let Some(source) = source.as_str().and_then(|text| Expression::parse(text).ok()) else { continue };
            let (found, mistakes) = source.infer(&self.view);
            if mistakes.is_empty() {
                self.takes(&field, &found.stored(), &self.key("from").index(at));
            }
        }
        let default = self.keys.get("default").and_then(|default| Template::parse(default).ok());
        if let Some(default) = default {
            self.field_takes(&field, &default, &self.key("default"));
        }
    }

    fn takes(&mut self, field: &Field, found: &Type, path: &Path) {
        let one = if field.many && found.kinds.meets(Kinds::LIST) { found.item() } else { found.clone() };
        let expected = literal::expected(field.kind, &field.options);
        let list = if field.many { " or a list of them" } else { "" };
        let lists = field.many && found.kinds.present().meets(Kinds::LIST);
        let fits = one.kinds.present().meets(taken(field.kind)) || (lists && one.kinds == Kinds::NULL);
        if !fits {
            let message = format!("expected {expected}{list}, found {}", found.kinds.present());
            self.error(code::WRONG_TYPE, path, message);
            return;
        }
        let options = Type::words(field.options.iter().map(String::as_str));
        if field.kind == FieldType::Option && one.kinds.present() == Kinds::TEXT && !one.shares_words(&options) {
            let found = one.words.iter().flat_map(|words| words.iter()).map(String::as_str);
            let message = format!("expected {expected}, found {}", words::any_of(found));
            self.error(code::INVALID_VALUE, path, message);
        }
    }
}

/// The kinds that can be brought to a field's type.
fn taken(kind: FieldType) -> Kinds {
    match kind {
        // A record is taken as its id.
        FieldType::Text => Kinds::TEXT | Kinds::NUMBER | Kinds::BOOLEAN | Kinds::OBJECT | Kinds::NULL,
        FieldType::Number => Kinds::NUMBER | Kinds::TEXT | Kinds::NULL,
        FieldType::Boolean => Kinds::BOOLEAN | Kinds::TEXT | Kinds::NULL,
        FieldType::Object | FieldType::File => Kinds::OBJECT | Kinds::NULL,
        FieldType::Money => Kinds::OBJECT | Kinds::TEXT | Kinds::NULL,
        _ => Kinds::TEXT | Kinds::NULL,
    }
}
