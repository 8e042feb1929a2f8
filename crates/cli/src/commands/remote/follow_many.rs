//! Following executions live: each is printed when it begins to fit the filter, and when its state changes.
//!
//! Storage has no index by the time of a change, so each look reads the newest executions that fit, and compares them with
//! what the last two looks saw.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;

use super::list::PAGE_MOST;
use super::refused;
use super::view::{self, inner, text};
use crate::args::Executions;
use crate::client::{Answer, Client};
use crate::output::{complain, offer};
use crate::shown::shown;
use crate::when::When;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Executions that a look reads, unless a limit is given: five pages.
const LOOKED_MOST: usize = 1_000;

/// What a look found.
struct Look {
    items: Vec<Value>,
    /// Older executions fit, too.
    is_full: bool,
}

/// What was seen of the executions.
#[derive(Default)]
struct Seen {
    /// The states of the last look and of the one before it: an execution that moves between two lists during a look can be
    /// missing in it.
    last: BTreeMap<String, String>,
    before: BTreeMap<String, String>,
    /// Time of the newest change that was seen.
    newest: Option<Timestamp>,
    /// Older executions did not fit into the last look.
    was_full: bool,
}

/// What is new.
#[derive(Debug, Default, PartialEq)]
struct News {
    /// Executions that began to fit or changed their state, in the order of their changes.
    items: Vec<Value>,
    /// More came than a look reads.
    has_gap: bool,
}

impl Seen {
    /// What is new since the last look.
    fn news(&mut self, look: Look) -> News {
        let states: BTreeMap<_, _> = look.items.iter().map(|item| (text(item, "id"), state(item))).collect();
        let known = |id: &str| self.last.get(id).or_else(|| self.before.get(id));
        let has_gap = look.is_full && !self.last.is_empty() && states.keys().all(|id| known(id).is_none());
        let is_new = |item: &Value| match known(&text(item, "id")) {
            Some(before) => *before != state(item),
            // An older one takes the place of one that fits no more: it did not change.
            None => !self.was_full || changed_at(item) > self.newest,
        };
        let newest = look.items.iter().filter_map(changed_at).max();
        let mut items: Vec<_> = look.items.into_iter().filter(is_new).collect();
        items.sort_by_key(changed_at);
        self.newest = self.newest.max(newest);
        self.before = std::mem::replace(&mut self.last, states);
        self.was_full = look.is_full;
        News { items, has_gap }
    }
}

fn changed_at(item: &Value) -> Option<Timestamp> {
    text(item, "updated_at").parse().ok()
}

/// What a person calls its state: where it waits or is held is a part of that, where it runs is not.
fn state(item: &Value) -> String {
    let status = text(item, "status");
    let place = if matches!(status.as_str(), "waiting" | "paused") { text(item, "cursor") } else { String::new() };
    format!("{status} {place} {} {}", inner(item, "held", "by"), inner(item, "held", "since"))
}

