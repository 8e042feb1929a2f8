//! What is meant by a line that is no YAML: mostly an expression without quotes.

use crate::expression::end_of_expression;

/// How far above the place of a mistake its cause is looked for, in lines.
const ABOVE: usize = 3;

/// Longest line of which a suggestion quotes, in bytes.
const MOST_LINE: usize = 300;

/// What may help at a line, counted from 1, or just above it.
pub(super) fn suggestion(text: &str, line: usize) -> Option<String> {
    let lines: Vec<_> = text.lines().take(line).collect();
    let mut near = lines.iter().rev().take(ABOVE).filter(|line| line.len() <= MOST_LINE);
    near.find_map(|line| waits_for_slot(line))
}

fn waits_for_slot(line: &str) -> Option<String> {
    let of_value = || {
        let line = line.trim_start().trim_start_matches("- ");
        let (key, value) = line.split_once(": ")?;
        let is_word = key.chars().all(|c| c.is_alphanumeric() || c == '_');
        let (key, value) = (is_word.then_some(key)?, value.trim());
        begins_with_mark(key, value).or_else(|| begins_with_bracket(key, value)).or_else(|| holds_colon(key, value))
    };
    expression(line).or_else(|| expression_in_quotes(line)).or_else(of_value)
}

/// `text: {{ now }}`, which YAML reads as a mapping in a mapping.
fn expression(line: &str) -> Option<String> {
    let at = unquoted(line, "{{")?;
    let length = end_of_expression(&line[at + 2..])?;
    Some(format!("quote it: {}", quoted(&line[at..at + 2 + length + 2])))
}

/// `"{{ {"a": 1} }}"`: the quote inside ends the text.
fn expression_in_quotes(line: &str) -> Option<String> {
    let at = line.find("\"{{")?;
    let length = end_of_expression(&line[at + 3..])?;
    let inside = &line[at + 1..at + 3 + length + 2];
    let breaks = inside.contains('"') && !inside.contains("\\\"");
    breaks.then(|| format!("a `\"` inside of double quotes ends the text: write {}", quoted(inside)))
}

/// `if: [1, 2].exists(x, x > 1)`: what begins with a bracket is read as a list, and ends with it.
fn begins_with_bracket(key: &str, value: &str) -> Option<String> {
    let open = value.chars().next().filter(|open| matches!(open, '[' | '{'))?;
    let signs = [").", "].", "}.", "&&", "||", "==", "!=", " in ", "] +", "}}"];
    let what = if open == '[' { "list" } else { "mapping" };
    (signs.iter().any(|sign| value.contains(sign)))
        .then(|| format!("a value that begins with `{open}` is read as a {what}: quote it, {key}: {}", quoted(value)))
}

/// `if: !blank(x)`, of which YAML makes a tag.
fn begins_with_mark(key: &str, value: &str) -> Option<String> {
    let mark = value.chars().next().filter(|mark| matches!(mark, '!' | '&' | '*' | '%' | '@' | '`'))?;
    Some(format!("a value that begins with `{mark}` has a meaning in YAML: quote it, {key}: {}", quoted(value)))
}

/// `until: a ? b : c`, where YAML sees a key.
fn holds_colon(key: &str, value: &str) -> Option<String> {
    let plain = !value.starts_with(['"', '\'', '[', '{', '|', '>']);
    (plain && value.contains(": "))
        .then(|| format!("a `: ` inside of a value makes a key of it: quote it, {key}: {}", quoted(value)))
}

/// The first place of a text outside of quotes.
fn unquoted(line: &str, sought: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if line[at..].starts_with(sought) => return Some(at),
            None if c == '#' => return None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(_) | None => {}
        }
    }
    None
}

/// In the quotes that its own do not end.
fn quoted(text: &str) -> String {
    if text.contains('"') { format!("'{}'", text.replace('\'', "''")) } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_without_quotes_is_quoted() {
        for (line, expected) in [
            ("  - {id: a, type: note, text: {{ now }}}", Some("quote it: \"{{ now }}\"")),
            ("text: {{ {\"a\": 1}.a }}", Some("quote it: '{{ {\"a\": 1}.a }}'")),
            (
                "text: \"{{ [1].map(i, {\"a\": i}) }}\"",
                Some("a `\"` inside of double quotes ends the text: write '{{ [1].map(i, {\"a\": i}) }}'"),
            ),
            (
                "    if: [1].exists(l, l == 1)",
                Some("a value that begins with `[` is read as a list: quote it, if: \"[1].exists(l, l == 1)\""),
            ),
            ("if: !blank(x)", Some("a value that begins with `!` has a meaning in YAML: quote it, if: \"!blank(x)\"")),
            ("if: a ? b : c", Some("a `: ` inside of a value makes a key of it: quote it, if: \"a ? b : c\"")),
            ("text: \"{{ now }}\"", None),
            ("tags: [a, b", None),
        ] {
            assert_eq!(waits_for_slot(line).as_deref(), expected, "{line}");
        }
    }
}
