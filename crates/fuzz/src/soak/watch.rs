//! Looks at the installation while inputs are sent.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use super::client::{self, Request};
use super::{Installation, Shared};

/// Within this health must answer.
const HEALTH_MOST: Duration = Duration::from_secs(1);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// Who looks.
pub(super) struct Watch<'a> {
    id: u32,
    shared: &'a Shared,
    memory_mib: u64,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Report {
    looks: u64,
    slowest: Duration,
    memory_mib: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { looks, slowest, memory_mib } = self;
        write!(f, "{looks} looks at health, the slowest {} ms, memory at most {memory_mib} MiB", slowest.as_millis())
    }
}

impl<'a> Watch<'a> {
    pub(super) fn new(installation: &Installation, shared: &'a Shared, memory_mib: u64) -> Self {
        Self { id: installation.id(), shared, memory_mib }
    }

    /// Looks until the time is over, or something is wrong.
    pub(super) fn until(&self, began: Instant, time: Duration) -> Report {
        let mut report = Report::default();
        while began.elapsed() < time && !self.shared.is_over() {
            self.health(&mut report);
            self.memory(&mut report);
            if report.looks.is_multiple_of(240) {
                eprintln!("soak: {} s, {report}", began.elapsed().as_secs());
            }
            thread::sleep(PAUSE);
        }
        report
    }

    fn health(&self, report: &mut Report) {
        let request = Request { method: "GET", target: "/v1/health".to_owned(), headers: Vec::new(), body: Vec::new() };
        let asked = Instant::now();
        let answer = client::send(&self.shared.address, &request, HEALTH_MOST);
        let took = asked.elapsed();
        report.looks += 1;
        report.slowest = report.slowest.max(took);
        match answer {
            Ok(answer) if answer.status == 200 && took <= HEALTH_MOST => {}
            Ok(answer) => self.shared.fault(format!(
                "health answered {} after {} ms: {}",
                answer.status,
                took.as_millis(),
                answer.shown()
            )),
            Err(error) => self.shared.fault(format!("health did not answer within a second: {error:#}")),
        }
    }

    fn memory(&self, report: &mut Report) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id)).unwrap_or_default();
        let field = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = field.and_then(|field| field.trim().trim_end_matches(" kB").parse::<u64>().ok());
        // A process that has ended and is not waited for has no memory.
        let Some(kib) = kib else { return self.shared.fault("the process has ended".to_owned()) };
        report.memory_mib = report.memory_mib.max(kib / 1024);
        if kib / 1024 > self.memory_mib {
            self.shared.fault(format!("the process takes {} MiB, more than {}", kib / 1024, self.memory_mib));
        }
    }
}
