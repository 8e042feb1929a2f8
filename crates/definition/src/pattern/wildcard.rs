//! Texts in which `*` stands for any characters.

/// A text between whose parts anything may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wildcard(Vec<String>);

impl Wildcard {
    /// Reads it: `\*` is an asterisk, `\\` a backslash.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut parts = vec![String::new()];
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '*' if characters.peek() == Some(&'*') => {
                    return Err(format!("expected something between two `*`, found {text:?}"));
                }
                '*' => parts.push(String::new()),
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '\\')) => last(&mut parts).push(escaped),
                    _ => return Err(format!("expected `*` or `\\` behind `\\`, found {text:?}")),
                },
                other => last(&mut parts).push(other),
            }
        }
        Ok(Self(parts))
    }

    /// Whether a text has its parts in their order.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let [first, between @ .., end] = self.0.as_slice() else { return self.0.iter().all(|only| only == text) };
        let Some(mut rest) = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(end.as_str())) else {
            return false;
        };
        for part in between {
            let Some((_, behind)) = rest.split_once(part.as_str()) else { return false };
            rest = behind;
        }
        true
    }
}

fn last(parts: &mut [String]) -> &mut String {
    parts.last_mut().expect("there is a first part")
}
