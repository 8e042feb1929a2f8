//! Places of items in the list of a loop, from 0.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The places from the first number up to the second one, which is not among them. Stored, do not rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Span(pub(super) u32, pub(super) u32);

impl Span {
    pub(super) fn len(self) -> u32 {
        self.1.saturating_sub(self.0)
    }

    /// Those that follow the first ones.
    pub(super) fn after(self, first: u32) -> Option<Self> {
        let rest = Self(self.0 + first.min(self.len()), self.1);
        (rest.len() > 0).then_some(rest)
    }
}

/// `7`, or `7-11` with the last one.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len() {
            1 => write!(f, "{}", self.0),
            _ => write!(f, "{}-{}", self.0, self.1 - 1),
        }
    }
}

/// The items that have not begun, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct ToDo(Vec<Span>);

impl ToDo {
    /// All of a list.
    pub(super) fn all(count: u32) -> Self {
        Self::of(Span(0, count))
    }

    pub(super) fn of(span: Span) -> Self {
        Self(Some(span).filter(|span| span.len() > 0).into_iter().collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of items.
    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|span| span.len()).sum()
    }

    /// The next item.
    pub(super) fn first(&self) -> Option<u32> {
        self.0.first().map(|span| span.0)
    }

    /// Takes the next items, at most so many.
    pub(super) fn take(&mut self, most: u32) -> Option<Span> {
        let span = self.0.first().copied()?;
        let taken = Span(span.0, span.1.min(span.0 + most.max(1)));
        match span.after(taken.len()) {
            Some(rest) => self.0[0] = rest,
            None => drop(self.0.remove(0)),
        }
        Some(taken)
    }

    /// These are to be done after all.
    pub(super) fn give_back(&mut self, span: Span) {
        if span.len() == 0 {
            return;
        }
        self.0.push(span);
        self.0.sort_unstable();
        let mut joined: Vec<Span> = Vec::new();
        for span in self.0.drain(..) {
            match joined.last_mut() {
                Some(last) if last.1 == span.0 => last.1 = span.1,
                _ => joined.push(span),
            }
        }
        self.0 = joined;
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, ToDo};

    #[test]
    fn what_is_given_back_is_taken_again_in_order() {
        let mut to_do = ToDo::all(10);
        assert_eq!((to_do.take(4), to_do.take(4), to_do.first()), (Some(Span(0, 4)), Some(Span(4, 8)), Some(8)));
        to_do.give_back(Span(5, 8));
        to_do.give_back(Span(3, 3));
        assert_eq!(to_do, ToDo(vec![Span(5, 10)]));
        to_do.give_back(Span(0, 1));
        assert_eq!(
            (to_do.count(), to_do.take(3), to_do.take(99), to_do.take(1)),
            (6, Some(Span(0, 1)), Some(Span(5, 10)), None)
        );
    }

    #[test]
    fn a_span_is_shown_with_its_last_item() {
        assert_eq!((Span(7, 8).to_string(), Span(7, 12).to_string()), ("7".to_owned(), "7-11".to_owned()));
        assert_eq!((Span(7, 12).after(2), Span(7, 12).after(5)), (Some(Span(9, 12)), None));
    }
}
