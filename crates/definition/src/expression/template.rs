//! Templates: JSON values whose strings may hold `{{ expr }}`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::budget::MOST_TEXT;
use super::parse::literal_length;
use super::roots::Roots;
use super::{Expression, ExpressionError, Scope, bounded};
use crate::value;

/// A JSON value in which any string may hold `{{ expr }}` parts; a clone is cheap.
///
/// A string that is exactly one `{{ expr }}` keeps the value's type; else values are put into the text: null as
/// nothing, lists and objects as JSON. Keys of objects are plain texts. `{{ "{{" }}` gives two braces.
#[derive(Clone)]
pub struct Template {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Value,
    node: Node,
    roots: BTreeSet<String>,
}

#[derive(Debug)]
enum Node {
    Literal(Value),
    Whole(Expression),
    Text(Vec<Part>),
    List(Vec<Node>),
    Object(BTreeMap<String, Node>),
}

#[derive(Debug)]
enum Part {
    Text(String),
    Value(Expression),
}

/// A part of a text whose expressions were evaluated.
pub(super) enum Piece<'a> {
    /// As the author wrote it.
    Text(Cow<'a, str>),
    /// What an expression gave.
    Value {
        /// As text.
        text: String,
        /// The expression percent-encodes it.
        is_encoded: bool,
    },
}

impl Template {
    /// Parses every expression of a JSON value.
    pub fn parse(value: &Value) -> Result<Self, ExpressionError> {
        let node = Node::parse(value)?;
        let mut roots = BTreeSet::new();
        node.visit(&mut |expression| roots.extend(expression.roots().iter().cloned()));
        Ok(Self { inner: Arc::new(Inner { source: value.clone(), node, roots }) })
    }

    /// The value as written.
    pub fn source(&self) -> &Value {
        &self.inner.source
    }

    /// The value, if it holds no expression.
    pub fn literal(&self) -> Option<&Value> {
        matches!(self.inner.node, Node::Literal(_)).then_some(&self.inner.source)
    }

    /// The expression that it is as a whole, whose value keeps its type.
    pub(crate) fn whole(&self) -> Option<&Expression> {
        match &self.inner.node {
            Node::Whole(expression) => Some(expression),
            _ => None,
        }
    }

    /// The variables that its expressions read.
    pub fn roots(&self) -> BTreeSet<String> {
        self.inner.roots.clone()
    }

    /// The paths that its expressions read; see [`Expression::reads`].
    pub fn reads(&self) -> BTreeSet<Vec<String>> {
        self.collect(Expression::reads)
    }

    /// The secrets that its expressions name.
    pub fn secrets(&self) -> BTreeSet<String> {
        self.collect(Expression::secrets)
    }

    /// The groups that its expressions ask for; see [`Expression::groups`].
    pub fn groups(&self) -> BTreeSet<(Vec<String>, String)> {
        let mut all = BTreeSet::new();
        self.inner.node.visit(&mut |expression| all.extend(expression.groups().iter().cloned()));
        all
    }

    /// Whether it is one expression that percent-encodes: what it gives is not encoded again.
    pub fn is_urlencoded(&self) -> bool {
        matches!(&self.inner.node, Node::Whole(expression) if expression.is_urlencoded())
    }

    /// Evaluates the expressions of a text, and keeps apart what the author wrote and what they gave: at most so many
    /// bytes.
    pub(super) fn pieces(&self, scope: &dyn Scope, most: usize) -> Result<Vec<Piece<'_>>, ExpressionError> {
        let roots = Roots::new(scope, &self.inner.roots);
        let mut left = most;
        let mut value = |expression: &Expression| {
            let text = value::text_of(&expression.evaluate_with(&Roots::new(scope, expression.roots()))?);
            left = left
                .checked_sub(text.len())
                .ok_or_else(|| ExpressionError::costly(format!("its text has more than {most} bytes")))?;
            Ok(Piece::Value { text, is_encoded: expression.is_urlencoded() })
        };
        match &self.inner.node {
            Node::Whole(expression) => Ok(vec![value(expression)?]),
            Node::Text(parts) => parts
                .iter()
                .map(|part| match part {
                    Part::Text(text) => Ok(Piece::Text(Cow::Borrowed(text))),
                    Part::Value(expression) => value(expression),
                })
                .collect(),
            node => Ok(vec![Piece::Text(Cow::Owned(value::text_of(&node.resolve(&roots)?)))]),
        }
    }

    fn collect<T: Ord + Clone>(&self, of: fn(&Expression) -> &BTreeSet<T>) -> BTreeSet<T> {
        let mut collected = BTreeSet::new();
        self.inner.node.visit(&mut |expression| collected.extend(of(expression).iter().cloned()));
        collected
    }

    /// Evaluates every expression.
    pub fn resolve(&self, scope: &dyn Scope) -> Result<Value, ExpressionError> {
        let value = self.inner.node.resolve(&Roots::new(scope, &self.inner.roots))?;
        if self.literal().is_some() { Ok(value) } else { bounded(value) }
    }

    /// Evaluates every expression and gives the result as text: null as nothing, lists and objects as JSON.
    pub fn resolve_text(&self, scope: &dyn Scope) -> Result<String, ExpressionError> {
        Ok(value::text_of(&self.resolve(scope)?))
    }
}

