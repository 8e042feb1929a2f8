//! The words of a server that did not answer as it should: found, cleaned and cut, so that they can be shown.

use pawl_runtime::json::{self, Bounds};
use serde_json::{Map, Value};

/// Most characters that are shown.
const LONGEST: usize = 300;

/// Most bytes that are looked at: of a longer page the beginning, of longer JSON its text.
const LOOKED_AT: usize = 64 * 1024;

/// A server's own words, wherever it puts them; empty if it says nothing.
///
/// JSON has them under `error.message`, `error`, `message`, `detail` or `errors`, each a text, a list of such, or of
/// mistakes with their places (as `FastAPI` tells them); other JSON is shown as it is. HTML is shown without its tags.
pub(super) fn of(body: &[u8]) -> String {
    let words =
        match json::parse(body, &Bounds::OUTSIDE.with_bytes(LOOKED_AT)).map(|value| said(&value, 0).ok_or(value)) {
            Ok(Ok(words)) => words,
            Ok(Err(other)) if other.is_null() || other.as_object().is_some_and(Map::is_empty) => String::new(),
            Ok(Err(other)) => other.to_string(),
            Err(_) => text_of(&String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)])),
        };
    one_line(&words)
}

fn text_of(body: &str) -> String {
    if body.trim_start().starts_with('<') { without_tags(body) } else { body.to_owned() }
}

/// The words in a part of JSON.
fn said(value: &Value, depth: usize) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Array(items) if depth < 4 => {
            let all: Vec<_> = items.iter().filter_map(|item| said(item, depth + 1)).take(5).collect();
            (!all.is_empty()).then(|| all.join("; "))
        }
        Value::Object(keys) if depth < 4 => {
            let places = ["error", "message", "msg", "detail", "errors", "error_description", "title"];
            let words = places.iter().find_map(|key| said(keys.get(*key)?, depth + 1))?;
            Some(match keys.get("loc").and_then(Value::as_array) {
                Some(place) => format!("{}: {words}", place.iter().map(segment).collect::<Vec<_>>().join(".")),
                None => words,
            })
        }
        _ => None,
    }
}

fn segment(part: &Value) -> String {
    part.as_str().map_or_else(|| part.to_string(), str::to_owned)
}

/// The text of a page, what is in `style` and `script` left out.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let hidden = ["style", "script"]
            .into_iter()
            .find(|name| tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
        let tag = hidden
            .and_then(|name| tag.to_ascii_lowercase().find(&format!("</{name}")).map(|at| &tag[at..]))
            .unwrap_or(tag);
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text + rest
}

/// The beginning of a text of unknown length: on one line, without characters that a terminal obeys.
pub(super) fn one_line(text: &str) -> String {
    let kept: String = text.chars().map(|c| if is_shown(c) { c } else { ' ' }).collect();
    let line = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Control characters move a cursor; those of direction and of no width show another text than is there.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        assert_eq!(of(body.as_bytes()), expected, "{body}");
    }

    #[test]
    fn words_are_found_where_servers_put_them() {
        check(r#"{"error": {"message": "no such model", "type": "x"}}"#, "no such model");
        check(r#"{"error": "no"}"#, "no");
        check(r#"{"message": "no"}"#, "no");
        check(r#"{"detail": "no"}"#, "no");
        check(
            r#"{"detail": [{"loc": ["body", "max_tokens"], "msg": "must be positive", "type": "x"}, {"loc": ["body", 0], "msg": "no"}]}"#,
            "body.max_tokens: must be positive; body.0: no",
        );
        check(r#"{"errors": [{"message": "a"}, "b"]}"#, "a; b");
        check(r#"{"code": 7}"#, r#"{"code":7}"#);
        check("plain words\nof a proxy", "plain words of a proxy");
        check("<html><style>b{}</style><title>502 Bad Gateway</title><p>nginx", "502 Bad Gateway nginx");
        for nothing in ["", " \n", "{}", "null", "<html></html>"] {
            check(nothing, "");
        }
    }

    #[test]
    fn words_are_shown_not_obeyed() {
        check("\u{1b}[2J\u{1b}]0;title\u{7}hi\u{202e}\u{0}", "[2J ]0;title hi");
        assert_eq!(of(b"\xff\xfe"), "\u{fffd}\u{fffd}");
        assert_eq!(of("é".repeat(100_000).as_bytes()).chars().count(), 301);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(one_line("a\n b"), "a b");
        assert_eq!(one_line(&"é".repeat(400)).chars().count(), 301);
    }
}
