//! YAML events into a value with places. JSON is YAML.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as Extent, StrInput, Tag};
use serde_json::{Map, Number, Value};

use super::{Position, Span, Style, problem, quoting};
use crate::path::Path;
use crate::problem::{Problem, code};

/// Deepest nesting that is read: a stack is finite, and forty conditions inside one another are too many.
const MAX_DEPTH: usize = 100;

/// Most values of a file after its aliases are put in.
const MAX_VALUES: usize = 100_000;

type Read = (Value, BTreeMap<Path, Span>);

pub(super) fn read(name: &str, text: &str) -> Result<Read, Vec<Problem>> {
    let mut reader = Reader {
        name,
        text,
        parser: Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)),
        spans: BTreeMap::new(),
        anchors: BTreeMap::new(),
        values: 0,
        problems: Vec::new(),
    };
    match reader.file() {
        Ok(value) if reader.problems.is_empty() => Ok((value, reader.spans)),
        Ok(_) | Err(Stop) => Err(reader.problems),
    }
}

/// Reading cannot go on; the problem is noted.
struct Stop;

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    spans: BTreeMap<Path, Span>,
    anchors: BTreeMap<usize, (Value, usize)>,
    values: usize,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn file(&mut self) -> Result<Value, Stop> {
        let mut value = None;
        loop {
            let (event, extent) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(value.unwrap_or_default()),
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                _ if value.is_some() => {
                    let message = "expected one document, found a second one after `---`".to_owned();
                    return self.stop(code::SYNTAX, extent.start, &Path::root(), message);
                }
                event => value = Some(self.value(event, extent, &Path::root(), None)?),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Extent), Stop> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => self.syntax(&error),
            None => Ok((Event::StreamEnd, Extent::default())),
        }
    }

    fn value(&mut self, event: Event<'a>, extent: Extent, path: &Path, key: Option<Position>) -> Result<Value, Stop> {
        let style = match &event {
            Event::Scalar(_, ScalarStyle::Literal, ..) => Style::Block,
            Event::Scalar(_, style, ..) if extent.start.line() == extent.end.line() => inline(*style),
            _ => Style::Other,
        };
        self.spans.insert(path.clone(), Span { key, value: position(extent.start), style });
        self.count(1, extent.start, path)?;
        if path.segments().len() > MAX_DEPTH {
            let message = format!("expected at most {MAX_DEPTH} levels of nesting, found more");
            return self.stop(code::FILE_TOO_LARGE, extent.start, path, message);
        }
        let before = self.values;
        let (value, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, extent, path),
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(&text, style, tag.as_deref(), (extent, path)), anchor)
            }
            Event::SequenceStart(anchor, _) => (self.list(path)?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping(path)?, anchor),
            _ => return self.stop(code::SYNTAX, extent.start, path, "expected a value, found nothing".to_owned()),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), self.values - before + 1));
        }
        Ok(value)
    }

    fn alias(&mut self, anchor: usize, extent: Extent, path: &Path) -> Result<Value, Stop> {
        let Some((value, size)) = self.anchors.get(&anchor).cloned() else {
            let message = "expected an alias of a finished value, found one that holds itself".to_owned();
            return self.stop(code::SYNTAX, extent.start, path, message);
        };
        self.count(size, extent.start, path)?;
        Ok(value)
    }

    fn list(&mut self, path: &Path) -> Result<Value, Stop> {
        let mut values = Vec::new();
        loop {
            let (event, extent) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(values));
            }
            values.push(self.value(event, extent, &path.index(values.len()), None)?);
        }
    }

    fn mapping(&mut self, path: &Path) -> Result<Value, Stop> {
        let mut entries = Map::new();
        let mut merged = Vec::new();
        loop {
            let (event, extent) = self.next()?;
            let key = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, ..) => text.into_owned(),
                _ => {
                    let message = "expected a word as key, found a list, a mapping or an alias".to_owned();
                    return self.stop_unquoted(extent.start, path, message);
                }
            };
            let below = path.key(&key);
            let at = position(extent.start);
            let first = self.spans.get(&below).and_then(|span| span.key);
            let (event, extent) = self.next()?;
            let value = self.value(event, extent, &below, Some(at))?;
            if key == "<<" {
                merged.push(value);
            } else if entries.contains_key(&key) {
                self.twice(&key, at, first, &below);
            } else {
                entries.insert(key, value);
            }
        }
        for (name, value) in merged.into_iter().flat_map(into_entries) {
            entries.entry(name).or_insert(value);
        }
        Ok(Value::Object(entries))
    }

    fn twice(&mut self, key: &str, at: Position, first: Option<Position>, path: &Path) {
        let before = first.map_or_else(String::new, |first| format!("; it stands first in line {}", first.line));
        let message = format!("expected each key once, found {key:?} again{before}");
        self.problems.push(problem(self.name, code::DUPLICATE_KEY, Some(at), &path.to_string(), message));
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, (extent, path): (Extent, &Path)) -> Value {
        match tag {
            None if style == ScalarStyle::Plain => plain(text),
            None => Value::String(text.to_owned()),
            Some(tag) if tag.handle == "!" && tag.suffix.is_empty() => Value::String(text.to_owned()),
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => Value::String(text.to_owned()),
            Some(tag) if tag.is_yaml_core_schema() => plain(text),
            Some(tag) => {
                let message = format!("expected a plain value, found the tag {}{}", tag.handle, tag.suffix);
                let at = Some(position(extent.start));
                self.problems.push(problem(self.name, code::SYNTAX, at, &path.to_string(), message));
                Value::Null
            }
        }
    }

    fn count(&mut self, more: usize, at: Marker, path: &Path) -> Result<(), Stop> {
        self.values += more;
        if self.values > MAX_VALUES {
            let message = format!("expected at most {MAX_VALUES} values, aliases put in, found more");
            return self.stop(code::FILE_TOO_LARGE, at, path, message);
        }
        Ok(())
    }

    fn syntax<T>(&mut self, error: &ScanError) -> Result<T, Stop> {
        let message = format!("expected YAML or JSON, found a mistake: {}", error.info());
        self.stop_unquoted(*error.marker(), &Path::root(), message)
    }

    /// Stops at what is no YAML, which is often an expression without quotes.
    fn stop_unquoted<T>(&mut self, at: Marker, path: &Path, message: String) -> Result<T, Stop> {
        let suggestion = quoting::suggestion(self.text, at.line());
        let problem = problem(self.name, code::SYNTAX, Some(position(at)), &path.to_string(), message);
        self.problems.push(Problem { suggestion, ..problem });
        Err(Stop)
    }

    fn stop<T>(&mut self, code: &str, at: Marker, path: &Path, message: String) -> Result<T, Stop> {
        self.problems.push(problem(self.name, code, Some(position(at)), &path.to_string(), message));
        Err(Stop)
    }
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

fn inline(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Inline(0),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Inline(1),
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Other,
    }
}

/// The entries of what a merge key `<<` names: a mapping or a list of mappings.
fn into_entries(value: Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(entries) => entries.into_iter().collect(),
        Value::Array(values) => values.into_iter().flat_map(into_entries).collect(),
        _ => Vec::new(),
    }
}

/// A plain scalar by the core schema of YAML 1.2: `yes`, `on` and `09:00` are texts.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(Number::from);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok().map(Number::from);
    }
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.chars().any(|c| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if !numeric {
        return None;
    }
    let whole = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = whole.parse::<i64>() {
        return Some(number.into());
    }
    whole.parse::<u64>().map(Number::from).ok().or_else(|| Number::from_f64(whole.parse().ok()?))
}
