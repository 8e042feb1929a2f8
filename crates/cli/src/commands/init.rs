//! `pawl init`: a small project to begin with.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::args::Kind;
use crate::coded::coded;
use crate::commands::schema;
use crate::output::say;
use crate::shown::shown;

/// What is written beside the schemas of editors.
const FILES: &[(&str, &str)] = &[
    ("new-lead.workflow.yaml", include_str!("init/new-lead.workflow.yaml")),
    ("lead.object.yaml", include_str!("init/lead.object.yaml")),
    ("new-lead.cases.yaml", include_str!("init/new-lead.cases.yaml")),
    ("lead.json", include_str!("init/lead.json")),
    ("README.md", include_str!("init/README.md")),
    (".env.example", include_str!("init/env.example")),
    (".gitignore", include_str!("init/gitignore")),
    (".vscode/settings.json", include_str!("init/settings.json")),
    (".vscode/extensions.json", include_str!("init/extensions.json")),
];

/// Schemas, by their files.
const SCHEMAS: &[(&str, Kind)] = &[
    (".schema/workflow.schema.json", Kind::Workflow),
    (".schema/object.schema.json", Kind::Object),
    (".schema/group.schema.json", Kind::Group),
    (".schema/calendar.schema.json", Kind::Calendar),
    (".schema/people.schema.json", Kind::People),
    (".schema/activity.schema.json", Kind::Activity),
    (".schema/cases.schema.json", Kind::Cases),
];

/// Writes it, all or nothing.
pub(crate) fn run(dir: &Path) -> anyhow::Result<bool> {
    let mut files: Vec<(&str, String)> = FILES.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    for (name, kind) in SCHEMAS {
        files.push((*name, schema::text(*kind).to_owned()));
    }
    // A link that leads nowhere is there too.
    let there = |name: &str| dir.join(name).symlink_metadata().is_ok();
    let taken: Vec<&str> = files.iter().map(|(name, _)| *name).filter(|name| there(name)).collect();
    if !taken.is_empty() {
        return Err(coded("file_exists", already_there(dir, &taken)));
    }
    let mut written = Vec::new();
    if let Err(error) = write(dir, &files, &mut written) {
        for path in written.iter().rev() {
            // The error that is told is the one that matters.
            drop(std::fs::remove_file(path));
        }
        return Err(error);
    }
    say!("wrote {} files to {}", files.len(), shown(&dir.display().to_string()));
    say!("next:");
    let (here, example, env) = (word(dir), word(&dir.join(".env.example")), word(&dir.join(".env")));
    say!("  pawl test {here}");
    say!("  cp {example} {env}");
    say!("  pawl dev {here}");
    Ok(true)
}

fn already_there(dir: &Path, taken: &[&str]) -> String {
    let verb = if taken.len() == 1 { "is" } else { "are" };
    let dir = dir.display();
    format!("{dir}: {} {verb} there already, and `pawl init` overwrites nothing: name a new folder", taken.join(", "))
}

/// Writes files, and notes which; one that appeared meanwhile is not written over.
fn write(dir: &Path, files: &[(&str, String)], written: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for (name, text) in files {
        let path = dir.join(name);
        let mut file = create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        written.push(path.clone());
        file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn create(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// A path as a shell reads it: in quotes if it has more than what stands for itself.
fn word(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", shown(&path).replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        assert_eq!(word(Path::new("./my/leads-1.x")), "./my/leads-1.x");
        assert_eq!(word(Path::new("Ada's leads; rm")), r"'Ada'\''s leads; rm'");
    }
}
