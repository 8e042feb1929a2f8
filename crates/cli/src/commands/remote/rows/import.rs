//! `pawl records import`: creates records from the rows of a file, or writes those that are there.
//!
//! A row means the same record however often it is imported: the one with its `id`, or with its value of the field that
//! `--match` names, or else the one whose id is derived from the file and the row. So an import can be repeated at any point.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::future::try_join_all;
use pawl_definition::value;
use pawl_engine::ids;
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

use super::super::record::encoded;
use super::file::{Form, Row, Rows};
use super::progress::{Beside, Progress};
use super::schema::Schema;
use crate::args::Import;
use crate::client::{Answer, Client};
use crate::output::{complain, say};

/// Rows that are sent at the same time. The progress is kept after each such batch.
const BATCH: usize = 16;

/// Batches after which the progress is told.
const TOLD_EACH: usize = 64;

/// How often a request is repeated while the installation has no room for it, and the first wait between.
const TRIES: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// What came of a row.
enum End {
    Created,
    Written,
    Refused(Value),
}

/// Imports a file; `false` if the installation refused some of its rows.
pub(super) async fn run(client: &Client, import: &Import) -> anyhow::Result<bool> {
    let form = Form::of(&import.file)?;
    let text = std::fs::read_to_string(&import.file)
        .with_context(|| format!("cannot read {} as text in UTF-8", import.file.display()))?;
    let Some(schema) = Schema::read(client, &import.object).await? else { return Ok(false) };
    let Rows { rows, header } =
        Rows::read(&text, form, &schema, &import.ignore).with_context(|| import.file.display().to_string())?;
    if let Some(field) = import.by.as_ref().filter(|field| !schema.has(field)) {
        bail!("--match: expected a field of {:?}, found {field:?}", import.object);
    }
    let digest = ids::content_hash(text.as_bytes());
    let (beside, total) = (Beside::of(&import.file, form), rows.len());
    let mut progress = beside.begin(&digest, &import.object)?;
    if progress.done > 0 {
        complain!("goes on behind row {} of {total}", progress.done);
    }
    let mut rest: Vec<Row> = rows.into_iter().skip(progress.done).collect();
    rest.reverse();
    let work = Work { client, import, digest: &digest };
    for batches in 1_usize.. {
        let batch = work.batch(&mut rest);
        if batch.is_empty() {
            break;
        }
        work.carry_out(batch, header.as_deref(), (&mut progress, &beside)).await?;
        if batches % TOLD_EACH == 0 {
            complain!("{} of {total} rows: {}", progress.done, told(&progress));
        }
    }
    beside.end();
    if client.json {
        let Progress { done, created, written, refused, .. } = progress;
        say!("{}", json!({"rows": done, "created": created, "written": written, "refused": refused}));
    } else {
        say!("{} rows: {}", progress.done, told(&progress));
    }
    if progress.refused > 0 {
        complain!("the refused rows are in {}, with the reasons", beside.refused.display());
    }
    Ok(progress.refused == 0)
}

fn told(progress: &Progress) -> String {
    let Progress { created, written, refused, .. } = progress;
    format!("{created} created, {written} were there and are as the file says, {refused} refused")
}

/// What all rows have in common.
struct Work<'a> {
    client: &'a Client,
    import: &'a Import,
    digest: &'a str,
}

