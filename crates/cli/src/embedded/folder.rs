//! A folder of workflows and objects, loaded and loaded again on save.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pawl_definition::{Problem, Source};
use pawl_runtime::{SaveError, System};

use crate::files;

/// How often the folder is looked at for saves.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// A folder that is kept loaded.
pub(crate) struct Folder {
    path: PathBuf,
    seen: BTreeMap<PathBuf, SystemTime>,
}

/// What became of one file.
pub(crate) struct Loaded {
    /// The file.
    pub(crate) path: PathBuf,
    /// What it became, or what is wrong with it.
    pub(crate) result: Result<String, Vec<Problem>>,
}

impl Folder {
    /// Nothing of it is loaded yet.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: BTreeMap::new() }
    }

    /// Loads what changed since the last time, objects first: workflows are checked against them.
    pub(crate) async fn load(&mut self, system: &System) -> anyhow::Result<Vec<Loaded>> {
        let mut changed = Vec::new();
        for path in files::expand(std::slice::from_ref(&self.path), &[files::OBJECT, files::WORKFLOW].concat())? {
            let Ok(saved_at) = path.metadata().and_then(|metadata| metadata.modified()) else { continue };
            if self.seen.insert(path.clone(), saved_at) != Some(saved_at) {
                changed.push(path);
            }
        }
        changed.sort_by_key(|path| files::is(path, files::WORKFLOW));
        let mut loaded = Vec::new();
        for path in changed {
            let result = match files::read(&path)? {
                Ok(source) => save(system, &path, &source).await?,
                Err(problems) => Err(problems),
            };
            loaded.push(Loaded { path, result });
        }
        Ok(loaded)
    }

    /// Loads again on each save, for ever.
    pub(crate) async fn watch(mut self, system: System, told: impl Fn(&Loaded)) -> anyhow::Result<()> {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.load(&system).await {
                Ok(loaded) => loaded.iter().for_each(&told),
                Err(error) => tracing::error!("loading {} failed: {error:#}", self.path.display()),
            }
        }
    }
}

async fn save(system: &System, path: &Path, source: &Source) -> anyhow::Result<Result<String, Vec<Problem>>> {
    let saved = if files::is(path, files::OBJECT) {
        system.workflows.save_object(source).await.map(|object| format!("object {}", object.id))
    } else {
        let saved = system.workflows.save(source, None, &path.display().to_string()).await;
        saved.map(|saved| format!("workflow {} revision {}", saved.head.id, saved.head.revision))
    };
    match saved {
        Ok(what) => Ok(Ok(what)),
        Err(SaveError::Invalid(problems)) => Ok(Err(problems)),
        Err(error) => Err(error.into()),
    }
}
