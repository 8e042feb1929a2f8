//! Expressions and templates as people say them: `record.score > 50 && !blank(record.email)` is "score is more than 50 and
//! email is not blank". What has no such words is shown as it is written.

use serde_json::Value;

use super::node::{Base, Literal, Node, Operator, Path, Segment};
use super::{Expression, Template};
use crate::value;

/// Characters of one text that are shown.
const LONGEST: usize = 120;

impl Expression {
    /// What it says, in words.
    pub fn words(&self) -> String {
        said(&self.program.lowered.node).unwrap_or_else(|| as_written(self.source()))
    }

    /// What it gives, in words. A field stands alone here, so it is said whose it is.
    fn given(&self) -> String {
        let of_record = match &self.program.lowered.node {
            Node::Path(path) => matches!(&path.base, Base::Root(root) if root == "record") && !path.segments.is_empty(),
            _ => false,
        };
        let words = self.words();
        if of_record && !words.starts_with('`') { format!("the record's {words}") } else { words }
    }
}

impl Template {
    /// What it gives, in words: a value as it is, an expression by its words.
    pub fn words(&self) -> String {
        match (self.whole(), self.literal()) {
            (Some(expression), _) => expression.given(),
            (None, Some(literal)) => value_words(literal),
            (None, None) => value_words(self.source()),
        }
    }
}

/// A value that is written down.
pub(crate) fn value_words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => format!("\"{}\"", short(text)),
        Value::Array(values) if values.iter().all(|value| !value.is_array() && !value.is_object()) => {
            listed(values.iter().map(value_words), "and")
        }
        value => short(&value::text_of(value)),
    }
}

/// `a, b and c`.
pub(crate) fn listed(words: impl IntoIterator<Item = String>, last: &str) -> String {
    let mut words: Vec<_> = words.into_iter().collect();
    match (words.pop(), words.is_empty()) {
        (None, _) => "nothing".to_owned(),
        (Some(only), true) => only,
        (Some(end), false) => format!("{} {last} {end}", words.join(", ")),
    }
}

fn as_written(source: &str) -> String {
    format!("`{}`", short(source))
}

/// One line of a text, cut where it is long.
pub(crate) fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The words of a node; `None` if it has none.
fn said(node: &Node) -> Option<String> {
    Some(match node {
        Node::Literal(literal) => literal_words(literal)?,
        Node::Path(path) => path_words(path)?,
        Node::And(all) => joined(all, " and ")?,
        Node::Or(all) => joined(all, " or ")?,
        Node::Not(inner) => denied(inner)?,
        Node::Blank(inner) => format!("{} is blank", said(inner)?),
        Node::Has(inner) => format!("{} is given", said(inner)?),
        Node::Chain(left, operations) => chain(left, operations)?,
        Node::List(elements) => listed(elements.iter().map(said).collect::<Option<Vec<_>>>()?, "and"),
        Node::Coalesce(all) => {
            format!(
                "the first of {} that is not blank",
                listed(all.iter().map(said).collect::<Option<Vec<_>>>()?, "and")
            )
        }
        Node::Call(function, arguments) => call(function.name, arguments)?,
        _ => return None,
    })
}

fn literal_words(literal: &Literal) -> Option<String> {
    Some(match literal {
        Literal::Null => "nothing".to_owned(),
        Literal::Bool(truth) => truth.to_string(),
        Literal::Int(number) => number.to_string(),
        Literal::Uint(number) => number.to_string(),
        Literal::Double(number) => value::text_of(&Value::from(*number)),
        Literal::Text(text) => format!("\"{}\"", short(text)),
        Literal::Bytes(_) => return None,
    })
}

fn path_words(path: &Path) -> Option<String> {
    let names = path.segments.iter().map(|segment| match segment {
        Segment::Field(name) | Segment::Index(Node::Literal(Literal::Text(name))) => Some(name.as_str()),
        Segment::Index(_) => None,
    });
    let names = names.collect::<Option<Vec<_>>>()?;
    let root = match &path.base {
        Base::Root(root) | Base::Local(_, root) => root.as_str(),
        Base::Now => "now",
        Base::Type(_) | Base::Node(_) => return None,
    };
    Some(match (root, names.as_slice()) {
        ("record", []) => "the record".to_owned(),
        ("record", names) => names.join("'s "),
        ("vars", [name]) => format!("the variable {name}"),
        ("vars", [name, rest @ ..]) => format!("{} of the variable {name}", rest.join(".")),
        ("trigger", ["changes", field, "to"]) => format!("the new {field}"),
        ("trigger", ["changes", field, "from"]) => format!("the former {field}"),
        ("trigger", ["body" | "values" | "event" | "detail", rest @ ..]) if !rest.is_empty() => {
            format!("{} of the event", rest.join("."))
        }
        ("trigger", names) if !names.is_empty() => format!("{} of the event", names.join(".")),
        ("steps", [id, "output"]) => format!("the result of {id}"),
        ("steps", [id, "output", rest @ ..]) => format!("{} of the result of {id}", rest.join(".")),
        ("now", []) => "the present time".to_owned(),
        ("item", []) => "the item".to_owned(),
        ("item", names) => format!("the item's {}", names.join("'s ")),
        (root, []) => root.to_owned(),
        _ => return None,
    })
}

