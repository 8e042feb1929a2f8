//! The texts of a transition that people read: each is a line, not a document.

use crate::{Commit, Effect, StepError};

/// Longest line in bytes, as of a code step's log. Values are offloaded when they are large; a line is cut, so that no
/// template or answer of an outside system brings an item near the limit of the storage.
const LINE_MOST: usize = 8 * 1024;

/// Cuts what people read in a transition, in its row, its head and its effects.
pub(crate) fn all(commit: &mut Commit) {
    let Commit { execution, row, effects, .. } = commit;
    let state = row.step.as_ref().and_then(|step| execution.steps.get_mut(step));
    let errors = [row.error.as_mut(), execution.error.as_mut(), state.and_then(|state| state.error.as_mut())];
    let messages = errors.into_iter().flatten().map(|error: &mut StepError| &mut error.message);
    let pause = execution.pause.as_mut().and_then(|pause| pause.note.as_mut());
    let reasons = [row.note.as_mut(), execution.reason.as_mut(), pause].into_iter().flatten();
    let lines = effects.iter_mut().flat_map(Effect::lines_mut);
    messages.chain(reasons).chain(lines).for_each(cut);
}

fn cut(line: &mut String) {
    if line.len() > LINE_MOST {
        let end = line.floor_char_boundary(LINE_MOST);
        *line = format!("{}… (cut from {} bytes)", &line[..end], line.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_between_characters_and_says_so() {
        let mut line = format!("x{}", "ä".repeat(LINE_MOST));
        cut(&mut line);
        assert!(line.ends_with("ä… (cut from 16385 bytes)") && line.len() < LINE_MOST + 40, "{}", line.len());
        let mut short = "ä".repeat(LINE_MOST / 2);
        cut(&mut short);
        assert_eq!(short, "ä".repeat(LINE_MOST / 2));
    }
}
