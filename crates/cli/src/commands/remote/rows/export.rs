//! `pawl records export`: writes records into a file that `pawl records import` reads.

use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::Context;
use reqwest::Method;
use serde_json::Value;

use super::super::list::PAGE_MOST;
use super::super::record::encoded;
use super::csv;
use super::file::{Form, cell};
use super::schema::Schema;
use crate::args::Export;
use crate::client::{Answer, Client};
use crate::output::{offer, say};

/// Exports records; `false` if the installation refused.
pub(super) async fn run(client: &Client, export: &Export) -> anyhow::Result<bool> {
    let form = export.file.as_deref().map(Form::of).transpose()?.unwrap_or(Form::Jsonl);
    let Some(schema) = Schema::read(client, &export.object).await? else { return Ok(false) };
    let mut out = match &export.file {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            Some(BufWriter::new(file))
        }
        None => None,
    };
    let mut write = |line: &str| match &mut out {
        Some(out) => writeln!(out, "{line}").map(|()| true).context("cannot write the file"),
        None => offer(line),
    };
    let columns = schema.columns();
    if form == Form::Csv {
        write(csv::write(columns.iter().copied()).trim_end())?;
    }
    let (mut count, mut cursor) = (0_usize, None);
    loop {
        let page = match page(client, export, cursor.as_deref()).await? {
            Answer::Done(page) => page,
            Answer::Problem(problem) => return Ok(super::super::refused(client, &problem)),
        };
        for record in page.get("items").and_then(Value::as_array).into_iter().flatten() {
            let line = if form == Form::Csv { csv_line(record, &columns) } else { record.to_string() };
            if !write(&line)? {
                return Ok(true);
            }
            count += 1;
        }
        cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    if let Some(out) = &mut out {
        out.flush().context("cannot write the file")?;
        say!("{count} records");
    }
    Ok(true)
}

async fn page(client: &Client, export: &Export, cursor: Option<&str>) -> anyhow::Result<Answer> {
    let mut query = vec![("limit", PAGE_MOST.to_string())];
    query.extend(export.tests.iter().map(|tests| ("where", tests.clone())));
    query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
    let path = format!("/v1/objects/{}/records", encoded(&export.object));
    client.send(client.request(Method::GET, &path).query(&query)).await
}

fn csv_line(record: &Value, columns: &[&str]) -> String {
    let of = |name: &&str| match *name {
        "id" => cell(&record["id"]),
        name => cell(&record["fields"][name]),
    };
    let cells: Vec<_> = columns.iter().map(of).collect();
    csv::write(cells.iter().map(String::as_str)).trim_end_matches('\n').to_owned()
}
