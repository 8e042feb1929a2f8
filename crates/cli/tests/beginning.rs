//! The first minutes: a project to begin with, completions, the demo away from everything.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// What a run in a folder prints on both channels, and its exit code.
fn run(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PAWL_")) {
        command.env_remove(name);
    }
    let output = command.current_dir(folder).args(arguments).output().expect("the program can be run");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program prints UTF-8");
    format!(
        "{}{}exit code {}",
        text(&output.stdout),
        text(&output.stderr),
        output.status.code().expect("it ends by itself")
    )
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_new_project_is_right_and_its_cases_pass() {
    let folder = folder();
    insta::assert_snapshot!(run(folder.path(), &["init", "my leads"]), @"
    wrote 16 files to my leads
    next:
      pawl test 'my leads'
      cp 'my leads/.env.example' 'my leads/.env'
      pawl dev 'my leads'
    exit code 0
    ");
    let project = folder.path().join("my leads");
    let checked = run(&project, &["check", "."]);
    assert!(checked.ends_with("exit code 0") && !checked.contains('✗'), "{checked}");
    assert!(!checked.contains("warning"), "{checked}");
    let tested = run(&project, &["test", "."]);
    assert!(tested.ends_with("2 passed, 0 failed\nexit code 0"), "{tested}");
}

#[test]
fn editors_find_the_schemas_of_a_new_project() {
    let folder = folder();
    run(folder.path(), &["init"]);
    let at = |name: &str| folder.path().join(name);
    let settings: Value = serde_json::from_str(&read(&at(".vscode/settings.json"))).expect("settings are JSON");
    let schemas = settings["yaml.schemas"].as_object().expect("settings name schemas");
    assert_eq!(schemas.len(), 7);
    for (schema, files) in schemas {
        let kind = schema.strip_prefix("./.schema/").and_then(|name| name.strip_suffix(".schema.json"));
        let kind = kind.expect("schemas stand in one folder");
        assert_eq!(files, &format!("*.{kind}.yaml"));
        assert_eq!(format!("{}exit code 0", read(&at(schema))), run(folder.path(), &["schema", kind]));
    }
    for name in ["new-lead.workflow.yaml", "lead.object.yaml", "new-lead.cases.yaml"] {
        let text = read(&at(name));
        let first = text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
        assert!(at(first.expect("the first line is for editors")).is_file(), "{name}");
    }
}

#[test]
fn a_new_project_overwrites_nothing_and_is_written_whole_or_not_at_all() {
    let folder = folder();
    std::fs::write(folder.path().join("README.md"), "mine").expect("the folder is writable");
    std::os::unix::fs::symlink("nowhere", folder.path().join(".gitignore")).expect("the folder is writable");
    insta::assert_snapshot!(run(folder.path(), &["init", "."]), @"
    error: .: README.md, .gitignore are there already, and `pawl init` overwrites nothing: name a new folder [file_exists]
    exit code 1
    ");
    assert_eq!(read(&folder.path().join("README.md")), "mine");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is readable").count(), 2);
    let told = run(folder.path(), &["--json", "init", "."]);
    let problem: Value = serde_json::from_str(told.lines().next().expect("a line")).expect("the line is JSON");
    assert_eq!(problem["code"], "file_exists", "{told}");
    // The folder for editors cannot be made: what was written before is taken back.
    std::fs::remove_file(folder.path().join("README.md")).expect("it is there");
    std::fs::remove_file(folder.path().join(".gitignore")).expect("it is there");
    std::fs::write(folder.path().join(".vscode"), "").expect("the folder is writable");
    let told = run(folder.path(), &["init"]);
    assert!(told.contains("cannot write ./.vscode/settings.json"), "{told}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is readable").count(), 1);
}

#[test]
fn a_shell_completes_commands() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(folder.path(), &["completions", shell]);
        assert!(script.contains("close-breaker") && script.ends_with("exit code 0"), "{shell}");
    }
    let script = run(folder.path(), &["completions", "bash"]).replace("exit code 0", "");
    let ask = "\nCOMP_WORDS=(pawl exec); COMP_CWORD=1; _pawl pawl exec pawl; echo \"${COMPREPLY[@]}\"";
    let answer = Command::new("bash").args(["-c", &(script + ask)]).output().expect("a shell can be run");
    assert_eq!(String::from_utf8_lossy(&answer.stdout), "executions\n");
}

#[test]
fn the_demo_needs_nothing_around_it() {
    let folder = folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
    let output = command.arg("demo").env_clear().current_dir(folder.path()).output().expect("the program can be run");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("completed"), "{told}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is readable").count(), 0, "it leaves nothing");
}
