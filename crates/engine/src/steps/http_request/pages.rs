//! `follow` of `http_request`: each page is a call with an address of its own (`list`, `list.2`), as the repairs of `call_llm`
//! are. What the pages before brought is the checkpoint, so that a crash repeats one page, and a pause, kill or cancel takes
//! effect before the next one.

use pawl_definition::ExpressionError;
use pawl_definition::step::Follow;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::{After, NextCall, StepContext, StepResult};
use crate::context::StepScope;
use crate::{Activity, Performed, StepCode, StepError, StepState};

/// Most bytes of the items of all pages, as JSON: what one answer may have.
const MOST: usize = 1024 * 1024;

/// What a visit keeps of the pages that it has read. Stored, do not rename.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pages {
    /// How many there were.
    count: u32,
    /// The links that lead from the first page to the next one, without those before the last whole URL.
    pub(super) links: Vec<String>,
    /// Their items.
    items: Vec<Value>,
    /// Bytes of the items.
    bytes: usize,
}

impl Pages {
    pub(super) fn of(state: &StepState) -> Self {
        Self::deserialize(&state.checkpoint).unwrap_or_default()
    }

    /// The part of the step that the next call is: its number in the visit, if it is not the first.
    pub(super) fn part(&self) -> Option<String> {
        (self.count > 0).then(|| (self.count + 1).to_string())
    }

    /// A page came.
    pub(super) fn page(
        mut self,
        follow: &Follow,
        at: &StepContext<'_>,
        (activity, performed): (&Activity, &Performed),
    ) -> Result<After, StepError> {
        let answer = &performed.output;
        let scope = StepScope { answer: Some(answer), ..at.scope() };
        self.count += 1;
        self.take(items(follow, &scope, answer)?)?;
        let next = next(follow, &scope, answer)?;
        match next {
            Some(link) if self.count < follow.most => {
                if is_whole(&link) {
                    self.links.clear();
                }
                self.links.push(link);
                let note = format!("page {} of at most {} follows", self.count + 1, follow.most);
                let (checkpoint, output) = (json!(self), answer.clone());
                Ok(After::Perform(Box::new(NextCall { checkpoint, output, note: Some(note) })))
            }
            next => {
                let note = next.is_some().then(|| format!("there are more pages than {}", follow.most));
                let output = json!({
                    "status": answer["status"],
                    "headers": answer["headers"],
                    "body": self.items,
                    "pages": self.count,
                    "complete": next.is_none(),
                });
                Ok(After::done(StepResult { input: activity.input(), output, note, ..StepResult::default() }))
            }
        }
    }

    fn take(&mut self, items: Vec<Value>) -> Result<(), StepError> {
        self.bytes += items.iter().map(|item| item.to_string().len() + 1).sum::<usize>();
        if self.bytes > MOST {
            let message = format!("expected at most {MOST} bytes in all pages, found more with page {}", self.count);
            return Err(StepError::new(StepCode::HttpTooLarge, message));
        }
        self.items.extend(items);
        Ok(())
    }
}

fn items(follow: &Follow, scope: &StepScope<'_>, answer: &Value) -> Result<Vec<Value>, StepError> {
    let items = match &follow.items {
        Some(items) => items.evaluate(scope).map_err(|error| StepError::from(error).at("follow.items"))?,
        None => answer["body"].clone(),
    };
    match items {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(Vec::new()),
        _ => {
            let message = "expected a list of the items of a page, found another value";
            Err(StepError::new(StepCode::WrongType, message).at("follow.items"))
        }
    }
}

/// The link to the next page; none if this is the last one.
fn next(follow: &Follow, scope: &StepScope<'_>, answer: &Value) -> Result<Option<String>, StepError> {
    let Some(next) = &follow.next else {
        return Ok(answer["headers"]["link"].as_str().and_then(next_link));
    };
    match next.evaluate(scope) {
        // Services leave the key of a link out that is not there.
        Ok(Value::Null) | Err(ExpressionError::Missing { .. }) => Ok(None),
        Ok(Value::String(link)) => Ok(Some(link.trim().to_owned()).filter(|link| !link.is_empty())),
        Err(error) => Err(StepError::from(error).at("follow.next")),
        Ok(_) => {
            let message = "expected the url of the next page, or null, found another value";
            Err(StepError::new(StepCode::WrongType, message).at("follow.next"))
        }
    }
}

fn is_whole(link: &str) -> bool {
    let begins = |scheme: &str| link.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    begins("https://") || begins("http://")
}

/// The target of `rel="next"` in a header `Link` (RFC 8288, section 3).
fn next_link(header: &str) -> Option<String> {
    outside_of_quotes(header, ',').into_iter().find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = outside_of_quotes(parameters, ';').into_iter().any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else { return false };
            let relations = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        Some(target.trim().to_owned()).filter(|target| is_next && !target.is_empty())
    })
}

/// The parts of a text between separators that stand neither in quotes nor in a target.
fn outside_of_quotes(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut begin, mut within) = (Vec::new(), 0, None);
    for (at, c) in text.char_indices() {
        match (within, c) {
            (None, '"') => within = Some('"'),
            (None, '<') => within = Some('>'),
            (Some(end), _) if c == end => within = None,
            (None, _) if c == separator => {
                parts.push(&text[begin..at]);
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        for (header, next) in [
            (
                r#"<https://x.example/a?page=2>; rel="next", <https://x.example/a?page=9>; rel="last""#,
                Some("https://x.example/a?page=2"),
            ),
            (r#"<a?page=1>; title="a, b; rel=next"; rel=prev, <?page=3>; REL="last NEXT""#, Some("?page=3")),
            ("<https://x.example/a,b;c?d=1>; rel=next", Some("https://x.example/a,b;c?d=1")),
            (r#"<a>; rel="nextish""#, None),
            ("<a", None),
            ("", None),
        ] {
            assert_eq!(next_link(header).as_deref(), next, "{header}");
        }
    }
}
