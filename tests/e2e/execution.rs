//! What an operator sees of an execution, and does to it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::installation::{Installation, until};
use crate::stack::Answer;

/// An execution of the installation.
#[derive(Debug, Clone)]
pub(crate) struct Execution<'a> {
    pawl: &'a Installation,
    /// Its id.
    pub(crate) id: String,
}

impl<'a> Execution<'a> {
    /// The execution of this id.
    pub(crate) fn new(pawl: &'a Installation, id: &str) -> Self {
        Self { pawl, id: id.to_owned() }
    }

    /// Its page, or nothing while it is not made yet.
    pub(crate) async fn page(&self) -> Value {
        let answer = self.pawl.manage("GET", &format!("/v1/executions/{}", self.id), "").await;
        if answer.status == 404 { Value::Null } else { answer.expect(200) }
    }

    /// Waits until its page is so.
    pub(crate) async fn becomes(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        until(&format!("{} to be {what}", self.id), || self.page(), holds).await
    }

    /// Waits until it waits at a step.
    pub(crate) async fn waits_at(&self, step: &str) -> Value {
        let waits = |page: &Value| page["status"] == "waiting" && page["cursor"] == step;
        self.becomes(&format!("waiting at {step}"), waits).await
    }

    /// Waits until a failed step holds it.
    pub(crate) async fn pauses_at(&self, step: &str) -> Value {
        let pauses = |page: &Value| page["status"] == "paused" && page["cursor"] == step;
        self.becomes(&format!("paused at {step}"), pauses).await
    }

    /// Waits until it has an indicator.
    pub(crate) async fn shows(&self, indicator: &str) -> Value {
        let shows =
            |page: &Value| page["indicators"].as_array().is_some_and(|all| all.iter().any(|it| it == indicator));
        self.becomes(&format!("shown as {indicator}"), shows).await
    }

    /// Waits until it has ended so; its whole history.
    pub(crate) async fn ends_as(&self, status: &str) -> Page {
        let ended = |page: &Value| matches!(page["status"].as_str(), Some("completed" | "failed" | "canceled"));
        let page = Page(self.becomes("ended", ended).await);
        assert_eq!(page.0["status"], status, "{}", page.0);
        page.has_neither_gap_nor_twin();
        page
    }

    /// Waits until a schedule wakes it when its wait is over; returns its name.
    pub(crate) async fn has_a_schedule(&self) -> String {
        let is_there = |names: &Vec<String>| names.iter().any(|name| self.names(name));
        let names = until("a schedule of the execution", || self.pawl.stack.schedules(), is_there).await;
        names.into_iter().find(|name| self.names(name)).expect("it is there")
    }

    /// Waits until no schedule is left of it.
    pub(crate) async fn has_no_schedule(&self) {
        let is_gone = |names: &Vec<String>| !names.iter().any(|name| self.names(name));
        until("no schedule of the execution", || self.pawl.stack.schedules(), is_gone).await;
    }

    /// Whether the name of a schedule says that it is of this execution.
    fn names(&self, schedule: &str) -> bool {
        schedule.strip_prefix(&self.id).is_some_and(|rest| rest.starts_with('-'))
    }

    /// Carries out a control.
    pub(crate) async fn control(&self, verb: &str) -> Answer {
        self.pawl.manage("POST", &format!("/v1/executions/{}/{verb}", self.id), "{}").await
    }
}

/// The page of an execution with its history.
#[derive(Debug, Clone)]
pub(crate) struct Page(pub(crate) Value);

impl Page {
    fn rows(&self) -> &[Value] {
        self.0["history"]["items"].as_array().expect("an execution has a history")
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        self.0["id"].as_str().expect("an execution has an id")
    }

    /// What it did, a line for each transition: step, state and branch; or what else the transition was.
    pub(crate) fn path(&self) -> Vec<String> {
        self.rows().iter().map(line).collect()
    }

    /// The row of a step's last transition.
    pub(crate) fn row(&self, step: &str) -> &Value {
        let found = self.rows().iter().rev().find(|row| row["step"] == step);
        found.unwrap_or_else(|| panic!("{} has not been at {step}: {}", self.id(), self.0))
    }

    /// Transitions are numbered from 0 on, each once.
    pub(crate) fn has_neither_gap_nor_twin(&self) {
        let numbers: Vec<_> = self.rows().iter().map(|row| row["seq"].as_u64()).collect();
        let expected: Vec<_> = (0..numbers.len() as u64).map(Some).collect();
        assert_eq!(numbers, expected, "the history of {} has neither gap nor twin", self.id());
    }

    /// An outside call was made at least once if its step completed, and never more often than history counts attempts.
    pub(crate) fn has_called(&self, step: &str, calls: &BTreeMap<String, u32>) {
        let row = self.row(step);
        let key = format!("{}:{step}:{}", self.id(), row["visit"]);
        let called = calls.get(&key).copied().unwrap_or(0);
        let attempts = row["attempt"].as_u64().unwrap_or(0);
        assert!(u64::from(called) <= attempts, "{key} was called {called} times in {attempts} attempts");
        assert!(called >= 1 || row["status"] != "completed", "{key} completed without a call");
    }
}

fn line(row: &Value) -> String {
    let Some(step) = row["step"].as_str() else { return row["kind"].as_str().unwrap_or_default().to_owned() };
    let parts = [row["status"].as_str(), row["branch"].as_str()].into_iter().flatten();
    parts.fold(step.to_owned(), |line, part| format!("{line} {part}"))
}
