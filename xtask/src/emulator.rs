//! The emulator of AWS on which tests run.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::run::{target, workspace};
use crate::venv::Venv;

/// The variable by which tests are told where to find AWS.
pub(crate) const ENDPOINT: &str = "PAWL_TEST_AWS_ENDPOINT";

/// It is up in a second or two; a busy machine may take longer.
const START_MOST: Duration = Duration::from_mins(1);

/// The region it plays.
const REGION: &str = "us-east-1";

/// How an emulator is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options<'a> {
    /// What it is for; its log file is named so.
    pub(crate) name: &'a str,
    /// Whether it enforces the roles of functions.
    pub(crate) auth: bool,
}

/// A running emulator on a port of its own. It ends when this is dropped, and with this process, however that ends.
pub(crate) struct Emulator {
    process: Child,
    address: SocketAddr,
    log: PathBuf,
    venv: Venv,
}

impl Emulator {
    /// Installs it if needed, starts it, and waits until it answers.
    pub(crate) fn start(options: Options<'_>) -> anyhow::Result<Self> {
        let venv = Venv::emulator()?;
        let address = free_address()?;
        let folder = target().join("emulator");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let log = folder.join(format!("{}.log", options.name));
        let process = spawn(&venv, address, &log, options.auth)?;
        let mut emulator = Self { process, address, log, venv };
        emulator.wait()?;
        eprintln!("── emulator `{}` at {}, log in {}", options.name, emulator.endpoint(), emulator.log().display());
        Ok(emulator)
    }

    /// Its address as the endpoint of every service.
    pub(crate) fn endpoint(&self) -> String {
        endpoint(self.address)
    }

    /// What it logs, functions included.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// The environment that it runs in, which has the SDK for Python.
    pub(crate) fn venv(&self) -> &Venv {
        &self.venv
    }

    /// What a program needs to find it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        variables(self.address)
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        while !is_healthy(self.address) {
            if let Some(status) = self.process.try_wait()? {
                bail!("the emulator ended before it answered ({status}); see {}", self.log.display());
            }
            if began.elapsed() > START_MOST {
                bail!("the emulator does not answer after {START_MOST:?}; see {}", self.log.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing more to do then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(venv: &Venv, address: SocketAddr, log: &Path, auth: bool) -> anyhow::Result<Child> {
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = Command::new(venv.python());
    command
        .arg(workspace().join("tests/emulator/launch.py"))
        .current_dir(target())
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .envs(variables(address))
        .env("GATEWAY_PORT", address.port().to_string())
        .env("BIND_HOST", address.ip().to_string())
        .env("IOT_MTLS_ENABLED", "0")
        .stdin(Stdio::null())
        .stderr(output.try_clone()?)
        .stdout(output);
    if auth {
        command.env("AUTH", "true");
    }
    command.spawn().context("cannot start the emulator")
}

fn variables(address: SocketAddr) -> Vec<(&'static str, String)> {
    let fixed = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let mut variables: Vec<_> = fixed.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    variables.push(("AWS_ENDPOINT_URL", endpoint(address)));
    variables
}

fn endpoint(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?)
}

fn is_healthy(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET /_ministack/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    ask().is_ok_and(|answer| answer == "HTTP/1.1 200")
}
