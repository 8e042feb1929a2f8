//! Runs cases: each in a world of its own.

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pawl_definition::Duration;
use pawl_runtime::ExecutorOptions;
use pawl_runtime::ports::Clock;
use serde_json::Value;

use super::cloud::CloudTest;
use super::file::{Call, Case, Expect, ExpectExecution, OutcomeWord, RecordThere, StatusWord, Told};
use super::happens::Stage;
use super::load::{Loaded, load};
use super::{CaseReport, CaseResult, Files, outside, people};
use crate::VirtualClock;
use crate::scenario::{
    DriveError, Expected, ExpectedCall, ExpectedExecution, ExpectedNotice, HappeningError, Which, World,
};

/// Runs the cases of a file. It never fails: what is wrong stands in the report.
pub fn run_file(path: &Path, files: &dyn Files) -> CaseReport {
    let file = path.display().to_string();
    match load(path, files) {
        Ok(loaded) => {
            let cases = loaded.file.cases.iter().map(|case| run_case(&loaded, case)).collect();
            CaseReport { file, problems: Vec::new(), cases }
        }
        Err(problems) => CaseReport { file, problems, cases: Vec::new() },
    }
}

/// Finds every problem of a file of cases and of what it names, without running it.
pub fn check_file(path: &Path, files: &dyn Files) -> Vec<pawl_definition::Problem> {
    load(path, files).err().unwrap_or_default()
}

/// Why a case came to no outcome.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the case cannot be set up: {0}")]
    Setup(String),
    #[error(transparent)]
    Drive(#[from] DriveError),
    #[error("{}: {}", .0.code, .0.message)]
    Rejected(HappeningError),
}

fn run_case(loaded: &Loaded, case: &Case) -> CaseResult {
    let began = Instant::now();
    let start = begins_at(loaded, case);
    let world = World::new(start, ExecutorOptions { expires: false, ..ExecutorOptions::default() });
    let expected = expected(&loaded.workflow.id, &case.expect);
    let differences = match play(loaded, case, &world) {
        Err(Broken::Rejected(rejection)) if expected.refused.as_ref() == Some(&rejection.code) => Vec::new(),
        Err(broken) => vec![broken.to_string()],
        Ok(()) => world.differences(&expected),
    };
    CaseResult {
        name: case.name.clone(),
        passed: differences.is_empty(),
        difference: (!differences.is_empty()).then(|| differences.join("\n")),
        path: world.last_trace(Some(&loaded.workflow.id)).map(|trace| trace.path()).unwrap_or_default(),
        duration: began.elapsed(),
        virtual_duration: world.now().duration_since(start),
    }
}

fn begins_at(loaded: &Loaded, case: &Case) -> Timestamp {
    let written = case.now.as_ref().or(loaded.file.now.as_ref());
    written.map_or_else(|| VirtualClock::default().now(), |at| at.parse().expect("the times of a file were checked"))
}

fn play(loaded: &Loaded, case: &Case, world: &World) -> Result<(), Broken> {
    set_up(loaded, case, world)?;
    let stage = Stage { loaded, world };
    stage.open(&case.open).map_err(Broken::Rejected)?;
    stage.earlier(&case.signals).map_err(Broken::Rejected)?;
    stage.begin(&case.event).map_err(Broken::Rejected)?;
    for later in &case.then {
        match &later.after {
            Some(span) => drop(world.run(Some(after(world, span)))?),
            None => world.settle()?,
        }
        stage.later(later).map_err(Broken::Rejected)?;
    }
    world.run(case.look_after.as_ref().map(|span| after(world, span)))?;
    // A difference is a mistake of the program and none of the case: only builds that look for such mistakes do.
    debug_assert_eq!(world.replayed(), [""; 0], "every execution is decided again from its rows");
    Ok(())
}

fn after(world: &World, span: &str) -> Timestamp {
    let span = Duration::parse(span).expect("the spans of a file were checked");
    span.after(world.now(), &TimeZone::UTC).unwrap_or(Timestamp::MAX)
}

