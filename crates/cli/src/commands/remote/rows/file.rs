//! Files of records: `.csv` or `.jsonl`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use super::csv;
use super::schema::Schema;

/// A row as it stands in the file.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Its line, from 1.
    pub(super) line: usize,
    /// The id of its record, if the row says it.
    pub(super) id: Option<String>,
    /// Values by field.
    pub(super) fields: Map<String, Value>,
    /// As it was written.
    pub(super) written: String,
}

/// A form of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Csv,
    Jsonl,
}

impl Form {
    /// By the end of a file's name.
    pub(super) fn of(file: &Path) -> anyhow::Result<Self> {
        match file.extension().and_then(|end| end.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::Jsonl),
            _ => bail!("expected a file that ends in .csv or .jsonl, found {}", file.display()),
        }
    }
}

/// The rows of a file, and its first line if that names the columns.
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    pub(super) header: Option<Vec<String>>,
}

impl Rows {
    /// Reads them; `ignored` are columns that are left out.
    pub(super) fn read(text: &str, form: Form, schema: &Schema, ignored: &[String]) -> anyhow::Result<Self> {
        match form {
            Form::Csv => of_csv(text, schema, ignored),
            Form::Jsonl => of_jsonl(text, schema, ignored),
        }
    }
}

fn of_csv(text: &str, schema: &Schema, ignored: &[String]) -> anyhow::Result<Rows> {
    let mut read = csv::read(text).map_err(anyhow::Error::msg)?.into_iter();
    let header = read.next().context("expected a line that names the columns, found an empty file")?.cells;
    let header: Vec<_> = header.iter().map(|name| name.trim().to_owned()).collect();
    for name in &header {
        schema.require(name, ignored)?;
    }
    let mut rows = Vec::new();
    for row in read {
        if row.cells.len() != header.len() {
            bail!("line {}: expected {} cells, found {}", row.line, header.len(), row.cells.len());
        }
        let written = csv::write(row.cells.iter().map(String::as_str)).trim_end_matches('\n').to_owned();
        let cells = header.iter().zip(&row.cells).filter(|(name, _)| !ignored.contains(name));
        let filled: BTreeMap<_, _> = cells.filter(|(_, cell)| !cell.trim().is_empty()).collect();
        let id = filled.iter().find(|(name, _)| **name == "id").map(|(_, cell)| cell.trim().to_owned());
        let own = filled.iter().filter(|(name, _)| **name != "id");
        let fields = own.map(|(name, cell)| ((*name).clone(), schema.cell(name, cell))).collect();
        rows.push(Row { line: row.line, id, fields, written });
    }
    Ok(Rows { rows, header: Some(header) })
}

/// Each line is an object: the fields of a record with its `id`, or a record as the API shows it.
fn of_jsonl(text: &str, schema: &Schema, ignored: &[String]) -> anyhow::Result<Rows> {
    let mut rows = Vec::new();
    for (at, written) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line = at + 1;
        let keys: Map<String, Value> =
            serde_json::from_str(written).with_context(|| format!("line {line}: expected a JSON object"))?;
        let id = keys.get("id").and_then(Value::as_str).map(str::to_owned);
        let shown = keys.get("fields").and_then(Value::as_object).filter(|_| !schema.has("fields"));
        let mut fields = shown.unwrap_or(&keys).clone();
        fields.retain(|name, _| name != "id" && !ignored.contains(name));
        for name in fields.keys() {
            schema.require(name, ignored).with_context(|| format!("line {line}"))?;
        }
        rows.push(Row { line, id, fields, written: written.to_owned() });
    }
    Ok(Rows { rows, header: None })
}

/// The cell of a value: a text as it is, a list with semicolons, all else as JSON.
pub(super) fn cell(value: &Value) -> String {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let in_list =
        |value: &Value| plain(value).filter(|text| !text.contains(';') && text.trim() == text && !text.is_empty());
    match value {
        Value::Null => String::new(),
        Value::Array(items) => match items.iter().map(in_list).collect::<Option<Vec<_>>>() {
            Some(items) if !items.first().is_some_and(|first| first.starts_with('[')) => items.join(";"),
            _ => value.to_string(),
        },
        value => plain(value).unwrap_or_else(|| value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// What files of rows have in them, and what they have where they are broken.
    const PIECES: &[&str] = &[
        "id",
        "name",
        "labels",
        "other",
        ",",
        ";",
        "\n",
        "\r\n",
        "\"",
        "\"\"",
        " ",
        "a",
        "7",
        "{",
        "}",
        "[",
        "]",
        ":",
        "null",
        "{\"id\": \"x\", \"name\": \"y\"}",
        "{\"fields\": {\"name\": 1}}",
        "\u{feff}",
        "\u{0}",
        "id,name\n",
        "\\u0000",
        "1e999",
    ];

    fn schema() -> Schema {
        Schema::of("item", &json!({"fields": {"name": {"type": "text"}, "labels": {"type": "text", "many": true}}}))
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused(pieces in vec(proptest::sample::select(PIECES), 0..40)) {
            let text = pieces.concat();
            for form in [Form::Csv, Form::Jsonl] {
                let Ok(Rows { rows, .. }) = Rows::read(&text, form, &schema(), &["other".to_owned()]) else { continue };
                let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
                prop_assert!(lines.is_sorted_by(|one, other| one < other), "{lines:?}");
                let fields: Vec<_> = rows.iter().flat_map(|row| row.fields.keys()).collect();
                prop_assert!(fields.iter().all(|name| schema().has(name)), "{fields:?}");
            }
        }

        #[test]
        fn what_an_export_writes_an_import_reads(
            name in "[a-z,;\" \n]{0,8}[a-z]", labels in vec("[a-z,;\"\\[]{0,4}[a-z]", 0..3),
        ) {
            let values = [json!("x"), json!(name), json!(labels)];
            let cells: Vec<_> = values.iter().map(cell).collect();
            let text = csv::write(["id", "name", "labels"]) + &csv::write(cells.iter().map(String::as_str));
            let rows = Rows::read(&text, Form::Csv, &schema(), &[]).expect("an export can be read").rows;
            let [row] = rows.as_slice() else { panic!("expected one row, found {rows:?}") };
            prop_assert_eq!(row.id.as_deref(), Some("x"));
            prop_assert_eq!(&row.fields["name"], &values[1]);
            let found = row.fields.get("labels").cloned().unwrap_or(json!([]));
            prop_assert_eq!(&found, &values[2]);
        }
    }
}
