//! Texts of unknown origin: shown, not obeyed, as in the logs of functions.

pub(crate) use pawl_runtime::shown::{lines, shown};

/// Characters that a terminal or a reader's eye obeys, for tests.
#[cfg(test)]
pub(crate) const OBEYED: &str =
    "\u{0}\u{7}\u{8}\u{b}\u{d}\u{1b}[31m\u{1b}]0;x\u{7}\u{7f}\u{85}\u{9b}2J\u{9d}\u{202e}\u{2066}\u{2028}\u{61c}";

/// Whether a text holds nothing that is obeyed but line breaks, for tests.
#[cfg(test)]
pub(crate) fn is_safe(text: &str) -> bool {
    lines(text) == text
}
