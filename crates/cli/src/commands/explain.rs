//! `pawl explain`: the page of an error code.

use serde_json::json;

use crate::output::{self, complain, say};
use crate::shown::shown;

/// So many letters may differ between what is written and a code that is suggested.
const DIFFERENCE_MOST: usize = 3;

/// Suggestions at most.
const SUGGESTIONS_MOST: usize = 5;

/// Prints it; `false` if there is no such code.
pub(crate) fn run(code: &str, json: bool) -> anyhow::Result<bool> {
    match pawl_api::page(code) {
        Some(page) if json => say!("{}", json!({"code": code, "page": page})),
        Some(page) => output::print(page)?,
        None => {
            complain!("{}", unknown(code));
            return Ok(false);
        }
    }
    Ok(true)
}

/// That there is no such code, and which are near.
fn unknown(code: &str) -> String {
    let near = suggestions(code, pawl_api::codes());
    let meant = match near.as_slice() {
        [] => "docs/errors/README.md lists all".to_owned(),
        near => format!("did you mean {}?", near.join(", ")),
    };
    format!("expected the code of an error or refusal, found {:?}: {meant}", shown(code))
}

/// The codes that are written almost so, nearest first, then those that contain what is written.
fn suggestions<'a>(code: &str, codes: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    // Distances of long texts cost time, and no code is long.
    let code: String = code.chars().take(64).flat_map(char::to_lowercase).collect();
    let plain = code.replace('-', "_");
    let distance = |other: &str| strsim::damerau_levenshtein(&plain, other);
    let is_part = |other: &str| plain.len() > 2 && (other.contains(&plain) || plain.contains(other));
    let mut near: Vec<_> = codes.map(|other| (distance(other), other)).collect();
    near.retain(|(distance, other)| *distance <= DIFFERENCE_MOST.min(plain.len() / 2) || is_part(other));
    near.sort_unstable();
    near.into_iter().map(|(_, other)| other).take(SUGGESTIONS_MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_are_near_are_suggested() {
        assert_eq!(suggestions("signature-mismach", pawl_api::codes()), ["signature_mismatch"]);
        assert!(suggestions("timeout", pawl_api::codes()).contains(&"http_timeout"));
        assert!(suggestions("xyzzy_plugh", pawl_api::codes()).is_empty());
    }
}
