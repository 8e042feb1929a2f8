//! A running installation under inputs of chance: webhooks, requests and definitions, right and hostile.
//!
//! What must hold meanwhile: health answers within a second, memory stays below a bound, nothing answers 500, the
//! process lives; and in the end every listing can be read.

mod actions;
mod client;
mod installation;
mod listings;
mod slow;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::Random;
use installation::Installation;
use watch::Watch;

/// How a soak is made.
#[derive(Debug, Clone)]
pub struct Soak {
    /// The binary `pawl`.
    pub binary: PathBuf,
    /// For how long inputs are sent.
    pub time: Duration,
    /// Chance begins here.
    pub seed: u64,
    /// Threads that send.
    pub senders: u64,
    /// Most requests a second, of all senders together.
    pub rate: u64,
    /// Most memory of the process, in MiB.
    pub memory_mib: u64,
}

/// What all threads share.
struct Shared {
    address: String,
    /// What was found wrong first.
    fault: std::sync::Mutex<Option<String>>,
    is_over: AtomicBool,
    sent: AtomicU64,
    refused: AtomicU64,
    put_off: AtomicU64,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Notes what is wrong, and ends the soak.
    fn fault(&self, text: String) {
        let mut first = self.fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if first.is_none() {
            eprintln!("soak: {text}");
            *first = Some(text);
        }
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Runs it.
///
/// # Errors
/// What did not hold, with the request that was sent last by the sender that found it, as far as one did.
pub fn run(soak: &Soak) -> anyhow::Result<()> {
    let installation = Installation::start(&soak.binary)?;
    let shared = Arc::new(Shared {
        address: installation.address().to_owned(),
        fault: std::sync::Mutex::default(),
        is_over: AtomicBool::new(false),
        sent: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        put_off: AtomicU64::new(0),
    });
    let began = Instant::now();
    let senders: Vec<_> = (0..soak.senders).map(|sender| send(soak, sender, &shared)).collect();
    let slow = slow::start(&shared, Random::new(soak.seed ^ 0x51_0E));
    let watch = Watch::new(&installation, &shared, soak.memory_mib);
    let report = watch.until(began, soak.time);
    shared.is_over.store(true, Ordering::Relaxed);
    for thread in senders.into_iter().chain([slow]) {
        // A sender that panicked is a fault of this program.
        if thread.join().is_err() {
            shared.fault("a sender panicked".to_owned());
        }
    }
    if shared.fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_none()
        && let Err(error) = listings::read_all(&shared.address)
    {
        shared.fault(format!("after the soak: {error:#}"));
    }
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    eprintln!(
        "soak: seed {}, {} s, {} requests, {} refused, {} put off, {report}",
        soak.seed,
        began.elapsed().as_secs(),
        count(&shared.sent),
        count(&shared.refused),
        count(&shared.put_off)
    );
    let fault = shared.fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    match fault {
        None => Ok(()),
        Some(text) => {
            let kept = installation.keep();
            bail!("{text}\nits folder, data and log are kept in {}", kept.display())
        }
    }
}

/// A thread that sends.
fn send(soak: &Soak, sender: u64, shared: &Arc<Shared>) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    let mut random = Random::new(soak.seed.wrapping_mul(1_000).wrapping_add(sender));
    let pause = Duration::from_micros(1_000_000 * soak.senders / soak.rate.max(1));
    thread::spawn(move || {
        while !shared.is_over() {
            let began = Instant::now();
            let action = actions::action(&mut random);
            shared.sent.fetch_add(1, Ordering::Relaxed);
            match client::send(&shared.address, &action, client::PATIENCE) {
                Ok(answer) if answer.status == 500 => {
                    shared.fault(format!("{} answered 500: {}", action.shown(), answer.shown()));
                }
                Ok(answer) if answer.status == 429 || answer.status >= 500 => {
                    shared.put_off.fetch_add(1, Ordering::Relaxed);
                }
                Ok(answer) if answer.status >= 400 => {
                    shared.refused.fetch_add(1, Ordering::Relaxed);
                }
                Ok(_) => {}
                Err(error) if shared.is_over() => drop(error),
                Err(error) => shared.fault(format!("{} had no answer: {error:#}", action.shown())),
            }
            thread::sleep(pause.saturating_sub(began.elapsed()));
        }
    })
}
