//! What is wrong in an expression, whatever the data are.

use super::super::node::{Base, Literal, Node, Segment};
use super::Inference;
use crate::Level;
use crate::problem::code;
use crate::types::Type;

/// One mistake.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) code: &'static str,
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
    /// The names by which the place is found in the text: of a path, as far as it is about.
    pub(crate) place: Vec<String>,
}

impl Inference<'_> {
    pub(super) fn mistake(&mut self, code: &'static str, node: &Node, message: String) -> &mut Mistake {
        self.push(Mistake { code, level: Level::Error, message, suggestion: None, place: place(node) })
    }

    pub(super) fn warn(&mut self, node: &Node, message: String) {
        let level = Level::Warning;
        self.push(Mistake { code: code::SUSPICIOUS, level, message, suggestion: None, place: place(node) });
    }

    pub(super) fn push(&mut self, mistake: Mistake) -> &mut Mistake {
        let at = self.mistakes.len();
        self.mistakes.push(mistake);
        &mut self.mistakes[at]
    }
}

/// What names the place of a node in the text.
fn place(node: &Node) -> Vec<String> {
    match node {
        Node::Path(path) => {
            let base = match &path.base {
                Base::Root(name) | Base::Local(_, name) => name.clone(),
                Base::Now => "now".to_owned(),
                Base::Type(name) => (*name).to_owned(),
                Base::Node(node) => return place(node),
            };
            let fields = path.segments.iter().map_while(|segment| match segment {
                Segment::Field(name) => Some(name.clone()),
                Segment::Index(_) => None,
            });
            std::iter::once(base).chain(fields).collect()
        }
        Node::Literal(Literal::Text(text)) => vec![text.clone()],
        Node::Chain(first, _) => place(first),
        Node::Call(function, _) => vec![function.name.to_owned()],
        Node::Loop(each) => place(&each.range),
        Node::Coalesce(_) => vec!["coalesce".to_owned()],
        _ => Vec::new(),
    }
}

/// A value for a message, as a running expression says it: its path if it has one, and its type.
pub(super) fn described(node: Option<&Node>, found: &Type) -> String {
    let kinds = found.kinds.present();
    match node {
        Some(Node::Path(path)) if !matches!(path.base, Base::Node(_)) => {
            format!("`{}` ({kinds})", path.text(usize::MAX))
        }
        Some(Node::Literal(Literal::Text(text))) => {
            format!("the text {}", crate::validate::words::quoted(text))
        }
        _ => kinds.to_string(),
    }
}
