//! Paths: the keys of what is known.

use super::super::node::{Base, Literal, Node, Path, Segment};
use super::{Inference, Mistake};
use crate::Level;
use crate::problem::code;
use crate::types::{Kinds, Shape, Type};
use crate::validate::words::{all_of, did_you_mean};

impl Inference<'_> {
    pub(super) fn path(&mut self, path: &Path) -> Type {
        let mut found = match &path.base {
            Base::Root(name) if path.segments.is_empty() => self.seen.whole(name),
            Base::Root(name) => self.seen.root(name),
            Base::Now => Type::of(Kinds::TIME),
            Base::Local(slot, _) => self.locals.get(*slot).cloned().unwrap_or_else(Type::any),
            Base::Type(_) => Type::of(Kinds::TYPE),
            Base::Node(node) => self.node(node),
        };
        self.order(path);
        for (at, segment) in path.segments.iter().enumerate() {
            found = match segment {
                Segment::Field(name) => self.key(path, at, &found, name),
                Segment::Index(Node::Literal(Literal::Text(name))) if !found.kinds.meets(Kinds::LIST) => {
                    self.key(path, at, &found, name)
                }
                Segment::Index(index) => self.element(path, at, &found, index),
            };
        }
        found
    }

    /// Tells of what comes later, or never on this way.
    fn order(&mut self, path: &Path) {
        let Base::Root(root) = &path.base else { return };
        let (Segment::Field(name) | Segment::Index(Node::Literal(Literal::Text(name)))) = (match path.segments.first() {
            Some(first) => first,
            None => return,
        }) else {
            return;
        };
        // What a step does not have is told already.
        let is_state = match path.segments.get(1) {
            Some(Segment::Field(part)) => matches!(part.as_str(), "output" | "status" | "error"),
            _ => true,
        };
        if root == "steps" && is_state && !self.seen.step_can_precede(name) {
            let message = format!("`{}` does not exist here: {name:?} comes later, or on another path", path.text(1));
            let tolerant = self.tolerant;
            let mistake = self.at(path, 0, code::EXPRESSION_MISSING_KEY, message);
            if tolerant {
                (mistake.code, mistake.level) = (code::SUSPICIOUS, Level::Warning);
            }
        }
        if root == "vars" && !self.tolerant && !self.seen.variable_can_be_set(name) {
            let message = format!("`{}` is null here: nothing sets it on the way to this step", path.text(1));
            let mistake = self.at(path, 0, code::SUSPICIOUS, message);
            mistake.level = Level::Warning;
        }
    }

    fn key(&mut self, path: &Path, at: usize, holder: &Type, name: &str) -> Type {
        let kinds = holder.kinds.present();
        let written = path.text(at);
        if kinds.meets(Kinds::OBJECT) {
            return holder.key(name).unwrap_or_else(|| {
                if let Some(shape) = holder.shape.clone() {
                    self.unknown_key(path, at, &shape, name);
                }
                Type::any()
            });
        }
        if kinds == Kinds::LIST {
            let of_records = holder.element.as_ref().and_then(|element| element.shape.as_ref()?.object.as_ref());
            let (code, what) = if of_records.is_some() {
                (code::UNKNOWN_FIELD, "list of records")
            } else {
                (code::EXPRESSION_TYPE, "list")
            };
            let message = format!("`{written}` is a {what}, it has no field {name:?}");
            let example = format!("take one, `{written}[0].{name}`, or all, `{written}.map(x, x.{name})`");
            self.at(path, at, code, message).suggestion = Some(example);
        } else if !kinds.is_empty() && kinds != Kinds::NULL {
            let message = format!("`{written}` is {kinds}, which has nothing inside: found `.{name}`");
            self.at(path, at, code::EXPRESSION_TYPE, message);
        }
        Type::any()
    }

    fn unknown_key(&mut self, path: &Path, at: usize, shape: &Shape, name: &str) {
        if let Some((object, names)) = &shape.object {
            let names = || names.iter().map(String::as_str);
            let message = format!("object {object:?} has no field {name:?}; it has {}", all_of(names()));
            self.at(path, at, code::UNKNOWN_FIELD, message).suggestion = did_you_mean(name, names());
            return;
        }
        let known = || shape.keys.keys().map(String::as_str);
        let near = did_you_mean(name, known());
        let (written, tolerant) = (path.text(at), self.tolerant);
        let message = format!("`{written}` has {}, found {name:?}", all_of(known()));
        let mistake = self.at(path, at, code::EXPRESSION_MISSING_KEY, message);
        mistake.suggestion = near;
        if tolerant {
            (mistake.code, mistake.level) = (code::SUSPICIOUS, Level::Warning);
        }
    }

    fn element(&mut self, path: &Path, at: usize, holder: &Type, index: &Node) -> Type {
        let place = self.node(index).kinds.present();
        let kinds = holder.kinds.present();
        let written = path.text(at);
        if !kinds.meets(Kinds::LIST | Kinds::OBJECT) {
            if kinds != Kinds::NULL {
                self.at(path, at, code::EXPRESSION_TYPE, format!("`{written}` is {kinds}, which has nothing inside"));
            }
            return Type::any();
        }
        if kinds == Kinds::LIST && !place.meets(Kinds::NUMBER) {
            let message = format!(
                "`{written}` is a list: take an element, `{written}[0]`, or go over it with map(), found [{place}]"
            );
            self.at(path, at, code::EXPRESSION_TYPE, message);
        }
        if kinds.meets(Kinds::OBJECT) { Type::any() } else { holder.item() }
    }

    /// A mistake at a part of a path.
    fn at(&mut self, path: &Path, at: usize, code: &'static str, message: String) -> &mut Mistake {
        let base = match &path.base {
            Base::Root(name) | Base::Local(_, name) => Some(name.clone()),
            _ => None,
        };
        let fields = path.segments.iter().take(at + 1).map_while(|segment| match segment {
            Segment::Field(name) | Segment::Index(Node::Literal(Literal::Text(name))) => Some(name.clone()),
            Segment::Index(_) => None,
        });
        let place = base.into_iter().chain(fields).collect();
        self.push(Mistake { code, level: Level::Error, message, suggestion: None, place })
    }
}