/// Parts of a condition. One that joins others itself stands in brackets.
fn joined(all: &[Node], word: &str) -> Option<String> {
    let part = |node: &Node| match node {
        Node::And(_) | Node::Or(_) => said(node).map(|words| format!("({words})")),
        _ => said(node),
    };
    Some(all.iter().map(part).collect::<Option<Vec<_>>>()?.join(word))
}

fn denied(inner: &Node) -> Option<String> {
    Some(match inner {
        Node::Blank(of) => format!("{} is not blank", said(of)?),
        Node::Has(of) => format!("{} is not given", said(of)?),
        Node::Path(_) => format!("{} is false", said(inner)?),
        Node::Chain(left, operations) => match operations.as_slice() {
            [(Operator::In, right)] => format!("{} is not {}", said(left)?, among(right)?),
            _ => return None,
        },
        _ => return None,
    })
}

fn among(right: &Node) -> Option<String> {
    Some(match right {
        Node::List(elements) => listed(elements.iter().map(said).collect::<Option<Vec<_>>>()?, "or"),
        right => format!("one of {}", said(right)?),
    })
}

fn chain(left: &Node, operations: &[(Operator, Node)]) -> Option<String> {
    if let [(operator @ (Operator::Equal | Operator::NotEqual), Node::Literal(Literal::Null))] = operations {
        let is_set = if *operator == Operator::Equal { "is not set" } else { "is set" };
        return Some(format!("{} {is_set}", said(left)?));
    }
    if let [(operator, right)] = operations {
        let word = match operator {
            Operator::Equal => "is",
            Operator::NotEqual => "is not",
            Operator::Less => "is less than",
            Operator::LessOrEqual => "is at most",
            Operator::Greater => "is more than",
            Operator::GreaterOrEqual => "is at least",
            Operator::In => return Some(format!("{} is {}", said(left)?, among(right)?)),
            _ => return Some(format!("{} {} {}", said(left)?, operator.symbol(), said(right)?)),
        };
        return Some(format!("{} {word} {}", said(left)?, said(right)?));
    }
    operations.iter().try_fold(said(left)?, |words, (operator, right)| {
        Some(format!("{words} {} {}", operator.symbol(), said(right)?))
    })
}

fn call(name: &str, arguments: &[Node]) -> Option<String> {
    let words = arguments.iter().map(said).collect::<Option<Vec<_>>>()?;
    Some(match (name, words.as_slice()) {
        ("contains", [of, part]) => format!("{of} contains {part}"),
        ("startsWith", [of, part]) => format!("{of} begins with {part}"),
        ("endsWith", [of, part]) => format!("{of} ends with {part}"),
        ("size", [of]) => format!("the number of {of}"),
        ("lower" | "upper" | "string" | "int" | "double", [of]) => of.clone(),
        ("date" | "timestamp" | "duration", [of]) => of.trim_matches('"').to_owned(),
        ("in_group", [of, group]) => format!("{of} is in the group {}", group.trim_matches('"')),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(source: &str) -> String {
        Expression::parse(source).expect("it is CEL").words()
    }

    #[test]
    fn conditions_are_told_in_words() {
        for (source, expected) in [
            ("record.score > 50 && !blank(record.email)", "score is more than 50 and email is not blank"),
            ("record.company.name == 'Acme' || record.vip", "company's name is \"Acme\" or vip"),
            ("record.stage in ['new', 'open']", "stage is \"new\" or \"open\""),
            ("!(record.stage in ['lost'])", "stage is not \"lost\""),
            ("!record.paid && (record.a == 1 || record.b == 2)", "paid is false and (a is 1 or b is 2)"),
            ("trigger.changes.state.to != trigger.changes.state.from", "the new state is not the former state"),
            ("record.due <= now + duration('3d')", "due is at most the present time + 3d"),
            ("trigger.body.order.total >= 100", "order.total of the event is at least 100"),
            ("steps.ask.output.topic == vars.topic", "topic of the result of ask is the variable topic"),
            (
                "record.paid_on != null && vars.answer.body.id == null",
                "paid_on is set and body.id of the variable answer is not set",
            ),
            ("size(record.items) == 0", "the number of items is 0"),
        ] {
            assert_eq!(words(source), expected, "{source}");
        }
    }

    #[test]
    fn what_has_no_words_is_shown_as_it_is_written() {
        for source in ["record.items.exists(x, x.price > 3)", "record.a ? 1 : 2", "!(record.a == 1)", "record.items[0]"]
        {
            assert_eq!(words(source), format!("`{source}`"));
        }
    }

    #[test]
    fn values_are_told_as_they_are() {
        let words = |value| Template::parse(&value).expect("it is a template").words();
        assert_eq!(words(json!("Hello {{ record.name }}")), "\"Hello {{ record.name }}\"");
        assert_eq!(words(json!("{{ record.company.name }}")), "the record's company's name");
        assert_eq!(words(json!("{{ record.items[0] }}")), "`record.items[0]`");
        assert_eq!(words(json!(["a", 2, null])), "\"a\", 2 and nothing");
        assert_eq!(words(json!("a\n  b")), "\"a b\"");
        assert_eq!(words(json!("é".repeat(121))), format!("\"{}…\"", "é".repeat(120)));
    }
}
