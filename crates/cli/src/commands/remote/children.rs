//! The executions that the steps of an execution have started, and those that they started.

use std::collections::BTreeSet;
use std::pin::Pin;

use reqwest::Method;
use serde_json::{Value, json};

use super::view::{self, text};
use crate::client::{Answer, Client};

/// Deeper children are not looked for: chains of starts are short.
const DEPTH_MOST: usize = 10;

/// More children are not looked for.
const CHILDREN_MOST: usize = 500;

/// The children of an execution, each with its own below `children`. An execution whose children cannot be listed has none.
pub(super) async fn of(client: &Client, execution: &str) -> anyhow::Result<Vec<Value>> {
    let mut seen = BTreeSet::from([execution.to_owned()]);
    below(client, execution.to_owned(), 0, &mut seen).await
}

fn below<'a>(
    client: &'a Client,
    execution: String,
    depth: usize,
    seen: &'a mut BTreeSet<String>,
) -> Pin<Box<dyn Future<Output = anyhow::Result<Vec<Value>>> + Send + 'a>> {
    Box::pin(async move {
        let mut children = listed(client, &execution).await?;
        children.retain(|child| seen.len() < CHILDREN_MOST && seen.insert(text(child, "id")));
        for child in &mut children {
            let own =
                if depth < DEPTH_MOST { below(client, text(child, "id"), depth + 1, seen).await? } else { Vec::new() };
            child["children"] = json!(own);
        }
        Ok(children)
    })
}

async fn listed(client: &Client, execution: &str) -> anyhow::Result<Vec<Value>> {
    let path = format!("/v1/executions/{execution}/children");
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let query: Vec<_> = cursor.iter().map(|cursor| ("cursor", cursor)).collect();
        let Answer::Done(page) = client.send(client.request(Method::GET, &path).query(&query)).await? else {
            return Ok(items);
        };
        items.extend(page.get("items").and_then(Value::as_array).into_iter().flatten().cloned());
        cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            return Ok(items);
        }
    }
}

/// A line for each, those that it started below it.
pub(super) fn tree(children: &[Value]) -> String {
    let mut lines = vec!["started:".to_owned()];
    branch(children, 1, &mut lines);
    lines.join("\n")
}

fn branch(children: &[Value], depth: usize, lines: &mut Vec<String>) {
    for child in children {
        let of = |key: &str| text(child, key);
        let at = if of("cursor").is_empty() { String::new() } else { format!(" at {}", of("cursor")) };
        let what =
            if of("lane").is_empty() { format!("{}  by {}", of("workflow"), of("step")) } else { part(&of("lane")) };
        let line =
            format!("{}{}  {what}  {}{at}  {}", "  ".repeat(depth), of("id"), of("status"), view::indicators(child));
        lines.push(line.trim_end().to_owned());
        branch(below_of(child), depth + 1, lines);
    }
}

fn below_of(child: &Value) -> &[Value] {
    child.get("children").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The ids of all of them.
pub(super) fn flat(children: &[Value]) -> Vec<String> {
    let with_own = |child: &Value| std::iter::once(text(child, "id")).chain(flat(below_of(child))).collect::<Vec<_>>();
    children.iter().flat_map(with_own).collect()
}

/// A part of a workflow, in words.
pub(super) fn part(name: &str) -> String {
    let kind = if name.ends_with(']') { "items" } else { "lane" };
    format!("{kind} {name}")
}
