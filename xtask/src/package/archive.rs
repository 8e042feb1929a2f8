//! An archive: the program, completions of shells, licences.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use super::Built;
use crate::demo::{clear, try_demo};
use crate::run::{execute, workspace};

/// Shells, and the files of their completions.
const COMPLETIONS: &[(&str, &str)] = &[("bash", "pawl.bash"), ("zsh", "_pawl"), ("fish", "pawl.fish")];

/// Makes it, and tries what is unpacked from it.
pub(super) fn make(built: &Built) -> anyhow::Result<()> {
    let name = format!("pawl-{}-{}-{}", built.version, std::env::consts::ARCH, std::env::consts::OS);
    let folder = built.folder.join("archive").join(&name);
    clear(&folder)?;
    let copy = |from: &Path, name: &str| {
        std::fs::copy(from, folder.join(name)).with_context(|| format!("cannot copy {}", from.display()))
    };
    copy(&built.program, "pawl")?;
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "CHANGELOG.md"] {
        copy(&workspace().join(file), file)?;
    }
    for (shell, file) in COMPLETIONS {
        let script = Command::new(&built.program).args(["completions", shell]).output().context("cannot run pawl")?;
        ensure!(script.status.success(), "there are no completions of {shell}");
        std::fs::write(folder.join(file), script.stdout)?;
    }
    let archive = built.dist.join(format!("{name}.tar.gz"));
    execute(Command::new("tar").arg("czf").arg(&archive).arg("-C").arg(built.folder.join("archive")).arg(&name))?;
    let unpacked = built.folder.join("unpacked");
    clear(&unpacked)?;
    execute(Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(&unpacked))?;
    try_demo(&unpacked.join(name).join("pawl"), &built.folder.join("empty"))
}