impl Node {
    fn parse(value: &Value) -> Result<Self, ExpressionError> {
        let node = match value {
            Value::String(text) => Self::parse_text(text)?,
            Value::Array(values) => Self::List(values.iter().map(Self::parse).collect::<Result<_, _>>()?),
            Value::Object(keys) => {
                let parse = |(key, value): (&String, &Value)| Ok((key.clone(), Self::parse(value)?));
                Self::Object(keys.iter().map(parse).collect::<Result<_, ExpressionError>>()?)
            }
            _ => Self::Literal(value::canonical(value.clone())),
        };
        let mut dynamic = false;
        node.visit(&mut |_| dynamic = true);
        Ok(if dynamic { node } else { Self::Literal(value::canonical(value.clone())) })
    }

    fn parse_text(text: &str) -> Result<Self, ExpressionError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find("{{") {
            let inside = &rest[at + 2..];
            let end = end_of_expression(inside)
                .ok_or_else(|| ExpressionError::syntax(&rest[at..], "`{{` is not closed by `}}`"))?;
            if at > 0 {
                parts.push(Part::Text(rest[..at].to_owned()));
            }
            parts.push(Part::Value(Expression::parse(inside[..end].trim())?));
            rest = &inside[end + 2..];
        }
        // A block of YAML ends with a line break that nobody means.
        let whole = matches!(parts.as_slice(), [Part::Value(_)]) && rest.chars().all(|c| c == '\n');
        if !rest.is_empty() && !whole {
            parts.push(Part::Text(rest.to_owned()));
        }
        match parts.as_slice() {
            [Part::Value(expression)] => Ok(Self::Whole(expression.clone())),
            _ => Ok(Self::Text(parts)),
        }
    }

    fn visit(&self, each: &mut dyn FnMut(&Expression)) {
        match self {
            Self::Literal(_) => {}
            Self::Whole(expression) => each(expression),
            Self::Text(parts) => parts.iter().for_each(|part| {
                if let Part::Value(expression) = part {
                    each(expression);
                }
            }),
            Self::List(nodes) => nodes.iter().for_each(|node| node.visit(each)),
            Self::Object(nodes) => nodes.values().for_each(|node| node.visit(each)),
        }
    }

    fn resolve<'a>(&'a self, roots: &'a Roots<'a>) -> Result<Value, ExpressionError> {
        Ok(match self {
            Self::Literal(value) => value.clone(),
            Self::Whole(expression) => expression.evaluate_with(roots)?,
            Self::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(plain) => text.push_str(plain),
                        Part::Value(expression) => text.push_str(&value::text_of(&expression.evaluate_with(roots)?)),
                    }
                    if text.len() > MOST_TEXT {
                        return Err(ExpressionError::costly(format!("its text has more than {MOST_TEXT} bytes")));
                    }
                }
                Value::String(text)
            }
            Self::List(nodes) => nodes.iter().map(|node| node.resolve(roots)).collect::<Result<_, _>>()?,
            Self::Object(nodes) => {
                let resolve = |(key, node): (&String, &'a Self)| Ok((key.clone(), node.resolve(roots)?));
                Value::Object(nodes.iter().map(resolve).collect::<Result<_, ExpressionError>>()?)
            }
        })
    }
}

/// Where the expression ends: at the first `}}` outside string literals and outside braces of its own.
pub(crate) fn end_of_expression(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' | '\'' => at += literal_length(text, at)?,
            '}' if depth == 0 && text[at..].starts_with("}}") => return Some(at),
            '{' => (depth, at) = (depth + 1, at + 1),
            '}' => (depth, at) = (depth.saturating_sub(1), at + 1),
            _ => at += c.len_utf8(),
        }
    }
    None
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Template").field(self.source()).finish()
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "describe")]
impl schemars::JsonSchema for Template {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Template".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "Any value; strings may hold {{ expr }}." })
    }
}
