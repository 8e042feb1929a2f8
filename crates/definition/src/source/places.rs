//! Where the parts of a file stand: each place knows the one around it and its own key or index, so that a long key costs
//! its length once, and not once for each value below it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Span, Style};
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
    /// Numbers that are too large to be held, and are there as they are written.
    too_large: BTreeSet<Place>,
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

    /// Forgets a part, for one that takes its place. The old one is no longer found.
    pub(super) fn forget(&mut self, of: Place, segment: &Segment) {
        self.below.remove(&(of, segment.clone()));
    }

    /// Puts the parts of a place below another one too, in their order: what an alias stands for. They stand where the
    /// alias stands. A part that is there already stays.
    pub(super) fn copy_parts(&mut self, from: Place, to: Place, alias: Place) {
        let Some(span) = self.span(alias).map(|span| Span { style: Style::Other, ..*span }) else { return };
        for (segment, part) in self.parts(from) {
            if self.below(to, &segment).is_none() {
                let copy = self.part(to, segment, span);
                self.copy_number(part, copy);
                self.copy_parts(part, copy, alias);
            }
        }
    }

    /// Notes that the number at a place is written as that at another one.
    pub(super) fn copy_number(&mut self, from: Place, to: Place) {
        if let Some(text) = self.written.get(&from).cloned() {
            self.written.insert(to, text);
        }
        if self.too_large.contains(&from) {
            self.too_large.insert(to);
        }
    }

    /// The parts of a place in their order, without a merge key: what it brings is a part itself.
    fn parts(&self, of: Place) -> Vec<(Segment, Place)> {
        let first = (of, Segment::Key("".into()));
        let below = self.below.range(first..).take_while(|((above, _), _)| *above == of);
        let below = below.filter(|((_, segment), _)| !is_merge(segment));
        let mut parts: Vec<_> = below.map(|((_, segment), place)| (segment.clone(), *place)).collect();
        parts.sort_by_key(|(_, place)| *place);
        parts
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

    /// Notes that the number at a place is too large to be held.
    pub(super) fn mark_too_large(&mut self, place: Place) {
        self.too_large.insert(place);
    }

    /// Takes it that the number at a place is a text, which may be as large as it is.
    pub(super) fn is_text(&mut self, place: Place) {
        self.too_large.remove(&place);
    }

    /// The numbers that are written in another way than their one.
    pub(super) fn written(&self) -> impl Iterator<Item = (Path, &str)> {
        let found = self.written.iter().map(|(place, text)| (*place, self.path(*place), text.as_str()));
        found.filter(|(place, path, _)| self.is_found(*place, path)).map(|(_, path, text)| (path, text))
    }

    /// The numbers that are too large to be held.
    pub(super) fn too_large(&self) -> impl Iterator<Item = (Place, Path)> {
        let found = self.too_large.iter().map(|place| (*place, self.path(*place)));
        found.filter(|(place, path)| self.is_found(*place, path))
    }

    /// Whether a path leads to a place. What a merge key names is found where it is put in.
    fn is_found(&self, place: Place, path: &Path) -> bool {
        self.find(path) == Some(place) && !path.segments().iter().any(is_merge)
    }

    /// Which place a path leads to. Places are numbered in the order in which they stand in the file.
    pub(super) fn find(&self, path: &Path) -> Option<Place> {
        path.segments().iter().try_fold(0, |place, segment| self.below(place, segment))
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
        self.span(self.find(path)?)
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

fn is_merge(segment: &Segment) -> bool {
    matches!(segment, Segment::Key(key) if **key == *"<<")
}
