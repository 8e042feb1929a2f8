//! Where a search over several partitions goes on.

/// The number of a partition among those that are searched, and the cursor in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) number: usize,
    pub(crate) cursor: Option<String>,
}

impl Place {
    /// As it is stored.
    pub(crate) fn text(&self) -> String {
        match &self.cursor {
            Some(cursor) => format!("{}:{cursor}", self.number),
            None => self.number.to_string(),
        }
    }

    /// Reads it; `None` of a text that is no place.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (number, cursor) = match text.split_once(':') {
            Some((number, cursor)) => (number, Some(cursor.to_owned())),
            None => (text, None),
        };
        Some(Self { number: number.parse().ok()?, cursor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for place in [Place::default(), Place { number: 7, cursor: Some("a:b|c".to_owned()) }] {
            assert_eq!(Place::parse(&place.text()), Some(place));
        }
        assert_eq!(Place::parse("nowhere"), None);
    }
}
