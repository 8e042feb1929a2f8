//! A file: its YAML or JSON text as a value, with the place of every part.

mod order;
mod places;
mod quoting;
mod texts;
mod yaml;

use serde_json::Value;

use crate::json::{self, Bounds};
use crate::path::{Path, Segment};
use crate::problem::Level;
use crate::problem::{Problem, code};
use places::Places;

pub(crate) use texts::TextPlaces;
pub(crate) use texts::of_object;

/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Most digits of a number that a message repeats.
const MOST_DIGITS: usize = 40;

/// JSON as a file may hold it.
const JSON: Bounds =
    Bounds { bytes: MAX_BYTES, depth: yaml::MAX_DEPTH, values: yaml::MAX_VALUES, key_bytes: MAX_BYTES };

/// A place in a text, both counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// How a text was written, which tells where a column of its content stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// On one line, with so many characters before the content.
    Inline(usize),
    /// Line by line (`|`), each after the same indentation.
    Block,
    /// Folded, on several lines, or not a text.
    Other,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Its key, if it is the entry of a mapping.
    pub(crate) key: Option<Position>,
    /// Its value.
    pub(crate) value: Position,
    /// How the value is written.
    pub(crate) style: Style,
}

/// A file that was read: a value, and where each part of it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The name shown.
    pub name: String,
    /// Its content.
    pub value: Value,
    places: Places,
}

impl Source {
    /// Reads YAML or JSON. Fails with every problem of the text: syntax, size, keys written twice.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        if text.len() > MAX_BYTES {
            let message = format!("expected a file of at most {MAX_BYTES} bytes, found {}", text.len());
            return Err(vec![problem(name, code::FILE_TOO_LARGE, None, "", message)]);
        }
        let read = yaml::read(name, text);
        // JSON that YAML reads otherwise (tabs, surrogate pairs) keeps its value and loses its positions.
        let json =
            if text.trim_start().starts_with(['{', '[']) { json::parse(text.as_bytes(), &JSON).ok() } else { None };
        match (read, json) {
            (Ok((value, places)), json) => {
                let mut source = Self { name: name.to_owned(), value: json.unwrap_or(value), places };
                order::keep(&mut source);
                Ok(source)
            }
            (Err(problems), Some(json)) if problems.iter().all(|problem| problem.code == code::SYNTAX) => {
                Ok(Self::from_value(name, json))
            }
            (Err(problems), _) => Err(problems),
        }
    }

    /// Takes a value that was never a text; its problems have no positions.
    pub fn from_value(name: &str, value: Value) -> Self {
        Self { name: name.to_owned(), value, places: Places::default() }
    }

    /// Where the value at a path such as `steps[2].yes[0].url` stands; of a value that is absent, where the mapping
    /// or list around it stands.
    pub fn position(&self, path: &str) -> Option<Position> {
        self.value_position(&Path::parse(path)?)
    }

    pub(crate) fn value_position(&self, path: &Path) -> Option<Position> {
        self.places.nearest(path).map(|span| span.value)
    }

    pub(crate) fn key_position(&self, path: &Path) -> Option<Position> {
        self.places.nearest(path).map(|span| span.key.unwrap_or(span.value))
    }

    /// Where a character (counted from 0) of the text at a path stands, if that can be told.
    pub(crate) fn position_within(&self, path: &Path, character: usize) -> Option<Position> {
        let Span { value: start, style, .. } = self.places.at(path)?;
        match style {
            Style::Inline(before) => Some(Position { line: start.line, column: start.column + before + character }),
            Style::Block => {
                let text: String = self.text(path)?.chars().take(character).collect();
                let (above, line) = text
                    .rsplit_once('\n')
                    .map_or((0, text.as_str()), |(above, line)| (above.matches('\n').count() + 1, line));
                Some(Position { line: start.line + above, column: start.column + line.chars().count() })
            }
            Style::Other => None,
        }
    }

    fn text(&self, path: &Path) -> Option<&str> {
        path.segments()
            .iter()
            .try_fold(&self.value, |value, segment| match segment {
                Segment::Key(key) => value.get(&**key),
                Segment::Index(index) => value.get(index),
            })?
            .as_str()
            .filter(|text| !text.starts_with('\n'))
    }
}

/// A number as a message repeats it.
fn shortened(number: &str) -> String {
    match number.char_indices().nth(MOST_DIGITS) {
        Some((at, _)) => format!("{}…", &number[..at]),
        None => number.to_owned(),
    }
}

fn problem(name: &str, code: &str, position: Option<Position>, path: &str, message: String) -> Problem {
    Problem {
        file: name.to_owned(),
        code: code.to_owned(),
        path: path.to_owned(),
        line: position.map(|position| position.line),
        column: position.map(|position| position.column),
        message,
        suggestion: None,
        severity: Level::Error,
    }
}
