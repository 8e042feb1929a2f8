//! Scripted outside systems of a case.

use pawl_definition::Duration;
use pawl_runtime::ports::{HttpError, ModelAnswer, ModelError, ModelErrorKind, TokenCounts};
use serde_json::Value;

use super::calls::Answers;
use super::file::{Case, CaseFile, HttpAnswer, HttpFailure, HttpScript, ModelFailure, ModelScript};
use super::{cloud, machines};
use crate::scenario::{ModelReply, Reply, World, answer, network_error, refused_address, said, timeout};

/// Lets outside systems answer as the case says, then as the file says.
pub(super) fn script(world: &World, file: &CaseFile, case: &Case) {
    let mut answers = Answers::new(&case.http, &file.http);
    world.http.script_or_hint(move |request| answers.next(request).map(|script| reply(&script)));
    cloud::script(world, case.cloud.iter().chain(&file.cloud).cloned().collect());
    machines::script(world, case.state_machines.iter().chain(&file.state_machines).cloned().collect());
    if let Some(models) = &case.models {
        let mut models = models.clone().into_iter();
        world.models.script(move |_| Some(models.next().map_or_else(no_answer, |model| model_reply(&model))));
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
pub(crate) fn fits_pattern(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.len() >= last.len() && left.ends_with(last)
}

fn reply(script: &HttpScript) -> Reply {
    let reply = match (&script.answer, script.fail) {
        (Some(HttpAnswer { status, headers, body }), _) => {
            let reply = answer(*status).body(body.clone().unwrap_or_default());
            let pairs = headers.iter().flat_map(|(name, texts)| texts.each().map(move |text| (name, text)));
            pairs.fold(reply, |reply, (name, value)| reply.header(name, value))
        }
        (None, Some(HttpFailure::Timeout)) => timeout(),
        (None, Some(HttpFailure::Network)) => network_error(),
        (None, Some(HttpFailure::Refused)) => refused_address(),
        (None, None) => Reply::error(HttpError::Invalid("neither answer nor fail is scripted".to_owned())),
    };
    let takes = script.takes.as_deref().and_then(|span| Duration::parse(span).ok());
    reply.after_s(takes.map_or(0, |span| span.as_seconds()))
}

fn no_answer() -> ModelReply {
    Err(ModelError::new(ModelErrorKind::Refused, "no answer is scripted for this call of a model"))
}

fn model_reply(script: &ModelScript) -> ModelReply {
    let structured = script.answer.as_ref().map(|answer| Value::Object(answer.clone()).to_string());
    if let Some(text) = structured.as_ref().or(script.text.as_ref()) {
        let answer = said(text);
        return Ok(ModelAnswer {
            finish_reason: script.finish_reason.clone().or(answer.finish_reason),
            tokens: script.usage.as_ref().map_or(answer.tokens, TokenCounts::read),
            ..answer
        });
    }
    let (kind, what) = match script.fail {
        Some(ModelFailure::Timeout) => (ModelErrorKind::Timeout, "did not answer in time"),
        Some(ModelFailure::Network) => (ModelErrorKind::Network, "could not be reached"),
        Some(ModelFailure::Throttled) => (ModelErrorKind::Throttled, "asks to come back later"),
        Some(ModelFailure::Server) => (ModelErrorKind::Server, "failed"),
        Some(ModelFailure::Refused) | None => (ModelErrorKind::Refused, "refused the request"),
    };
    Err(ModelError::new(kind, format!("the model provider {what}")))
}

#[cfg(test)]
mod tests {
    use super::fits_pattern;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in [("a", "a"), ("*", ""), ("a*c", "abbc"), ("a*b*c", "a-b-b-c"), ("*/x", "https://h/x")] {
            assert!(fits_pattern(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*a", "a"), ("a*b*c", "acb"), ("*b", "bc")] {
            assert!(!fits_pattern(pattern, text), "{pattern} {text}");
        }
    }
}
