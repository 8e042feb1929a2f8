//! A folder of workflows and objects, loaded and loaded again on save.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use pawl_definition::{Problem, Source};
use pawl_runtime::{SaveError, System};

use crate::files::{self, Places};

/// How often the folder is looked at for saves, at most…
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// …and at least, unless the disk does not answer.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(5);

/// Looking takes one part in so many of the time, however many files there are.
const LOOK_SHARE: u32 = 200;

/// A look that takes longer is told: the disk does not answer.
const LOOK_MOST: Duration = Duration::from_secs(10);

/// A folder that is kept loaded.
pub(crate) struct Folder {
    path: PathBuf,
    look: Arc<Mutex<Look>>,
    places: Places,
    /// Why the last look failed, told once.
    failed: Option<String>,
}

/// What is known of the files. It is looked at on a thread of its own, which a disk may hold up.
#[derive(Default)]
struct Look {
    seen: BTreeMap<PathBuf, Stamp>,
    /// Files with mistakes; saving an object may right a workflow.
    wrong: BTreeSet<PathBuf>,
    /// What was passed over, told once each.
    told: BTreeSet<String>,
}

/// By what a save is known: the time and the length of the file.
type Stamp = (SystemTime, u64);

/// What a look found.
struct Looked {
    changed: Vec<(PathBuf, Stamp, Result<Source, Vec<Problem>>)>,
    took: Duration,
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
        Self { path: path.to_owned(), look: Arc::default(), places: Places::default(), failed: None }
    }

    /// Loads what changed since the last time, objects first: workflows are checked against them.
    pub(crate) async fn load(&mut self, system: &System) -> anyhow::Result<Vec<Loaded>> {
        let looked = self.look().await?;
        self.save_all(system, looked.changed).await
    }

    /// Waits until something is saved, and loads it.
    pub(crate) async fn next(&mut self, system: &System) -> Vec<Loaded> {
        let mut wait = LOOK_EVERY;
        loop {
            tokio::time::sleep(wait).await;
            let loaded = match self.look().await {
                Ok(looked) => {
                    wait = (looked.took * LOOK_SHARE).clamp(LOOK_EVERY, LOOK_AT_LEAST_EVERY);
                    self.save_all(system, looked.changed).await
                }
                Err(error) => Err(error),
            };
            match loaded {
                Ok(loaded) => {
                    self.failed = None;
                    if !loaded.is_empty() {
                        return loaded;
                    }
                }
                Err(error) => {
                    wait = LOOK_AT_LEAST_EVERY;
                    self.tell_failure(format!("{error:#}"));
                }
            }
        }
    }

    /// Tells why the folder cannot be loaded, once as long as the reason is the same.
    fn tell_failure(&mut self, why: String) {
        if self.failed.as_ref() != Some(&why) {
            tracing::error!("loading {} failed: {why}", self.path.display());
            self.failed = Some(why);
        }
    }

    /// Looks at the files on a thread that may block. One that does not come back is told, and waited for: no second
    /// one is sent after it.
    async fn look(&mut self) -> anyhow::Result<Looked> {
        let mut look = {
            let (path, look) = (self.path.clone(), self.look.clone());
            tokio::task::spawn_blocking(move || look.lock().unwrap_or_else(PoisonError::into_inner).changed(&path))
        };
        loop {
            match tokio::time::timeout(LOOK_MOST, &mut look).await {
                Ok(looked) => return looked?,
                Err(_) => self.tell_failure(format!("it did not answer for {} s", LOOK_MOST.as_secs())),
            }
        }
    }

    async fn save_all(
        &mut self,
        system: &System,
        changed: Vec<(PathBuf, Stamp, Result<Source, Vec<Problem>>)>,
    ) -> anyhow::Result<Vec<Loaded>> {
        let mut loaded = Vec::new();
        for (path, stamp, source) in changed {
            let source = source.and_then(|source| match self.places.note(&path, &source) {
                None => Ok(source),
                Some(twin) => Err(vec![twin]),
            });
            let (result, warnings) = match source {
                Ok(source) => save(system, &path, &source).await?,
                Err(problems) => (Err(problems), Vec::new()),
            };
            // What infrastructure kept from being saved is not seen: it is saved at the next look.
            self.look.lock().unwrap_or_else(PoisonError::into_inner).note(&path, stamp, result.is_err());
            loaded.push(Loaded { path, result, warnings });
        }
        Ok(loaded)
    }
}

impl Look {
    /// The files that changed, objects first; with an object also those that had mistakes before.
    fn changed(&mut self, folder: &Path) -> anyhow::Result<Looked> {
        let began = Instant::now();
        let found =
            files::expand(std::slice::from_ref(&folder.to_owned()), &[files::OBJECT, files::WORKFLOW].concat())?;
        for note in found.passed_over {
            if !self.told.contains(&note) {
                tracing::warn!("{note}");
                self.told.insert(note);
            }
        }
        let stamped = |path: PathBuf| {
            let metadata = path.metadata().ok()?;
            Some((path, (metadata.modified().ok()?, metadata.len())))
        };
        let mut files: Vec<(PathBuf, Stamp)> = found.files.into_iter().filter_map(stamped).collect();
        let is_new = |(path, stamp): &(PathBuf, Stamp)| self.seen.get(path) != Some(stamp);
        let with_objects = files.iter().filter(|file| is_new(file)).any(|(path, _)| files::is(path, files::OBJECT));
        files.retain(|file| is_new(file) || (with_objects && self.wrong.contains(&file.0)));
        files.sort_by_key(|(path, _)| files::is(path, files::WORKFLOW));
        let took = began.elapsed();
        let read = |(path, stamp): (PathBuf, Stamp)| {
            let source = files::read(&path);
            (path, stamp, source)
        };
        Ok(Looked { changed: files.into_iter().map(read).collect(), took })
    }

    fn note(&mut self, path: &Path, stamp: Stamp, is_wrong: bool) {
        self.seen.insert(path.to_owned(), stamp);
        if is_wrong {
            self.wrong.insert(path.to_owned());
        } else {
            self.wrong.remove(path);
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
