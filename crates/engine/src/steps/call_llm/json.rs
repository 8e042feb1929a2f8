//! JSON in a model's text.

use pawl_definition::json::{self, Bounds};
use serde::de::IgnoredAny;
use serde_json::Value;

/// Most bytes that are read of a text while JSON is looked for in it, repeated reading included. A text of nothing but
/// brackets would otherwise be read from each of them to its end.
const WORK: usize = 32 << 20;

/// The JSON value that a text is, also in a fence.
pub(super) fn whole(text: &str) -> Option<Value> {
    let text = text.trim();
    read(text).or_else(|| read(fenced(text)?.trim()))
}

/// All JSON objects and lists in a text, in their order; what stands inside another one is not told apart.
pub(super) fn embedded(text: &str) -> Vec<Value> {
    let (mut found, mut at, mut work) = (Vec::new(), 0, 0);
    while let Some(start) = text[at..].find(['{', '[']).map(|next| at + next) {
        let rest = &text[start..];
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        at = match stream.next() {
            Some(Ok(_)) => {
                let end = start + stream.byte_offset();
                found.extend(read(&text[start..end]));
                end
            }
            Some(Err(error)) => {
                work += offset(rest, error.line(), error.column());
                start + 1
            }
            None => return found,
        };
        if work > WORK {
            return found;
        }
    }
    found
}

/// Why no JSON was found in a text.
pub(super) fn why_none(text: &str) -> String {
    let text = text.trim();
    let inner = fenced(text).map_or(text, str::trim);
    match json::parse(inner.as_bytes(), &Bounds::OUTSIDE) {
        Err(error) if inner.starts_with(['{', '[']) => format!("the answer is no JSON that is taken: {error}"),
        _ => "the answer holds no JSON".to_owned(),
    }
}

/// Reads JSON within the bounds of all that comes from outside.
fn read(text: &str) -> Option<Value> {
    json::parse(text.as_bytes(), &Bounds::OUTSIDE).ok()
}

/// What stands between the lines of a fence that is the whole text.
fn fenced(text: &str) -> Option<&str> {
    let (_, inner) = text.strip_prefix("```")?.split_once('\n')?;
    inner.strip_suffix("```")
}

/// How many bytes stand before a line and column, both counted from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    before + column
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_found_in_prose_in_its_order() {
        assert_eq!(
            embedded("See [1]: {\"a\": {\"b\": 1}} or [{\"a\": 2}]."),
            [json!([1]), json!({"a": {"b": 1}}), json!([{"a": 2}])]
        );
        assert_eq!(embedded("a { b [ c {\"a\": 1"), [json!(null); 0]);
        assert_eq!(
            embedded("{\"a\": 18446744073709551616} {\"a\": 1}"),
            [json!({"a": 1})],
            "no number that is kept exactly"
        );
    }

    #[test]
    fn a_fence_may_be_the_whole() {
        assert_eq!(whole("```json\n{\"a\": \"</think>\"}\n```"), Some(json!({"a": "</think>"})));
        assert_eq!(whole(" 7 "), Some(json!(7)));
        assert_eq!(whole("yes {\"a\": 1}"), None);
    }

    #[test]
    fn a_text_of_brackets_ends_the_search_in_time() {
        assert_eq!(embedded(&"[".repeat(1 << 20)), [json!(null); 0]);
        assert_eq!(embedded(&"[\"a\n\",".repeat(1 << 18)), [json!(null); 0]);
    }
}
