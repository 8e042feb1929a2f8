//! Finds the files of the language in a folder and in those below.

use std::collections::BTreeSet;
use std::fs::FileType;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::is;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Files, in order.
    pub(crate) files: Vec<PathBuf>,
    /// What was passed over, and why.
    pub(crate) passed_over: Vec<String>,
    /// Folders that were walked through, by device and number.
    walked: BTreeSet<(u64, u64)>,
}

/// What a name in a folder stands for.
enum Kind {
    File,
    Folder,
    /// A pipe, a socket, a device.
    Other,
}

impl Found {
    /// Walks through a folder. One that was walked through under another name is passed over: links may lead back.
    pub(super) fn folder(&mut self, folder: &Path, endings: &[&str]) -> anyhow::Result<()> {
        let entries = entries_of(folder)?;
        self.walked.insert(identity(folder)?);
        self.take(entries, endings);
        Ok(())
    }

    fn take(&mut self, entries: Vec<(PathBuf, Kind)>, endings: &[&str]) {
        let (folders, others): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(_, kind)| matches!(kind, Kind::Folder));
        for (path, kind) in others.into_iter().filter(|(path, _)| is(path, endings)) {
            match kind {
                Kind::File => self.files.push(path),
                _ => self.passed_over.push(format!("{}: passed over, it is no regular file", path.display())),
            }
        }
        for (path, _) in folders {
            let is_new = identity(&path).map(|identity| self.walked.insert(identity));
            match is_new.and_then(|is_new| is_new.then(|| entries_of(&path)).transpose()) {
                Ok(Some(entries)) => self.take(entries, endings),
                Ok(None) => {
                    let note = "passed over, it leads to a folder that is looked through already";
                    self.passed_over.push(format!("{}: {note}", path.display()));
                }
                Err(error) => self.passed_over.push(format!("{}: passed over, {error:#}", path.display())),
            }
        }
    }
}

/// The files in a folder that are named so, in order.
pub(super) fn inside(folder: &Path, endings: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let files = entries_of(folder)?.into_iter().filter(|(path, kind)| matches!(kind, Kind::File) && is(path, endings));
    Ok(files.map(|(path, _)| path).collect())
}

fn identity(folder: &Path) -> anyhow::Result<(u64, u64)> {
    let metadata = folder.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

/// What stands in a folder, hidden files and folders left out, in order.
fn entries_of(folder: &Path) -> anyhow::Result<Vec<(PathBuf, Kind)>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let visible = entries.flatten().filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    let mut found: Vec<_> = visible
        .map(|entry| {
            let path = entry.path();
            let kind = entry.file_type().map_or(Kind::Other, |kind| kind_of(&path, kind));
            (path, kind)
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// A link stands for what it leads to; a link that leads nowhere is told when it is read.
fn kind_of(path: &Path, kind: FileType) -> Kind {
    let kind = match kind.is_symlink().then(|| path.metadata()) {
        None => kind,
        Some(Ok(metadata)) => metadata.file_type(),
        Some(Err(_)) => return Kind::File,
    };
    if kind.is_dir() {
        Kind::Folder
    } else if kind.is_file() {
        Kind::File
    } else {
        Kind::Other
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn loops_of_links_and_what_is_no_file_are_passed_over_and_told() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let root = folder.path();
        std::fs::create_dir(root.join("sub")).expect("the folder is writable");
        for name in ["a.workflow.yaml", "sub/b.workflow.yaml", "sub/other.txt"] {
            std::fs::write(root.join(name), "").expect("the folder is writable");
        }
        symlink("..", root.join("sub/up")).expect("the folder is writable");
        symlink("sub", root.join("twice")).expect("the folder is writable");
        symlink("nowhere", root.join("c.workflow.yaml")).expect("the folder is writable");
        let _socket = UnixListener::bind(root.join("d.workflow.yaml")).expect("the folder is writable");
        let mut found = Found::default();
        found.folder(root, &[".workflow.yaml"]).expect("the folder is readable");
        let names = |paths: &[PathBuf]| -> Vec<String> {
            let inner = |path: &PathBuf| path.strip_prefix(root).expect("it is inside").display().to_string();
            paths.iter().map(inner).collect()
        };
        assert_eq!(names(&found.files), ["a.workflow.yaml", "c.workflow.yaml", "sub/b.workflow.yaml"]);
        let told: Vec<_> = found.passed_over.iter().map(|note| note.replace(&root.display().to_string(), "")).collect();
        assert_eq!(
            told,
            [
                "/d.workflow.yaml: passed over, it is no regular file",
                "/sub/up: passed over, it leads to a folder that is looked through already",
                "/twice: passed over, it leads to a folder that is looked through already",
            ]
        );
    }
}
