//! The payloads under `events/`: what wakes each function, as AWS sends it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// The payloads of a function by case.
pub fn payloads(function: &str) -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(function);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = files.map(|file| file.expect("the folder can be listed").path());
    let cases = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let name = |path: &Path| path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    cases.map(|path| (name(&path), read(&path))).collect()
}
