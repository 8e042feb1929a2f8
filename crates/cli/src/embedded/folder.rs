//! A folder of workflows and objects, loaded and loaded again on save.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use pawl_definition::{Object, Problem, Source};
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
    /// Object files with mistakes, and the ids of their objects: workflows that need those wait for them, and say nothing
    /// else of it.
    broken: BTreeMap<PathBuf, String>,
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
    /// What it became, or why it became nothing.
    pub(crate) result: Result<What, NotLoaded>,
    /// What is suspicious although it is right.
    pub(crate) warnings: Vec<Problem>,
}

/// Why a file became nothing.
pub(crate) enum NotLoaded {
    /// It has mistakes.
    Wrong(Vec<Problem>),
    /// It needs objects whose own files have mistakes, by their ids; it is loaded with them.
    Waits(Vec<String>),
}

impl NotLoaded {
    /// What there is to say of it, a line each.
    pub(crate) fn lines(&self, path: &Path) -> Vec<String> {
        match self {
            Self::Wrong(problems) => problems.iter().map(ToString::to_string).collect(),
            Self::Waits(objects) => {
                let noun = if objects.len() == 1 { "an object whose file has" } else { "objects whose files have" };
                vec![format!("{}: not loaded: it needs {noun} errors: {}", path.display(), objects.join(", "))]
            }
        }
    }
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
        Self {
            path: path.to_owned(),
            look: Arc::default(),
            places: Places::default(),
            broken: BTreeMap::new(),
            failed: None,
        }
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
            let id = files::object_id(&path, source.as_ref().ok()).filter(|_| files::is(&path, files::OBJECT));
            let (result, warnings) = match source {
                Ok(source) => save(system, &path, &source, &self.broken()).await?,
                Err(problems) => (Err(NotLoaded::Wrong(problems)), Vec::new()),
            };
            self.broken.remove(&path);
            self.broken.extend(id.filter(|_| result.is_err()).map(|id| (path.clone(), id)));
            // What infrastructure kept from being saved is not seen: it is saved at the next look.
            self.look.lock().unwrap_or_else(PoisonError::into_inner).note(&path, stamp, result.is_err());
            loaded.push(Loaded { path, result, warnings });
        }
        Ok(loaded)
    }
}

impl Folder {
    /// The ids of objects whose files have mistakes.
    fn broken(&self) -> BTreeSet<String> {
        self.broken.iter().filter(|(path, _)| path.exists()).map(|(_, id)| id.clone()).collect()
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
    broken: &BTreeSet<String>,
) -> anyhow::Result<(Result<What, NotLoaded>, Vec<Problem>)> {
    let saved = if files::is(path, files::OBJECT) {
        let saved = system.workflows.save_object(source).await;
        saved.map(|saved| (What::Object(saved.object.id), saved.warnings))
    } else {
        let objects = system.workflows.objects().await?;
        let (errors, warnings) = check(source, &objects, broken);
        if !errors.is_empty() {
            return Ok((Err(NotLoaded::Wrong([errors, warnings].concat())), Vec::new()));
        }
        let needed = needed(source, &objects, broken, &warnings);
        if !needed.is_empty() {
            return Ok((Err(NotLoaded::Waits(needed)), Vec::new()));
        }
        let saved = system.workflows.save(source, None, &path.display().to_string()).await;
        saved.map(|saved| (What::Workflow(saved.head.id, saved.head.revision), warnings))
    };
    match saved {
        Ok((what, warnings)) => Ok((Ok(what), warnings)),
        Err(SaveError::Invalid(problems)) => Ok((Err(NotLoaded::Wrong(problems)), Vec::new())),
        Err(error) => Err(error.into()),
    }
}

/// The objects with mistakes in their files that a workflow needs: without one it says something that these warnings do
/// not, or with one as it was before it has errors.
fn needed(
    source: &Source,
    objects: &BTreeMap<String, Object>,
    broken: &BTreeSet<String>,
    warnings: &[Problem],
) -> Vec<String> {
    let is_needed = |id: &&String| {
        let others = broken.iter().filter(|other| other != id).cloned().collect();
        let (errors, told) = check(source, objects, &others);
        !errors.is_empty() || (!objects.contains_key(*id) && told != warnings)
    };
    broken.iter().filter(is_needed).cloned().collect()
}

/// The errors and the warnings of a workflow, without those that follow from mistakes in the files of objects.
fn check(
    source: &Source,
    objects: &BTreeMap<String, Object>,
    broken: &BTreeSet<String>,
) -> (Vec<Problem>, Vec<Problem>) {
    let right = objects.iter().filter(|(id, _)| !broken.contains(*id));
    let right = right.map(|(id, object)| (id.clone(), object.clone())).collect();
    let (_, problems) = pawl_definition::check_workflow_beside(source, &right, broken);
    problems.into_iter().partition(Problem::is_error)
}
