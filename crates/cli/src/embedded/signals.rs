//! Interrupts from the keyboard, and polite ends from the system.
//!
//! They are signals on a thread of their own, which ends the process by itself if nobody else can: a second signal at
//! once, and a first one that is not obeyed after its time.

use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// What an orderly end takes beyond the time that is given to what is in progress.
const MARGIN: Duration = Duration::from_secs(10);

/// The exit code of a process that had to be ended from within.
const HANGS: i32 = 2;

/// Listens for signals from now on: before, the system ends the process. The receiver learns of the first.
pub(crate) fn listen(grace: Duration) -> anyhow::Result<watch::Receiver<bool>> {
    let (told, first) = watch::channel(false);
    let (begun, has_begun) = std::sync::mpsc::channel();
    let listen = move || {
        let threads = tokio::runtime::Builder::new_current_thread().enable_all().build();
        // Nobody receives the outcome only if the caller is gone.
        let signals = threads.map_err(anyhow::Error::from).and_then(|threads| {
            let signals = threads.block_on(async { Signals::new() })?;
            Ok((threads, signals))
        });
        match signals {
            Err(error) => drop(begun.send(Err(error))),
            Ok((threads, signals)) => {
                drop(begun.send(Ok(())));
                threads.block_on(signals.obey(&told, grace + MARGIN));
            }
        }
    };
    std::thread::Builder::new().name("pawl-signals".to_owned()).spawn(listen).context("cannot listen for signals")?;
    has_begun.recv().context("cannot listen for signals")??;
    Ok(first)
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    async fn obey(mut self, told: &watch::Sender<bool>, most: Duration) {
        self.next().await;
        told.send_replace(true);
        tokio::select! {
            // What is cut off goes on at the next start, as after a crash.
            () = self.next() => std::process::exit(0),
            () = tokio::time::sleep(most) => {
                eprintln!("error: something hangs and is cut off; it goes on at the next start");
                std::process::exit(HANGS)
            }
        }
    }
}