/// Prints executions of the filter as they begin or change, until the command is interrupted or nobody reads on.
pub(super) async fn executions(client: &Client, which: &Executions) -> anyhow::Result<bool> {
    let (when, mut seen, mut has_begun) = (When::system(), Seen::default(), false);
    loop {
        let look = match look(client, which).await? {
            Ok(look) => look,
            Err(problem) => return Ok(refused(client, &problem)),
        };
        let news = seen.news(look);
        if !has_begun {
            // Those that are there already are no news.
            complain!("following; interrupt to end");
            has_begun = true;
            continue;
        }
        if news.has_gap {
            complain!(
                "more executions came than one look reads: some are not shown; say a filter, or a higher --limit"
            );
        }
        for item in &news.items {
            let line = match (client.json, which.quiet) {
                (_, true) => text(item, "id"),
                (true, false) => item.to_string(),
                (false, false) => line(item, &when),
            };
            if !offer(&line)? {
                return Ok(true);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The newest executions that fit; or why the installation refused.
async fn look(client: &Client, which: &Executions) -> anyhow::Result<Result<Look, Value>> {
    let most = which.page.limit.unwrap_or(LOOKED_MOST);
    let (mut items, mut cursor): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let mut query = which.filter.keys();
        query.push(("limit", (most - items.len()).min(PAGE_MOST).to_string()));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let mut page = match client.send(client.request(Method::GET, "/v1/executions").query(&query)).await? {
            Answer::Done(page) => page,
            Answer::Problem(problem) => return Ok(Err(problem)),
        };
        items.extend(page.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).into_iter().flatten());
        cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
        // A page that stopped before it was full has searched as much as one request may: so has this look.
        let has_stopped = page.get("looked_until").is_some();
        if cursor.is_none() || has_stopped || items.len() >= most {
            return Ok(Ok(Look { items, is_full: cursor.is_some() }));
        }
    }
}

/// When, which, and where it stands.
fn line(item: &Value, when: &When) -> String {
    let of = |key: &str| text(item, key);
    let why = [view::why(item), view::waits_for(item).join(" or ")].into_iter().find(|why| !why.is_empty());
    let parts = [
        when.local(&of("updated_at")),
        of("id"),
        of("workflow"),
        of("status"),
        of("cursor"),
        view::indicators(item),
        why.unwrap_or_default(),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    shown(&parts.join("  ")).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// At this second of a minute.
    fn item(id: u32, status: &str, at: &str) -> Value {
        let at = format!("2026-11-21T09:00:{at}Z");
        json!({"id": format!("exe_{id}"), "status": status, "cursor": "ask", "updated_at": at})
    }

    /// What is new in a look, as `<id> <status>`.
    fn news(seen: &mut Seen, items: Vec<Value>, is_full: bool) -> Vec<String> {
        let found = seen.news(Look { items, is_full }).items;
        found.iter().map(|item| format!("{} {}", text(item, "id"), text(item, "status"))).collect()
    }

    #[test]
    fn an_execution_is_news_when_it_begins_and_when_its_state_changes() {
        let mut seen = Seen::default();
        news(&mut seen, vec![item(1, "waiting", "01")], false);
        assert_eq!(news(&mut seen, vec![item(1, "waiting", "01")], false), Vec::<String>::new());
        let changed = vec![item(2, "running", "02.5"), item(1, "completed", "02")];
        assert_eq!(news(&mut seen, changed.clone(), false), ["exe_1 completed", "exe_2 running"]);
        let mut on = changed;
        on[0]["cursor"] = json!("next");
        on[0]["updated_at"] = item(2, "running", "04")["updated_at"].clone();
        assert_eq!(news(&mut seen, on, false), Vec::<String>::new(), "where it runs is no state");
    }

    #[test]
    fn a_second_pause_is_news_and_a_look_that_missed_it_is_not() {
        let paused = |since: &str| {
            let mut item = item(1, "paused", since);
            item["held"] = json!({"by": "failure", "since": since});
            item
        };
        let mut seen = Seen::default();
        news(&mut seen, vec![paused("01")], false);
        assert_eq!(news(&mut seen, vec![], false).len(), 0);
        assert_eq!(news(&mut seen, vec![paused("01")], false).len(), 0, "it was missing in one look");
        assert_eq!(news(&mut seen, vec![paused("05")], false), ["exe_1 paused"]);
    }

    #[test]
    fn one_that_slides_into_a_full_look_is_no_news_and_a_burst_is_told() {
        let mut seen = Seen::default();
        news(&mut seen, vec![item(3, "running", "03"), item(2, "running", "02")], true);
        let slid = vec![item(2, "running", "02"), item(1, "running", "01")];
        assert_eq!(news(&mut seen, slid, true), Vec::<String>::new());
        let burst = Look { items: vec![item(9, "running", "09"), item(8, "running", "08")], is_full: true };
        let news = seen.news(burst);
        assert_eq!((news.items.len(), news.has_gap), (2, true));
    }
}
