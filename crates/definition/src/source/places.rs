//! Where the parts of a file stand: each place knows the one around it and its own key or index, so that a long key costs
//! its length once, and not once for each value below it.

use std::collections::BTreeMap;

use super::Span;
use crate::path::{Path, Segment};

/// The number of a place; the whole file is 0.
pub(super) type Place = u32;

/// Every place of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Places {
    spans: Vec<Span>,
    above: Vec<Option<(Place, Segment)>>,
    below: BTreeMap<(Place, Segment), Place>,
    /// Numbers as they are written, where that is not the one way of writing them: `1.10`.
    written: BTreeMap<Place, String>,
}

impl Places {
    /// Whether nothing was noted: what was never a text has no places.
    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Notes the whole file.
    pub(super) fn root(&mut self, span: Span) -> Place {
        self.add(None, span)
    }

    /// Notes a part of a place. A key that stands twice is found where it stood first.
    pub(super) fn part(&mut self, of: Place, segment: Segment, span: Span) -> Place {
        let place = self.add(Some((of, segment.clone())), span);
        self.below.entry((of, segment)).or_insert(place);
        place
    }

    fn add(&mut self, above: Option<(Place, Segment)>, span: Span) -> Place {
        let place = Place::try_from(self.spans.len()).expect("a file has at most as many values as it has bytes");
        self.spans.push(span);
        self.above.push(above);
        place
    }

    /// Notes how the number at a place is written.
    pub(super) fn write(&mut self, place: Place, text: &str) {
        self.written.insert(place, text.to_owned());
    }

    /// The numbers that are written in another way than their one.
    pub(super) fn written(&self) -> impl Iterator<Item = (Path, &str)> {
        self.written.iter().map(|(place, text)| (self.path(*place), text.as_str()))
    }

    /// The place of a part, if there is one.
    pub(super) fn below(&self, of: Place, segment: &Segment) -> Option<Place> {
        self.below.get(&(of, segment.clone())).copied()
    }

    /// Where a place stands.
    pub(super) fn span(&self, place: Place) -> Option<&Span> {
        self.spans.get(usize::try_from(place).ok()?)
    }

    /// Where exactly a path stands.
    pub(super) fn at(&self, path: &Path) -> Option<&Span> {
        let walked = path.segments().iter().try_fold(0, |place, segment| self.below(place, segment));
        self.span(walked?)
    }

    /// Where a path stands, or what is around it.
    pub(super) fn nearest(&self, path: &Path) -> Option<&Span> {
        let mut place = 0;
        for segment in path.segments() {
            match self.below(place, segment) {
                Some(below) => place = below,
                None => break,
            }
        }
        self.span(place)
    }

    /// The path of a place.
    pub(super) fn path(&self, place: Place) -> Path {
        let mut segments = Vec::new();
        let mut next = Some(place);
        while let Some((above, segment)) =
            next.and_then(|place| self.above.get(usize::try_from(place).ok()?)).and_then(Option::as_ref)
        {
            segments.push(segment.clone());
            next = Some(*above);
        }
        segments.reverse();
        Path::of(segments)
    }
}
