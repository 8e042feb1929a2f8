//! Operators between two types, by the rules of `operate`.

use super::super::node::{Literal, Node, Operator};
use super::Inference;
use super::mistake::described;
use crate::problem::code;
use crate::types::{Kinds, Type};
use crate::validate::words::{any_of, did_you_mean, quoted};

impl Inference<'_> {
    pub(super) fn chain(&mut self, first: &Node, rest: &[(Operator, Node)]) -> Type {
        let mut left = self.node(first);
        let mut origin = Some(first);
        for (operator, node) in rest {
            let right = self.node(node);
            let given = given(*operator, &left, &right);
            if given.is_empty() {
                self.misfit(*operator, (origin, &left), (node, &right));
            } else if let Some(origin) = origin {
                self.never(*operator, (origin, &left), (node, &right));
            }
            left = result(*operator, given, &left, &right);
            origin = None;
        }
        left
    }

    fn misfit(&mut self, operator: Operator, (origin, left): (Option<&Node>, &Type), (node, right): (&Node, &Type)) {
        let hint = hint(operator, left.kinds.present(), right.kinds.present());
        let symbol = operator.symbol();
        let message = format!(
            "`{symbol}` cannot stand between {} and {}{hint}",
            described(origin, left),
            described(Some(node), right)
        );
        self.mistake(code::EXPRESSION_TYPE, origin.unwrap_or(node), message);
    }

    /// Tells of texts that are compared with words that never are among them.
    fn never(&mut self, operator: Operator, (from, left): (&Node, &Type), (to, right): (&Node, &Type)) {
        match operator {
            Operator::Equal | Operator::NotEqual => {
                self.never_same((from, left), (to, right));
                self.never_same((to, right), (from, left));
            }
            Operator::In => {
                if let Node::List(elements) = to {
                    for element in elements {
                        let word = self.node(element);
                        self.never_same((from, left), (element, &word));
                    }
                }
                if right.kinds.present() == Kinds::LIST {
                    self.never_same((to, &right.item()), (from, left));
                }
            }
            _ => {}
        }
    }

    /// Tells of a word that is written out and none of those that a value can be.
    fn never_same(&mut self, (holder, found): (&Node, &Type), (node, word): (&Node, &Type)) {
        let Node::Literal(Literal::Text(text)) = node else { return };
        let Some(words) = found.words.clone().filter(|_| found.kinds.present() == Kinds::TEXT) else { return };
        if matches!(holder, Node::Literal(_) | Node::List(_)) || found.shares_words(word) {
            return;
        }
        let known = || words.iter().map(String::as_str);
        let holder = match holder {
            Node::Path(path) => format!("`{}`", path.text(usize::MAX)),
            _ => "the value".to_owned(),
        };
        if text.is_empty() {
            let message = format!("{holder} is {} or null, never an empty text: write blank(…)", any_of(known()));
            self.warn(node, message);
            return;
        }
        let message = format!("{holder} is {}, never {}", any_of(known()), quoted(text));
        let near = did_you_mean(text, known());
        self.mistake(code::INVALID_VALUE, node, message).suggestion = near;
    }
}

/// The kinds of what an operator gives between values that are there; none if it takes no such values.
fn given(operator: Operator, left: &Type, right: &Type) -> Kinds {
    let (left, right) = match operator {
        // Null may be compared with anything.
        Operator::Equal | Operator::NotEqual => (left.kinds, right.kinds),
        _ => (left.kinds.present(), right.kinds.present()),
    };
    if matches!(operator, Operator::Equal | Operator::NotEqual) {
        let null = left == Kinds::NULL || right == Kinds::NULL;
        let same = left.present().meets(right.present());
        return if null || same { Kinds::BOOLEAN } else { Kinds::NONE };
    }
    let pairs = left.each().flat_map(|left| right.each().map(move |right| of_pair(operator, left, right)));
    pairs.fold(Kinds::NONE, Kinds::or)
}

/// What an operator gives between two values of one kind each.
fn of_pair(operator: Operator, left: Kinds, right: Kinds) -> Kinds {
    let ordered = Kinds::BOOLEAN | Kinds::NUMBER | Kinds::TEXT | Kinds::BYTES | Kinds::TIME | Kinds::DURATION;
    let keys = Kinds::BOOLEAN | Kinds::NUMBER | Kinds::TEXT;
    let lengths = Kinds::DURATION | Kinds::BUSINESS_DAYS;
    let same = left == right;
    match operator {
        Operator::Equal | Operator::NotEqual => Kinds::BOOLEAN,
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            if same && left.meets(ordered) { Kinds::BOOLEAN } else { Kinds::NONE }
        }
        Operator::In if right == Kinds::LIST || right == Kinds::OBJECT && left.meets(keys) => Kinds::BOOLEAN,
        Operator::In => Kinds::NONE,
        Operator::Add => match (left, right) {
            (Kinds::TIME, length) | (length, Kinds::TIME) if length.meets(lengths) => Kinds::TIME,
            _ if same && left.meets(Kinds::TEXT | Kinds::BYTES | Kinds::LIST | Kinds::NUMBER | lengths) => left,
            _ => Kinds::NONE,
        },
        Operator::Subtract => match (left, right) {
            (Kinds::TIME, Kinds::TIME) => Kinds::DURATION,
            (Kinds::TIME, length) if length.meets(lengths) => Kinds::TIME,
            _ if same && left.meets(Kinds::NUMBER | lengths) => left,
            _ => Kinds::NONE,
        },
        Operator::Multiply | Operator::Divide | Operator::Modulo => {
            if same && left == Kinds::NUMBER {
                Kinds::NUMBER
            } else {
                Kinds::NONE
            }
        }
    }
}

fn result(operator: Operator, given: Kinds, left: &Type, right: &Type) -> Type {
    let lists = given == Kinds::LIST && operator == Operator::Add;
    match (&left.element, &right.element) {
        _ if given.is_empty() => Type::any(),
        (Some(left), Some(right)) if lists => Type::list(left.or(right)),
        _ => Type::of(given),
    }
}

/// What an author may have meant.
fn hint(operator: Operator, left: Kinds, right: Kinds) -> &'static str {
    let either = |kind: Kinds| left == kind || right == kind;
    let both = |one: Kinds, other: Kinds| (left == one && right == other) || (left == other && right == one);
    match operator {
        _ if either(Kinds::NULL) => ": guard it with blank(…) or coalesce(…)",
        Operator::In if right == Kinds::TEXT => ": a text is searched with text.contains(…)",
        Operator::Add if either(Kinds::TEXT) => ": write string(…) around what is no text",
        _ if both(Kinds::TIME, Kinds::NUMBER) => ": write days(…) or duration(\"…\") around the number",
        _ if both(Kinds::TIME, Kinds::TEXT) => ": write timestamp(…) or date(…) around the text",
        _ if both(Kinds::DURATION, Kinds::TEXT) => ": write duration(…) around the text",
        _ if both(Kinds::NUMBER, Kinds::TEXT) => ": write double(…) around the text, or string(…) around the number",
        _ if both(Kinds::LIST, Kinds::TEXT) || both(Kinds::LIST, Kinds::NUMBER) => {
            ": a list is searched with `x in list`"
        }
        _ => "",
    }
}
