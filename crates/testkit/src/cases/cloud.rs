//! Services of the cloud of a case: an event bus, queues and topics, functions.

use pawl_definition::{Duration, Path, code};
use pawl_runtime::ports::{CloudCall, CloudError, CloudRequest};
use serde::Deserialize;
use serde_json::{Value, json};

use super::check::Found;
use crate::cases::describe::JsonSchema;
use crate::scenario::{CloudReply, World, cloud_gives, cloud_refuses, fits_cloud, function_fails};

/// What a service of the cloud does: exactly one of `output`, `fail` and `refuse`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CloudScript {
    /// Which calls it is for; absent: all.
    #[serde(default)]
    pub(super) when: CloudTest,
    /// A function gives this; an event or a message is taken.
    #[serde(default)]
    pub(super) output: Option<Value>,
    /// Or the function fails.
    #[serde(default)]
    pub(super) fail: Option<FunctionFailure>,
    /// Or the call is refused.
    #[serde(default)]
    pub(super) refuse: Option<CloudRefusal>,
    /// How long it takes, `20s`; absent: no time.
    #[serde(default)]
    pub(super) takes: Option<String>,
    /// How many calls it is for; absent: any number.
    #[serde(default)]
    pub(super) times: Option<u32>,
}

/// A call of a service of the cloud. All that is said must fit; in names `*` stands for any text.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::cases) struct CloudTest {
    /// Name or ARN of the function that is invoked.
    #[serde(default)]
    pub(super) function: Option<String>,
    /// Its input, or a part of it.
    #[serde(default)]
    pub(super) input: Option<Value>,
    /// ARN or URL of the queue that a message is sent to.
    #[serde(default)]
    pub(super) queue: Option<String>,
    /// ARN of the topic that a message is sent to.
    #[serde(default)]
    pub(super) topic: Option<String>,
    /// The message, or a part of it.
    #[serde(default)]
    pub(super) body: Option<Value>,
    /// The group of the message.
    #[serde(default)]
    pub(super) group: Option<String>,
    /// Source of the event that is published.
    #[serde(default)]
    pub(super) source: Option<String>,
    /// Its detail type.
    #[serde(default)]
    pub(super) detail_type: Option<String>,
    /// Its detail, or a part of it.
    #[serde(default)]
    pub(super) detail: Option<Value>,
}

/// How a function fails.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FunctionFailure {
    /// Type of its error.
    #[serde(default)]
    pub(super) error: String,
    /// Its error in words.
    #[serde(default)]
    pub(super) message: String,
}

/// Why a call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CloudRefusal {
    /// The service cannot be reached.
    Network,
    /// It asks to come back later.
    Throttled,
    /// It failed.
    Server,
    /// There is no such bus, queue, topic or function.
    NotFound,
    /// The installation may not call it.
    Denied,
}

impl CloudTest {
    /// As a call is shown.
    pub(super) fn value(&self) -> Value {
        let texts = [
            ("function", &self.function),
            ("queue", &self.queue),
            ("topic", &self.topic),
            ("group", &self.group),
            ("source", &self.source),
            ("detail_type", &self.detail_type),
        ];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key, json!(text.as_ref()?))));
        let values = [("input", &self.input), ("body", &self.body), ("detail", &self.detail)];
        let values = values.into_iter().filter_map(|(key, value)| Some((key, value.clone()?)));
        Value::Object(texts.chain(values).map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

/// Lets services of the cloud do as the scripts say.
pub(super) fn script(world: &World, mut scripts: Vec<CloudScript>) {
    world.cloud.script(move |call| {
        let shown = call.input();
        let fits = |script: &&mut CloudScript| script.times != Some(0) && fits_cloud(&shown, &script.when.value());
        let script = scripts.iter_mut().find(fits)?;
        script.times = script.times.map(|left| left - 1);
        Some(reply(script, call))
    });
}

/// Checks what the shape of scripts does not say.
pub(super) fn check(found: &mut Found<'_>, path: &Path, scripts: &[CloudScript]) {
    for (index, script) in scripts.iter().enumerate() {
        let path = path.index(index);
        found.span(&path.key("takes"), script.takes.as_deref());
        let there = [script.output.is_some(), script.fail.is_some(), script.refuse.is_some()];
        if there.iter().filter(|there| **there).count() != 1 {
            found.add(&path, code::EXACTLY_ONE, "expected exactly one of output, fail, refuse".to_owned());
        }
    }
}

fn reply(script: &CloudScript, call: &CloudCall) -> CloudReply {
    let told = |what: &str| format!("the service {what}");
    let reply = match (&script.output, &script.fail, script.refuse) {
        (Some(output), ..) => cloud_gives(match &call.request {
            CloudRequest::InvokeFunction { wait: true, .. } => output.clone(),
            CloudRequest::InvokeFunction { .. } => json!({"request_id": call.id}),
            CloudRequest::PublishEvent { .. } => json!({"event_id": call.id}),
            CloudRequest::SendMessage { .. } => json!({"message_id": call.id}),
        }),
        (_, Some(FunctionFailure { error, message }), _) => function_fails(error, message),
        (.., refusal) => cloud_refuses(match refusal {
            Some(CloudRefusal::Network) => CloudError::Network(told("could not be reached")),
            Some(CloudRefusal::Throttled) => CloudError::Throttled(told("asks to come back later")),
            Some(CloudRefusal::Server) => CloudError::Server(told("failed")),
            Some(CloudRefusal::NotFound) => CloudError::NotFound(told("does not know it")),
            Some(CloudRefusal::Denied) => CloudError::Denied(told("does not let this installation call it")),
            None => CloudError::Invalid("neither output, fail nor refuse is scripted".to_owned()),
        }),
    };
    let takes = script.takes.as_deref().and_then(|span| Duration::parse(span).ok());
    reply.after_s(takes.map_or(0, |span| span.as_seconds()))
}
