//! `events/`: each payload is given to the deployed function as its README says, by `cargo lambda invoke`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::installation::Installation;

/// The variable that names `cargo-lambda`.
const CARGO_LAMBDA: &str = "PAWL_E2E_CARGO_LAMBDA";

/// The payloads that a function refuses, with the code.
const REFUSED: [(&str, &str); 1] = [("trigger-evaluator/other-source", "unexpected_payload")];

#[test]
fn each_payload_wakes_its_function() {
    let pawl = Installation::deployed();
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let mut invoked = 0;
    for function in folder(&events).iter().filter(|path| path.is_dir()) {
        for file in folder(function).iter().filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        {
            let answer = invoke(&pawl, &name(function), file);
            let (out, err) = (text(&answer.stdout), text(&answer.stderr));
            let case = format!("{}/{}", name(function), name(file));
            match REFUSED.iter().find(|(refused, _)| *refused == case) {
                Some((_, code)) => assert!(!answer.status.success() && err.contains(code), "{case}: {out}{err}"),
                None => assert!(answer.status.success(), "{case}: {out}{err}"),
            }
            invoked += 1;
        }
    }
    assert!(invoked > REFUSED.len(), "{} holds no payloads", events.display());
}

/// `cargo lambda invoke --remote`: the deployed function, by Lambda's own API.
fn invoke(pawl: &Installation, function: &str, payload: &Path) -> Output {
    let program = std::env::var_os(CARGO_LAMBDA).unwrap_or_else(|| panic!("{CARGO_LAMBDA} names no program"));
    let mut command = Command::new(program);
    command
        .args(["lambda", "invoke", "--remote", &format!("{}-{function}", pawl.stack.name), "--data-file"])
        .arg(payload);
    command.env("AWS_ENDPOINT_URL", &pawl.stack.endpoint).env("AWS_REGION", &pawl.stack.region);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    command.output().expect("cargo-lambda can be run")
}

fn folder(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_stem().expect("an entry of a folder has a name").to_string_lossy().into_owned()
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
