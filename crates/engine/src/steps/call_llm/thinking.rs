//! A model's thinking, which is no part of its answer.

/// The marks between which models think, as pairs, in small letters: tags, and what chat templates use in their place.
const MARKS: &[(&str, &str)] = &[
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("[think]", "[/think]"),
    ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
];

/// A text without the thinking in it.
///
/// - A block is cut out wherever it stands, up to its own end.
/// - Before an end without a beginning all was thinking: some chat templates put the beginning into the prompt.
/// - A block without an end reaches to the end of the text.
///
/// A single beginning or end within a line counts only if `strict`: prose may speak of the tag.
pub(super) fn cut_out(text: &str, strict: bool) -> String {
    // Only ASCII letters change, so places in both are the same.
    let lower = text.to_ascii_lowercase();
    let mut answer = String::new();
    // Pairs of which no end is left in the text: it is looked for once.
    let mut endless = [false; MARKS.len()];
    let (mut from, mut at) = (0, 0);
    while let Some(mark) = next_mark(&lower, at) {
        let counts = strict || begins_line(text, mark.start);
        let end = mark.start + mark.len;
        let closing = MARKS[mark.pair].1;
        let found = if mark.opens && !endless[mark.pair] { lower[end..].find(closing) } else { None };
        endless[mark.pair] |= found.is_none();
        match found {
            Some(found) => {
                answer.push_str(&text[from..mark.start]);
                from = end + found + closing.len();
            }
            None if mark.opens && counts => {
                answer.push_str(&text[from..mark.start]);
                return answer;
            }
            None if !mark.opens && counts => {
                answer.clear();
                from = end;
            }
            None => {}
        }
        at = from.max(end);
    }
    answer.push_str(&text[from..]);
    answer
}

/// A place where thinking begins or ends.
struct Mark {
    start: usize,
    len: usize,
    opens: bool,
    /// Which of [`MARKS`].
    pair: usize,
}

/// The first mark from a place on.
fn next_mark(lower: &str, from: usize) -> Option<Mark> {
    lower[from..].match_indices(['<', '[', '◁']).find_map(|(at, _)| {
        let start = from + at;
        MARKS.iter().enumerate().find_map(|(pair, (open, close))| {
            let is = |mark: &str| lower[start..].starts_with(mark);
            let len = if is(open) { open.len() } else { close.len() };
            (is(open) || is(close)).then(|| Mark { start, len, opens: is(open), pair })
        })
    })
}

fn begins_line(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t']);
    before.is_empty() || before.ends_with('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(cut_out(text, true).trim(), expected, "{text}");
        assert_eq!(cut_out(text, false).trim(), expected, "{text}");
    }

    #[test]
    fn blocks_are_cut_out_wherever_they_stand() {
        check("<think>hm</think>yes", "yes");
        check("<THINKING>\nhm {\"a\": 1}\n</Thinking>\n\nyes", "yes");
        check("It is <think>or not</think>so <think>so</think>.", "It is so .");
        check("[THINK]hm[/THINK]yes", "yes");
        check("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes", "yes");
        check("no tags, 1 < 2 > 0, [1] ◁", "no tags, 1 < 2 > 0, [1] ◁");
    }

    #[test]
    fn a_block_without_beginning_or_end_is_thinking_too() {
        check("hm, perhaps\n</think>\nyes", "yes");
        check("<think>it never ends", "");
        check("Well.\n<think>it never ends", "Well.");
        check("<think>a <think> b</think> yes", "yes");
    }

    #[test]
    fn prose_may_speak_of_a_tag() {
        assert_eq!(cut_out("Write <think> before and </think> after it.", false), "Write  after it.");
        for text in ["Write <think> before it.", "Write </think> after it."] {
            assert_eq!(cut_out(text, false), text);
        }
        assert_eq!(cut_out("Write <think> before it.", true), "Write ");
        assert_eq!(cut_out("Write </think> after it.", true), " after it.");
    }

    #[test]
    fn many_marks_take_no_longer_than_their_text() {
        assert_eq!(cut_out(&"<think></think>".repeat(100_000), true), "");
        assert_eq!(cut_out(&"a <think>".repeat(100_000), false).len(), 900_000);
    }
}
