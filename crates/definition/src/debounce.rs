//! `limits.debounce`: one start for a burst of events.

use jiff::SignedDuration;
use serde::Deserialize;

use crate::describe::JsonSchema;
use crate::{Duration, Expression};

/// The longest time for which a window may be open: its events are kept so much longer that none is lost in an outage.
pub const WINDOW_LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Without `at_most`, a window closes after so many times `for`.
const SPANS: i32 = 10;

/// Starts once for a burst: events are collected until none has come for a time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Debounce {
    /// The burst is over when no event has come for so long; at most 24 h.
    #[serde(rename = "for")]
    pub quiet: Duration,
    /// The key: events with different keys are collected apart, and so are those on different records. Blank is a key of its own.
    #[serde(default)]
    pub per: Option<Expression>,
    /// The execution starts at the latest so long after the first event, however many follow; at most 24 h. Absent: ten
    /// times `for`.
    #[serde(default)]
    pub at_most: Option<Duration>,
}

impl Debounce {
    /// How long no event must come.
    pub fn quiet(&self) -> SignedDuration {
        self.quiet.approximate().min(WINDOW_LONGEST)
    }

    /// How long a window is open at the longest.
    pub fn longest(&self) -> SignedDuration {
        let spans = || self.quiet.approximate().saturating_mul(SPANS);
        self.at_most.as_ref().map_or_else(spans, Duration::approximate).min(WINDOW_LONGEST)
    }
}
