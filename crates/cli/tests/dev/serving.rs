//! A `pawl dev` under test: what it prints, what its API answers, and how it ends.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What a test waits for comes much sooner; without a bound a mistake would hang it.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A running `pawl dev`, killed when it is dropped.
pub(crate) struct Dev {
    child: Child,
    url: String,
    /// What it said before it was ready.
    before: Vec<String>,
    lines: UnboundedReceiver<String>,
    http: reqwest::Client,
}

impl Dev {
    /// Starts it on a folder, with data in another, and waits until it is ready.
    pub(crate) async fn start(folder: &Path, data: &Path) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_pawl"));
        Self::start_as(command, folder, data, &[]).await
    }

    /// The same with further options and variables.
    pub(crate) async fn start_with(folder: &Path, data: &Path, options: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
        command.envs(variables.iter().copied());
        Self::start_as(command, folder, data, options).await
    }

    /// The same by another command that runs it, with further options.
    pub(crate) async fn start_as(mut command: Command, folder: &Path, data: &Path, options: &[&str]) -> Self {
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PAWL_")) {
            command.env_remove(name);
        }
        command.args(["dev", "--port", "0", "--data"]).arg(data).args(options).arg(folder);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program starts");
        let (sender, lines) = unbounded_channel();
        tokio::spawn(read(child.stdout.take().expect("the output is piped"), sender.clone()));
        tokio::spawn(read(child.stderr.take().expect("the log is piped"), sender));
        let mut dev = Self { child, url: String::new(), before: Vec::new(), lines, http: reqwest::Client::new() };
        let ready = dev.told("ready on ").await;
        ready.trim_start_matches("ready on ").clone_into(&mut dev.url);
        dev
    }

    /// Waits until it prints or logs a line with this part.
    pub(crate) async fn told(&mut self, part: &str) -> String {
        let mut told = Vec::new();
        loop {
            match tokio::time::timeout(SOON, self.lines.recv()).await {
                Ok(Some(line)) if line.contains(part) => {
                    if self.url.is_empty() {
                        self.before = told;
                    }
                    return line;
                }
                Ok(Some(line)) => told.push(line),
                Ok(None) | Err(_) => panic!("expected a line with {part:?}, found\n{}", told.join("\n")),
            }
        }
    }

    /// Whether it printed or logged a line with this part before it was ready.
    pub(crate) fn before_ready(&self, part: &str) -> bool {
        self.before.iter().any(|line| line.contains(part))
    }

    /// The lines with this part that it printed or logged before it was ready.
    pub(crate) fn lines_before_ready(&self, part: &str) -> Vec<&str> {
        self.before.iter().map(String::as_str).filter(|line| line.contains(part)).collect()
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// What the API answers, with its status.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = body.iter().fold(request, reqwest::RequestBuilder::json);
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("the answer is JSON"))
    }

    /// Delivers to a webhook with a header.
    pub(crate) async fn deliver_with(&self, hook: &str, body: &Value, header: (&str, &str)) -> (u16, Value) {
        let request = self.http.post(format!("{}/hooks/{hook}", self.url)).header(header.0, header.1).json(body);
        let answer = request.send().await.expect("the server answers");
        (answer.status().as_u16(), answer.json().await.expect("the answer is JSON"))
    }

    /// Delivers to a webhook; returns the execution.
    pub(crate) async fn deliver(&self, hook: &str, body: &Value) -> String {
        let (status, answer) = self.ask(Method::POST, &format!("/hooks/{hook}"), Some(body)).await;
        assert_eq!(status, 202, "{answer}");
        answer["execution_id"].as_str().expect("a delivery names its execution").to_owned()
    }

    /// Asks for a resource until it is as expected.
    pub(crate) async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let asking = async {
            loop {
                let (status, found) = self.ask(Method::GET, path, None).await;
                if status == 200 && is_so(&found) {
                    return found;
                }
            }
        };
        tokio::time::timeout(SOON, asking).await.unwrap_or_else(|_| panic!("{path} never becomes as expected"))
    }

    /// Waits until an execution has ended.
    pub(crate) async fn ended(&self, execution: &str) -> Value {
        self.until(&format!("/v1/executions/{execution}?wait_s=5"), |page| !page["ended_at"].is_null()).await
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends it a signal: `TERM`, `INT`.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([format!("-{name}"), id]).status().await;
        assert!(sent.expect("the signal can be sent").success());
    }

    /// Ends it; returns what it printed and logged before it was ready and since it was last listened to.
    pub(crate) async fn last_words(mut self) -> Vec<String> {
        self.signal("TERM").await;
        let mut told = std::mem::take(&mut self.before);
        while let Ok(Some(line)) = tokio::time::timeout(SOON, self.lines.recv()).await {
            told.push(line);
        }
        told
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> ExitStatus {
        let ended = tokio::time::timeout(SOON, self.child.wait()).await;
        ended.expect("it ends").expect("its end can be seen")
    }
}

async fn read(output: impl AsyncRead + Unpin, sender: UnboundedSender<String>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if sender.send(line).is_err() {
            return;
        }
    }
}
