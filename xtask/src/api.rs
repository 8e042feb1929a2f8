//! Holds the API against its description: the document is valid, and what a running server answers is as it says.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};

use crate::run::{execute, target, workspace};
use crate::venv::Venv;

/// The description, which is kept equal to the code by a test.
const DESCRIPTION: &str = "docs/openapi.json";

/// Requests of each operation that are made up, beside those that the description gives.
const EXAMPLES: &str = "12";

/// The whole trial ends after so many seconds.
const TRIAL_MOST_S: &str = "75";

/// What is held of each answer. That a server takes all that fits the schema, or refuses all that does not, is not asked:
/// files of the language are texts to the schema.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance";

/// Validates the document, and tries each operation against the debug build of `pawl dev`.
pub(crate) fn run() -> anyhow::Result<()> {
    let venv = Venv::api()?;
    eprintln!("── the description of the API");
    let description = workspace().join(DESCRIPTION);
    execute(Command::new(venv.python()).args(["-m", "openapi_spec_validator"]).arg(&description))?;
    let server = Server::start()?;
    let mut schemathesis = Command::new(venv.program("schemathesis"));
    // One worker: `ast.parse` of CPython 3.11 fails now and then when threads parse side by side.
    schemathesis.arg("--config-file").arg(workspace().join("tests/api/schemathesis.toml"));
    schemathesis.arg("run").arg(&description).args(["--url", &server.url, "--checks", CHECKS, "--workers", "1"]);
    schemathesis.args(["--max-examples", EXAMPLES, "--max-time", TRIAL_MOST_S, "--no-shrink", "--warnings", "off"]);
    execute(schemathesis.current_dir(server.data.parent().unwrap_or(Path::new("."))))
}

/// A server of its own on a free port; it ends when this is dropped.
struct Server {
    process: Child,
    url: String,
    data: std::path::PathBuf,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let folder = target().join("api");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let data = folder.join("data");
        let example = workspace().join("examples/support-triage");
        let mut command = Command::new(target().join("debug/pawl"));
        command.arg("dev").arg(example).args(["--port", "0", "--log", "error", "--data"]).arg(&data);
        command.env("PAWL_SECRET_GITHUB_WEBHOOK", "a secret for trials").env_remove("PAWL_TOKEN");
        let mut process = command.stdout(Stdio::piped()).spawn().context("cannot start `pawl dev`; build it first")?;
        let out = process.stdout.take().context("the server's output is piped")?;
        let mut server = Self { process, url: String::new(), data };
        for line in BufReader::new(out).lines() {
            if let Some(url) = line?.strip_prefix("ready on ") {
                url.clone_into(&mut server.url);
                return Ok(server);
            }
        }
        bail!("`pawl dev` ended before it was ready");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then the trial has failed already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
