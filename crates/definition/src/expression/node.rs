//! The tree of a parsed expression.

use regex::Regex;

use super::functions::Function;

/// One operation.
#[derive(Debug)]
pub(super) enum Node {
    Literal(Literal),
    Path(Box<Path>),
    /// Operators applied from left to right.
    Chain(Box<Node>, Vec<(Operator, Node)>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    Choose(Box<[Node; 3]>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Has(Box<Node>),
    Blank(Box<Node>),
    Coalesce(Vec<Node>),
    Loop(Box<Loop>),
    Matches(Box<Node>, Regex),
    Call(&'static Function, Vec<Node>),
}

/// A value written down.
#[derive(Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A value and the way into it: `trigger.body.items[0].name`.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) base: Base,
    pub(super) segments: Vec<Segment>,
}

/// Where a path begins.
#[derive(Debug)]
pub(super) enum Base {
    Root(String),
    Now,
    /// A variable of a loop, counted from the outermost.
    Local(usize, String),
    Type(&'static str),
    Node(Node),
}

/// One part of a path.
#[derive(Debug)]
pub(super) enum Segment {
    Field(String),
    Index(Node),
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

impl Operator {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
        }
    }
}

/// `list.map(x, …)` and its like.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) kind: LoopKind,
    pub(super) range: Node,
    /// Which elements count, for `map` with three arguments.
    pub(super) guard: Option<Node>,
    pub(super) body: Node,
}

/// What a loop gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}

impl LoopKind {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "all" => Self::All,
            "exists" => Self::Exists,
            "exists_one" | "existsOne" => Self::ExistsOne,
            "map" => Self::Map,
            "filter" => Self::Filter,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::ExistsOne => "exists_one",
            Self::Map => "map",
            Self::Filter => "filter",
        }
    }
}

impl Node {
    /// Whether it looks a record up.
    pub(super) fn is_lookup(&self) -> bool {
        matches!(self, Self::Call(function, _) if function.name == "lookup")
    }
}

impl Path {
    /// The path as written, up to a number of its segments.
    pub(super) fn text(&self, segments: usize) -> String {
        let mut text = match &self.base {
            Base::Root(name) | Base::Local(_, name) => name.clone(),
            Base::Now => "now".to_owned(),
            Base::Type(name) => (*name).to_owned(),
            Base::Node(_) => "(…)".to_owned(),
        };
        for segment in &self.segments[..segments.min(self.segments.len())] {
            match segment {
                Segment::Field(name) => {
                    text.push('.');
                    text.push_str(name);
                }
                Segment::Index(index) => text.extend(["[", &index_text(index), "]"]),
            }
        }
        text
    }

    /// The variable and the name after it: `vars` and `total` of `vars.total`.
    pub(super) fn head(&self) -> Option<(&str, &str)> {
        match (&self.base, self.segments.first()?) {
            (Base::Root(root), Segment::Field(name) | Segment::Index(Node::Literal(Literal::Text(name)))) => {
                Some((root, name))
            }
            _ => None,
        }
    }

    /// The variable and the fields after it that are read whatever the data are.
    pub(super) fn reads(&self) -> Option<Vec<String>> {
        let Base::Root(root) = &self.base else { return None };
        let fields = self.segments.iter().map_while(|segment| match segment {
            Segment::Field(name) => Some(name.clone()),
            Segment::Index(Node::Literal(Literal::Text(key))) => Some(key.clone()),
            Segment::Index(_) => None,
        });
        Some(std::iter::once(root.clone()).chain(fields).collect())
    }
}

fn index_text(index: &Node) -> String {
    match index {
        Node::Literal(Literal::Int(place)) => place.to_string(),
        Node::Literal(Literal::Text(key)) => format!("{key:?}"),
        Node::Path(path) => path.text(usize::MAX),
        _ => "…".to_owned(),
    }
}
