//! Webhooks: what an outside system meets at `/hooks/<workflow>/<trigger>`. Section 3 of the language.
//!
//! In order: find the trigger, read the body as far as the limit, verify it, answer a handshake, check the method,
//! that it listens, decode, answer a repeat, find the record, evaluate the values, accept. What is rejected after the
//! trigger is found is stored for the operator.

mod event;
mod rejected;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use pawl_definition::Trigger;
use pawl_definition::trigger::{Verify, Webhook};
use pawl_engine::{Plan, ids};
use pawl_runtime::items::workflow::Head;
use pawl_runtime::ports::SecretError;
use pawl_runtime::{Accepted, Repeat};
use serde_json::{Map, Value};

use crate::accepted::{self, AcceptedView, Starts};
use crate::describe::operation;
use crate::problem::Sent;
use crate::request::Route;
use crate::state::Api;
use crate::surface::Surface;
use crate::webhook::{self, Delivery};
use crate::{Code, Problem, body};
use rejected::Rejected;

/// The routes.
pub(crate) fn routes<S: Surface>(surface: S) -> S {
    surface.on::<__path_get, _, _>(get).on::<__path_post, _, _>(post)
}

/// Accepts a delivery in the query of a GET, or answers a handshake.
#[operation(
    get, path = "/hooks/{workflow}/{trigger}", tag = "webhooks", operation_id = "get_hook", security(()),
    params(("workflow" = String, Path, description = "Workflow"), ("trigger" = String, Path, description = "Trigger")),
    responses(
        (status = 200, description = "The answer to a handshake", content_type = "text/plain", body = String),
        (status = 202, description = "Accepted, durably", body = AcceptedView,
            headers(("idempotent-replayed", description = "`true` if this is the answer to an earlier delivery"))),
        (status = 401, body = Sent), (status = 404, body = Sent), (status = 405, body = Sent),
        (status = 409, body = Sent), (status = 422, body = Sent)
    )
)]
async fn get(State(api): State<Arc<Api>>, Route(names): Route<(String, String)>, request: Request) -> Response {
    receive(&api, &names.0, &names.1, request).await
}

/// Accepts a delivery: JSON, a form, text, XML or CSV, at most 1 MiB. A repeat, by the sender's delivery id or
/// `Idempotency-Key`, gets the first answer.
#[operation(
    post, path = "/hooks/{workflow}/{trigger}", tag = "webhooks", operation_id = "post_hook", security(()),
    params(("workflow" = String, Path, description = "Workflow"), ("trigger" = String, Path, description = "Trigger")),
    request_body(content = Value, description = "The sender's body"),
    responses(
        (status = 200, description = "The answer to a handshake", content_type = "text/plain", body = String),
        (status = 202, description = "Accepted, durably", body = AcceptedView,
            headers(("idempotent-replayed", description = "`true` if this is the answer to an earlier delivery"))),
        (status = 401, body = Sent), (status = 404, body = Sent), (status = 405, body = Sent),
        (status = 409, body = Sent), (status = 413, body = Sent), (status = 415, body = Sent),
        (status = 422, body = Sent), (status = 503, body = Sent)
    )
)]
async fn post(State(api): State<Arc<Api>>, Route(names): Route<(String, String)>, request: Request) -> Response {
    receive(&api, &names.0, &names.1, request).await
}

/// A webhook that was found.
struct Hook<'a> {
    api: &'a Api,
    head: Head,
    plan: Arc<Plan>,
}

async fn receive(api: &Api, workflow: &str, trigger: &str, request: Request) -> Response {
    let unknown = || Problem::new(Code::UnknownHook, format!("there is no webhook {workflow}/{trigger}"));
    let (head, plan) = match api.core.workflows.in_force(workflow).await {
        Ok(Some(found)) => found,
        Ok(None) => return unknown().into_response(),
        Err(error) => return Problem::from(error).into_response(),
    };
    let hook = Hook { api, head, plan };
    let Some((found, webhook)) = hook.plan.workflow.webhook(trigger) else { return unknown().into_response() };
    let (parts, body) = request.into_parts();
    match hook.answer(found, webhook, &parts, body).await {
        Ok(response) => response,
        Err(rejected) => {
            rejected.show(&api.core.ingest, workflow, trigger).await;
            let is_method = rejected.problem.code() == Code::MethodNotAllowed;
            let mut response = rejected.problem.into_response();
            if let (true, Ok(methods)) = (is_method, HeaderValue::try_from(webhook.methods.join(", "))) {
                response.headers_mut().insert(ALLOW, methods);
            }
            response
        }
    }
}

