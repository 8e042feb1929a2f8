//! `pawl-fuzz`: parsers and evaluation under inputs of chance, each target in a process of its own with a bound on its
//! memory, each input with a clock.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Parser;
use pawl_fuzz::Random;
use pawl_fuzz::target::{TARGETS, Target};

/// Address space of a target's process, in KiB. An unbounded growth meets it at once; what is right needs a tenth.
const MEMORY_KIB: u64 = 1_500_000;

/// Longest time of one input: a hundred times what the costliest takes on a machine at rest, since tests run on busy ones.
const CLOCK: Duration = Duration::from_secs(30);

/// Runs targets on inputs of chance.
#[derive(Debug, Parser)]
#[command(name = "pawl-fuzz")]
struct Args {
    /// The target; all of them if absent.
    target: Option<String>,
    /// For how many seconds each.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Chance begins here.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder of inputs that fail.
    #[arg(long, default_value = "target/fuzz")]
    folder: PathBuf,
    /// Runs one input again.
    #[arg(long)]
    input: Option<PathBuf>,
    /// Runs in this process, as the child of another.
    #[arg(long, hide = true)]
    child: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = if args.child || args.input.is_some() { inside(&args) } else { outside(&args) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn chosen(args: &Args) -> anyhow::Result<Vec<&'static Target>> {
    let is_chosen = |target: &&Target| args.target.as_deref().is_none_or(|name| name == target.name);
    let chosen: Vec<_> = TARGETS.iter().filter(is_chosen).collect();
    if chosen.is_empty() {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        bail!("expected one of {}, found {:?}", names.join(", "), args.target.as_deref().unwrap_or_default());
    }
    Ok(chosen)
}

/// Runs each target in a process of its own, two beside each other.
fn outside(args: &Args) -> anyhow::Result<()> {
    std::fs::create_dir_all(&args.folder).with_context(|| format!("cannot make {}", args.folder.display()))?;
    let mut failed = Vec::new();
    for pair in chosen(args)?.chunks(2) {
        let running: Vec<_> =
            pair.iter().map(|target| Ok((*target, start(args, target)?))).collect::<anyhow::Result<_>>()?;
        for (target, mut child) in running {
            let status = child.wait()?;
            if !status.success() {
                failed.push(format!("{} ended with {status}: {}", target.name, keep(args, target)?));
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("\n")) }
}

fn start(args: &Args, target: &Target) -> anyhow::Result<Child> {
    // The shell bounds the memory of what it becomes.
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"")]).arg(std::env::current_exe()?);
    command.arg(target.name).arg("--child").arg("--folder").arg(&args.folder);
    command.args(["--seconds", &args.seconds.to_string(), "--seed", &args.seed.to_string()]);
    command.spawn().context("cannot start a target")
}

fn current(folder: &Path, target: &Target) -> PathBuf {
    folder.join(format!("{}.current", target.name))
}

/// Keeps the input that a target was at, and says how to run it again.
fn keep(args: &Args, target: &Target) -> anyhow::Result<String> {
    let input = std::fs::read(current(&args.folder, target))?;
    let kept = args.folder.join(format!("{}-{:08x}", target.name, fingerprint(&input)));
    std::fs::write(&kept, &input)?;
    let start: String = String::from_utf8_lossy(&input).chars().take(300).collect();
    Ok(format!(
        "an input of {} bytes, {start:?}\nagain: cargo xtask fuzz {} --input {}",
        input.len(),
        target.name,
        kept.display()
    ))
}

/// A short name of an input: FNV-1a.
fn fingerprint(input: &[u8]) -> u32 {
    input.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Runs a target in this process.
fn inside(args: &Args) -> anyhow::Result<()> {
    let targets = chosen(args)?;
    let [target] = targets.as_slice() else { bail!("expected the name of one target") };
    let clock = Arc::new(AtomicU64::new(0));
    watch(target.name, &clock);
    if let Some(input) = &args.input {
        clock.store(1, Ordering::Relaxed);
        (target.run)(&std::fs::read(input)?);
        return Ok(());
    }
    let (began, current, seeds) = (Instant::now(), current(&args.folder, target), target.seeds());
    let mut random = Random::new(args.seed);
    let mut count = 0_u64;
    while began.elapsed() < Duration::from_secs(args.seconds) {
        let seed = usize::try_from(count).ok().and_then(|count| seeds.get(count));
        let input = seed.cloned().unwrap_or_else(|| target.input(&mut random, &seeds));
        std::fs::write(&current, &input)?;
        count += 1;
        clock.store(count, Ordering::Relaxed);
        (target.run)(&input);
    }
    eprintln!("fuzz: {} took {count} inputs in {} s", target.name, began.elapsed().as_secs());
    Ok(())
}

/// Ends the process when one input takes too long.
fn watch(name: &'static str, clock: &Arc<AtomicU64>) {
    let clock = Arc::clone(clock);
    thread::spawn(move || {
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            thread::sleep(Duration::from_millis(200));
            let now = clock.load(Ordering::Relaxed);
            if now != seen {
                (seen, since) = (now, Instant::now());
            } else if now > 0 && since.elapsed() > CLOCK {
                eprintln!("fuzz: {name} takes more than {} s for one input", CLOCK.as_secs());
                std::process::exit(3);
            }
        }
    });
}
