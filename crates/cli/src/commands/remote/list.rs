//! Listings, which may come in many pages: as JSON every entry is a line of its own as it comes, else all are one table.

use std::io::IsTerminal;

use reqwest::Method;
use serde_json::Value;

use super::{listed_view, record, refused, view};
use crate::args::{Activities, Executions, Operations, Page, Records};
use crate::client::{Answer, Client};
use crate::output::{complain, say};
use crate::when::When;

/// Entries of a table, unless a limit is given.
const TABLE_MOST: usize = 20;

/// Most entries that one request asks for.
pub(super) const PAGE_MOST: usize = 200;

/// What is listed.
struct Listing<'a> {
    path: &'a str,
    query: Vec<(&'static str, String)>,
    /// Most entries; all if absent.
    limit: Option<usize>,
    cursor: Option<String>,
    print: Print,
}

/// How entries are printed.
#[derive(Clone, Copy)]
enum Print {
    /// All together.
    Table(fn(&[Value], &When) -> String),
    /// Each as it comes, as JSON.
    Json,
    /// The id of each as it comes.
    Ids,
}

impl Print {
    fn of(client: &Client, view: fn(&[Value], &When) -> String) -> Self {
        if client.json { Self::Json } else { Self::Table(view) }
    }
}

/// What was found.
#[derive(Default)]
struct Found {
    items: Vec<Value>,
    count: usize,
    /// Where the listing goes on.
    next: Option<String>,
    /// Stored entries that cannot be read, and why.
    unreadable: Vec<String>,
}

/// Lists workflows.
pub(super) async fn workflows(client: &Client, limit: Option<usize>) -> anyhow::Result<bool> {
    let print = Print::of(client, view::workflows);
    run(client, Listing { path: "/v1/workflows", query: Vec::new(), limit, cursor: None, print }).await
}

/// Lists executions.
pub(super) async fn executions(client: &Client, which: &Executions) -> anyhow::Result<bool> {
    let (path, query) = ("/v1/executions", which.filter.keys());
    if which.quiet {
        return ids(client, path, query, &which.page).await;
    }
    paged(client, path, query, &which.page, view::executions).await
}

/// Lists objects, which are all on one page.
pub(super) async fn objects(client: &Client) -> anyhow::Result<bool> {
    let print = Print::of(client, listed_view::objects);
    run(client, Listing { path: "/v1/objects", query: Vec::new(), limit: None, cursor: None, print }).await
}

/// Lists records of an object.
pub(super) async fn records(client: &Client, which: &Records) -> anyhow::Result<bool> {
    let object = which.object.as_deref().expect("without a subcommand it is required");
    let path = format!("/v1/objects/{}/records", record::encoded(object));
    let keys = [("where", &which.tests), ("order", &which.order)];
    let query = keys.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    if which.quiet {
        return ids(client, &path, query, &which.page).await;
    }
    paged(client, &path, query, &which.page, listed_view::records).await
}

/// Lists the changes of a record.
pub(super) async fn changes(client: &Client, record: &str, page: &Page) -> anyhow::Result<bool> {
    paged(client, &format!("{record}/history"), Vec::new(), page, listed_view::changes).await
}

/// Lists activities.
pub(super) async fn activities(client: &Client, which: &Activities) -> anyhow::Result<bool> {
    let keys = [
        ("record", &which.record),
        ("assignee", &which.assignee),
        ("activity", &which.activity),
        ("status", &which.status),
    ];
    let query = keys.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    if which.quiet {
        return ids(client, "/v1/activities", query, &which.page).await;
    }
    paged(client, "/v1/activities", query, &which.page, listed_view::activities).await
}

/// Lists operations.
pub(super) async fn operations(client: &Client, which: &Operations) -> anyhow::Result<bool> {
    let path = "/v1/operations";
    if which.quiet {
        return ids(client, path, Vec::new(), &which.page).await;
    }
    paged(client, path, Vec::new(), &which.page, listed_view::operations).await
}

/// Lists notices.
pub(super) async fn notices(client: &Client, page: &Page) -> anyhow::Result<bool> {
    paged(client, "/v1/notices", Vec::new(), page, listed_view::notices).await
}

/// Lists entries of the audit.
pub(super) async fn audit(client: &Client, page: &Page) -> anyhow::Result<bool> {
    paged(client, "/v1/audit", Vec::new(), page, listed_view::audit).await
}

/// Lists what started nothing.
pub(super) async fn refusals(client: &Client, workflow: &str, page: &Page) -> anyhow::Result<bool> {
    paged(client, &format!("/v1/workflows/{workflow}/refusals"), Vec::new(), page, view::refusals).await
}

/// Prints ids alone; all of them unless a limit is given.
async fn ids(client: &Client, path: &str, query: Vec<(&'static str, String)>, page: &Page) -> anyhow::Result<bool> {
    let (limit, cursor) = (page.limit, page.cursor.clone());
    run(client, Listing { path, query, limit, cursor, print: Print::Ids }).await
}

async fn paged(
    client: &Client,
    path: &str,
    query: Vec<(&'static str, String)>,
    page: &Page,
    view: fn(&[Value], &When) -> String,
) -> anyhow::Result<bool> {
    let limit = page.limit.or_else(|| (!client.json).then_some(TABLE_MOST));
    let print = Print::of(client, view);
    run(client, Listing { path, query, limit, cursor: page.cursor.clone(), print }).await
}

/// Asks for pages until there are as many entries as are wanted, and prints them.
async fn run(client: &Client, mut listing: Listing<'_>) -> anyhow::Result<bool> {
    let mut found = Found { next: listing.cursor.take(), ..Found::default() };
    loop {
        let wanted = listing.limit.map_or(PAGE_MOST, |limit| limit - found.count).min(PAGE_MOST);
        if wanted == 0 {
            break;
        }
        let mut query = listing.query.clone();
        query.push(("limit", wanted.to_string()));
        let cursor = found.next.take();
        query.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
        let page = match client.send(client.request(Method::GET, listing.path).query(&query)).await? {
            Answer::Done(page) => page,
            Answer::Problem(problem) => return Ok(refused(client, &problem)),
        };
        found.take(page, listing.print);
        // One that goes on where it was would go on for ever.
        if found.next.is_none() || found.next == cursor {
            break;
        }
    }
    if let Print::Table(view) = listing.print {
        say!("{}", view(&found.items, &When::system()).trim_end());
        if let Some(next) = &found.next {
            say!("more: --cursor {next}");
        }
    }
    for error in &found.unreadable {
        complain!("unreadable: {error}");
    }
    Ok(true)
}

impl Found {
    fn take(&mut self, mut page: Value, print: Print) {
        let items = page.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
        self.count += items.len();
        match print {
            Print::Table(_) => self.items.extend(items),
            Print::Json => items.iter().for_each(|item| say!("{item}")),
            Print::Ids => items.iter().for_each(|item| say!("{}", view::text(item, "id"))),
        }
        let text = |key: &str| page.get(key).and_then(Value::as_str).map(str::to_owned);
        self.next = text("next");
        let unreadable = page.get("unreadable").and_then(Value::as_array).into_iter().flatten();
        self.unreadable.extend(unreadable.map(|item| view::text(item, "error")));
        if let (Some(until), true) = (text("looked_until"), std::io::stderr().is_terminal()) {
            complain!("searched executions created since {}, searching further", When::system().local(&until));
        }
    }
}
