//! Names and keys of signals, which the steps and the API share.

use crate::validate::words::quoted;
use crate::value::{is_blank_text, text_of};
use crate::{Check, Template, code};

/// Longest name of a signal, in bytes.
const NAME_MOST: usize = 64;

/// Longest key of a signal, in bytes: it is a part of keys of storage.
pub const SIGNAL_KEY_MOST: usize = 512;

/// Whether a text is the name of a signal: letters, digits, `_`, `-` and `.`, at most 64.
pub fn is_signal_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let inside = |c: char| is_word(c) || c == '-' || c == '.';
    name.len() <= NAME_MOST && name.chars().next().is_some_and(is_word) && name.chars().all(inside)
}

/// Whether a text is the key of a signal: not blank, at most [`SIGNAL_KEY_MOST`] bytes.
pub fn is_signal_key(key: &str) -> bool {
    !is_blank_text(key) && key.len() <= SIGNAL_KEY_MOST
}

/// Checks what a step says of a signal.
pub(super) fn check(name: &str, key: &Template, cx: &mut Check<'_, '_>) {
    if !is_signal_name(name) {
        let message = format!(
            "expected the name of a signal, of letters, digits, `_`, `-` and `.`, at most {NAME_MOST}, found {}",
            quoted(name)
        );
        cx.error(code::INVALID_VALUE, &cx.key("signal"), message);
    }
    let Some(literal) = key.literal() else { return };
    if !(literal.is_string() || literal.is_number()) || !is_signal_key(&text_of(literal)) {
        let found = crate::validate::words::found(literal);
        let message = format!("expected a text or a number of at most {SIGNAL_KEY_MOST} bytes, found {found}");
        cx.error(code::INVALID_VALUE, &cx.key("key"), message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_sign_that_divides_topics() {
        for name in ["delivered", "order.shipped", "carrier-2", "_x"] {
            assert!(is_signal_name(name), "{name}");
        }
        for name in ["", "a/b", "a|b", "a b", "-a", ".a", "ä", &"a".repeat(65)] {
            assert!(!is_signal_name(name), "{name}");
        }
    }
}
