//! Turns the parser's tree into ours: names are resolved, loops recognised, chains made flat.

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators};

use super::ExpressionError;
use super::error::nearest;
use super::functions::{self, Function};
use super::node::{Base, Literal, Loop, LoopKind, Node, Operator, Path, Segment};

/// Deepest nesting of our tree, which bounds the recursion of an evaluation.
const MOST_NESTED: usize = 100;

/// Names that stand for types, as in `type(x) == string`.
const TYPES: &[&str] =
    &["bool", "bytes", "double", "duration", "int", "list", "map", "null_type", "string", "timestamp", "type", "uint"];

/// A parsed expression.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) node: Node,
    pub(super) roots: BTreeSet<String>,
    pub(super) reads: BTreeSet<Vec<String>>,
    pub(super) secrets: BTreeSet<String>,
    /// Groups that it asks for, each with the path of what is asked about as far as it is known.
    pub(super) groups: BTreeSet<(Vec<String>, String)>,
    /// Records that it looks up: the object, and the unique field.
    pub(super) lookups: BTreeSet<(String, String)>,
    pub(super) reads_now: bool,
}

/// Turns a parsed text into our tree.
pub(super) fn lower(parsed: &IdedExpr, source: &str) -> Result<Lowered, ExpressionError> {
    let mut lowering = Lowering {
        source,
        locals: Vec::new(),
        depth: 0,
        reads: BTreeSet::new(),
        secrets: BTreeSet::new(),
        groups: BTreeSet::new(),
        lookups: BTreeSet::new(),
        reads_now: false,
    };
    let node = lowering.node(parsed)?;
    let roots = lowering.reads.iter().filter_map(|path| path.first().cloned()).collect();
    let Lowering { reads, secrets, groups, lookups, reads_now, .. } = lowering;
    Ok(Lowered { node, roots, reads, secrets, groups, lookups, reads_now })
}

struct Lowering<'s> {
    source: &'s str,
    locals: Vec<String>,
    depth: usize,
    reads: BTreeSet<Vec<String>>,
    secrets: BTreeSet<String>,
    groups: BTreeSet<(Vec<String>, String)>,
    lookups: BTreeSet<(String, String)>,
    reads_now: bool,
}

type Outcome<T> = Result<T, ExpressionError>;

