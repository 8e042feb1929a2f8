//! What carries the binary to people: the container file, which nothing here can build, and the release workflow.

use regex::Regex;

use crate::workspace::{read, root};

const DOCKERFILE: &str = "packaging/Dockerfile";

/// The lines of the container file that are instructions, those that go on put together.
fn instructions() -> Vec<(String, String)> {
    let text = read(DOCKERFILE).replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
    lines.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

fn all(word: &str) -> Vec<String> {
    instructions().into_iter().filter(|(found, _)| found == word).map(|(_, rest)| rest).collect()
}

#[test]
fn the_container_is_built_by_the_toolchain_of_the_workspace() {
    let channel = read("rust-toolchain.toml");
    let channel = channel.lines().find_map(|line| line.strip_prefix("channel = ")).expect("the toolchain is pinned");
    let minor: Vec<&str> = channel.trim_matches('"').split('.').take(2).collect();
    assert!(all("FROM")[0].starts_with(&format!("rust:{}-", minor.join("."))), "{:?} and {channel}", all("FROM"));
}

#[test]
fn the_container_runs_as_nobody_and_says_how_it_is() {
    let user = all("USER").pop().expect("it names its user");
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    let owned = all("COPY").into_iter().filter(|copy| copy.contains("/empty")).collect::<Vec<_>>();
    assert!(owned.iter().all(|copy| copy.contains(&format!("--chown={user}"))), "{owned:?}");
    assert!(all("HEALTHCHECK")[0].ends_with(r#"CMD ["pawl", "health"]"#), "{:?}", all("HEALTHCHECK"));
    assert_eq!(all("FROM").len(), 2, "what builds is not in the image");
    let ignored = read(".dockerignore");
    for what in ["/target", "/.git", "**/.env"] {
        assert!(ignored.lines().any(|line| line == what), ".dockerignore leaves {what} in");
    }
}

#[test]
fn the_actions_of_workflows_are_pinned_by_their_commit() {
    let pinned = Regex::new(r"^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$").expect("the expression is right");
    let workflow = read(".github/workflows/release.yml");
    let used: Vec<_> =
        workflow.lines().filter_map(|line| line.split_once("uses: ")).map(|(_, action)| action).collect();
    assert!(used.len() > 3 && used.iter().all(|action| pinned.is_match(action)), "{used:?}");
}

#[test]
fn packages_are_made_of_the_program_with_aws() {
    assert!(read("packaging/pypi/pyproject.toml").lines().any(|line| line == "features = [\"aws\"]"));
    for file in [DOCKERFILE, "xtask/src/package.rs"] {
        let text = read(file).replace("\", \"", " ");
        assert!(text.contains("--package pawl-cli --features aws"), "{file}");
    }
    assert!(root().join("packaging/npm/pawl.js").is_file());
}
