//! The execution that is meant by the first letters of its id.
//!
//! Ids are keys, and no store answers cheaply which keys begin so. The installation looks through its executions, newest
//! first, as far as one request goes (20,000, or what it reads in two seconds).

use reqwest::Method;
use serde_json::Value;

use super::view::text;
use crate::client::{Answer, Client};
use crate::coded::coded;
use crate::when::When;

/// What ids of executions begin with.
const KIND: &str = "exe_";

/// Hexadecimal digits of a whole one.
const DIGITS: usize = 32;

/// Candidates that are told.
const TOLD_MOST: usize = 5;

/// Either the whole id, or the problem with which the installation refused to look.
pub(super) enum Whole {
    Id(String),
    Refused(Value),
}

/// The whole id. One that is whole already is not looked up.
pub(super) async fn of(client: &Client, written: &str) -> anyhow::Result<Whole> {
    let digits = written.strip_prefix(KIND).unwrap_or(written);
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if digits.is_empty() || digits.len() >= DIGITS || !digits.chars().all(is_digit) {
        return Ok(Whole::Id(written.to_owned()));
    }
    let begin = format!("{KIND}{digits}");
    let query = [("id", begin.clone()), ("limit", (TOLD_MOST + 1).to_string())];
    let page = match client.send(client.request(Method::GET, "/v1/executions").query(&query)).await? {
        Answer::Done(page) => page,
        Answer::Problem(problem) => return Ok(Whole::Refused(problem)),
    };
    let found = page.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match found {
        [only] => Ok(Whole::Id(text(only, "id"))),
        [] => {
            let until = page.get("looked_until").and_then(Value::as_str).map(|at| When::system().local(at));
            let made = until.map_or_else(String::new, |at| format!(" made since {at}"));
            Err(coded("no_execution", format!("no execution{made} has an id that begins with {begin}")))
        }
        several => Err(coded("ambiguous_id", candidates(&begin, several))),
    }
}

fn candidates(begin: &str, found: &[Value]) -> String {
    let line = |item: &Value| ["id", "workflow", "status"].map(|key| text(item, key)).join("  ");
    let lines: Vec<_> = found.iter().take(TOLD_MOST).map(line).collect();
    let more = if found.len() > TOLD_MOST { ", and more" } else { "" };
    format!("several executions have an id that begins with {begin}: {}{more}", lines.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn some_candidates_are_told_and_that_there_are_more() {
        let item = |id: usize| json!({"id": format!("exe_1{id}"), "workflow": "w", "status": "waiting"});
        let found: Vec<_> = (0..6).map(item).collect();
        assert_eq!(
            candidates("exe_1", &found[..2]),
            "several executions have an id that begins with exe_1: exe_10  w  waiting, exe_11  w  waiting"
        );
        let told = candidates("exe_1", &found);
        assert!(told.ends_with("exe_14  w  waiting, and more"), "{told}");
    }
}
