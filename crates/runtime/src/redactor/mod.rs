//! Takes secrets out of what came back from outside, in each form that the engine produces or that a server commonly
//! echoes.
//!
//! - As it is, in any case of its letters: a host of a URL comes back in lower case.
//! - Percent-encoded, as a field of a form, escaped for JSON, escaped for HTML, and two of these on top of each other.
//! - In base64 of both alphabets, also in the middle of a longer text such as `user:secret`, and in hexadecimal.
//! - As a number of JSON.
//! - Of a URL also what in it is a credential by itself: password, long segments of the path, values of the query.
//!
//! Secrets that overlap are taken out together, so that no part of one stays.

mod forms;
mod unescape;

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use serde_json::Value;

use forms::Forms;
use unescape::View;

/// Escapes that are undone on top of each other.
const LAYERS: usize = 2;

/// Fewest digits of a number that is taken for a secret which is one.
const FEWEST_DIGITS: usize = 4;

/// What stands in the place of a secret.
pub(crate) fn mark(name: &str) -> String {
    format!("[secret:{name}]")
}

/// Takes secrets out of texts and values, and puts `[secret:<name>]` in their place.
#[derive(Debug, Default)]
pub struct Redactor {
    marks: Vec<String>,
    /// Forms whose letters may change their case, and the secret of each.
    loose: Option<Patterns>,
    /// Forms in base64, and the secret of each.
    encoded: Option<Patterns>,
    /// Secrets that are numbers.
    numbers: Vec<(f64, usize)>,
}

#[derive(Debug)]
struct Patterns {
    automaton: AhoCorasick,
    secrets: Vec<usize>,
}

/// A part of a text that holds a secret.
#[derive(Debug, Clone, Copy)]
struct Hit {
    start: usize,
    end: usize,
    secret: usize,
}

impl Redactor {
    /// Takes secrets with their names. Empty ones are passed over.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut marks, mut numbers) = (Vec::new(), Vec::new());
        let (mut loose, mut encoded) = (BTreeMap::new(), BTreeMap::new());
        for (name, secret) in secrets {
            let forms = Forms::of(secret);
            let at = marks.len();
            marks.push(mark(name));
            numbers.extend(forms.number.map(|number| (number, at)));
            // Two secrets of one value are taken for the first.
            for form in forms.loose {
                loose.entry(form).or_insert(at);
            }
            for form in forms.encoded {
                encoded.entry(form).or_insert(at);
            }
        }
        Self { marks, loose: Patterns::new(loose, true), encoded: Patterns::new(encoded, false), numbers }
    }

    /// Takes them out of a text.
    pub fn text(&self, text: &str) -> String {
        if self.marks.is_empty() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for hit in self.hits(text) {
            let start = text.floor_char_boundary(hit.start);
            let end = text.ceil_char_boundary(hit.end);
            out.push_str(&text[done..start.max(done)]);
            out.push_str(&self.marks[hit.secret]);
            done = end;
        }
        out.push_str(&text[done..]);
        out
    }

    /// Takes them out of every text, key and number of a value.
    pub fn value(&self, value: Value) -> Value {
        if self.marks.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => self.text(&text).into(),
            Value::Number(number) => match self.mark_of(&number) {
                Some(mark) => mark.into(),
                None => Value::Number(number),
            },
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(keys) => keys.into_iter().map(|(key, value)| (self.text(&key), self.value(value))).collect(),
            other => other,
        }
    }

    fn mark_of(&self, number: &serde_json::Number) -> Option<&str> {
        let number = number.as_f64()?;
        // Every rendering of one value counts, so they are compared as the number that JSON parsers make of them.
        let same = |(secret, _): &&(f64, usize)| secret.to_bits() == number.to_bits();
        self.numbers.iter().find(same).map(|(_, at)| self.marks[*at].as_str())
    }

    /// The parts of a text that hold a secret, in order, none touching another of the same secret.
    fn hits(&self, text: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        self.search(&View::plain(text), LAYERS, &mut hits);
        hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
        let mut merged: Vec<Hit> = Vec::new();
        for hit in hits {
            add(&mut merged, hit);
        }
        merged
    }

    /// Looks at a text, and at what is under its escapes. One view of each layer is there at a time: an answer is large.
    fn search(&self, view: &View<'_>, layers: usize, hits: &mut Vec<Hit>) {
        self.find(view, hits);
        if layers > 0 {
            for unescaped in view.unescaped() {
                self.search(&unescaped, layers - 1, hits);
            }
        }
    }

    fn find(&self, view: &View<'_>, hits: &mut Vec<Hit>) {
        let place = |start, end, secret| {
            let (start, end) = view.source(start, end);
            Hit { start, end, secret }
        };
        if let Some(Patterns { automaton, secrets }) = &self.loose {
            for found in automaton.find_overlapping_iter(view.bytes()) {
                add(hits, place(found.start(), found.end(), secrets[found.pattern().as_usize()]));
            }
        }
        if let Some(Patterns { automaton, secrets }) = &self.encoded {
            for found in automaton.find_overlapping_iter(view.bytes()) {
                let (start, end) = forms::run_around(view.bytes(), found.start(), found.end());
                add(hits, place(start, end, secrets[found.pattern().as_usize()]));
            }
        }
    }
}

impl Patterns {
    fn new(forms: BTreeMap<Vec<u8>, usize>, any_case: bool) -> Option<Self> {
        if forms.is_empty() {
            return None;
        }
        let (patterns, secrets): (Vec<_>, Vec<_>) = forms.into_iter().unzip();
        let built = AhoCorasick::builder().ascii_case_insensitive(any_case).build(patterns);
        let automaton = built.expect("the forms of some secrets are far fewer than an automaton can hold");
        Some(Self { automaton, secrets })
    }
}

/// Adds a part, as one with the last if the two overlap, or touch and are of one secret.
fn add(hits: &mut Vec<Hit>, hit: Hit) {
    match hits.last_mut() {
        Some(last)
            if hit.start < last.end && last.start < hit.end || (hit.start == last.end && hit.secret == last.secret) =>
        {
            let longer = hit.end - hit.start > last.end - last.start;
            last.secret = if longer { hit.secret } else { last.secret };
            last.start = last.start.min(hit.start);
            last.end = last.end.max(hit.end);
        }
        _ => hits.push(hit),
    }
}

/// What is to be told of a secret when an installation begins, in words that go on after "the secret x"; nothing if
/// there is nothing.
pub fn doubt_about(secret: &str) -> Option<&'static str> {
    let unpadded = secret.trim();
    if unpadded.is_empty() {
        return Some("is empty");
    }
    if secret.trim_end_matches(['\r', '\n']).len() < secret.len() {
        return Some("ends with a line break, which is left out");
    }
    if unpadded.len() < secret.len() {
        return Some("begins or ends with blanks, which are sent and compared as a part of it");
    }
    if secret.chars().any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t') {
        return Some("holds control characters, which no header can carry");
    }
    if secret.len() < forms::FEWEST_BYTES {
        return Some(
            "is so short that it cannot be told from other text, and so cannot be kept out of history reliably",
        );
    }
    None
}

#[cfg(test)]
mod tests;