impl Hook<'_> {
    async fn answer(
        &self,
        trigger: &Trigger,
        webhook: &Webhook,
        parts: &Parts,
        body: Body,
    ) -> Result<Response, Rejected> {
        // Before the body: what cannot be taken in should cost little.
        self.api.core.ingest.room()?;
        let body = body::read(&parts.headers, body, webhook::MAX_BODY).await?;
        let query = webhook::query_pairs(parts.uri.query().unwrap_or_default());
        let delivery = Delivery { method: &parts.method, headers: &parts.headers, query: &query, body: &body };
        let secrets = self.secrets(&webhook.verify).await?;
        let now = self.api.core.ingest.now();
        let verified = webhook::verify(&webhook.verify, &secrets, &delivery, now);
        if let Some(answer) = webhook::handshake(&webhook.verify, &secrets, &delivery, &verified)? {
            return Ok(shake(answer));
        }
        if !webhook.methods.iter().any(|method| method == parts.method.as_str()) {
            let detail = format!("expected one of {}, found {}", webhook.methods.join(", "), parts.method);
            return Err(Problem::new(Code::MethodNotAllowed, detail).into());
        }
        verified?;
        self.listens(trigger)?;
        self.accept(trigger, webhook, &delivery).await
    }

    /// The secrets that a rule names, as far as they have values.
    async fn secrets(&self, rule: &Verify) -> Result<BTreeMap<String, String>, Problem> {
        let mut secrets = BTreeMap::new();
        for name in webhook::secret_names(rule) {
            match self.api.secrets.get(name).await {
                Ok(value) => drop(secrets.insert(name.to_owned(), value)),
                Err(SecretError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(secrets)
    }

    /// Whether a trigger starts executions; one of a goal lets those go on that wait for it.
    fn starts(&self, trigger: &Trigger) -> bool {
        self.plan.workflow.triggers.iter().any(|own| own.id == trigger.id)
    }

    /// Whether events are collected, and start one execution together.
    fn is_debounced(&self) -> bool {
        self.plan.workflow.limits.debounce.is_some()
    }

    /// Whether a trigger listens. One of a goal does as long as an execution may wait for it: what is in flight goes
    /// on.
    fn listens(&self, trigger: &Trigger) -> Result<(), Problem> {
        let starts = self.starts(trigger);
        let why = if !trigger.enabled {
            "the trigger is not enabled"
        } else if starts && !self.head.active {
            "the workflow is inactive"
        } else if starts && self.head.suspended.is_some() {
            "the workflow's triggers are suspended by the breaker"
        } else {
            return Ok(());
        };
        Err(Problem::new(Code::Inactive, why))
    }

    async fn accept(
        &self,
        trigger: &Trigger,
        webhook: &Webhook,
        delivery: &Delivery<'_>,
    ) -> Result<Response, Rejected> {
        let ingest = &self.api.core.ingest;
        let workflow = self.head.id.as_str();
        let body = webhook::decode(delivery.headers, delivery.body)?;
        let identity = webhook::identity(&webhook.verify, delivery, &body);
        if let Some(earlier) = ingest.earlier(workflow, &trigger.id, &identity).await? {
            return self.repeated(trigger, &earlier).await;
        }
        let id = match identity.source() {
            Some(source) => ids::delivery_event_id(workflow, &trigger.id, &source),
            None => ingest.fresh_id(),
        };
        let data = data(&webhook.verify, delivery, body);
        let mut event = event::bare(id, workflow, &trigger.id, ingest.now(), data);
        self.api.core.intake.fill(&self.plan, trigger, &mut event).await.map_err(Problem::from)?;
        let accepted = if self.starts(trigger) && !self.is_debounced() {
            ingest.accept(event, &identity).await?
        } else {
            ingest.accept_undecided(event, &identity).await?
        };
        self.repeated(trigger, &accepted).await
    }

    /// Answers a delivery that was accepted, now or before. A delivery whose signed bytes came before under another key
    /// leaves a refusal: a sender who repeats the bytes on purpose reads there why they start nothing.
    async fn repeated(&self, trigger: &Trigger, accepted: &Accepted) -> Result<Response, Rejected> {
        if accepted.repeat == Some(Repeat::OtherKey) {
            let message = "what was signed came before, under another key that is not signed: it counts as a repeat";
            self.api.core.ingest.reject(&self.head.id, &trigger.id, "repeated_signature", message).await?;
        }
        let with_others = self.starts(trigger) && self.is_debounced();
        Ok(accepted::answer(accepted, if with_others { Starts::WithOthers } else { Starts::Itself })?)
    }
}

/// What expressions see as `trigger.body`, `trigger.query` and `trigger.headers`, without credentials.
fn data(rule: &Verify, delivery: &Delivery<'_>, body: Value) -> Map<String, Value> {
    let visible = webhook::visible(rule, delivery);
    let map = |texts: BTreeMap<String, String>| {
        Value::Object(texts.into_iter().map(|(name, text)| (name, Value::String(text))).collect())
    };
    let mut data = Map::new();
    data.insert("body".to_owned(), body);
    data.insert("query".to_owned(), map(visible.query));
    data.insert("headers".to_owned(), map(visible.headers));
    data
}

fn shake(answer: webhook::Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(answer.content_type)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, answer.body).into_response()
}
