//! Texts of unknown origin: shown, not obeyed.
//!
//! A webhook's body, a model's answer or a file may hold control characters, which a terminal carries out (colors, the
//! clipboard, lines that were printed before), and overrides of direction, which let a text read as another. Whatever
//! prints for people, the command line and the logs of functions, sends it through [`lines`]; a value that stands inside
//! a line goes through [`shown`] besides.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text as one line: line breaks are written out too.
pub fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed)
}

/// A text of several lines, such as a table: its line breaks are our own.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_obeyed(c))
}

/// Whether a terminal or a reader's eye obeys a character instead of showing it: C0 and C1 controls and DEL, line and
/// paragraph separators, and what changes the direction of text (Unicode, "Bidirectional Algorithm", section 2).
fn is_obeyed(c: char) -> bool {
    let is_separator = matches!(c, '\u{2028}' | '\u{2029}');
    let is_direction =
        matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_separator || is_direction
}

/// Writes characters out as JSON does, so that JSON stays what it is.
fn escaped(text: &str, is_obeyed: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' if is_obeyed(c) => shown.push_str("\\n"),
            c if is_obeyed(c) => write!(shown, "\\u{:04x}", u32::from(c)).expect("a string takes all"),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBEYED: &str =
        "\u{0}\u{7}\u{8}\u{b}\u{d}\u{1b}[31m\u{1b}]0;x\u{7}\u{7f}\u{85}\u{9b}2J\u{9d}\u{202e}\u{2066}\u{2028}\u{61c}";

    fn is_safe(text: &str) -> bool {
        !text.chars().any(|c| c != '\n' && is_obeyed(c))
    }

    #[test]
    fn nothing_is_left_to_be_obeyed() {
        let text = format!("a{OBEYED}\nb\tc");
        assert!(is_safe(&shown(&text)) && !shown(&text).contains('\n') && !shown(&text).contains('\t'));
        assert!(is_safe(&lines(&text)));
        assert_eq!(shown("\u{1b}[2J\n"), "\\u001b[2J\\n");
        assert_eq!(lines("a\nb"), "a\nb");
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({"note": OBEYED});
        let printed = lines(&value.to_string()).into_owned();
        assert!(is_safe(&printed));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).ok(), Some(value));
    }

    #[test]
    fn letters_of_every_script_stay() {
        let text = "Grüße, שלום, مرحبا, 你好, 🙂";
        assert_eq!(shown(text), text);
    }
}