impl Lowering<'_> {
    fn node(&mut self, parsed: &IdedExpr) -> Outcome<Node> {
        self.depth += 1;
        if self.depth > MOST_NESTED {
            return Err(ExpressionError::costly(format!("it nests deeper than {MOST_NESTED} operations")));
        }
        let node = match &parsed.expr {
            Expr::Literal(literal) => Ok(Node::Literal(literal_of(literal))),
            Expr::Ident(_) | Expr::Select(_) => self.path(parsed),
            Expr::Call(call) => self.call(parsed, call),
            Expr::List(list) => self.nodes(&list.elements).map(Node::List),
            Expr::Map(map) => self.map(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(object) => {
                Err(self.syntax(format!("`{} {{…}}` is no object: write {{\"key\": value}}", object.type_name)))
            }
            Expr::Comprehension(_) | Expr::Unspecified => Err(self.syntax("not an expression")),
        };
        self.depth -= 1;
        node
    }

    fn nodes(&mut self, parsed: &[IdedExpr]) -> Outcome<Vec<Node>> {
        parsed.iter().map(|parsed| self.node(parsed)).collect()
    }

    fn boxed(&mut self, parsed: &IdedExpr) -> Outcome<Box<Node>> {
        self.node(parsed).map(Box::new)
    }

    fn syntax(&self, message: impl Into<String>) -> ExpressionError {
        ExpressionError::syntax(self.source, message)
    }

    fn map<'p>(&mut self, entries: impl Iterator<Item = &'p EntryExpr>) -> Outcome<Node> {
        let lowered = entries.map(|entry| match entry {
            EntryExpr::MapEntry(entry) => Ok((self.node(&entry.key)?, self.node(&entry.value)?)),
            EntryExpr::StructField(_) => Err(self.syntax("expected a key")),
        });
        lowered.collect::<Outcome<_>>().map(Node::Map)
    }

    /// Lowers a name and all that is selected from it, without recursion along the chain.
    fn path(&mut self, parsed: &IdedExpr) -> Outcome<Node> {
        let mut segments = Vec::new();
        let mut rest = parsed;
        loop {
            match &rest.expr {
                Expr::Select(SelectExpr { operand, field, .. }) => {
                    segments.push(Segment::Field(field.clone()));
                    rest = operand;
                }
                Expr::Call(CallExpr { func_name, target: None, args }) if func_name == operators::INDEX => {
                    let [operand, index] = args.as_slice() else { return Err(self.syntax("expected an index")) };
                    segments.push(Segment::Index(self.node(index)?));
                    rest = operand;
                }
                _ => break,
            }
        }
        segments.reverse();
        let base = match &rest.expr {
            Expr::Ident(name) => self.name(name.trim_start_matches('.')),
            _ => Base::Node(self.node(rest)?),
        };
        let path = Path { base, segments };
        self.reads.extend(path.reads());
        Ok(Node::Path(Box::new(path)))
    }

    fn name(&mut self, name: &str) -> Base {
        if let Some(slot) = self.locals.iter().rposition(|local| local == name) {
            return Base::Local(slot, name.to_owned());
        }
        if name == "now" {
            self.reads_now = true;
            return Base::Now;
        }
        let known = TYPES.iter().find(|known| **known == name);
        known.map_or_else(|| Base::Root(name.to_owned()), |known| Base::Type(known))
    }

    fn call(&mut self, parsed: &IdedExpr, call: &CallExpr) -> Outcome<Node> {
        if let Some(target) = &call.target {
            return match LoopKind::of(&call.func_name) {
                Some(kind) => self.each(kind, target, &call.args),
                None => self.function(&call.func_name, Some(target), &call.args),
            };
        }
        if operator_of(call).is_some() {
            return self.chain(parsed);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::INDEX, _) => self.path(parsed),
            (operators::LOGICAL_AND, _) => self.logical(parsed, operators::LOGICAL_AND).map(Node::And),
            (operators::LOGICAL_OR, _) => self.logical(parsed, operators::LOGICAL_OR).map(Node::Or),
            (operators::LOGICAL_NOT, [operand]) => self.boxed(operand).map(Node::Not),
            (operators::NEGATE, [operand]) => self.boxed(operand).map(Node::Negate),
            (operators::CONDITIONAL, [condition, yes, no]) => {
                let branches = [self.node(condition)?, self.node(yes)?, self.node(no)?];
                Ok(Node::Choose(Box::new(branches)))
            }
            ("has", [operand]) => match operand.expr {
                Expr::Select(_) => self.boxed(operand).map(Node::Has),
                _ => Err(self.syntax("has() expects a path, such as has(trigger.body.name)")),
            },
            ("blank", [operand]) => self.boxed(operand).map(Node::Blank),
            ("coalesce", [_, ..]) => self.nodes(&call.args).map(Node::Coalesce),
            (name, _) => self.function(name.trim_start_matches('.'), None, &call.args),
        }
    }

    /// Lowers operators applied from left to right, without recursion along the chain.
    fn chain(&mut self, parsed: &IdedExpr) -> Outcome<Node> {
        let mut operations = Vec::new();
        let mut rest = parsed;
        while let Expr::Call(call) = &rest.expr {
            let Some((operator, left, right)) = operator_of(call) else { break };
            operations.push((operator, self.node(right)?));
            rest = left;
        }
        operations.reverse();
        Ok(Node::Chain(self.boxed(rest)?, operations))
    }

    /// Collects the operands of one logical operator, which the parser has made a balanced tree of.
    fn logical(&mut self, parsed: &IdedExpr, operator: &str) -> Outcome<Vec<Node>> {
        let mut operands = Vec::new();
        let mut open = vec![parsed];
        while let Some(next) = open.pop() {
            match &next.expr {
                Expr::Call(call) if call.func_name == operator && call.target.is_none() => {
                    open.extend(call.args.iter().rev());
                }
                _ => operands.push(self.node(next)?),
            }
        }
        Ok(operands)
    }

    fn each(&mut self, kind: LoopKind, target: &IdedExpr, arguments: &[IdedExpr]) -> Outcome<Node> {
        let (variable, guard, body) = match arguments {
            [variable, body] => (variable, None, body),
            [variable, guard, body] if kind == LoopKind::Map => (variable, Some(guard), body),
            _ => {
                return Err(self.syntax(format!("{0}() expects a name and an expression: list.{0}(x, …)", kind.name())));
            }
        };
        let Expr::Ident(name) = &variable.expr else {
            return Err(self.syntax(format!("{0}() expects a name first: list.{0}(x, …)", kind.name())));
        };
        let range = self.node(target)?;
        self.locals.push(name.clone());
        let guard = guard.map(|guard| self.node(guard)).transpose();
        let body = self.node(body);
        self.locals.pop();
        Ok(Node::Loop(Box::new(Loop { kind, range, guard: guard?, body: body? })))
    }

    fn function(&mut self, name: &str, target: Option<&IdedExpr>, arguments: &[IdedExpr]) -> Outcome<Node> {
        let Some(function) = functions::find(name) else {
            let usage = SPECIAL.iter().find(|(special, _)| *special == name).map(|(_, usage)| *usage);
            return Err(
                usage.map_or_else(|| unknown(name), |usage| self.syntax(format!("{name}() is written {usage}")))
            );
        };
        let lowered = target.into_iter().chain(arguments).map(|argument| self.node(argument));
        let lowered = lowered.collect::<Outcome<Vec<_>>>()?;
        self.check_count(function, lowered.len())?;
        match (function.name, lowered.as_slice()) {
            ("matches", [_, Node::Literal(Literal::Text(pattern))]) => {
                let regex = functions::compile(pattern).map_err(|message| self.syntax(message))?;
                let text = lowered.into_iter().next().ok_or_else(|| self.syntax("matches() expects a text"))?;
                Ok(Node::Matches(Box::new(text), regex))
            }
            ("secret", [Node::Literal(Literal::Text(name))]) if functions::is_secret_name(name) => {
                self.secrets.insert(name.clone());
                Ok(Node::Call(function, lowered))
            }
            ("in_group", [record, Node::Literal(Literal::Text(id))]) if functions::is_group_id(id) => {
                let path = if let Node::Path(path) = record { path.reads().into_iter().next() } else { None };
                self.groups.insert((path.unwrap_or_default(), id.clone()));
                Ok(Node::Call(function, lowered))
            }
            ("in_group", _) => {
                Err(self.syntax("in_group() expects a record and the id of a group, such as in_group(record, \"vip\")"))
            }
            ("lookup", [Node::Literal(Literal::Text(object)), Node::Map(by)]) => {
                let [(Node::Literal(Literal::Text(field)), _)] = by.as_slice() else { return Err(self.no_lookup()) };
                self.lookups.insert((object.clone(), field.clone()));
                Ok(Node::Call(function, lowered))
            }
            ("lookup", _) => Err(self.no_lookup()),
            ("secret", _) => Err(self.syntax("secret() expects a name written down, such as secret(\"api_key\")")),
            _ => Ok(Node::Call(function, lowered)),
        }
    }

    fn no_lookup(&self) -> ExpressionError {
        let example = "lookup(\"company\", {\"domain\": value})";
        self.syntax(format!("lookup() expects an object and one unique field, both written down, such as {example}"))
    }

    fn check_count(&self, function: &Function, found: usize) -> Outcome<()> {
        let (least, most) = (*function.arguments.start(), *function.arguments.end());
        if function.arguments.contains(&found) {
            return Ok(());
        }
        let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
        Err(self.syntax(format!("{}() expects {expected} arguments, found {found}", function.name)))
    }
}

