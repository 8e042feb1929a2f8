//! A project that `pawl init` wrote, with its file of variables.

use std::path::Path;

use tempfile::TempDir;
use tokio::process::Command;

use crate::serving::Dev;

const TOKEN: &str = "open-sesame";

/// What a command prints on both channels, and its exit code.
async fn run(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pawl"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PAWL_")) {
        command.env_remove(name);
    }
    let output = command.current_dir(folder).args(arguments).output().await.expect("the program can be run");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program prints UTF-8");
    let code = output.status.code().expect("the program ends by itself");
    format!("{}{}exit code {code}", text(&output.stdout), text(&output.stderr))
}

/// A project with a `.env`.
async fn project(more: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    run(folder.path(), &["init"]).await;
    let example = std::fs::read_to_string(folder.path().join(".env.example")).expect("it was written");
    std::fs::write(folder.path().join(".env"), format!("{example}{more}")).expect("the folder is writable");
    folder
}

#[tokio::test]
async fn secrets_and_options_of_the_file_are_in_force_and_the_environment_wins() {
    let folder = project(&format!("PAWL_TOKEN={TOKEN}\nPAWL_LOG=debug\nPAWL_GRACE_S=1\n")).await;
    let root = folder.path();
    let dev = Dev::start_with(root, &root.join(".data"), &[], &[("PAWL_SECRET_FORM_KEY", "another")]).await;
    let endpoint = format!("http://{}", dev.address());
    let deliver = ["--endpoint", &endpoint, "--token", TOKEN, "deliver", "new-lead", "form", "--body", "lead.json"];
    let told = run(root, &[&deliver[..], &["--env-file", ".env"]].concat()).await;
    assert!(told.contains("[signature_mismatch]"), "the server has the secret of its environment: {told}");
    assert!(run(root, &deliver).await.contains("PAWL_SECRET_FORM_KEY"), "without the file the command has none");
    dev.last_words().await;

    let dev = Dev::start(root, &root.join(".data")).await;
    let endpoint = format!("http://{}", dev.address());
    let told = run(root, &["--endpoint", &endpoint, "workflows"]).await;
    assert!(told.contains("[unauthorized]"), "the token of the file is asked for: {told}");
    let deliver = ["--endpoint", &endpoint, "--token", TOKEN, "deliver", "new-lead", "form", "--body", "lead.json"];
    let told = run(root, &[&deliver[..], &["--env-file", ".env"]].concat()).await;
    assert!(told.contains("it starts execution exe_"), "{told}");
    let logged = dev.last_words().await;
    assert!(logged.iter().any(|line| line.contains("DEBUG")), "the level of the file is in force: {logged:?}");
    for line in logged {
        assert!(!line.contains("not-a-secret") && !line.contains(TOKEN), "{line}");
    }
}

#[tokio::test]
async fn a_mistake_in_the_file_is_told_by_its_line_before_anything_starts() {
    let folder = project("PAWL_SECRET_B hunter2\n").await;
    let lines = std::fs::read_to_string(folder.path().join(".env")).expect("it is there").lines().count();
    let told = run(folder.path(), &["dev", "."]).await;
    assert_eq!(
        told,
        format!(
            "error: ./.env:{lines}: expected NAME=value, with a value in quotes if it has blanks [bad_env_file]\n\
             exit code 1"
        )
    );
    assert!(!folder.path().join(".pawl").exists());
    let told = run(folder.path(), &["dev", ".", "--env-file", "missing"]).await;
    assert!(
        told.contains("missing: the file of variables cannot be read") && told.contains("[bad_env_file]"),
        "{told}"
    );
}
