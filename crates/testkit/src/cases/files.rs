//! Where the files of cases come from.

use std::path::{Path, PathBuf};

/// Reads files and folders.
pub trait Files {
    /// The text of a file; an error says in words why there is none.
    fn read(&self, path: &Path) -> Result<String, String>;

    /// The files of a folder, in any order.
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String>;
}

/// The file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
        entries.map(|entry| entry.map(|entry| entry.path()).map_err(|error| error.to_string())).collect()
    }
}
