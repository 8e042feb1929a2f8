//! The workspace as files and as cargo sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// The folder of the root manifest.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().expect("the package of the tests stands in a folder of the workspace").to_owned()
}

/// The text of a file, named from the root.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}

/// Every file that is committed or would be, named from the root, in order.
pub(crate) fn files() -> Vec<String> {
    let listed = run("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    let files: BTreeSet<&str> = listed.lines().filter(|path| root().join(path).is_file()).collect();
    files.into_iter().map(str::to_owned).collect()
}

/// Whether a file's name ends in a dot and this.
pub(crate) fn is(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

/// The Rust files of the libraries and programs themselves, without their tests.
pub(crate) fn sources() -> Vec<String> {
    let is_source = |path: &String| {
        let parts: Vec<&str> = path.split('/').collect();
        let in_crate = matches!(parts.first(), Some(&("crates" | "functions"))) && parts.get(2) == Some(&"src");
        in_crate && is(path, "rs") && !parts.contains(&"tests") && !path.ends_with("/tests.rs")
    };
    files().into_iter().filter(is_source).collect()
}

/// A source without the tests at its end.
pub(crate) fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text)
}

/// A text that is generated: equal to the file, or written into it with `UPDATE=1`.
pub(crate) fn check_generated(path: &str, generated: &str) {
    let whole = root().join(path);
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        let folder = whole.parent().expect("a file stands in a folder");
        std::fs::create_dir_all(folder).expect("a folder of the workspace can be made");
        std::fs::write(&whole, generated).expect("a file of the workspace can be written");
    }
    let found = std::fs::read_to_string(&whole).unwrap_or_default();
    assert!(found == generated, "{path} is not what the code generates: UPDATE=1 cargo test -p pawl-tests writes it");
}

/// The packages and their resolved dependencies on this platform, without a look at the network.
pub(crate) fn metadata() -> &'static Metadata {
    static METADATA: OnceLock<Metadata> = OnceLock::new();
    METADATA.get_or_init(|| {
        let version = run("rustc", &["-vV"]);
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let arguments = ["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host];
        let text = run(&cargo, &arguments);
        Metadata { value: serde_json::from_str(&text).expect("cargo writes JSON") }
    })
}

/// The names of all that a package is built from on this platform, with these features of it and nobody else's.
pub(crate) fn tree(package: &str, features: &str) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let which = ["tree", "--offline", "--locked", "--package", package, "--features", features];
    let how = ["--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let listed = run(&cargo, &[&which[..], &how].concat());
    listed.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    assert!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("tools write UTF-8")
}

/// What `cargo metadata` says.
pub(crate) struct Metadata {
    value: Value,
}

/// A package.
pub(crate) struct Package<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) licence: Option<&'a str>,
}

impl Metadata {
    /// All packages.
    pub(crate) fn packages(&self) -> impl Iterator<Item = Package<'_>> {
        list(&self.value["packages"]).iter().map(|package| Package {
            id: text(&package["id"]),
            name: text(&package["name"]),
            version: text(&package["version"]),
            licence: package["license"].as_str(),
        })
    }

    /// The crates of the workspace, by their package's name without `pawl-`, with the crates that they depend on outside
    /// tests.
    pub(crate) fn edges(&self) -> BTreeMap<String, BTreeSet<String>> {
        let ids: BTreeMap<&str, &str> = self.packages().map(|package| (package.id, package.name)).collect();
        let own = |id: &str| ids.get(id).and_then(|name| name.strip_prefix("pawl-")).filter(|name| *name != "tests");
        let members = list(&self.value["workspace_members"]).iter().map(text);
        let inside = |id: &str| self.normal(id).into_iter().filter_map(own).map(str::to_owned).collect();
        members.filter_map(|id| Some((own(id)?.to_owned(), inside(id)))).collect()
    }

    /// The names of all that a crate of the workspace pulls in outside tests.
    pub(crate) fn tree(&self, name: &str) -> BTreeSet<&str> {
        let ids: BTreeMap<&str, &str> = self.packages().map(|package| (package.id, package.name)).collect();
        let first = ids.iter().find(|(_, package)| **package == name).map(|(id, _)| *id);
        let mut open = vec![first.unwrap_or_else(|| panic!("the workspace has no crate {name}"))];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.normal(id));
            }
        }
        seen.into_iter().filter_map(|id| ids.get(id).copied()).collect()
    }

    /// What a package depends on outside tests and build scripts.
    fn normal(&self, id: &str) -> Vec<&str> {
        let node = list(&self.value["resolve"]["nodes"]).iter().find(|node| node["id"] == id);
        let deps = node.map_or(&[][..], |node| list(&node["deps"]));
        let is_normal = |dep: &&Value| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        deps.iter().filter(is_normal).map(|dep| text(&dep["pkg"])).collect()
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("cargo writes a text here")
}
