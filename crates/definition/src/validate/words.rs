//! The words of messages: what was found, what was expected, what may have been meant.

use serde_json::Value;

/// Longest text that is quoted in full.
const MOST: usize = 60;

/// What was found, in words: `"abc"`, `the number 5`, `a list`, `nothing`.
pub(crate) fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => quoted(text),
        Value::Array(values) if values.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// A text in quotes, shortened if long.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((cut, _)) => format!("\"{}…\"", &text[..cut]),
        None => format!("{text:?}"),
    }
}

/// `a, b or c`; at most sixteen of them.
pub(crate) fn any_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    listed(words, "or")
}

/// `a, b and c`; at most sixteen of them.
pub(crate) fn all_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    listed(words, "and")
}

fn listed<'a>(words: impl IntoIterator<Item = &'a str>, last_joint: &str) -> String {
    const MANY: usize = 16;
    let words: Vec<_> = words.into_iter().collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        many if many.len() > MANY => format!("{}…", many[..MANY].join(", ")),
        [most @ .., last] => format!("{} {last_joint} {last}", most.join(", ")),
    }
}

/// The candidate nearest to a word, if one is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let meant = plain(word);
    let distances =
        candidates.into_iter().map(|candidate| (strsim::damerau_levenshtein(&meant, &plain(candidate)), candidate));
    let (distance, candidate) = distances.min()?;
    let allowed = meant.chars().count().div_ceil(3).min(4);
    (distance <= allowed && distance < candidate.chars().count()).then_some(candidate)
}

/// `did you mean "filter"?`, if a candidate is near.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|near| format!("did you mean {near:?}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let keys = ["filter", "type", "on_failure", "if"];
        for (word, meant) in [
            ("filtre", Some("filter")),
            ("Filter", Some("filter")),
            ("on-failure", Some("on_failure")),
            ("onfailure", Some("on_failure")),
            ("typ", Some("type")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys), meant, "{word}");
        }
    }

    #[test]
    fn lists_read_as_prose() {
        assert_eq!(any_of(["a"]), "a");
        assert_eq!(any_of(["a", "b", "c"]), "a, b or c");
        assert_eq!(all_of(["a", "b"]), "a and b");
    }
}
