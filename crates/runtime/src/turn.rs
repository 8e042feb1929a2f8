//! The time and the pages that one run of a loop has.

use jiff::Timestamp;

use crate::LoopLimits;
use crate::ports::Clock;

/// One run of a loop over stored items. It stops between two pages, never within one, and not before the first: a run that
/// begins late gets somewhere too.
pub(crate) struct Turn<'a> {
    clock: &'a dyn Clock,
    until: Option<Timestamp>,
    pages: usize,
    has_begun: bool,
}

impl<'a> Turn<'a> {
    /// A run until a deadline, if there is one, and of so many pages.
    pub(crate) fn new(clock: &'a dyn Clock, until: Option<Timestamp>, limits: LoopLimits) -> Self {
        Self { clock, until, pages: limits.pages, has_begun: false }
    }

    /// Takes one more page; `false` if the run is over.
    pub(crate) fn take(&mut self) -> bool {
        let is_over = self.has_begun && (self.pages == 0 || self.is_late());
        self.pages = self.pages.saturating_sub(1);
        self.has_begun = true;
        !is_over
    }

    /// Whether the deadline has come.
    pub(crate) fn is_late(&self) -> bool {
        self.until.is_some_and(|until| self.clock.now() >= until)
    }
}
