//! Where something stands in a file: `steps[2].yes[0].url`.

use std::fmt::{self, Display};
use std::sync::Arc;

/// One part of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// An entry of a mapping.
    Key(Arc<str>),
    /// An entry of a list, counted from 0.
    Index(usize),
}

/// The place of a value in a file. Keys that are not plain words are quoted: `cases["very high"][0]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The whole file.
    pub fn root() -> Self {
        Self::default()
    }

    /// The place with these parts.
    pub(crate) fn of(segments: Vec<Segment>) -> Self {
        Self(segments)
    }

    /// The entry of a mapping below this place.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.into()))
    }

    /// The entry of a list below this place.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// A place given by keys with points between, below this one: `on_failure.then`.
    #[must_use]
    pub fn keys(&self, dotted: &str) -> Self {
        dotted.split('.').fold(self.clone(), |path, key| path.key(key))
    }

    /// The place one level up; `None` for the whole file.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// The place before this one in its list; `None` if it is the first, or no entry of a list.
    pub fn before(&self) -> Option<Self> {
        match self.0.split_last()? {
            (Segment::Index(index), above) => Some(Self(above.to_vec()).index(index.checked_sub(1)?)),
            (Segment::Key(_), _) => None,
        }
    }

    /// The place after this one in its list; `None` if it is no entry of a list.
    pub fn after(&self) -> Option<Self> {
        match self.0.split_last()? {
            (Segment::Index(index), above) => Some(Self(above.to_vec()).index(index + 1)),
            (Segment::Key(_), _) => None,
        }
    }

    /// Its parts.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether this place is the given one or below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Reads the written form; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut path = Self::root();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix("[\"").map(|_| &rest[1..]) {
                let mut keys = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
                let key = keys.next()?.ok()?;
                let end = keys.byte_offset();
                path = path.key(&key);
                rest = quoted.get(end..)?.strip_prefix(']')?;
            } else if let Some(index) = rest.strip_prefix('[') {
                let (digits, after) = index.split_once(']')?;
                path = path.index(digits.parse().ok()?);
                rest = after;
            } else {
                let word = rest.strip_prefix('.').unwrap_or(rest);
                let end = word.find(['.', '[']).unwrap_or(word.len());
                if end == 0 {
                    return None;
                }
                path = path.key(&word[..end]);
                rest = &word[end..];
            }
        }
        Some(path)
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }
}

/// Longest key that is written in full, in characters: a key may be as long as a file.
const MOST_SHOWN: usize = 200;

impl Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if key.chars().nth(MOST_SHOWN).is_some() => {
                    let start: String = key.chars().take(MOST_SHOWN).collect();
                    write!(f, "[{}]", serde_json::Value::String(format!("{start}…")))?;
                }
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_plain(key) => write!(f, "{}{key}", if at == 0 { "" } else { "." })?,
                Segment::Key(key) => write!(f, "[{}]", serde_json::Value::String(key.to_string()))?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["", "owner", "steps[2].yes[0].url", r#"steps[0].cases["very \"high\"[1]."][3]"#, r#"labels[""].x"#]
        {
            let path = Path::parse(text).expect("the text is a path");
            assert_eq!(path.to_string(), text);
        }
        assert_eq!(Path::parse("steps["), None);
        assert_eq!(Path::parse("steps..id"), None);
    }

    #[test]
    fn a_place_knows_what_is_below_it() {
        let step = Path::root().key("steps").index(1);
        assert!(step.keys("on_failure.then").is_within(&step));
        assert!(!Path::root().key("steps").index(10).is_within(&step));
        assert_eq!(step.key("id").parent(), Some(step));
    }
}
