//! Processes of the step executor that are killed in the middle of steps.

use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::execution::{Execution, Page};
use crate::installation::{Installation, PATIENCE};
use crate::processes;
use crate::side_by_side::deliveries::{BURST, LOAD_PATH, counted, deliver_burst, ids, save_load};
use crate::tracker::Tracker;

/// Kills that must strike a process at work.
const KILLS: usize = 20;

/// How long a call takes: so long that most of what a process does is to wait for one, and most kills strike there.
const CALL: Duration = Duration::from_millis(400);

/// Fixes the draws of a run that is to be repeated.
const SEED: &str = "PAWL_E2E_SEED";

/// What the emulator logs of a process that ended in the middle of an invocation. These may be more than there were kills:
/// where one strikes a process that still starts, the emulator ends all others of the function.
const STRUCK: &str = "Runtime exited before returning a response";

#[tokio::test(flavor = "multi_thread")]
async fn killing_step_executors_loses_nothing_and_repeats_nothing_committed() {
    let (pawl, tracker) = (Installation::deployed(), Tracker::start().await);
    tracker.takes(CALL);
    save_load(&pawl, &tracker, "crashes").await;
    let mut dice = Dice::new();
    let before = struck(&pawl);

    let (delivered, killed) =
        tokio::join!(deliver_burst(&pawl, "crashes"), kill_some(&pawl, &mut dice, (before, KILLS)));
    eprintln!("killed {killed} processes, {} of them at work", struck(&pawl) - before);
    assert_eq!(delivered.len(), BURST, "all are answered 202");

    let executions = pawl.sweeping(pawl.all_end("crashes", BURST)).await;
    assert_eq!(ids(&executions), delivered.into_values().collect(), "each delivery has started one execution");
    let calls = tracker.calls();
    let mut cut_off = 0;
    for id in ids(&executions) {
        let page = Execution::new(&pawl, &id).ends_as("completed").await;
        ends_as_undisturbed(&page);
        page.has_called("again", &calls);
        page.has_called("once", &calls);
        cut_off += usize::from(page.row("again")["attempt"] != 1);
    }
    let twice = |step: &str| calls.iter().filter(|(key, count)| key.contains(step) && **count > 1).collect::<Vec<_>>();
    assert!(twice(":once:").is_empty(), "at_most_once is never called twice: {:?}", twice(":once:"));
    assert_eq!(counted(&pawl, "crashes").await, BURST, "each execution has counted once");
    let repeated = twice(":again:").len();
    assert!(cut_off > 0 && repeated > 0, "expected calls that a kill cut off, found none: {cut_off}, {repeated}");
    eprintln!(
        "{cut_off} calls were cut off; {repeated} of them had been heard, and were made again under the same key"
    );
}

/// It did what it does undisturbed; only a call that may not be repeated may have ended as unknown.
fn ends_as_undisturbed(page: &Page) {
    let path = page.path();
    let unknown = path.iter().any(|line| line == "once failed");
    if unknown {
        assert_eq!(page.row("once")["error"]["code"], "outcome_unknown", "{}", page.0);
    }
    let expected =
        LOAD_PATH.map(|line| if unknown { line.replace("once completed", "once failed") } else { line.to_owned() });
    assert_eq!(path, expected, "{}", page.id());
}

/// Kills processes of the step executor at random moments until enough were struck at work; how many it killed.
pub(super) async fn kill_some(pawl: &Installation, dice: &mut Dice, (before, kills): (usize, usize)) -> usize {
    let began = Instant::now();
    let mut killed = 0;
    while struck(pawl) - before < kills {
        assert!(began.elapsed() < PATIENCE, "expected {kills} processes killed at work, found {killed} killed at all");
        tokio::time::sleep(Duration::from_millis(50 + dice.below(400))).await;
        let running = processes::of(&pawl.stack, "step-executor");
        if running.is_empty() {
            continue;
        }
        let chosen = running[usize::try_from(dice.below(running.len() as u64)).expect("an index is small")];
        killed += usize::from(processes::kill(chosen));
    }
    killed
}

/// How many processes of the step executor ended at work so far, by the emulator's log.
pub(super) fn struck(pawl: &Installation) -> usize {
    let log = std::fs::read_to_string(&pawl.stack.log).expect("the emulator's log can be read");
    let name = format!("Lambda {}-step-executor: {STRUCK}", pawl.stack.name);
    log.lines().filter(|line| line.contains(&name)).count()
}

/// Draws from a seed that is printed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new() -> Self {
        let given = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is right");
        let seed = given.unwrap_or_else(|| u64::from(now.subsec_nanos()));
        eprintln!("{SEED}={seed}");
        Self(seed)
    }

    /// A number below this one.
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}
