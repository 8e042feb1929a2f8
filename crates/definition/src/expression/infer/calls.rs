//! Calls of functions: what they take, and what they give.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::evaluate::Evaluator;
use super::super::functions::Function;
use super::super::node::{Base, Literal, Node};
use super::super::roots::Roots;
use super::super::{ExpressionError, Scope};
use super::Inference;
use super::mistake::described;
use crate::problem::code;
use crate::types::{Kinds, Type};

impl Inference<'_> {
    pub(super) fn call(&mut self, function: &'static Function, arguments: &[Node]) -> Type {
        let found: Vec<_> = arguments.iter().map(|argument| self.node(argument)).collect();
        for (at, (node, argument)) in arguments.iter().zip(&found).enumerate() {
            let takes = function.takes.get(at).copied().unwrap_or(Kinds::ANY);
            if !argument.kinds.present().meets(takes) {
                let name = function.name;
                let message = format!("{name}() expects {takes}, found {}", described(Some(node), argument));
                self.mistake(code::EXPRESSION_TYPE, node, message);
                return gives(function, &found);
            }
        }
        match (function.name, arguments) {
            ("lookup", [Node::Literal(Literal::Text(object)), ..]) => self.seen.record_of(object).or_null(),
            _ => gives(function, &found),
        }
    }

    /// A call of which every argument is written out gives the same each time: a bad value is told now.
    pub(super) fn of_literals(&mut self, call: &Node, function: &'static Function, arguments: &[Node]) {
        let written = |node: &Node| match node {
            Node::Literal(_) => true,
            Node::Path(path) => matches!(path.base, Base::Now) && path.segments.is_empty(),
            _ => false,
        };
        if function.name == "secret" || !arguments.iter().all(written) {
            return;
        }
        let no_names = BTreeSet::new();
        let roots = Roots::new(&Nothing, &no_names);
        if let Err(ExpressionError::Value { message }) = Evaluator::new(&roots).eval(call)
            && let Some(node) = arguments.iter().find(|node| matches!(node, Node::Literal(_)))
        {
            self.mistake(code::EXPRESSION_VALUE, node, message);
        }
    }
}

/// The world of a call that sees nothing of it. The time is one as good as any other.
struct Nothing;

impl Scope for Nothing {
    fn root(&self, _: &str) -> Option<serde_json::Value> {
        None
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn timezone(&self) -> &TimeZone {
        static UTC: TimeZone = TimeZone::UTC;
        &UTC
    }
}

fn gives(function: &Function, found: &[Type]) -> Type {
    match (function.name, found) {
        ("duration", [one]) if !one.kinds.meets(Kinds::BUSINESS_DAYS) => Type::of(Kinds::DURATION),
        ("split", _) => Type::list(Type::text()),
        ("in_zone", _) => {
            let number = || Type::of(Kinds::NUMBER);
            let numbers = ["year", "month", "day", "hour", "minute", "second", "weekday"].map(|name| (name, number()));
            let texts = ["date", "time", "datetime"].map(|name| (name, Type::text()));
            Type::object(numbers.into_iter().chain(texts))
        }
        _ => Type::of(function.gives),
    }
}
