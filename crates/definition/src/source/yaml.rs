//! YAML events into a value with places. JSON is YAML.

use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as Extent, StrInput, Tag};
use serde_json::{Map, Number, Value};

use super::places::{Place, Places};
use super::{Position, Span, Style, problem, quoting};
use crate::json;
use crate::path::Segment;
use crate::problem::{MOST_PROBLEMS, Problem, code};
use crate::value::{self, NumberError};

/// Deepest nesting that is read: a stack is finite, and forty conditions inside one another are too many.
pub(super) const MAX_DEPTH: usize = 100;

/// Most values of a file after its aliases are put in.
pub(super) const MAX_VALUES: usize = 100_000;

/// Most bytes of texts and keys after the aliases of a file are put in, what is kept for aliases included.
const MAX_DERIVED: usize = 8 * 1024 * 1024;

type Read = (Value, Places);

pub(super) fn read(name: &str, text: &str) -> Result<Read, Vec<Problem>> {
    let mut reader = Reader {
        name,
        text,
        parser: Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)),
        places: Places::default(),
        anchors: BTreeMap::new(),
        values: 0,
        bytes: 0,
        problems: Vec::new(),
    };
    match reader.file() {
        Ok(value) if reader.problems.is_empty() => Ok((value, reader.places)),
        Ok(_) | Err(Stop) => Err(reader.problems),
    }
}

/// Reading cannot go on; the problem is noted.
struct Stop;

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    places: Places,
    anchors: BTreeMap<usize, Anchor>,
    values: usize,
    bytes: usize,
    problems: Vec<Problem>,
}

/// A value that aliases repeat.
#[derive(Clone)]
struct Anchor {
    place: Place,
    levels: usize,
    value: Value,
    values: usize,
    bytes: usize,
}

