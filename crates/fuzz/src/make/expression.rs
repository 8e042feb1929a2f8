//! Expressions and templates, right and wrong.

use crate::Random;

/// What stands for a value.
const ATOMS: [&str; 34] = [
    "trigger.body",
    "trigger.body.a",
    "trigger.body.missing",
    "trigger.body.lines",
    "trigger.body.prices",
    "vars.x",
    "vars",
    "record",
    "record.email",
    "steps",
    "now",
    "1",
    "0",
    "-1",
    "2u",
    "1.5",
    "1e308",
    "9223372036854775807",
    "''",
    "'x'",
    "'2026-11-21'",
    "'é🦀'",
    "b'x'",
    "null",
    "true",
    "[]",
    "{}",
    "[1, 2]",
    "{'a': 1}",
    "x",
    "y",
    "'ab'.matches('a+')",
    "string",
    "secret('shop')",
];

/// What joins two values.
const JOINS: [&str; 14] = ["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "in", "&&", "||", "? 1 :", "."];

/// What is called with one value.
const UNARY: [&str; 27] = [
    "size",
    "string",
    "int",
    "double",
    "bool",
    "json",
    "parse_json",
    "lower",
    "upper",
    "trim",
    "blank",
    "has",
    "type",
    "date",
    "timestamp",
    "duration",
    "days",
    "months",
    "business_days",
    "round",
    "bytes",
    "dyn",
    "uint",
    "join",
    "!",
    "-",
    "coalesce",
];

/// What is called with two.
const BINARY: [&str; 12] = [
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "split",
    "join",
    "in_zone",
    "coalesce",
    "getHours",
    "round",
    "replace",
    "secret",
];

/// What goes over a list.
const LOOPS: [&str; 5] = ["map", "filter", "all", "exists", "exists_one"];

/// An expression.
pub fn expression(random: &mut Random, levels: usize) -> String {
    if levels == 0 {
        return random.pick(&ATOMS).to_owned();
    }
    let mut inner = || expression(random, levels - 1);
    let (a, b) = (inner(), inner());
    match random.below(9) {
        0 => format!("{a} {} {b}", random.pick(&JOINS)),
        1 => format!("({a}) {} ({b})", random.pick(&JOINS)),
        2 => format!("{}({a})", random.pick(&UNARY)),
        3 => format!("{}({a}, {b})", random.pick(&BINARY)),
        4 | 5 => format!("({a}).{}(x, {b})", random.pick(&LOOPS)),
        6 => format!("({a})[{b}]"),
        7 => format!("[{a}, {b}]"),
        _ => format!("{{{a}: {b}}}"),
    }
}

/// A text with expressions in it.
pub fn template(random: &mut Random) -> String {
    let parts = if random.one_in(20) { random.size(3_000) } else { 1 + random.below(3) };
    let levels = if parts > 10 { 0 } else { 1 + random.below(3) };
    (0..parts)
        .map(|_| format!("{}{{{{ {} }}}}", random.pick(&["", "x", " ", "\n", "{"]), expression(random, levels)))
        .collect::<Vec<_>>()
        .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_of_every_kind() {
        let mut random = Random::new(3);
        let many: String = (0..500).map(|_| expression(&mut random, 3)).collect();
        for part in ["filter(x", "matches(", "[", "&&", "blank("] {
            assert!(many.contains(part), "{part}");
        }
    }
}