fn set_up(loaded: &Loaded, case: &Case, world: &World) -> Result<(), Broken> {
    let refused = |problems: Vec<pawl_definition::Problem>| {
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Broken::Setup(told.join("\n"))
    };
    for source in &loaded.object_sources {
        world.save_object(source).map_err(refused)?;
    }
    for (kind, source) in people::without(&loaded.definition_sources, &case.inactive).map_err(Broken::Setup)? {
        world.save_definition(kind, &source).map_err(refused)?;
    }
    for source in loaded.children(case) {
        world.save_workflow(&source).map_err(refused)?;
    }
    world.save_workflow(&loaded.unverified()).map_err(refused)?;
    for workflow in loaded.started.keys().chain([&loaded.workflow.id]) {
        world.activate(workflow);
    }
    for (name, value) in loaded.file.secrets.iter().chain(&case.secrets) {
        world.store.set_secret(name, value);
    }
    for (number, record) in loaded.file.records.iter().chain(&case.records).enumerate() {
        let RecordThere { object, id, fields } = record.clone();
        let id = id.unwrap_or_else(|| format!("rec_{number}"));
        let put = world.put_record(&object, &id, fields);
        put.map_err(|error| Broken::Setup(format!("the record {object}/{id}: {error}")))?;
    }
    people::place(world, &loaded.workflow, &case.positions).map_err(Broken::Setup)?;
    outside::script(world, &loaded.file, case);
    Ok(())
}

fn expected(workflow: &str, expect: &Expect) -> Expected {
    let records = expect.records.iter();
    let values = |records: &Vec<serde_json::Map<String, Value>>| records.iter().cloned().map(Value::Object).collect();
    Expected {
        workflow: Some(workflow.to_owned()),
        execution: execution(&expect.execution()),
        executions: match &expect.executions {
            Some(each) => Which::Each(each.iter().map(execution).collect()),
            None => Which::Every,
        },
        children: expect
            .children
            .iter()
            .map(|(workflow, each)| (workflow.clone(), each.iter().map(execution).collect()))
            .collect(),
        records: records.map(|(object, records)| (object.clone(), values(records))).collect(),
        activities: expect.activities.as_ref().map(values),
        calls: expect.calls.as_ref().map(|calls| calls.iter().cloned().map(call).collect()),
        state_machines: expect.state_machines.as_ref().map(|starts| starts.iter().cloned().map(Into::into).collect()),
        cloud: expect.cloud.as_ref().map(|calls| calls.iter().map(CloudTest::value).collect()),
        notices: expect.notices.as_ref().map(|notices| notices.iter().cloned().map(notice).collect()),
        refused: expect.refused.clone(),
        began: expect.began,
    }
}

fn execution(expect: &ExpectExecution) -> ExpectedExecution {
    let ExpectExecution { status, path, variables, failed_steps, error, output, lanes, outcome } = expect.clone();
    let outcome = outcome.map(|outcome| outcome_word(outcome).to_owned());
    let status = status.map(|status| word(status).to_owned());
    let lanes = lanes.iter().map(|(name, lane)| (name.clone(), execution(lane))).collect();
    ExpectedExecution { status, path, variables, failed_steps, error, output, lanes, outcome }
}

fn call(Call { method, url, headers, body }: Call) -> ExpectedCall {
    ExpectedCall { method, url, headers, body }
}

fn notice(Told { to, severity, subject, text }: Told) -> ExpectedNotice {
    ExpectedNotice { to, severity, subject, text }
}

fn outcome_word(outcome: OutcomeWord) -> &'static str {
    match outcome {
        OutcomeWord::Reached => "reached",
        OutcomeWord::NotReached => "not_reached",
        OutcomeWord::Unknown => "unknown",
    }
}

fn word(status: StatusWord) -> &'static str {
    match status {
        StatusWord::Queued => "queued",
        StatusWord::Running => "running",
        StatusWord::Waiting => "waiting",
        StatusWord::Paused => "paused",
        StatusWord::Completed => "completed",
        StatusWord::Canceled => "canceled",
        StatusWord::Failed => "failed",
    }
}
