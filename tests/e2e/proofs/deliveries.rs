//! Deliveries that repeat, that are forged, and that come all at once.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use serde_json::{Value, json};

use crate::execution::Execution;
use crate::github::{self, Delivery};
use crate::installation::{Installation, beside_others};
use crate::tracker::Tracker;

/// Webhooks at once.
pub(super) const BURST: usize = 200;

/// Of these, how many are on their way at a time.
const AT_ONCE: usize = 50;

/// Records that they are about, so that executions meet on them.
const THINGS: usize = 16;

const MENTIONS: &str = "
workflow: mentions
owner: tests@example.com
active: true
triggers: [{id: github, type: webhook, verify: {github: {secret: github}}}]
steps: [{id: seen, type: note, text: '{{ trigger.body.comment.body }}'}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_delivery_is_answered_as_the_first_and_starts_nothing() {
    let pawl = beside_others().await;
    pawl.keep_secret("github", github::SECRET).await;
    pawl.save(MENTIONS).await;
    let delivery = Delivery::read("github-issue-comment-created").of_this_run();

    let first = pawl.deliver_github("mentions/github", delivery.clone()).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (202, None));
    let again = pawl.deliver_github("mentions/github", delivery.clone()).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (202, Some("true")));
    assert_eq!(again.body, first.body);
    pawl.started_by(first).ends_as("completed").await;
    let late = pawl.deliver_github("mentions/github", delivery).await;
    assert_eq!((late.header("idempotent-replayed"), &late.body), (Some("true"), &again.body));
    assert_eq!(pawl.executions("mentions").await.len(), 1);
}

const FORGED: &str = "
workflow: forged
owner: tests@example.com
active: true
triggers: [{id: github, type: webhook, verify: {github: {secret: github}}}]
steps: [{id: never, type: note, text: never}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_delivery_is_refused_visibly() {
    let pawl = beside_others().await;
    pawl.keep_secret("github", github::SECRET).await;
    pawl.save(FORGED).await;
    let mut delivery = Delivery::read("github-issue-comment-created");
    delivery.body = delivery.body.replacen("created", "deleted", 1);

    let answer = pawl.deliver_github("forged/github", delivery).await;
    assert_eq!((answer.status, &answer.body["code"]), (401, &json!("signature_mismatch")), "{}", answer.body);
    let refusals = pawl.look("/v1/workflows/forged/refusals").await;
    assert_eq!(refusals["items"][0]["code"], "signature_mismatch", "{refusals}");
    assert!(pawl.executions("forged").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_webhooks_at_once_all_complete_and_each_calls_once() {
    let (pawl, tracker) = (beside_others().await, Tracker::start().await);
    save_load(&pawl, &tracker, "burst").await;
    let delivered = deliver_burst(&pawl, "burst").await;
    assert_eq!(delivered.len(), BURST, "all are answered 202");

    let executions = pawl.all_end("burst", BURST).await;
    assert_eq!(ids(&executions), delivered.into_values().collect(), "each delivery has started one execution");
    let calls = tracker.calls();
    for id in ids(&executions) {
        let page = Execution::new(&pawl, &id).ends_as("completed").await;
        assert_eq!(page.path(), LOAD_PATH);
    }
    let twice: BTreeMap<_, _> = calls.iter().filter(|(_, count)| **count != 1).collect();
    assert_eq!((calls.len(), twice), (2 * BURST, BTreeMap::new()), "each call is made once");
    assert_eq!(counted(&pawl, "burst").await, BURST, "each execution has counted once");
}

/// What an execution under load does when nothing disturbs it.
pub(super) const LOAD_PATH: [&str; 9] = [
    "created",
    "started",
    "double completed",
    "again completed",
    "once completed",
    "add completed",
    "rest waiting",
    "rest completed",
    "end completed",
];

/// Saves the workflow under load, by a name.
pub(super) async fn save_load(pawl: &Installation, tracker: &Tracker, name: &str) {
    pawl.save_object(include_str!("../workflows/thing.object.yaml")).await;
    let workflow = include_str!("../workflows/load.workflow.yaml").replace("WORKFLOW", name);
    pawl.save(&tracker.addressed(&workflow)).await;
}

/// Delivers so many webhooks at once, and again what is not accepted; the executions that are told, by delivery.
pub(super) async fn deliver_burst(pawl: &Installation, name: &str) -> BTreeMap<usize, String> {
    let mut accepted = BTreeMap::new();
    for _ in 0..10 {
        let open = (0..BURST).filter(|number| !accepted.contains_key(number)).collect::<Vec<_>>();
        let delivered = open.into_iter().map(|number| deliver_one(pawl, name, number));
        let answers: Vec<_> = futures::stream::iter(delivered).buffer_unordered(AT_ONCE).collect().await;
        accepted.extend(answers.into_iter().filter_map(|(number, execution)| Some((number, execution?))));
        if accepted.len() == BURST {
            break;
        }
    }
    accepted
}

/// Delivers once; the execution that it starts, if it is accepted.
async fn deliver_one(pawl: &Installation, name: &str, number: usize) -> (usize, Option<String>) {
    let body = json!({"thing": format!("{name}-{}", number % THINGS), "number": number});
    let answer = pawl.try_deliver(&format!("{name}/in"), &format!("{name}-{number}"), &body).await;
    let execution = answer.and_then(|answer| answer.body["execution_id"].as_str().map(str::to_owned));
    (number, execution)
}

/// The ids of listed executions.
pub(super) fn ids(executions: &[Value]) -> BTreeSet<String> {
    executions.iter().filter_map(|one| one["id"].as_str()).map(str::to_owned).collect()
}

/// How often all things of a load were counted up.
pub(super) async fn counted(pawl: &Installation, name: &str) -> usize {
    let things = pawl.look("/v1/objects/thing/records?limit=200").await;
    let things = things["items"].as_array().expect("a listing has items");
    let is_ours = |thing: &&Value| thing["fields"]["name"].as_str().is_some_and(|it| it.starts_with(name));
    let count = |thing: &Value| thing["fields"]["count"].as_f64().unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hundreds")]
    let sum = things.iter().filter(is_ours).map(count).sum::<f64>() as usize;
    sum
}
