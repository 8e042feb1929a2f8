//! Interrupts from the keyboard, and polite ends from the system.
//!
//! A thread of its own waits for them. It ends the process by itself if no other thread can: at a second signal at once,
//! and after a first one that is not obeyed in its time.

use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// What an orderly end takes beyond the time that is given to what is in progress.
const MARGIN: Duration = Duration::from_secs(10);

/// The exit code of a process that had to be ended from within.
const HANGS: i32 = 2;

/// A process that is to be ended waits this long for its last words: who reads them may hang as well.
const LAST_WORDS: Duration = Duration::from_secs(1);

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
            Ok((threads, mut signals)) => {
                drop(begun.send(Ok(())));
                threads.block_on(forced_end(async || signals.next().await, &told, grace + MARGIN)).carry_out();
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
}

/// Why a process does not end by itself, and is ended. What is cut off goes on at the next start, as after a crash.
#[derive(Debug, PartialEq, Eq)]
enum ForcedEnd {
    /// A second signal came.
    SecondSignal,
    /// The first was not obeyed in its time.
    Hangs,
}

/// Tells of the first signal, and waits for what makes the process end at once.
async fn forced_end(mut next: impl AsyncFnMut(), told: &watch::Sender<bool>, most: Duration) -> ForcedEnd {
    next().await;
    told.send_replace(true);
    match tokio::time::timeout(most, next()).await {
        Ok(()) => ForcedEnd::SecondSignal,
        Err(_) => ForcedEnd::Hangs,
    }
}

impl ForcedEnd {
    /// Ends the process, whatever its other threads do.
    fn carry_out(&self) {
        match self {
            Self::SecondSignal => std::process::exit(0),
            Self::Hangs => {
                let (said, is_said) = std::sync::mpsc::channel();
                // Standard error may be a pipe that nobody reads, and a thread that hangs may hold it.
                let say = move || {
                    eprintln!("error: something hangs and is cut off; it goes on at the next start");
                    let _ = said.send(());
                };
                if std::thread::Builder::new().spawn(say).is_ok() {
                    // Said or not, the process ends.
                    let _ = is_said.recv_timeout(LAST_WORDS);
                }
                std::process::exit(HANGS)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;
    use tokio::time::Instant;

    use super::*;

    const MOST: Duration = Duration::from_secs(40);

    /// What forces the end if so many signals come, ten seconds apart, and after how long.
    async fn ended_after(count: u32) -> (ForcedEnd, Duration) {
        let (sender, mut signals) = unbounded_channel();
        let (told, first) = watch::channel(false);
        let began = Instant::now();
        let next = async || match signals.recv().await {
            Some(()) => {}
            None => std::future::pending().await,
        };
        let send = async {
            for number in 1..=count {
                tokio::time::sleep(Duration::from_secs(10)).await;
                assert_eq!(*first.borrow(), number > 1, "the first is told, and nothing before");
                assert!(sender.send(()).is_ok(), "they are received");
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            end = forced_end(next, &told, MOST) => (end, began.elapsed()),
            () = send => unreachable!("it waits for ever"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_ends_the_process_at_once() {
        assert_eq!(ended_after(2).await, (ForcedEnd::SecondSignal, Duration::from_secs(20)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_that_is_not_obeyed_in_its_time_ends_the_process() {
        assert_eq!(ended_after(1).await, (ForcedEnd::Hangs, Duration::from_secs(50)));
    }
}
