//! The installation under test: `pawl dev` on a folder of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use tempfile::TempDir;

/// Files of its folder.
const FILES: [(&str, &str); 4] = [
    ("order.object.yaml", include_str!("files/order.object.yaml")),
    ("intake.workflow.yaml", include_str!("files/intake.workflow.yaml")),
    ("wrap.workflow.yaml", include_str!("files/wrap.workflow.yaml")),
    ("lookup.workflow.yaml", include_str!("files/lookup.workflow.yaml")),
];

/// A running `pawl dev`; it is killed when this is dropped.
pub(super) struct Installation {
    child: Child,
    address: String,
    folder: Option<TempDir>,
}

impl Installation {
    /// Starts it, and waits until it is ready.
    pub(super) fn start(binary: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let files = folder.path().join("files");
        std::fs::create_dir(&files)?;
        for (name, text) in FILES {
            std::fs::write(files.join(name), text.replace("PARTS", &"{{ trigger.body.x }}".repeat(5_000)))?;
        }
        let log = File::create(folder.path().join("log"))?;
        let mut command = Command::new(binary);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PAWL_")) {
            command.env_remove(name);
        }
        command.args(["--log", "warn", "dev", "--port", "0", "--data"]).arg(folder.path().join("data")).arg(&files);
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        let lines = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("ready on http://").map(str::to_owned));
        // What it prints later is read, or it would wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.context("it ended before it was ready")?;
        Ok(Self { child, address, folder: Some(folder) })
    }

    /// `host:port`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Its process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Keeps its folder, data and log for people.
    pub(super) fn keep(mut self) -> PathBuf {
        self.folder.take().map(TempDir::keep).unwrap_or_default()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
