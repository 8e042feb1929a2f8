//! A folder of workflows and objects, loaded and loaded again on save.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pawl_definition::{Problem, Source};
use pawl_runtime::{SaveError, System};

use crate::files::{self, Places};

/// How often the folder is looked at for saves.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// A folder that is kept loaded.
pub(crate) struct Folder {
    path: PathBuf,
    seen: BTreeMap<PathBuf, SystemTime>,
    places: Places,
    /// Files with mistakes; saving an object may right a workflow.
    wrong: BTreeSet<PathBuf>,
}

/// What became of one file.
pub(crate) struct Loaded {
    /// The file.
    pub(crate) path: PathBuf,
    /// What it became, or what is wrong with it.
    pub(crate) result: Result<What, Vec<Problem>>,
    /// What is suspicious although it is right.
    pub(crate) warnings: Vec<Problem>,
}

/// What a file became.
pub(crate) enum What {
    /// An object, by its id.
    Object(String),
    /// A workflow, by its id, with its present revision.
    Workflow(String, u64),
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Object(id) => write!(f, "object {id}"),
            Self::Workflow(id, revision) => write!(f, "workflow {id} revision {revision}"),
        }
    }
}

impl Folder {
    /// Nothing of it is loaded yet.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: BTreeMap::new(), places: Places::default(), wrong: BTreeSet::new() }
    }

    /// Loads what changed since the last time, objects first: workflows are checked against them.
    pub(crate) async fn load(&mut self, system: &System) -> anyhow::Result<Vec<Loaded>> {
        let mut loaded = Vec::new();
        for (path, saved_at) in self.changed()? {
            let source = files::read(&path);
            let source = source.and_then(|source| match self.places.note(&path, &source) {
                None => Ok(source),
                Some(twin) => Err(vec![twin]),
            });
            let (result, warnings) = match source {
                Ok(source) => save(system, &path, &source).await?,
                Err(problems) => (Err(problems), Vec::new()),
            };
            // What infrastructure kept from being saved is not seen: it is saved at the next look.
            self.seen.insert(path.clone(), saved_at);
            if result.is_err() {
                self.wrong.insert(path.clone())
            } else {
                self.wrong.remove(&path)
            };
            loaded.push(Loaded { path, result, warnings });
        }
        Ok(loaded)
    }

    /// The files that changed, objects first; with an object also those that had mistakes before.
    fn changed(&self) -> anyhow::Result<Vec<(PathBuf, SystemTime)>> {
        let found = files::expand(std::slice::from_ref(&self.path), &[files::OBJECT, files::WORKFLOW].concat())?;
        let saved_at = |path: PathBuf| {
            let time = path.metadata().and_then(|metadata| metadata.modified()).ok()?;
            Some((path, time))
        };
        let mut files: Vec<_> = found.into_iter().filter_map(saved_at).collect();
        let is_new = |(path, time): &(PathBuf, SystemTime)| self.seen.get(path) != Some(time);
        let with_objects = files.iter().filter(|file| is_new(file)).any(|(path, _)| files::is(path, files::OBJECT));
        files.retain(|file| is_new(file) || (with_objects && self.wrong.contains(&file.0)));
        files.sort_by_key(|(path, _)| files::is(path, files::WORKFLOW));
        Ok(files)
    }

    /// Waits until something is saved, and loads it.
    pub(crate) async fn next(&mut self, system: &System) -> Vec<Loaded> {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.load(system).await {
                Ok(loaded) if loaded.is_empty() => {}
                Ok(loaded) => return loaded,
                Err(error) => tracing::error!("loading {} failed: {error:#}", self.path.display()),
            }
        }
    }
}

/// Saves a file. With it come warnings: what is suspicious in a workflow, and what an object takes from active ones.
async fn save(
    system: &System,
    path: &Path,
    source: &Source,
) -> anyhow::Result<(Result<What, Vec<Problem>>, Vec<Problem>)> {
    let saved = if files::is(path, files::OBJECT) {
        let saved = system.workflows.save_object(source).await;
        saved.map(|saved| (What::Object(saved.object.id), saved.warnings))
    } else {
        let (_, problems) = pawl_definition::check_workflow(source, &*system.workflows.objects().await?);
        let warnings = problems.into_iter().filter(|problem| !problem.is_error()).collect();
        let saved = system.workflows.save(source, None, &path.display().to_string()).await;
        saved.map(|saved| (What::Workflow(saved.head.id, saved.head.revision), warnings))
    };
    match saved {
        Ok((what, warnings)) => Ok((Ok(what), warnings)),
        Err(SaveError::Invalid(problems)) => Ok((Err(problems), Vec::new())),
        Err(error) => Err(error.into()),
    }
}
