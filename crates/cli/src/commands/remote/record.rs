//! `pawl record`: shows one record or its history, creates it, or writes some of its fields.

use anyhow::{Context, bail};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::start::given_values;
use super::view::text;
use super::{list, refused, show};
use crate::args::{Page, Record};
use crate::client::{Answer, Client};
use crate::output::say;
use crate::table;
use crate::when::When;

/// Longest value in a table, in characters.
const VALUE_MOST: usize = 100;

/// Shows or writes a record; `false` if the installation refused.
pub(super) async fn run(client: &Client, record: &Record) -> anyhow::Result<bool> {
    let (object, id) = match &record.by {
        None => named(&record.id).map(|(object, id)| (object, id.to_owned()))?,
        Some(by) => {
            let request = by_unique(client, &record.id, by)?;
            if record.values.is_empty() && !record.history {
                return show(client, request, say_record).await;
            }
            match client.send(request).await? {
                Answer::Done(found) => (record.id.as_str(), text(&found, "id")),
                Answer::Problem(problem) => return Ok(refused(client, &problem)),
            }
        }
    };
    let records = format!("/v1/objects/{}/records", encoded(object));
    let path = format!("{records}/{}", encoded(&id));
    if record.history {
        let page = Page { limit: record.limit, cursor: record.cursor.clone() };
        return list::changes(client, &path, &page).await;
    }
    let fields = given_values(&record.values)?;
    let request = if record.create {
        client.request(Method::POST, &records).json(&json!({"id": id, "fields": fields}))
    } else if record.values.is_empty() {
        client.request(Method::GET, &path)
    } else {
        let request = client.request(Method::PATCH, &path).json(&json!({"fields": fields}));
        record.if_match.iter().fold(request, |request, version| request.header("if-match", format!("\"{version}\"")))
    };
    show(client, request, say_record).await
}

/// The request for the record of an object that has a value in a unique field.
fn by_unique(client: &Client, object: &str, by: &str) -> anyhow::Result<RequestBuilder> {
    if object.contains('/') {
        bail!("expected an object beside --by, found {object:?}");
    }
    let parts = by.split_once('=').filter(|(field, _)| !field.is_empty());
    let (field, value) = parts.with_context(|| format!("expected --by as <field>=<value>, found {by:?}"))?;
    let path = format!("/v1/objects/{}/by/{}", encoded(object), encoded(field));
    Ok(client.request(Method::GET, &path).query(&[("value", value)]))
}

fn say_record(record: &Value) {
    say!("{}", view(record, &When::system()).trim_end());
}

/// Puts a record into the archive or takes it out, as `how` says; `false` if the installation refused.
pub(super) async fn archive(client: &Client, record: &str, how: &str) -> anyhow::Result<bool> {
    let (object, id) = named(record)?;
    let path = format!("/v1/objects/{}/records/{}/{how}", encoded(object), encoded(id));
    show(client, client.request(Method::POST, &path), say_record).await
}

/// The object and the id of a record that is written `<object>/<id>`.
pub(super) fn named(record: &str) -> anyhow::Result<(&str, &str)> {
    let parts = record.split_once('/').filter(|(object, id)| !object.is_empty() && !id.is_empty());
    parts.with_context(|| format!("expected a record as <object>/<id>, found {record:?}"))
}

/// A part of a path: an id may have characters that mean something else there.
pub(super) fn encoded(part: &str) -> String {
    utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()
}

/// A record with its fields.
fn view(record: &Value, when: &When) -> String {
    let of = |key: &str| text(record, key);
    let head = format!(
        "{}/{}  version {}\n  made {}, changed {}",
        of("object"),
        of("id"),
        of("version"),
        when.with_distance(&of("created_at")),
        when.with_distance(&of("updated_at")),
    );
    let archived = record.get("archived_at").and_then(Value::as_str);
    let head = archived.map_or(head.clone(), |at| format!("{head}\n  in the archive since {}", when.with_distance(at)));
    let Some(fields) = record.get("fields").and_then(Value::as_object).filter(|fields| !fields.is_empty()) else {
        return head;
    };
    let row = |name: &String| vec![name.clone(), table::cut(&text(&record["fields"], name), VALUE_MOST)];
    let rows: Vec<_> = fields.keys().map(row).collect();
    format!("{head}\n{}", table::render(&["field", "value"], &rows))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::shown::{OBEYED, is_safe};

    #[test]
    fn a_record_is_shown_with_its_fields_and_obeyed_in_nothing() {
        let when = When { now: "2026-11-21T09:00:00Z".parse().expect("a constant time is one"), zone: TimeZone::UTC };
        let record = json!({
            "object": "person", "id": "p1", "version": 3, "fields": {"name": OBEYED, "size": 7},
            "created_at": "2026-11-21T08:00:00Z", "updated_at": "2026-11-21T08:59:00Z",
        });
        let told = view(&record, &when);
        assert!(told.starts_with("person/p1  version 3\n  made "), "{told}");
        assert!(told.contains("\nsize   7\n") && is_safe(&told), "{told}");
    }

    #[test]
    fn an_id_of_any_characters_is_one_part_of_the_path() {
        assert_eq!(encoded("a/b?c#d e"), "a%2Fb%3Fc%23d%20e");
    }
}
