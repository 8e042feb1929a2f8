//! Evaluates the tree of an expression.
//!
//! Our own evaluator and not that of the `cel` crate, which gives only the parser: objects are gone through in a fixed
//! order (theirs are hash maps, and a replay must give the same bytes), data is borrowed and never converted as a
//! whole, work is bounded, numbers of JSON mix freely, and errors name the path.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::budget::Budget;
use super::functions::{Call, Function};
use super::lack::Lack;
use super::node::{Base, Literal, Loop, LoopKind, Node, Operator, Path, Segment};
use super::operate::{Misfit, hint, operate};
use super::roots::Roots;
use super::val::{Key, Val};
use super::{ExpressionError, Scope};

/// One evaluation.
pub(super) struct Evaluator<'a> {
    roots: &'a Roots<'a>,
    locals: Vec<Val<'a>>,
    /// Whether a field behind an empty relationship is missing, as it is to `has`, and not null.
    strict: bool,
    pub(super) budget: Budget,
    /// What lacked a key, of the errors that are on their way. Their texts are written for the one that is shown.
    lacks: Vec<Lack<'a>>,
}

/// What an error costs that another operand, or another element, makes good.
const SWALLOWED: u64 = 20;

/// What evaluating a node gives.
pub(super) type Outcome<'a> = Result<Val<'a>, ExpressionError>;

impl<'a> Evaluator<'a> {
    pub(super) fn new(roots: &'a Roots<'a>) -> Self {
        Self { roots, locals: Vec::new(), strict: false, budget: roots.budget(), lacks: Vec::new() }
    }

    /// Evaluates the whole expression, hands the rest of the budget back, and words the error that is shown.
    pub(super) fn whole<T>(
        mut self,
        node: &'a Node,
        take: impl FnOnce(&mut Self, Val<'a>) -> Result<T, ExpressionError>,
    ) -> Result<T, ExpressionError> {
        let found = self.eval(node).and_then(|val| take(&mut self, val));
        self.roots.keep(self.budget);
        found.map_err(|error| super::lack::worded(error, &self.lacks))
    }

    /// Evaluates an expression that is a part of another one to true or false, with what is left of that one's budget.
    pub(super) fn part(mut self, node: &'a Node, budget: &mut Budget) -> Result<bool, ExpressionError> {
        self.budget = *budget;
        let found = self.truth(node, "where");
        *budget = self.budget;
        found.map_err(|error| super::lack::worded(error, &self.lacks))
    }

    pub(super) fn scope(&self) -> &'a dyn Scope {
        self.roots.scope()
    }

