//! The outside world: an HTTP service, a model, and people who get notices.
//!
//! What it answers depends only on what is asked and how often the same was asked before, never on the seed's
//! weather, so that a disturbed run meets the same world as an undisturbed one.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use pawl_runtime::ports::{
    Http, HttpAnswer, HttpError, HttpRequest, ModelAnswer, ModelError, ModelErrorKind, ModelRequest, Models, Notice,
    NoticeError, Notifier, Price, TokenCounts,
};
use serde_json::{Value, json};

use crate::chance::hash;
use crate::hub::{Fate, Hub};
use crate::monitor::Claimed;
use crate::script::large_answer;

/// The outside world as one process reaches it.
pub(super) struct Outside {
    pub(super) hub: Arc<Hub>,
}

/// How a call of a flaky service fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    BeforeEffect,
    AfterEffect,
    Server,
    Throttled,
}

impl Outside {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }

    /// Checks that a call was claimed, and says by whom.
    pub(super) fn attempt(&self, what: &str) -> Option<(String, Claimed)> {
        self.hub.note(&format!("calls {what}"));
        let mut state = self.hub.lock();
        let who = state.who;
        state.counts.add("outside calls");
        let claimed = state.monitor.claimed(who);
        let Some((execution, claim)) = claimed else {
            drop(state);
            self.hub.violate(4, format!("{what} is called without a claim"));
            return None;
        };
        let recorded = state.monitor.recorded.contains(&(execution.clone(), claim.address.clone(), claim.visit));
        let broken = state.ledger.attempt(&execution, &claim, recorded);
        drop(state);
        if let Some((number, text)) = broken {
            self.hub.violate(number, text);
        }
        Some((execution, claim))
    }

    /// What the task that calls has claimed.
    pub(super) fn claimed(&self) -> Option<(String, Claimed)> {
        let state = self.hub.lock();
        state.monitor.claimed(state.who)
    }

    pub(super) fn performed(&self, claimed: Option<&(String, Claimed)>) {
        if let Some((execution, claim)) = claimed {
            self.hub.lock().ledger.performed(execution, claim);
        }
    }

    pub(super) fn refused(&self, claimed: Option<&(String, Claimed)>) {
        if let Some((execution, claim)) = claimed {
            self.hub.lock().ledger.refused(execution, claim);
        }
    }

    /// How long the way takes; never as long as the time-out.
    pub(super) async fn way(&self, timeout: SignedDuration) {
        let most = i64::try_from(timeout.as_millis() / 3).unwrap_or(1_000).max(1);
        let span = {
            let state = self.hub.lock();
            let busy = state.profile.budget > 0 && state.chance.percent(30);
            if busy { state.chance.millis(0, most) } else { state.chance.millis(0, 5) }
        };
        self.hub.pause_for(span).await;
    }

    async fn fail(
        &self,
        request: &HttpRequest,
        failure: Failure,
        claimed: Option<&(String, Claimed)>,
    ) -> Result<HttpAnswer, HttpError> {
        self.hub.count("outside failures");
        self.hub.note(&format!("{} fails: {failure:?}", request.url));
        if failure == Failure::AfterEffect {
            self.performed(claimed);
        }
        match failure {
            Failure::BeforeEffect | Failure::AfterEffect => {
                self.hub.pause_for(request.timeout).await;
                Err(HttpError::Timeout(format!("no answer within {:#}", request.timeout)))
            }
            Failure::Server => Ok(answer(503, json!({"error": "busy"}))),
            Failure::Throttled => {
                self.refused(claimed);
                let mut answer = answer(429, Value::Null);
                answer.headers.insert("retry-after".to_owned(), "3".to_owned());
                Ok(answer)
            }
        }
    }
}

#[async_trait]
impl Http for Outside {
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpError> {
        let claimed = self.attempt(&request.url);
        if let Some((execution, claim)) = &claimed {
            let expected = format!("{execution}:{}:{}", claim.step, claim.visit);
            if request.headers.get("idempotency-key").is_some_and(|key| *key != expected) {
                self.hub.violate(4, format!("the call for {expected} has another idempotency key"));
            }
        }
        self.way(request.timeout).await;
        let asked = {
            let key = request.headers.get("idempotency-key").unwrap_or(&request.url);
            self.hub.lock().ledger.ask(&format!("{}|{key}", request.url))
        };
        if let Some(failure) = scripted(&request, asked) {
            return self.fail(&request, failure, claimed.as_ref()).await;
        }
        self.performed(claimed.as_ref());
        self.way(request.timeout).await;
        if request.url.contains("gone.") {
            return Ok(answer(404, Value::Null));
        }
        let answered = echo(&request);
        if request.url.contains("huge.") {
            self.hub.count("oversized values in answers");
        }
        Ok(answer(200, answered))
    }
}

/// Whether a call fails: a flaky service does so once or twice, each time in its own way.
fn scripted(request: &HttpRequest, asked: u32) -> Option<Failure> {
    if !request.url.contains("flaky.") {
        return None;
    }
    let bits = hash(&format!("{}{}", request.url, request.body.as_deref().unwrap_or("")));
    if u64::from(asked) > bits % 2 {
        return None;
    }
    let kinds = [Failure::BeforeEffect, Failure::AfterEffect, Failure::Server, Failure::Throttled];
    let nth = (bits >> (8 + 8 * asked)) % 4;
    Some(kinds[usize::try_from(nth).expect("below four")])
}

fn echo(request: &HttpRequest) -> Value {
    let body = request.body.as_deref().unwrap_or("null");
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
    if request.url.contains("huge.") {
        return json!({"text": large_answer(hash(&request.url))});
    }
    let large = request.url.contains("large.").then(|| "x".repeat(40_000));
    json!({"echo": body, "large": large})
}

fn answer(status: u16, body: Value) -> HttpAnswer {
    HttpAnswer { status, headers: BTreeMap::new(), cookies: Vec::new(), body }
}

#[async_trait]
impl Models for Outside {
    async fn complete(&self, request: ModelRequest) -> Result<ModelAnswer, ModelError> {
        let claimed = self.attempt(&request.model);
        self.way(request.timeout).await;
        let prompt = request.prompt.as_str();
        let asked = self
            .hub
            .lock()
            .ledger
            .ask(&format!("model|{:?}", claimed.as_ref().map(|(id, claim)| (id, &claim.step, claim.visit))));
        let bits = hash(prompt);
        if asked == 0 && bits.is_multiple_of(5) {
            self.hub.count("outside failures");
            self.refused(claimed.as_ref());
            return Err(ModelError::new(ModelErrorKind::Throttled, "come back later"));
        }
        self.performed(claimed.as_ref());
        // The answer to some prompts is unusable, and is asked for again.
        let unusable = bits % 5 == 1 && !prompt.contains("could not be used");
        let label = if bits.is_multiple_of(2) { "yes" } else { "no" };
        let text = if unusable { "no idea".to_owned() } else { json!({"label": label, "confidence": 0.9}).to_string() };
        Ok(ModelAnswer {
            text,
            tokens: TokenCounts { input: Some(60), output: Some(40) },
            price: Some(Price { input: 10.0, output: 10.0 }),
            ..ModelAnswer::default()
        })
    }
}

#[async_trait]
impl Notifier for Outside {
    async fn notify(&self, notice: Notice) -> Result<(), NoticeError> {
        self.hub.pause().await;
        if self.hub.fate(false) != Fate::Through {
            return Err(NoticeError("no answer".to_owned()));
        }
        self.hub.count("notices");
        self.hub.note(&format!("tells {}: {}", notice.to, notice.subject));
        self.hub.pause().await;
        Ok(())
    }
}
