//! How much a pattern weighs, which bounds what it takes to compile it and to try it at a byte.

use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{Ast, ClassBracketed, ErrorKind, RepetitionKind, RepetitionRange};

/// The weight of a class of Unicode such as `\p{L}`: it is an automaton by itself.
const UNICODE: u64 = 16;

/// How many characters and classes a pattern has after its repetitions are written out. Of a text that is no pattern, its
/// length: it is never compiled.
pub(super) fn weight(pattern: &str) -> u64 {
    let mut pattern = pattern.to_owned();
    // `\cJ` of ECMAScript is unknown to the parser; its place weighs what one character does.
    for _ in 0..=pattern.len() {
        match Parser::new().parse(&pattern) {
            Ok(ast) => return of(&ast),
            Err(error) if *error.kind() == ErrorKind::EscapeUnrecognized => {
                pattern.replace_range(error.span().start.offset..error.span().end.offset, "");
            }
            Err(_) => break,
        }
    }
    u64::try_from(pattern.len()).unwrap_or(u64::MAX)
}

fn of(ast: &Ast) -> u64 {
    let sum = |asts: &[Ast]| asts.iter().map(of).fold(0, u64::saturating_add);
    match ast {
        Ast::Empty(_) | Ast::Flags(_) | Ast::Literal(_) | Ast::Dot(_) | Ast::Assertion(_) | Ast::ClassPerl(_) => 1,
        Ast::ClassUnicode(_) => UNICODE,
        Ast::ClassBracketed(class) => bracketed(class),
        Ast::Repetition(repetition) => times(&repetition.op.kind).saturating_mul(of(&repetition.ast)),
        Ast::Group(group) => of(&group.ast),
        Ast::Alternation(alternation) => sum(&alternation.asts),
        Ast::Concat(concat) => sum(&concat.asts),
    }
}

/// A class with everything that it lists, each eight bytes as much as one character, or as what it lists is of Unicode.
fn bracketed(class: &ClassBracketed) -> u64 {
    let bytes = class.span.end.offset - class.span.start.offset;
    let listed = u64::try_from(bytes / 8).unwrap_or(u64::MAX);
    1 + listed.saturating_mul(UNICODE)
}

/// How often what is repeated is written out.
fn times(kind: &RepetitionKind) -> u64 {
    let most = match kind {
        RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => 1,
        RepetitionKind::Range(RepetitionRange::Exactly(count)) => *count,
        RepetitionKind::Range(RepetitionRange::AtLeast(least)) => least.saturating_add(1),
        RepetitionKind::Range(RepetitionRange::Bounded(_, most)) => *most,
    };
    u64::from(most.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_written_out() {
        for (pattern, expected) in [
            ("^abc$", 5),
            ("a+b*c?", 3),
            (r"\d{4}-\d{2}", 7),
            ("(ab|c){10}", 30),
            ("(a{100}){100}", 10_000),
            ("a{3,}", 4),
            ("a{0}", 1),
            (r"\p{L}{2}", 32),
            ("[a-z]", 1),
            (r"\cJa", 2),
            (r"\\c(a{9}){9}", 83),
        ] {
            assert_eq!(weight(pattern), expected, "{pattern}");
        }
        assert_eq!(weight("((a{1000}){1000}){1000}{1000}{1000}{1000}{1000}"), u64::MAX, "it does not wrap");
    }
}