    pub(super) fn eval(&mut self, node: &'a Node) -> Outcome<'a> {
        self.budget.spend(1)?;
        match node {
            Node::Literal(Literal::Bytes(bytes)) => {
                self.budget.spend_bytes(bytes.len())?;
                Ok(Val::Bytes(bytes.as_slice().into()))
            }
            Node::Literal(literal) => Ok(literal_val(literal)),
            Node::Path(path) => self.path(path),
            Node::Chain(first, rest) => self.chain(first, rest),
            Node::And(operands) => self.logical("&&", false, operands.iter()),
            Node::Or(operands) => self.logical("||", true, operands.iter()),
            Node::Not(operand) => self.truth(operand, "!").map(|truth| Val::Bool(!truth)),
            Node::Negate(operand) => self.negate(operand),
            Node::Choose(branches) => self.choose(branches),
            Node::List(nodes) => self.all_of(nodes).map(Val::list),
            Node::Map(entries) => self.map(entries),
            Node::Has(operand) => self.has(operand),
            Node::Blank(operand) => {
                let found = self.unless_missing(operand)?;
                self.budget.spend_bytes(found.as_ref().map_or(0, Val::blank_cost))?;
                Ok(Val::Bool(found.is_none_or(|val| val.is_blank())))
            }
            Node::Coalesce(operands) => self.coalesce(operands),
            Node::Loop(each) => self.each(each),
            Node::Matches(text, regex) => self.matches(text, regex),
            Node::Call(function, arguments) => self.call(function, arguments),
        }
    }

    fn all_of(&mut self, nodes: &'a [Node]) -> Result<Vec<Val<'a>>, ExpressionError> {
        nodes.iter().map(|node| self.eval(node)).collect()
    }

    fn path(&mut self, path: &'a Path) -> Outcome<'a> {
        let mut val = match &path.base {
            Base::Root(name) => Val::data(self.root(name)?),
            Base::Now => Val::Time(self.scope().now()),
            Base::Local(slot, _) => self.locals[*slot].clone(),
            Base::Type(name) => Val::Type(name),
            Base::Node(node) => self.eval(node)?,
        };
        for (place, segment) in path.segments.iter().enumerate() {
            let inner = match segment {
                Segment::Field(name) => val.field(name).ok_or_else(|| Val::borrowed(name)),
                Segment::Index(node) => {
                    let key = self.eval(node)?;
                    self.budget.spend_bytes(key.text_length())?;
                    val.element(&key).ok_or(key)
                }
            };
            val = match inner {
                Ok(inner) => inner,
                Err(_) if matches!(val, Val::Null) && self.is_behind_nothing(path, place) => return Ok(Val::Null),
                Err(key) => return Err(self.lacking(Lack { path, place, holder: val, key })),
            };
        }
        Ok(val)
    }

    fn root(&mut self, name: &str) -> Result<&'a serde_json::Value, ExpressionError> {
        let found = self.roots.get(name);
        if found.is_err() {
            // The names that exist were looked at, and with them their data.
            self.budget.spend(5_000)?;
        }
        found
    }

    fn lacking(&mut self, lack: Lack<'a>) -> ExpressionError {
        let error = lack.unworded(self.lacks.len());
        if matches!(error, ExpressionError::Missing { .. }) {
            self.lacks.push(lack);
        }
        error
    }

    /// Whether a segment follows a relationship, which is empty if it is null, or a record that was looked up.
    fn is_behind_nothing(&self, path: &Path, place: usize) -> bool {
        if matches!(&path.base, Base::Node(node) if node.is_lookup()) {
            return !self.strict;
        }
        let related = || path.head().is_some_and(|(root, name)| self.scope().is_relationship(root, name));
        !self.strict && place > 0 && related()
    }

    fn has(&mut self, operand: &'a Node) -> Outcome<'a> {
        if let Node::Path(path) = operand
            && path.head().is_some_and(|(root, name)| !self.scope().is_set(root, name))
        {
            return Ok(Val::Bool(false));
        }
        let before = std::mem::replace(&mut self.strict, true);
        let found = self.unless_missing(operand);
        self.strict = before;
        found.map(|found| Val::Bool(found.is_some()))
    }

    fn chain(&mut self, first: &'a Node, rest: &'a [(Operator, Node)]) -> Outcome<'a> {
        let mut left = self.eval(first)?;
        let mut origin = Some(first);
        for (operator, node) in rest {
            self.budget.spend(1)?;
            let right = self.eval(node)?;
            left = operate(self, *operator, &left, &right).map_err(|misfit| match misfit {
                Misfit::Error(error) => error,
                Misfit::Types => {
                    let (symbol, hint) = (operator.symbol(), hint(*operator, &left, &right));
                    let (left, right) = (described(origin, &left), described(Some(node), &right));
                    ExpressionError::wrong_type(format!("`{symbol}` cannot stand between {left} and {right}{hint}"))
                }
            })?;
            origin = None;
        }
        Ok(left)
    }

    /// `&&` and `||`, `all` and `exists`: an operand that decides does so whatever the others are, errors included.
    fn logical(&mut self, symbol: &str, decisive: bool, operands: impl Iterator<Item = &'a Node>) -> Outcome<'a> {
        let mut pending = None;
        for operand in operands {
            let lacks = self.lacks.len();
            match self.truth(operand, symbol) {
                Ok(truth) if truth == decisive => return Ok(Val::Bool(decisive)),
                Ok(_) => {}
                Err(error) => self.swallow(&mut pending, error, lacks)?,
            }
        }
        pending.map_or(Ok(Val::Bool(!decisive)), Err)
    }

    /// Keeps the first error of several, in case none of the others decides. A budget that is spent ends everything.
    fn swallow(
        &mut self,
        pending: &mut Option<ExpressionError>,
        error: ExpressionError,
        lacks: usize,
    ) -> Result<(), ExpressionError> {
        if matches!(error, ExpressionError::TooCostly { .. }) {
            return Err(error);
        }
        self.budget.spend(SWALLOWED)?;
        if pending.is_some() {
            self.lacks.truncate(lacks);
        }
        pending.get_or_insert(error);
        Ok(())
    }

    fn truth(&mut self, node: &'a Node, place: &str) -> Result<bool, ExpressionError> {
        match self.eval(node)? {
            Val::Bool(truth) => Ok(truth),
            other => {
                let found = described(Some(node), &other);
                Err(ExpressionError::wrong_type(format!("`{place}` expects true or false, found {found}")))
            }
        }
    }

    fn negate(&mut self, operand: &'a Node) -> Outcome<'a> {
        let out_of_range = || ExpressionError::value("the number is out of range");
        match self.eval(operand)? {
            Val::Double(number) => Ok(Val::Double(-number)),
            Val::Duration(duration) => Ok(Val::Duration(duration.negated())),
            Val::BusinessDays(days) => Ok(Val::BusinessDays(-days)),
            number @ (Val::Int(_) | Val::Uint(_)) => {
                number.whole_number().and_then(|number| Val::integer(-number)).ok_or_else(out_of_range)
            }
            other => {
                let found = described(Some(operand), &other);
                Err(ExpressionError::wrong_type(format!("`-` expects a number or duration, found {found}")))
            }
        }
    }

    fn choose(&mut self, [condition, yes, no]: &'a [Node; 3]) -> Outcome<'a> {
        let branch = if self.truth(condition, "? :")? { yes } else { no };
        self.eval(branch)
    }

    fn map(&mut self, entries: &'a [(Node, Node)]) -> Outcome<'a> {
        let mut map = BTreeMap::new();
        for (key, value) in entries {
            let found = self.eval(key)?;
            let key = Key::of(&found).ok_or_else(|| {
                ExpressionError::wrong_type(format!(
                    "a key is a text, a whole number or a boolean, found {}",
                    found.kind()
                ))
            })?;
            if map.contains_key(&key) {
                return Err(ExpressionError::value(format!("the key `{key}` stands twice")));
            }
            map.insert(key, self.eval(value)?);
        }
        Ok(Val::Map(Rc::new(map)))
    }

    /// The value, or `None` if a key on the way to it is missing.
    fn unless_missing(&mut self, node: &'a Node) -> Result<Option<Val<'a>>, ExpressionError> {
        let lacks = self.lacks.len();
        match self.eval(node) {
            Ok(val) => Ok(Some(val)),
            Err(ExpressionError::Missing { .. }) => {
                self.lacks.truncate(lacks);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The first operand that is not blank, else the last as it is, be it an empty list or text.
    fn coalesce(&mut self, operands: &'a [Node]) -> Outcome<'a> {
        let Some((last, others)) = operands.split_last() else { return Ok(Val::Null) };
        for operand in others {
            let found = self.unless_missing(operand)?;
            self.budget.spend_bytes(found.as_ref().map_or(0, Val::blank_cost))?;
            if let Some(val) = found.filter(|val| !val.is_blank()) {
                return Ok(val);
            }
        }
        Ok(self.unless_missing(last)?.unwrap_or(Val::Null))
    }

    fn each(&mut self, each: &'a Loop) -> Outcome<'a> {
        let range = self.eval(&each.range)?;
        self.budget.spend_elements(range.elements_cost())?;
        let elements = range.elements().ok_or_else(|| {
            let found = described(Some(&each.range), &range);
            ExpressionError::wrong_type(format!("{}() goes over a list or an object, found {found}", each.kind.name()))
        })?;
        match each.kind {
            LoopKind::All => self.decide(each, false, elements),
            LoopKind::Exists => self.decide(each, true, elements),
            LoopKind::ExistsOne => {
                let found = self.select(each, elements)?;
                Ok(Val::Bool(found.len() == 1))
            }
            LoopKind::Filter => self.select(each, elements).map(Val::list),
            LoopKind::Map => self.collect(each, elements),
        }
    }

    fn decide(&mut self, each: &'a Loop, decisive: bool, elements: Vec<Val<'a>>) -> Outcome<'a> {
        let mut pending = None;
        for element in elements {
            let lacks = self.lacks.len();
            match self.within(element, |this| this.truth(&each.body, each.kind.name())) {
                Ok(truth) if truth == decisive => return Ok(Val::Bool(decisive)),
                Ok(_) => {}
                Err(error) => self.swallow(&mut pending, error, lacks)?,
            }
        }
        pending.map_or(Ok(Val::Bool(!decisive)), Err)
    }

    fn select(&mut self, each: &'a Loop, elements: Vec<Val<'a>>) -> Result<Vec<Val<'a>>, ExpressionError> {
        let mut selected = Vec::new();
        for element in elements {
            if self.within(element.clone(), |this| this.truth(&each.body, each.kind.name()))? {
                selected.push(element);
            }
        }
        Ok(selected)
    }

    fn collect(&mut self, each: &'a Loop, elements: Vec<Val<'a>>) -> Outcome<'a> {
        let mut collected = Vec::new();
        for element in elements {
            let made = self.within(element, |this| match &each.guard {
                Some(guard) if !this.truth(guard, each.kind.name())? => Ok(None),
                _ => this.eval(&each.body).map(Some),
            })?;
            collected.extend(made);
        }
        Ok(Val::list(collected))
    }

    /// Does something with one more variable of a loop.
    fn within<T>(&mut self, local: Val<'a>, act: impl FnOnce(&mut Self) -> T) -> T {
        self.locals.push(local);
        let done = act(self);
        self.locals.pop();
        done
    }

    fn matches(&mut self, node: &'a Node, regex: &regex::Regex) -> Outcome<'a> {
        match self.eval(node)? {
            Val::Text(text) => {
                self.budget.spend_elements(text.len())?;
                Ok(Val::Bool(regex.is_match(&text)))
            }
            other => {
                let found = described(Some(node), &other);
                Err(ExpressionError::wrong_type(format!("matches() expects text, found {found}")))
            }
        }
    }

    fn call(&mut self, function: &'static Function, arguments: &'a [Node]) -> Outcome<'a> {
        let vals = self.all_of(arguments)?;
        self.budget.spend(function.cost)?;
        let mut call = Call { name: function.name, nodes: arguments, arguments: &vals, evaluator: self };
        (function.run)(&mut call)
    }
}

fn literal_val(literal: &Literal) -> Val<'_> {
    match literal {
        Literal::Null => Val::Null,
        Literal::Bool(truth) => Val::Bool(*truth),
        Literal::Int(number) => Val::Int(*number),
        Literal::Uint(number) => Val::Uint(*number),
        Literal::Double(number) => Val::Double(*number),
        Literal::Text(text) => Val::borrowed(text),
        Literal::Bytes(bytes) => Val::Bytes(bytes.as_slice().into()),
    }
}

/// A value for a message: its path if it has one, and its type. Never the value, which may be private.
pub(super) fn described(node: Option<&Node>, val: &Val<'_>) -> String {
    match node {
        Some(Node::Path(path)) if !matches!(path.base, Base::Node(_)) => {
            format!("`{}` ({})", path.text(usize::MAX), val.kind())
        }
        _ => val.kind().to_owned(),
    }
}
