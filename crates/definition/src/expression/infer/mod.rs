//! Types through the tree of an expression, and what is certain to be wrong in it.
//!
//! A value that may be of a fitting type is not told: data, and null, decide when the expression runs. What is told
//! fails for every value that is there, or can never hold.

mod calls;
mod mistake;
mod operators;
mod paths;

use super::node::{Literal, Loop, LoopKind, Node};
use super::{Expression, Template};
use crate::problem::code;
use crate::types::{Kinds, Shape, Type};

pub(crate) use mistake::Mistake;

/// What an expression sees.
pub(crate) trait Seen {
    /// The type of a variable such as `record`, of which a key is read.
    fn root(&self, name: &str) -> Type;

    /// The type of a variable that is taken as a whole.
    fn whole(&self, name: &str) -> Type {
        self.root(name)
    }

    /// The type of a record of an object.
    fn record_of(&self, _object: &str) -> Type {
        Type::of(Kinds::OBJECT)
    }

    /// Whether a key that is missing is as good as blank here.
    fn takes_missing(&self) -> bool {
        false
    }

    /// Whether a step can have been visited before this place is.
    fn step_can_precede(&self, _id: &str) -> bool {
        true
    }

    /// Whether something can have set a variable before this place is visited.
    fn variable_can_be_set(&self, _name: &str) -> bool {
        true
    }
}

impl Expression {
    /// The type of its value, and its mistakes.
    pub(crate) fn infer(&self, seen: &dyn Seen) -> (Type, Vec<Mistake>) {
        let tolerant = seen.takes_missing();
        let mut inference = Inference { seen, locals: Vec::new(), mistakes: Vec::new(), tolerant };
        let found = inference.node(&self.program.lowered.node);
        (found, inference.mistakes)
    }

    /// The expression for a message: its path if it is one.
    pub(crate) fn described(&self, found: &Type) -> String {
        mistake::described(Some(&self.program.lowered.node), found)
    }
}

impl Template {
    /// The type of its value. Its mistakes are those of its expressions.
    pub(crate) fn infer(&self, seen: &dyn Seen) -> Type {
        if let Some(literal) = self.literal() {
            return Type::of_value(literal);
        }
        match self.whole() {
            Some(expression) => expression.infer(seen).0.stored(),
            None => match self.source() {
                serde_json::Value::String(_) => Type::text(),
                serde_json::Value::Object(keys) => Type::shaped(Shape {
                    keys: keys.keys().map(|key| (key.clone(), Type::any())).collect(),
                    open: false,
                    object: None,
                }),
                _ => Type::of(Kinds::LIST),
            },
        }
    }
}

impl Type {
    /// Of a value that is written out.
    pub(crate) fn of_value(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::of(Kinds::NULL),
            Value::Bool(_) => Self::of(Kinds::BOOLEAN),
            Value::Number(_) => Self::of(Kinds::NUMBER),
            Value::String(text) => Self::words([text.as_str()]),
            Value::Array(values) => union(values.iter().map(Self::of_value)).map_or(Self::of(Kinds::LIST), Self::list),
            Value::Object(keys) => Self::object(keys.iter().map(|(key, value)| (key.as_str(), Self::of_value(value)))),
        }
    }

    /// As the value is once it is JSON: times and durations are texts.
    #[must_use]
    pub(crate) fn stored(mut self) -> Self {
        let written = Kinds::TIME | Kinds::DURATION | Kinds::BYTES | Kinds::TYPE;
        if self.kinds.meets(written) && self.kinds != Kinds::ANY {
            let kept = self.kinds.each().filter(|kind| !kind.meets(written)).fold(Kinds::NONE, Kinds::or);
            self.kinds = kept | Kinds::TEXT;
            self.words = None;
        }
        self.element = self.element.map(|element| element.as_ref().clone().stored().into());
        self.shape = self.shape.map(|shape| {
            let keys = shape.keys.iter().map(|(key, inside)| (key.clone(), inside.clone().stored())).collect();
            Shape { keys, open: shape.open, object: shape.object.clone() }.into()
        });
        self
    }
}

/// One of several types; `None` if there is none.
fn union(mut types: impl Iterator<Item = Type>) -> Option<Type> {
    let first = types.next()?;
    Some(types.fold(first, |union, other| union.or(&other)))
}

struct Inference<'s> {
    seen: &'s dyn Seen,
    locals: Vec<Type>,
    mistakes: Vec<Mistake>,
    /// Inside of what takes a key that is missing: `has`, `blank`, `coalesce`.
    tolerant: bool,
}

