//! A folder of workflows, objects and other definitions, loaded and loaded again on save.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use pawl_definition::{Around, DefinitionKind, Problem, Source, check_workflow};
use pawl_runtime::{DefinitionError, Objects, SaveError, System};

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
    /// The same of other definitions.
    broken_definitions: BTreeMap<PathBuf, (DefinitionKind, String)>,
    /// Why the last look failed, told once.
    failed: Option<String>,
}

/// What is known of the files. It is looked at on a thread of its own, which a disk may hold up.
#[derive(Default)]
struct Look {
    seen: BTreeMap<PathBuf, Stamp>,
    /// Files with mistakes; saving an object or another definition may right a workflow.
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
    /// It needs objects or other definitions whose own files have mistakes, by their ids; it is loaded with them.
    Waits(Needed),
}

impl NotLoaded {
    /// What there is to say of it, a line each.
    pub(crate) fn lines(&self, path: &Path) -> Vec<String> {
        match self {
            Self::Wrong(problems) => problems.iter().map(ToString::to_string).collect(),
            Self::Waits(needed) => vec![format!("{}: not loaded: it needs {needed}", path.display())],
        }
    }
}

/// What a file needs and has not, since the files of these have mistakes.
#[derive(Default)]
pub(crate) struct Needed {
    objects: Vec<String>,
    definitions: Vec<(DefinitionKind, String)>,
}

impl Needed {
    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.definitions.is_empty()
    }
}

impl std::fmt::Display for Needed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { objects, definitions } = self;
        if definitions.is_empty() {
            let noun = if objects.len() == 1 { "an object whose file has" } else { "objects whose files have" };
            return write!(f, "{noun} errors: {}", objects.join(", "));
        }
        let objects = objects.iter().map(|id| format!("the object {id}"));
        let definitions = definitions.iter().map(|(kind, id)| format!("the {} {id}", kind.word()));
        let all: Vec<_> = objects.chain(definitions).collect();
        write!(f, "{}, whose {} errors", all.join(", "), if all.len() == 1 { "file has" } else { "files have" })
    }
}

/// What a file became.
pub(crate) enum What {
    /// An object, by its id.
    Object(String),
    /// Another definition, by its kind and id, with its present revision.
    Definition(DefinitionKind, String, u64),
    /// A workflow, by its id, with its present revision.
    Workflow(String, u64),
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Object(id) => write!(f, "object {id}"),
            Self::Definition(kind, id, revision) => write!(f, "{} {id} revision {revision}", kind.word()),
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
            broken_definitions: BTreeMap::new(),
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
            let definition = files::definition_id(&path, source.as_ref().ok());
            let (result, warnings) = match source {
                Ok(source) => save(system, &path, &source, &self.broken()).await?,
                Err(problems) => (Err(NotLoaded::Wrong(problems)), Vec::new()),
            };
            self.broken.remove(&path);
            self.broken.extend(id.filter(|_| result.is_err()).map(|id| (path.clone(), id)));
            self.broken_definitions.remove(&path);
            self.broken_definitions.extend(definition.filter(|_| result.is_err()).map(|id| (path.clone(), id)));
            // What infrastructure kept from being saved is not seen: it is saved at the next look.
            self.look.lock().unwrap_or_else(PoisonError::into_inner).note(&path, stamp, result.is_err());
            loaded.push(Loaded { path, result, warnings });
        }
        Ok(loaded)
    }
}

impl Folder {
    /// What stands in files with mistakes.
    fn broken(&self) -> Broken {
        fn there<T: Clone + Ord>(files: &BTreeMap<PathBuf, T>) -> BTreeSet<T> {
            files.iter().filter(|(path, _)| path.exists()).map(|(_, id)| id.clone()).collect()
        }
        Broken { objects: there(&self.broken), definitions: there(&self.broken_definitions) }
    }
}

/// What stands in files with mistakes.
#[derive(Clone)]
struct Broken {
    objects: BTreeSet<String>,
    definitions: BTreeSet<(DefinitionKind, String)>,
}

impl Look {
    /// The files that changed, objects first; with an object or another definition also those that had mistakes before.
    fn changed(&mut self, folder: &Path) -> anyhow::Result<Looked> {
        let began = Instant::now();
        let found = files::expand(std::slice::from_ref(&folder.to_owned()), &files::of_language())?;
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
        let may_right = files.iter().filter(|file| is_new(file)).any(|(path, _)| !files::is(path, files::WORKFLOW));
        files.retain(|file| is_new(file) || (may_right && self.wrong.contains(&file.0)));
        files.sort_by_key(|(path, _)| files::rank(path));
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

/// Saves a file. With it come warnings: what is suspicious in a workflow, and what an object or another definition takes from
/// active ones.
async fn save(
    system: &System,
    path: &Path,
    source: &Source,
    broken: &Broken,
) -> anyhow::Result<(Result<What, NotLoaded>, Vec<Problem>)> {
    let by = path.display().to_string();
    if let Some(kind) = files::definition_kind(path) {
        return match system.definitions.save(kind, source, (None, &by)).await {
            Ok(saved) => Ok((Ok(What::Definition(kind, saved.id, saved.saved.revision)), saved.warnings)),
            Err(DefinitionError::Invalid(problems)) => Ok((Err(NotLoaded::Wrong(problems)), Vec::new())),
            Err(error) => Err(error.into()),
        };
    }
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
        let saved = system.workflows.save(source, None, &by).await;
        saved.map(|saved| (What::Workflow(saved.head.id, saved.head.revision), warnings))
    };
    match saved {
        Ok((what, warnings)) => Ok((Ok(what), warnings)),
        Err(SaveError::Invalid(problems)) => Ok((Err(NotLoaded::Wrong(problems)), Vec::new())),
        Err(error) => Err(error.into()),
    }
}

/// The objects and other definitions with mistakes in their files that a workflow needs: without one it says something that
/// these warnings do not, or with one as it was before it has errors.
fn needed(source: &Source, objects: &Objects, broken: &Broken, warnings: &[Problem]) -> Needed {
    let object = |id: &&String| {
        let mut others = broken.clone();
        others.objects.remove(*id);
        let (errors, told) = check(source, objects, &others);
        !errors.is_empty() || (!objects.contains_key(*id) && told != warnings)
    };
    let definition = |id: &&(DefinitionKind, String)| {
        let mut others = broken.clone();
        others.definitions.remove(*id);
        !check(source, objects, &others).0.is_empty()
    };
    Needed {
        objects: broken.objects.iter().filter(object).cloned().collect(),
        definitions: broken.definitions.iter().filter(definition).cloned().collect(),
    }
}

/// The errors and the warnings of a workflow, without those that follow from mistakes in the files of objects and of other
/// definitions.
fn check(source: &Source, objects: &Objects, broken: &Broken) -> (Vec<Problem>, Vec<Problem>) {
    let right = objects.iter().filter(|(id, _)| !broken.objects.contains(*id));
    let right = right.map(|(id, object)| (id.clone(), object.clone())).collect();
    let around = Around::new(&right).beside(&broken.objects).with(&objects.definitions);
    let (_, problems) = check_workflow(source, around.beside_definitions(&broken.definitions));
    problems.into_iter().partition(Problem::is_error)
}