impl Work<'_> {
    /// The next rows, each of another record: of two rows of one record the later one is the last word.
    fn batch(&self, rest: &mut Vec<Row>) -> Vec<Row> {
        let (mut batch, mut keys) = (Vec::new(), BTreeSet::new());
        while batch.len() < BATCH
            && let Some(row) = rest.last()
        {
            let value = self.import.by.as_ref().and_then(|field| row.fields.get(field));
            let key = row.id.clone().or_else(|| value.map(Value::to_string));
            if key.is_some_and(|key| !keys.insert(key)) {
                break;
            }
            batch.extend(rest.pop());
        }
        batch
    }

    async fn carry_out(
        &self,
        batch: Vec<Row>,
        header: Option<&[String]>,
        (progress, beside): (&mut Progress, &Beside),
    ) -> anyhow::Result<()> {
        let ends = try_join_all(batch.iter().map(|row| self.put(row))).await;
        let ends = ends.with_context(|| format!("{} rows are done; run this again to go on", progress.done))?;
        let mut refused = Vec::new();
        for (row, end) in batch.into_iter().zip(ends) {
            progress.done += 1;
            match end {
                End::Created => progress.created += 1,
                End::Written => progress.written += 1,
                End::Refused(problem) => {
                    progress.refused += 1;
                    refused.push((row, problem));
                }
            }
        }
        beside.refuse(&refused, header)?;
        beside.keep(progress)
    }

    /// Creates the record of a row, or writes the one that is there.
    async fn put(&self, row: &Row) -> anyhow::Result<End> {
        let id = match self.id(row).await? {
            Ok((id, true)) => return self.write(&id, &row.fields).await,
            Ok((id, false)) => id,
            Err(problem) => return Ok(End::Refused(problem)),
        };
        let new = json!({"id": id, "fields": row.fields});
        match self.send(Method::POST, &self.records(), Some(&new)).await? {
            Answer::Done(_) => Ok(End::Created),
            Answer::Problem(problem) if problem["code"] == "duplicate_record" => {
                // Either the id is taken, and the row means that record, or a unique value is.
                match self.write(&id, &row.fields).await? {
                    End::Refused(missing) if missing["code"] == "no_record" => Ok(End::Refused(problem)),
                    end => Ok(end),
                }
            }
            Answer::Problem(problem) => Ok(End::Refused(problem)),
        }
    }

    /// The id of a row's record, and whether it is known to be there.
    async fn id(&self, row: &Row) -> anyhow::Result<Result<(String, bool), Value>> {
        if let Some(id) = &row.id {
            return Ok(Ok((id.clone(), false)));
        }
        let object = &self.import.object;
        let Some(field) = &self.import.by else {
            return Ok(Ok((ids::imported_record_id(self.digest, object, row.line), false)));
        };
        let Some(value) = row.fields.get(field) else {
            let detail = format!("expected a value of {field:?}, by which the record is found, found none");
            return Ok(Err(json!({"code": "blank_match", "detail": detail})));
        };
        let find = json!({"where": {field: {"equals": value}}, "limit": 2});
        let found = match self.send(Method::POST, &format!("{}/find", self.records()), Some(&find)).await? {
            Answer::Done(found) => found,
            Answer::Problem(problem) => return Ok(Err(problem)),
        };
        let items = found.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Ok(match items {
            [] => Ok((ids::matched_record_id(object, field, &value::text_of(value)), false)),
            [one] => Ok((one["id"].as_str().unwrap_or_default().to_owned(), true)),
            _ => {
                let detail = format!("expected one record with this {field}, found several");
                Err(json!({"code": "ambiguous_record", "detail": detail}))
            }
        })
    }

    async fn write(&self, id: &str, fields: &Map<String, Value>) -> anyhow::Result<End> {
        let path = format!("{}/{}", self.records(), encoded(id));
        Ok(match self.send(Method::PATCH, &path, Some(&json!({"fields": fields}))).await? {
            Answer::Done(_) => End::Written,
            Answer::Problem(problem) => End::Refused(problem),
        })
    }

    fn records(&self) -> String {
        format!("/v1/objects/{}/records", encoded(&self.import.object))
    }

    /// Sends, and waits while the installation has no room.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            let request = self.client.request(method.clone(), path);
            match self.client.send(body.iter().fold(request, RequestBuilder::json)).await? {
                Answer::Problem(problem) if is_busy(&problem) => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                answer => return Ok(answer),
            }
        }
        let request = self.client.request(method, path);
        match self.client.send(body.iter().fold(request, RequestBuilder::json)).await? {
            Answer::Problem(problem) if is_busy(&problem) => bail!("the installation has no room: {problem}"),
            answer => Ok(answer),
        }
    }
}

/// Whether the same request may succeed a little later.
fn is_busy(problem: &Value) -> bool {
    let busy = ["backlog_full", "throttled", "contended", "unavailable", "outcome_unknown"];
    problem.get("code").and_then(Value::as_str).is_some_and(|code| busy.contains(&code))
}
