//! The parts of a condition that can be told from one value: a condition is not true unless each of them is.

use serde_json::{Number, Value};

use super::Expression;
use super::node::{Base, Literal, Node, Operator, Path};

/// A part of a condition that compares a path with values written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Conjunct {
    /// The path, from its variable on: `["record", "stage"]`.
    pub path: Vec<String>,
    /// How its value is compared.
    pub test: Comparison,
}

/// How a [`Conjunct`] compares the value at its path.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// `path == value`: an error if the two are of different types and neither is null.
    Equal(Value),
    /// `path in [value, …]`: false if no value equals it, whatever its type is.
    In(Vec<Value>),
}

impl Expression {
    /// The conjuncts, in the order in which they are written. The condition is false, or an error, unless each is true;
    /// what stands beside `||`, below `!` or in a call is none.
    pub fn conjuncts(&self) -> Vec<Conjunct> {
        match &self.program.lowered.node {
            Node::And(operands) => operands.iter().filter_map(conjunct).collect(),
            node => conjunct(node).into_iter().collect(),
        }
    }
}

fn conjunct(node: &Node) -> Option<Conjunct> {
    let Node::Chain(left, operations) = node else { return None };
    let [(operator, right)] = operations.as_slice() else { return None };
    let (path, test) = match (operator, &**left, right) {
        (Operator::Equal, Node::Path(path), Node::Literal(literal))
        | (Operator::Equal, Node::Literal(literal), Node::Path(path)) => (path, Comparison::Equal(value_of(literal)?)),
        (Operator::In, Node::Path(path), Node::List(elements)) => {
            let values = elements.iter().map(|element| match element {
                Node::Literal(literal) => value_of(literal),
                _ => None,
            });
            (path, Comparison::In(values.collect::<Option<_>>()?))
        }
        _ => return None,
    };
    whole_path(path).map(|path| Conjunct { path, test })
}

/// The path, if all of it is written down and it begins with a variable.
fn whole_path(path: &Path) -> Option<Vec<String>> {
    let Base::Root(_) = &path.base else { return None };
    path.reads().filter(|names| names.len() == path.segments.len() + 1)
}

fn value_of(literal: &Literal) -> Option<Value> {
    Some(match literal {
        Literal::Null => Value::Null,
        Literal::Bool(truth) => Value::Bool(*truth),
        Literal::Int(number) => Value::from(*number),
        Literal::Uint(number) => Value::from(*number),
        Literal::Double(number) => Value::Number(Number::from_f64(*number)?),
        Literal::Text(text) => Value::String(text.clone()),
        Literal::Bytes(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn conjuncts(source: &str) -> Vec<(String, Comparison)> {
        let parsed = Expression::parse(source).expect("it is CEL").conjuncts();
        parsed.into_iter().map(|conjunct| (conjunct.path.join("."), conjunct.test)).collect()
    }

    #[test]
    fn equalities_with_values_written_down_are_conjuncts() {
        let equal = |path: &str, value| (path.to_owned(), Comparison::Equal(value));
        assert_eq!(conjuncts("record.stage == \"new\""), [equal("record.stage", json!("new"))]);
        assert_eq!(conjuncts("1.0 == record.lines"), [equal("record.lines", json!(1.0))]);
        assert_eq!(
            conjuncts("record.a == 1 && size(record.b) > 2 && (trigger.type == 'x' && record[\"c\"].d == null)"),
            [equal("record.a", json!(1)), equal("trigger.type", json!("x")), equal("record.c.d", json!(null))]
        );
        let among = Comparison::In(vec![json!("new"), json!(2)]);
        assert_eq!(conjuncts("record.stage in [\"new\", 2]"), [("record.stage".to_owned(), among)]);
    }

    #[test]
    fn whatever_may_be_true_without_them_has_none() {
        for source in [
            "record.a == 1 || record.b == 2",
            "!(record.a == 1)",
            "record.a != 1",
            "record.a == record.b",
            "record.a == 1 ? true : false",
            "record.a in record.b",
            "record.a in [record.b]",
            "record[vars.name] == 1",
            "lower(record.a) == \"x\"",
            "[1].exists(x, x == 1)",
            "[1].all(record, record.a == 1)",
            "now == 1",
            "record.a == 1 == true",
        ] {
            assert_eq!(conjuncts(source), [], "{source}");
        }
    }
}
