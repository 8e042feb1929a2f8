//! What a user of the installation does: saves workflows, delivers webhooks, looks, and controls.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::execution::Execution;
use crate::github::Delivery;
use crate::stack::{Answer, Request, Service, Stack};

/// How long something may take that must happen: longer than the sweeper needs to find what was left behind.
pub(crate) const PATIENCE: Duration = Duration::from_mins(4);

/// Between two looks of the sweeper that a test asks for.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(5);

/// Time between two looks.
const BETWEEN: Duration = Duration::from_millis(150);

/// What the names of secrets begin with, unless the template is told otherwise.
const SECRETS: &str = "pawl/";

/// Time after which a request is sent again that was answered 503, as those who send webhooks do.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How often a request is sent that is answered 503.
const TIMES: usize = 20;

/// The installation.
#[derive(Debug)]
pub(crate) struct Installation {
    /// What lies under it.
    pub(crate) stack: Stack,
}

/// An id that no other run of the tests on the same installation has used.
pub(crate) fn of_this_run(id: &str) -> String {
    static RUN: LazyLock<u128> = LazyLock::new(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.expect("the clock stands after 1970").as_millis()
    });
    format!("{id}-{}", *RUN)
}

/// Sends a request again as long as it is answered that the installation is busy.
async fn persistently<F: Future<Output = Answer>>(send: impl Fn() -> F) -> Answer {
    for _ in 1..TIMES {
        let answer = send().await;
        if answer.status != 503 {
            return answer;
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
    send().await
}

impl Installation {
    /// The one that was deployed for the tests.
    pub(crate) fn deployed() -> Self {
        Self { stack: Stack::read() }
    }

    /// Sends a request to the management API.
    pub(crate) async fn manage(&self, method: &'static str, path: &str, body: &str) -> Answer {
        persistently(|| {
            let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            let request = Request { method, url: format!("{}{path}", self.stack.api), headers, body: body.into() };
            self.stack.send_signed("execute-api", request)
        })
        .await
    }

    /// Reads a page of the management API.
    pub(crate) async fn look(&self, path: &str) -> Value {
        self.manage("GET", path, "").await.expect(200)
    }

    /// Saves a workflow as an author wrote it.
    pub(crate) async fn save(&self, workflow: &str) {
        let saved = self.manage("POST", "/v1/workflows", workflow).await;
        assert!(matches!(saved.status, 200 | 201), "{}", saved.body);
    }

    /// Saves the object of records.
    pub(crate) async fn save_object(&self, object: &str) {
        let saved = self.manage("POST", "/v1/objects", object).await;
        assert!(matches!(saved.status, 200 | 201), "{}", saved.body);
    }

    /// Stores a secret of workflows, or finds it there.
    pub(crate) async fn keep_secret(&self, name: &str, value: &str) {
        let secret = json!({"Name": format!("{SECRETS}{name}"), "SecretString": value});
        let made = self.stack.try_to_ask(Service::SecretsManager, "CreateSecret", secret).await;
        let is_there = made.body["__type"] == "ResourceExistsException";
        assert!(made.status == 200 || is_there, "{name}: {}", made.body);
    }

    /// The values of all secrets that are stored for workflows.
    pub(crate) async fn secrets(&self) -> Vec<String> {
        let asked = json!({"Filters": [{"Key": "name", "Values": [SECRETS]}]});
        let listed = self.stack.ask(Service::SecretsManager, "ListSecrets", asked).await;
        let mut values = Vec::new();
        for secret in listed["SecretList"].as_array().expect("secrets are listed") {
            let asked = json!({"SecretId": secret["Name"]});
            let secret = self.stack.ask(Service::SecretsManager, "GetSecretValue", asked).await;
            values.push(secret["SecretString"].as_str().expect("tests store texts").to_owned());
        }
        values
    }

    /// Delivers a webhook under an id of its own; `None` if no answer came.
    pub(crate) async fn try_deliver(&self, hook: &str, id: &str, body: &Value) -> Option<Answer> {
        let headers = [("content-type", "application/json"), ("idempotency-key", &of_this_run(id))];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let url = format!("{}/hooks/{hook}", self.stack.api);
        self.stack.try_send(Request { method: "POST", url, headers, body: body.to_string().into_bytes() }).await
    }

    /// Delivers a webhook under an id of its own.
    pub(crate) async fn deliver(&self, hook: &str, id: &str, body: &Value) -> Answer {
        persistently(async || self.try_deliver(hook, id, body).await.expect("webhooks are answered")).await
    }

    /// Delivers what GitHub sends.
    pub(crate) async fn deliver_github(&self, hook: &str, delivery: Delivery) -> Answer {
        let url = format!("{}/hooks/{hook}", self.stack.api);
        persistently(|| {
            let Delivery { headers, body } = delivery.clone();
            self.stack.send(Request { method: "POST", url: url.clone(), headers, body: body.into_bytes() })
        })
        .await
    }

    /// The execution that an accepted delivery starts.
    pub(crate) fn started_by(&self, answer: Answer) -> Execution<'_> {
        let accepted = answer.expect(202);
        let id = accepted["execution_id"].as_str().expect("an accepted delivery names its execution");
        Execution::new(self, id)
    }

    /// Delivers a webhook, which starts an execution.
    pub(crate) async fn start(&self, hook: &str, id: &str, body: &Value) -> Execution<'_> {
        self.started_by(self.deliver(hook, id, body).await)
    }

    /// All executions of a workflow, newest first.
    pub(crate) async fn executions(&self, workflow: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.look(&format!("/v1/executions?workflow={workflow}&limit=200{cursor}")).await;
            found.extend(page["items"].as_array().cloned().expect("a listing has items"));
            let Some(next) = page["next"].as_str() else { return found };
            cursor = format!("&cursor={next}");
        }
    }

    /// Waits until so many executions of a workflow have ended.
    pub(crate) async fn all_end(&self, workflow: &str, count: usize) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let executions = self.executions(workflow).await;
            let is_ended = |one: &Value| matches!(one["status"].as_str(), Some("completed" | "failed" | "canceled"));
            let open = executions.iter().filter(|one| !is_ended(one)).count();
            if executions.len() >= count && open == 0 {
                return executions;
            }
            let found = executions.len();
            assert!(
                began.elapsed() < PATIENCE,
                "expected {count} ended executions, found {found}, {open} of them open"
            );
            tokio::time::sleep(BETWEEN * 4).await;
        }
    }

    /// Changes fields of a record.
    pub(crate) async fn change_record(&self, object: &str, id: &str, fields: Value) {
        let body = json!({"fields": fields}).to_string();
        self.manage("PATCH", &format!("/v1/objects/{object}/records/{id}"), &body).await.expect(200);
    }

    /// Waits for something while the sweeper looks more often than once a minute.
    pub(crate) async fn sweeping<T>(&self, until: impl Future<Output = T>) -> T {
        let sweeping = async {
            loop {
                self.sweep().await;
                tokio::time::sleep(BETWEEN_SWEEPS).await;
            }
        };
        tokio::select! {
            found = until => found,
            () = sweeping => unreachable!("sweeping never ends"),
        }
    }

    /// Lets the sweeper look now, which looks by itself once a minute. One sweep may fail: the next makes it good.
    pub(crate) async fn sweep(&self) {
        let event = json!({
            "version": "0", "id": "00000000-0000-0000-0000-000000000000", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "000000000000", "time": "2026-11-21T09:00:00Z",
            "region": self.stack.region, "resources": [], "detail": {},
        });
        if self.stack.invoke("sweeper", &event).await.is_err() {
            let again = self.stack.invoke("sweeper", &event).await;
            assert!(again.is_ok(), "the sweeper failed twice: {again:?}");
        }
    }
}

/// Waits until something that is looked at holds.
pub(crate) async fn until<T, F: Future<Output = T>>(what: &str, look: impl Fn() -> F, holds: impl Fn(&T) -> bool) -> T
where
    T: std::fmt::Debug,
{
    let began = Instant::now();
    loop {
        let found = look().await;
        if holds(&found) {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "expected {what}, found {found:#?}");
        tokio::time::sleep(BETWEEN).await;
    }
}
