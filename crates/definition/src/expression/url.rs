//! URLs in which data stays where it is put.
//!
//! - A value at the beginning gives the whole origin, and may give more: it is taken as it is.
//! - A value in user, path, query or fragment is percent-encoded: in a path it is one segment, which is neither empty nor
//!   `.` nor `..`, and in a query one value.
//! - A value in a host consists of letters, digits, `-` and, unless it would choose the end of a name that begins
//!   otherwise, `.`; one in a port of digits.
//!
//! So no value moves a request to another server, or out of its segment.

use std::ops::Range;

use super::encoding::percent_encoded;
use super::secret::placeholders;
use super::template::Piece;
use super::{ExpressionError, Scope, Template};

/// Longest URL in bytes, before it is encoded. Servers take far less.
const MOST: usize = 64 * 1024;

/// What ends the part of a URL that names a server, as browsers read it.
const AFTER_AUTHORITY: [char; 4] = ['/', '?', '#', '\\'];

/// Why a URL could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// An expression of it could not be evaluated.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    /// A value cannot stand where it is put. Never repeats the value.
    #[error("{0}")]
    Misplaced(String),
}

impl Template {
    /// Evaluates every expression of a URL, and keeps each value in its place. Placeholders of secrets stay; the
    /// runtime encodes what it puts in their place, unless they stand at the very beginning.
    pub fn resolve_url(&self, scope: &dyn Scope) -> Result<String, UrlError> {
        let pieces = self.pieces(scope, MOST)?;
        let mut url = Url::default();
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => url.push(text)?,
                Piece::Value { text, .. } if at == 0 => url.begin(text),
                Piece::Value { text, is_encoded } => {
                    url.put(text, *is_encoded, &ahead(&pieces[at + 1..]))?;
                }
            }
        }
        url.checked()
    }
}

/// A URL that is being put together.
#[derive(Debug, Default)]
struct Url {
    text: String,
    /// Where the value at its beginning ends.
    base: usize,
    /// It begins with a secret, whose parts are not known.
    secret_base: bool,
    /// Where values stand behind the origin.
    values: Vec<Range<usize>>,
}

impl Url {
    fn begin(&mut self, value: &str) {
        value.trim().clone_into(&mut self.text);
        self.base = self.text.len();
        self.secret_base = placeholders(&self.text).next().is_some_and(|(range, _)| range.start == 0);
    }

    fn push(&mut self, literal: &str) -> Result<(), UrlError> {
        let continues = self.base > 0 && self.text.len() == self.base && !literal.starts_with(AFTER_AUTHORITY);
        if continues && !self.secret_base && self.authority().is_some() {
            return Err(misplaced(
                "what follows the expression at the beginning of the url would change its host or port; let the \
                 expression give the whole origin, or write the origin without it",
            ));
        }
        self.text.push_str(literal);
        Ok(())
    }

    /// Where the authority begins and what it is so far, unless it has ended already.
    fn authority(&self) -> Option<(usize, String)> {
        let shape = shape(&self.text);
        let begin = if self.secret_base {
            placeholders(&self.text).next().map_or(0, |(range, _)| range.end)
        } else {
            shape.find("://").map_or(shape.len(), |at| at + "://".len())
        };
        let rest = &shape[begin..];
        (!rest.contains(AFTER_AUTHORITY)).then(|| (begin, rest.to_owned()))
    }

    fn put(&mut self, value: &str, is_encoded: bool, ahead: &str) -> Result<(), UrlError> {
        if let Some((begin, authority)) = self.authority() {
            if self.base > 0 || begin == 0 || !self.text[..begin].ends_with("://") {
                return Err(misplaced(
                    "an expression may give the whole origin at the beginning of the url, or stand behind the origin; \
                     a `/` is missing between two expressions, or the url does not begin with http:// or https://",
                ));
            }
            if !ahead.contains('@') {
                in_server(value, &authority, ahead)?;
                self.text.push_str(value);
                return Ok(());
            }
        }
        let start = self.text.len();
        if is_encoded {
            self.text.push_str(value);
        } else {
            self.text.push_str(&percent_encoded(value));
        }
        self.values.push(start..self.text.len());
        Ok(())
    }

    /// The text, if no segment of the path that a value stands in is empty or a step up.
    fn checked(self) -> Result<String, UrlError> {
        let shape = shape(&self.text);
        let begin = match self.base {
            0 => shape.find("://").map_or(0, |at| at + "://".len()),
            base => base,
        };
        if shape[..begin].contains(['?', '#']) {
            return Ok(self.text); // the value at the beginning went beyond the path
        }
        let end = shape.find(['?', '#']).unwrap_or(shape.len());
        let mut start = begin;
        for segment in shape[begin..end].split(['/', '\\']) {
            let range = start..start + segment.len();
            start = range.end + 1;
            let holds_value = self.values.iter().any(|value| value.start <= range.end && range.start <= value.end);
            if holds_value && is_step(segment) {
                let found = if segment.is_empty() { "empty".to_owned() } else { format!("`{segment}`") };
                return Err(UrlError::Misplaced(format!(
                    "a segment of the url's path that an expression gives is {found}, and would lead to another path"
                )));
            }
        }
        Ok(self.text)
    }
}

/// What the author wrote behind a value, up to the end of the part that names a server.
fn ahead(pieces: &[Piece<'_>]) -> String {
    let mut ahead = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => match text.find(AFTER_AUTHORITY) {
                Some(end) => return ahead + &text[..end],
                None => ahead.push_str(text),
            },
            // Another value; it holds no `@`, since it is checked or encoded.
            Piece::Value { .. } => ahead.push('_'),
        }
    }
    ahead
}

/// Whether a segment is empty, or is left out when the path is read.
fn is_step(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "" | "." | "..")
}

/// Checks a value in a host or port, between what stands before and behind it.
fn in_server(value: &str, before: &str, ahead: &str) -> Result<(), UrlError> {
    let plain = without_placeholders(value);
    let server = before.rsplit('@').next().unwrap_or_default();
    if server.contains(':') {
        let is_port = !value.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
        return if is_port { Ok(()) } else { Err(misplaced("a port that an expression gives consists of digits")) };
    }
    let suffix = ahead.split(':').next().unwrap_or_default();
    // With dots a value may be a whole name, or stand before the end of one that the author wrote.
    let dots = suffix.contains('.') || (server.is_empty() && suffix.is_empty());
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || (byte == b'.' && dots);
    if !value.is_empty() && plain.bytes().all(fits) {
        return Ok(());
    }
    let expected = if dots { "letters, digits, `-` and `.`" } else { "letters, digits and `-`" };
    Err(UrlError::Misplaced(format!(
        "expected a host of {expected} from the expression in the url's host, found other text"
    )))
}

/// The text, of the same length, in which placeholders hold nothing that parts a URL.
fn shape(text: &str) -> String {
    let mut shape = text.to_owned();
    for (range, _) in placeholders(text) {
        shape.replace_range(range.clone(), &"_".repeat(range.len()));
    }
    shape
}

fn without_placeholders(text: &str) -> String {
    let mut plain = text.to_owned();
    let ranges: Vec<_> = placeholders(text).map(|(range, _)| range).collect();
    for range in ranges.into_iter().rev() {
        plain.replace_range(range, "");
    }
    plain
}

fn misplaced(message: &str) -> UrlError {
    UrlError::Misplaced(message.to_owned())
}
