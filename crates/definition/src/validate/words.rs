//! The words of messages: what was found, what was expected, what may have been meant.

use serde_json::Value;

use super::synonyms;

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

/// `a, b or c`; at most twenty of them.
pub(crate) fn any_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    listed(words, "or")
}

/// `a, b and c`; at most twenty of them.
pub(crate) fn all_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    listed(words, "and")
}

fn listed<'a>(words: impl IntoIterator<Item = &'a str>, last_joint: &str) -> String {
    const MANY: usize = 20;
    let words: Vec<_> = words.into_iter().collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        many if many.len() > MANY => format!("{}…", many[..MANY].join(", ")),
        [most @ .., last] => format!("{} {last_joint} {last}", most.join(", ")),
    }
}

/// Longest word that is compared with others, in bytes: the work is the product of two lengths.
const MOST_COMPARED: usize = 64;

/// Most candidates that are compared.
const MOST_CANDIDATES: usize = 500;

/// The candidate that is meant by a word: the same word of another product, or the nearest one if it is near enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > MOST_COMPARED {
        return None;
    }
    let candidates: Vec<_> = candidates.into_iter().collect();
    let same = synonyms::of(word).find_map(|ours| candidates.iter().find(|candidate| **candidate == ours));
    if let Some(same) = same {
        return Some(same);
    }
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let meant = plain(word);
    let candidates = candidates.into_iter().filter(|candidate| candidate.len() <= MOST_COMPARED).take(MOST_CANDIDATES);
    let distances = candidates.map(|candidate| (strsim::damerau_levenshtein(&meant, &plain(candidate)), candidate));
    let (distance, candidate) = distances.min()?;
    let allowed = meant.chars().count().div_ceil(3).min(4);
    (distance <= allowed && distance < candidate.chars().count()).then_some(candidate)
}

/// `did you mean "filter"?`, if a candidate is near.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|near| format!("did you mean {near:?}?"))
}

/// A length of time that is written as another product would: `{days: 3}` is `3d`.
pub(crate) fn as_duration(unit: &str, count: &Value) -> Option<String> {
    let count = count.as_u64()?;
    let short = match unit.trim_end_matches('s') {
        "second" => "s",
        "minute" => "m",
        "hour" => "h",
        "day" => "d",
        "week" => "w",
        "month" => "mo",
        "year" => "y",
        _ => return None,
    };
    Some(format!("{count}{short}"))
}

/// The same of a whole mapping: `{days: 3, hours: 2}` is `3d 2h`.
pub(crate) fn mapping_as_duration(value: &Value) -> Option<String> {
    let keys = value.as_object().filter(|keys| !keys.is_empty())?;
    let parts = keys.iter().map(|(unit, count)| as_duration(unit, count)).collect::<Option<Vec<_>>>()?;
    Some(format!("write `{}`", parts.join(" ")))
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