impl Inference<'_> {
    fn node(&mut self, node: &Node) -> Type {
        match node {
            Node::Literal(literal) => of_literal(literal),
            Node::Path(path) => self.path(path),
            Node::Chain(first, rest) => self.chain(first, rest),
            Node::And(operands) => self.logical("&&", operands),
            Node::Or(operands) => self.logical("||", operands),
            Node::Not(operand) => {
                self.truth("!", operand);
                Type::of(Kinds::BOOLEAN)
            }
            Node::Negate(operand) => self.negate(operand),
            Node::Choose(branches) => {
                let [condition, yes, no] = &**branches;
                self.truth("? :", condition);
                let yes = self.node(yes);
                yes.or(&self.node(no))
            }
            Node::List(nodes) => {
                let elements: Vec<_> = nodes.iter().map(|node| self.node(node)).collect();
                union(elements.into_iter()).map_or(Type::of(Kinds::LIST), Type::list)
            }
            Node::Map(entries) => self.map(entries),
            Node::Has(operand) | Node::Blank(operand) => {
                self.tolerating(operand);
                Type::of(Kinds::BOOLEAN)
            }
            Node::Coalesce(operands) => self.coalesce(operands),
            Node::Loop(each) => self.each(each),
            Node::Matches(text, _) => {
                self.expect("matches()", Kinds::TEXT, "text", text);
                Type::of(Kinds::BOOLEAN)
            }
            Node::Call(function, arguments) => {
                let before = self.mistakes.len();
                let found = self.call(function, arguments);
                if self.mistakes.len() == before {
                    self.of_literals(node, function, arguments);
                }
                found
            }
        }
    }

    fn logical(&mut self, symbol: &str, operands: &[Node]) -> Type {
        for operand in operands {
            self.truth(symbol, operand);
        }
        Type::of(Kinds::BOOLEAN)
    }

    fn truth(&mut self, place: &str, node: &Node) {
        self.expect(&format!("`{place}`"), Kinds::BOOLEAN, "true or false", node);
    }

    /// Infers an operand, which must be of one of these kinds.
    fn expect(&mut self, place: &str, kinds: Kinds, expected: &str, node: &Node) -> Type {
        let found = self.node(node);
        if !found.kinds.present().meets(kinds) {
            let described = mistake::described(Some(node), &found);
            self.mistake(code::EXPRESSION_TYPE, node, format!("{place} expects {expected}, found {described}"));
        }
        found
    }

    fn negate(&mut self, operand: &Node) -> Type {
        let numeric = Kinds::NUMBER | Kinds::DURATION | Kinds::BUSINESS_DAYS;
        let found = self.expect("`-`", numeric, "a number or duration", operand);
        let kinds = found.kinds & numeric;
        Type::of(if kinds.is_empty() { numeric } else { kinds })
    }

    fn map(&mut self, entries: &[(Node, Node)]) -> Type {
        let mut shape = Shape { keys: std::collections::BTreeMap::new(), open: false, object: None };
        for (key, value) in entries {
            let inside = self.node(value);
            match key {
                Node::Literal(Literal::Text(key)) => {
                    shape.keys.insert(key.clone(), inside);
                }
                other => {
                    self.expect(
                        "a key",
                        Kinds::TEXT | Kinds::NUMBER | Kinds::BOOLEAN,
                        "a text or a whole number",
                        other,
                    );
                    shape.open = true;
                }
            }
        }
        Type::shaped(shape)
    }

    /// Infers what may lack a key.
    fn tolerating(&mut self, node: &Node) -> Type {
        let outer = std::mem::replace(&mut self.tolerant, true);
        let found = self.node(node);
        self.tolerant = outer;
        found
    }

    fn coalesce(&mut self, operands: &[Node]) -> Type {
        let last = operands.len().saturating_sub(1);
        for (at, operand) in operands.iter().enumerate() {
            if let Some(blank) = blank_literal(operand)
                && (at < last || blank == "null")
            {
                let message = format!("coalesce() passes over what is blank: {blank} in it says nothing");
                self.warn(operand, message);
            }
        }
        let found: Vec<_> = operands.iter().map(|operand| self.tolerating(operand)).collect();
        union(found.into_iter()).unwrap_or_else(Type::any).or_null()
    }

    fn each(&mut self, each: &Loop) -> Type {
        let name = each.kind.name();
        let over = Kinds::LIST | Kinds::OBJECT;
        let range = self.node(&each.range);
        if !range.kinds.present().meets(over) {
            let described = mistake::described(Some(&each.range), &range);
            let message = format!("{name}() goes over a list or an object, found {described}");
            self.mistake(code::EXPRESSION_TYPE, &each.range, message);
        }
        let element = match (range.kinds.meets(Kinds::LIST), range.kinds.meets(Kinds::OBJECT)) {
            (true, false) => range.item(),
            (false, true) => Type::text(),
            _ => Type::any(),
        };
        self.locals.push(element.clone());
        if let Some(guard) = &each.guard {
            self.truth(name, guard);
        }
        let given = match each.kind {
            LoopKind::Map => Type::list(self.node(&each.body)),
            LoopKind::Filter => {
                self.truth(name, &each.body);
                Type::list(element)
            }
            LoopKind::All | LoopKind::Exists | LoopKind::ExistsOne => {
                self.truth(name, &each.body);
                Type::of(Kinds::BOOLEAN)
            }
        };
        self.locals.pop();
        given
    }
}

fn of_literal(literal: &Literal) -> Type {
    match literal {
        Literal::Null => Type::of(Kinds::NULL),
        Literal::Bool(_) => Type::of(Kinds::BOOLEAN),
        Literal::Int(_) | Literal::Uint(_) | Literal::Double(_) => Type::of(Kinds::NUMBER),
        Literal::Text(text) => Type::words([text.as_str()]),
        Literal::Bytes(_) => Type::of(Kinds::BYTES),
    }
}

/// A blank value that is written out, as it is written.
fn blank_literal(node: &Node) -> Option<&'static str> {
    match node {
        Node::Literal(Literal::Null) => Some("null"),
        Node::Literal(Literal::Text(text)) if text.trim().is_empty() => Some("an empty text"),
        Node::List(elements) if elements.is_empty() => Some("an empty list"),
        Node::Map(entries) if entries.is_empty() => Some("an empty object"),
        _ => None,
    }
}