/// Where a value stands: a part of a place, and its key.
struct Site {
    above: Option<(Place, Segment)>,
    key: Option<Position>,
    levels: usize,
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
                    return self.stop(code::SYNTAX, extent.start, 0, message);
                }
                event => value = Some(self.value(event, extent, Site { above: None, key: None, levels: 0 })?),
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

    fn value(&mut self, event: Event<'a>, extent: Extent, site: Site) -> Result<Value, Stop> {
        let Site { above, key, levels } = site;
        let style = match &event {
            Event::Scalar(_, ScalarStyle::Literal, ..) => Style::Block,
            Event::Scalar(_, style, ..) if extent.start.line() == extent.end.line() => inline(*style),
            _ => Style::Other,
        };
        let span = Span { key, value: position(extent.start), style };
        let place = match above {
            Some((above, segment)) => self.places.part(above, segment, span),
            None => self.places.root(span),
        };
        let before = (self.values, self.bytes);
        self.count(1, if let Event::Scalar(text, ..) = &event { text.len() } else { 0 }, extent.start, place)?;
        if levels > MAX_DEPTH {
            return self.too_deep(extent.start, place);
        }
        let (value, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, extent, (place, levels)),
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(&text, style, tag.as_deref(), (extent, place)), anchor)
            }
            Event::SequenceStart(anchor, _) => (self.list(place, levels)?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping(place, levels)?, anchor),
            _ => return self.stop(code::SYNTAX, extent.start, place, "expected a value, found nothing".to_owned()),
        };
        if anchor > 0 {
            let (values, bytes) = (self.values - before.0, self.bytes - before.1);
            // What is kept for aliases is a copy, and anchors stand inside one another.
            self.count(0, bytes, extent.start, place)?;
            let levels = json::depth(&value);
            self.anchors.insert(anchor, Anchor { place, levels, value: value.clone(), values, bytes });
        }
        Ok(value)
    }

    fn alias(&mut self, anchor: usize, extent: Extent, (place, levels): (Place, usize)) -> Result<Value, Stop> {
        let Some(Anchor { place: from, levels: below, values, bytes, .. }) = self.anchors.get(&anchor) else {
            let message = "expected an alias of a finished value, found one that holds itself".to_owned();
            return self.stop(code::SYNTAX, extent.start, place, message);
        };
        let (from, below, values, bytes) = (*from, *below, *values, *bytes);
        self.count(values, bytes, extent.start, place)?;
        if levels + below > MAX_DEPTH {
            return self.too_deep(extent.start, place);
        }
        self.places.copy_number(from, place);
        self.places.copy_parts(from, place, place);
        Ok(self.anchors.get(&anchor).map(|anchor| anchor.value.clone()).unwrap_or_default())
    }

    fn list(&mut self, place: Place, levels: usize) -> Result<Value, Stop> {
        let mut values = Vec::new();
        loop {
            let (event, extent) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(values));
            }
            let above = Some((place, Segment::Index(values.len())));
            values.push(self.value(event, extent, Site { above, key: None, levels: levels + 1 })?);
        }
    }

    fn mapping(&mut self, place: Place, levels: usize) -> Result<Value, Stop> {
        let mut entries = Map::new();
        let mut merged = Vec::new();
        let mut names_merged = BTreeSet::new();
        loop {
            let (event, extent) = self.next()?;
            let key = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, ..) => text.into_owned(),
                _ => {
                    let message = "expected a word as key, found a list, a mapping or an alias".to_owned();
                    return self.stop_unquoted(extent.start, place, message);
                }
            };
            self.count(0, key.len(), extent.start, place)?;
            let segment = Segment::Key(key.as_str().into());
            let at = position(extent.start);
            // A key of its own takes the place of one that a merge brought, and a second merge that of the first.
            if key == "<<" || names_merged.remove(&key) {
                self.places.forget(place, &segment);
            }
            let first = self.places.below(place, &segment);
            let (event, extent) = self.next()?;
            let site = Site { above: Some((place, segment)), key: Some(at), levels: levels + 1 };
            let value = self.value(event, extent, site)?;
            if key == "<<" {
                if !is_mergeable(&value) {
                    let message = "expected a mapping after the merge key `<<`, or a list of mappings".to_owned();
                    return self.stop(code::SYNTAX, extent.start, place, message);
                }
                names_merged.extend(self.merge_places(place, &value));
                merged.push(value);
            } else if entries.contains_key(&key) {
                self.twice(&key, at, first);
            } else {
                entries.insert(key, value);
            }
        }
        for (name, value) in merged.into_iter().flat_map(into_entries) {
            entries.entry(name).or_insert(value);
        }
        Ok(Value::Object(entries))
    }

    /// Puts the places of what the merge key at the end of a mapping names below the mapping. Returns the names that are
    /// new there.
    fn merge_places(&mut self, place: Place, merged: &Value) -> Vec<String> {
        let Some(alias) = self.places.below(place, &Segment::Key("<<".into())) else { return Vec::new() };
        let sources = match merged {
            Value::Array(items) => {
                let places = (0..items.len()).map(|index| self.places.below(alias, &Segment::Index(index)));
                items.iter().zip(places).filter_map(|(item, place)| Some((item, place?))).collect()
            }
            merged => vec![(merged, alias)],
        };
        let mut new = Vec::new();
        for (source, from) in sources {
            let names = source.as_object().into_iter().flatten().map(|(name, _)| name);
            let is_new = |name: &&String| self.places.below(place, &Segment::Key(name.as_str().into())).is_none();
            new.extend(names.filter(is_new).cloned());
            self.places.copy_parts(from, place, alias);
        }
        new
    }

    fn twice(&mut self, key: &str, at: Position, first: Option<Place>) {
        if self.problems.len() >= MOST_PROBLEMS {
            return;
        }
        let path = first.map(|first| self.places.path(first)).unwrap_or_default();
        let first = first.and_then(|first| self.places.span(first)).and_then(|span| span.key);
        let key = crate::validate::words::quoted(key);
        let before = first.map_or_else(String::new, |first| format!("; the first is in line {}", first.line));
        let message = format!("expected each key once, found {key} again{before}");
        self.problems.push(problem(self.name, code::DUPLICATE_KEY, Some(at), &path.to_string(), message));
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, (extent, place): (Extent, Place)) -> Value {
        let Some(tag) = tag else {
            return if style == ScalarStyle::Plain { self.plain(text, place) } else { Value::String(text.to_owned()) };
        };
        let is_text = tag.handle == "!" && tag.suffix.is_empty();
        let core = tag.is_yaml_core_schema().then_some(tag.suffix.as_str());
        if is_text || core == Some("str") {
            return Value::String(text.to_owned());
        }
        let value = self.plain(text, place);
        let is_so = match core {
            Some("int") => value.is_i64() || value.is_u64(),
            Some("float") => value.is_number(),
            Some("bool") => value.is_boolean(),
            Some("null") => value.is_null(),
            _ => false,
        };
        if !is_so {
            self.wrong_tag(tag, extent, place);
        }
        value
    }

    fn wrong_tag(&mut self, tag: &Tag, extent: Extent, place: Place) {
        if self.problems.len() >= MOST_PROBLEMS {
            return;
        }
        let written = if tag.is_yaml_core_schema() { "!!".to_owned() } else { tag.handle.clone() };
        let message = format!("expected a plain value, found the tag {written}{}", tag.suffix);
        let path = self.places.path(place).to_string();
        let suggestion = quoting::suggestion(self.text, extent.start.line());
        let problem = problem(self.name, code::SYNTAX, Some(position(extent.start)), &path, message);
        self.problems.push(Problem { suggestion, ..problem });
    }

    /// A plain scalar by the core schema of YAML 1.2: `yes`, `on` and `09:00` are texts. How a number is written is noted,
    /// and one that is too large to be held is a text until it is known whether one is wanted.
    fn plain(&mut self, text: &str, place: Place) -> Value {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
            "true" | "True" | "TRUE" => return Value::Bool(true),
            "false" | "False" | "FALSE" => return Value::Bool(false),
            _ => {}
        }
        match number(text) {
            Ok(number) => {
                if value::number_text(&number) != text {
                    self.places.write(place, text);
                }
                Value::Number(number)
            }
            Err(why) => {
                if why == NumberError::TooLarge {
                    self.places.mark_too_large(place);
                }
                Value::String(text.to_owned())
            }
        }
    }

    fn count(&mut self, values: usize, bytes: usize, at: Marker, place: Place) -> Result<(), Stop> {
        self.values += values;
        self.bytes += bytes;
        if self.values > MAX_VALUES {
            let message = format!("expected at most {MAX_VALUES} values, aliases put in, found more");
            return self.stop(code::FILE_TOO_LARGE, at, place, message);
        }
        if self.bytes > MAX_DERIVED {
            let message = format!("expected at most {MAX_DERIVED} bytes of texts, aliases put in, found more");
            return self.stop(code::FILE_TOO_LARGE, at, place, message);
        }
        Ok(())
    }

    fn too_deep<T>(&mut self, at: Marker, place: Place) -> Result<T, Stop> {
        let message = format!("expected at most {MAX_DEPTH} levels of nesting, aliases put in, found more");
        self.stop(code::FILE_TOO_LARGE, at, place, message)
    }

    fn syntax<T>(&mut self, error: &ScanError) -> Result<T, Stop> {
        let message = format!("expected YAML or JSON, found a mistake: {}", error.info());
        self.stop_unquoted(*error.marker(), 0, message)
    }

    /// Stops at what is no YAML, which is often an expression without quotes.
    fn stop_unquoted<T>(&mut self, at: Marker, place: Place, message: String) -> Result<T, Stop> {
        let suggestion = quoting::suggestion(self.text, at.line());
        let path = self.places.path(place).to_string();
        let problem = problem(self.name, code::SYNTAX, Some(position(at)), &path, message);
        self.problems.push(Problem { suggestion, ..problem });
        Err(Stop)
    }

    fn stop<T>(&mut self, code: &str, at: Marker, place: Place, message: String) -> Result<T, Stop> {
        let path = self.places.path(place).to_string();
        self.problems.push(problem(self.name, code, Some(position(at)), &path, message));
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

/// Whether a merge key `<<` can name a value.
fn is_mergeable(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().all(Value::is_object),
        value => value.is_object(),
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

/// A number by the core schema, but for what would lose its digits: `01234` and `+4930123` are texts.
fn number(text: &str) -> Result<Number, NumberError> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        let Some(digits) = text.strip_prefix(prefix) else { continue };
        let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        let too_large = if is_number { NumberError::TooLarge } else { NumberError::NotANumber };
        return u64::from_str_radix(digits, radix).map(Number::from).map_err(|_| too_large);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_padded = digits.starts_with('0') && digits[1..].starts_with(|c: char| c.is_ascii_digit());
    let is_numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if is_padded || !is_numeric { Err(NumberError::NotANumber) } else { value::read_number(text) }
}