/// What is called like a function and has a form of its own.
const SPECIAL: &[(&str, &str)] = &[
    ("blank", "blank(x)"),
    ("coalesce", "coalesce(x, y)"),
    ("has", "has(x.y)"),
    ("all", "list.all(x, test)"),
    ("exists", "list.exists(x, test)"),
    ("exists_one", "list.exists_one(x, test)"),
    ("map", "list.map(x, value)"),
    ("filter", "list.filter(x, test)"),
];

fn unknown(name: &str) -> ExpressionError {
    let names = || functions::names().chain(SPECIAL.iter().map(|(name, _)| *name));
    let same = crate::validate::synonyms::of(name).find(|ours| names().any(|known| known == *ours));
    let suggestion = same.map(str::to_owned).or_else(|| nearest(name, names()));
    ExpressionError::Unknown { kind: "function".to_owned(), name: name.to_owned(), suggestion }
}

fn operator_of(call: &CallExpr) -> Option<(Operator, &IdedExpr, &IdedExpr)> {
    let operator = match call.func_name.as_str() {
        operators::ADD => Operator::Add,
        operators::SUBSTRACT => Operator::Subtract,
        operators::MULTIPLY => Operator::Multiply,
        operators::DIVIDE => Operator::Divide,
        operators::MODULO => Operator::Modulo,
        operators::EQUALS => Operator::Equal,
        operators::NOT_EQUALS => Operator::NotEqual,
        operators::LESS => Operator::Less,
        operators::LESS_EQUALS => Operator::LessOrEqual,
        operators::GREATER => Operator::Greater,
        operators::GREATER_EQUALS => Operator::GreaterOrEqual,
        operators::IN => Operator::In,
        _ => return None,
    };
    match call.args.as_slice() {
        [left, right] => Some((operator, left, right)),
        _ => None,
    }
}

fn literal_of(literal: &LiteralValue) -> Literal {
    match literal {
        LiteralValue::Null => Literal::Null,
        LiteralValue::Boolean(truth) => Literal::Bool(*truth.inner()),
        LiteralValue::Int(number) => Literal::Int(*number.inner()),
        LiteralValue::UInt(number) => Literal::Uint(*number.inner()),
        LiteralValue::Double(number) => Literal::Double(*number.inner()),
        LiteralValue::String(text) => Literal::Text(text.inner().to_owned()),
        LiteralValue::Bytes(bytes) => Literal::Bytes(bytes.inner().to_vec()),
    }
}
