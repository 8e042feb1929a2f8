//! How far an import is: a file beside that of the rows, which is removed at the end.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::csv;
use super::file::{Form, Row};

/// How far an import is.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The file as it was when the import began.
    pub(super) digest: String,
    pub(super) object: String,
    /// Rows that are over.
    pub(super) done: usize,
    pub(super) created: usize,
    pub(super) written: usize,
    pub(super) refused: usize,
}

/// The files beside that of the rows.
pub(super) struct Beside {
    progress: PathBuf,
    pub(super) refused: PathBuf,
}

impl Beside {
    pub(super) fn of(file: &Path, form: Form) -> Self {
        let end = if form == Form::Csv { "refused.csv" } else { "refused.jsonl" };
        Self { progress: file.with_extension("progress.json"), refused: file.with_extension(end) }
    }

    /// Where an earlier import of the same file stopped; else the beginning, without the rows that were refused then.
    pub(super) fn begin(&self, digest: &str, object: &str) -> anyhow::Result<Progress> {
        let earlier = fs::read_to_string(&self.progress).ok();
        let earlier = earlier.and_then(|text| serde_json::from_str::<Progress>(&text).ok());
        if let Some(earlier) = earlier.filter(|earlier| earlier.digest == digest && earlier.object == object) {
            return Ok(earlier);
        }
        if self.refused.exists() {
            fs::remove_file(&self.refused).with_context(|| format!("cannot remove {}", self.refused.display()))?;
        }
        Ok(Progress { digest: digest.to_owned(), object: object.to_owned(), ..Progress::default() })
    }

    /// Keeps how far the import is. It is written anew and put in the place of the old one, so that it is never half there.
    pub(super) fn keep(&self, progress: &Progress) -> anyhow::Result<()> {
        let new = self.progress.with_extension("new");
        fs::write(&new, json!(progress).to_string())
            .and_then(|()| fs::rename(&new, &self.progress))
            .with_context(|| format!("cannot write {}", self.progress.display()))
    }

    /// Adds rows that were refused, with the reasons.
    pub(super) fn refuse(&self, rows: &[(Row, Value)], header: Option<&[String]>) -> anyhow::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let is_new = !self.refused.exists();
        let mut text = String::new();
        if let (Some(header), true) = (header, is_new) {
            text += &csv::write(header.iter().map(String::as_str).chain(["refused_code", "refused_because"]));
        }
        for (row, problem) in rows {
            let of = |key: &str| problem.get(key).and_then(Value::as_str).unwrap_or_default();
            let because = reason(problem);
            if header.is_some() {
                text += &row.written;
                text.push(',');
                text += &csv::write([of("code"), &because]);
            } else {
                let written: Value = serde_json::from_str(&row.written).unwrap_or_default();
                let told = json!({"line": row.line, "code": of("code"), "because": because, "row": written});
                text += &told.to_string();
                text.push('\n');
            }
        }
        let file = fs::OpenOptions::new().create(true).append(true).open(&self.refused);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", self.refused.display()))
    }

    /// The import is over.
    pub(super) fn end(&self) {
        // What stays is read by the next import of the same file, which then has nothing to do.
        let _ = fs::remove_file(&self.progress);
    }
}

/// Why a row was refused, in words.
fn reason(problem: &Value) -> String {
    let detail = problem.get("detail").or_else(|| problem.get("title")).and_then(Value::as_str);
    detail.unwrap_or_default().to_owned()
}
