//! Reads the text of an expression: bounds first, then the parser of the `cel` crate, then our own tree.

use cel::common::ast::IdedExpr;

use super::ExpressionError;
use super::lower::{Lowered, lower};

/// Longest expression in bytes.
const MOST_BYTES: usize = 4096;
/// Deepest nesting of brackets and conditions. The parser recurses some 10 KiB of stack deep for each of them, and
/// threads have 2 MiB.
const MOST_NESTED: u16 = 40;
/// Most operators, dots and brackets. The parser recurses some 500 bytes deep for each of a chain such as `a.b.c`.
const MOST_OPERATORS: usize = 600;

/// Parses a text; no text makes it panic.
pub(super) fn parse(source: &str) -> Result<Lowered, ExpressionError> {
    if source.len() > MOST_BYTES {
        return Err(ExpressionError::TooLong { length: source.len(), limit: MOST_BYTES });
    }
    if source.trim().is_empty() {
        return Err(ExpressionError::syntax(source, "expected an expression, found nothing"));
    }
    check_chains(source)?;
    lower(&parse_cel(source)?, source)
}

fn parse_cel(source: &str) -> Result<IdedExpr, ExpressionError> {
    let parse = || {
        // Without macros: loops and `has` become nodes of our own tree.
        let parser = cel::Env::default().with_optional_support(false).parser();
        let parser = parser.max_recursion_depth(MOST_NESTED).enable_ident_escape_syntax(true);
        parser.parse(source).map_err(|errors| {
            let first = errors.errors.into_iter().next();
            first.map_or_else(|| "not an expression".to_owned(), |error| readable(error.pos, &error.msg))
        })
    };
    // The generated parser recovers from errors by code that we do not trust never to panic; it holds no state beyond
    // this call, so nothing half-done is left behind.
    let parsed = std::panic::catch_unwind(parse).unwrap_or_else(|_| Err("not an expression".to_owned()));
    parsed.map_err(|message| {
        if message.contains("Recursion limit") {
            return ExpressionError::costly(format!("it nests deeper than {MOST_NESTED} brackets"));
        }
        ExpressionError::syntax(source, message)
    })
}

/// What the parser calls things, and what we call them.
const JARGON: [(&str, &str); 6] = [
    ("'<EOF>'", "end"),
    ("<EOF>", "end"),
    ("mismatched input", "unexpected"),
    ("extraneous input", "unexpected"),
    ("no viable alternative at input", "unexpected"),
    ("token recognition error at:", "unexpected"),
];

/// What authors mean who know another language, by what the parser says.
const HINTS: [(&str, &str); 7] = [
    ("error at: '= ", ": equality is written `==`"),
    ("error at: '='", ": equality is written `==`"),
    ("error at: ''", ": the text is not closed, or holds an unknown escape"),
    ("error at: '\"", ": the text is not closed, or holds an unknown escape"),
    ("input 'and'", ": write `&&`"),
    ("input 'or'", ": write `||`"),
    ("Incomplete `ExprContext`", ": a `?` needs a `:` after it"),
];

/// A message of the parser without the lists of every token that it would have taken.
fn readable((line, column): (isize, isize), message: &str) -> String {
    let hint = HINTS.iter().find(|(part, _)| message.contains(part)).map_or("", |(_, hint)| hint);
    let short = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let short = short.split_once(" expecting ").map_or(short, |(start, _)| start);
    let short = if short.starts_with("Incomplete") { "unfinished" } else { short };
    let short = JARGON.iter().fold(short.to_owned(), |short, (theirs, ours)| short.replace(theirs, ours));
    let line = if line > 1 { format!("line {line}, ") } else { String::new() };
    format!("{short} at {line}column {column}{hint}")
}

/// Refuses what would take the parser too deep by its length, before it starts.
///
/// Texts within the expression count too: what is a text only the parser knows for sure.
fn check_chains(source: &str) -> Result<(), ExpressionError> {
    let symbols = source.bytes().filter(|byte| b".+-*/%<>=!&|?[(".contains(byte)).count();
    let operators = symbols + source.matches("in").count();
    if operators > MOST_OPERATORS {
        return Err(ExpressionError::costly(format!("it has more than {MOST_OPERATORS} operators, dots and brackets")));
    }
    Ok(())
}

/// The length of the string literal that begins at a quote; `None` if it does not end.
pub(super) fn literal_length(text: &str, at: usize) -> Option<usize> {
    let quote = &text[at..=at];
    let triple = quote.repeat(3);
    let close = if text[at..].starts_with(&triple) { triple.as_str() } else { quote };
    let raw = text[..at].ends_with(['r', 'R']);
    let start = at + close.len();
    let mut end = start;
    loop {
        let rest = &text[end..];
        if rest.starts_with(close) {
            return Some(end + close.len() - at);
        }
        let mut chars = rest.chars();
        end += chars.next()?.len_utf8();
        if rest.starts_with('\\') && !raw {
            end += chars.next()?.len_utf8();
        }
    }
}
