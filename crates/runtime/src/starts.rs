//! Starts of executions: the guards that an event passes, and the one transaction that makes an execution.

use jiff::{SignedDuration, Timestamp};
use pawl_definition::{Limits, Reentry};
use pawl_engine::{Act, Event, Execution, Plan, Status, Subject, TimerPurpose, Wake};

use crate::executor::Executor;
use crate::items::guard::{self, Guard, State};
use crate::items::refusal::Refusal;
use crate::message::{Job, queue_of};
use crate::ports::{Consistency, Expect, Index, Notice, Query, SortRange, Tables, Write};
use crate::{Error, items};

/// The breaker: this many starts of one workflow on one record…
const BREAKER_STARTS: u32 = 50;
/// …within this many seconds suspend its triggers.
const BREAKER_WINDOW_S: i64 = 60;
/// The breaker also opens at this share of failures…
const BREAKER_FAILURES_PERCENT: usize = 95;
/// …over this many executions that ended.
const BREAKER_EXECUTIONS: usize = 20;

/// Guards are kept this long after their last use.
const GUARD_KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Why an event starts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The breaker opens: triggers are suspended.
    pub(crate) opens_breaker: bool,
}

fn because(code: &'static str, message: String) -> Reason {
    Reason { code, message, opens_breaker: false }
}

/// What the guards say.
pub(crate) struct Admitted {
    /// Writes that hold the guards.
    pub(crate) writes: Vec<Write>,
    /// Begins at this time, if later than now.
    pub(crate) start_at: Option<Timestamp>,
    /// The execution holds the only open execution of its record.
    pub(crate) holds_record: bool,
}

/// The loop guards: depth, and starts of this workflow on this record inside its own chain of causes.
pub(crate) fn check_chain(plan: &Plan, event: &Event) -> Result<(), Reason> {
    let limits = &plan.workflow.limits;
    let chain = &event.cause.chain;
    if chain.len() >= usize::try_from(limits.depth).unwrap_or(usize::MAX) {
        return Err(because(
            "depth_limit",
            format!("{} workflows caused one another; the limit is {}", chain.len(), limits.depth),
        ));
    }
    let own = chain.iter().filter(|link| link.workflow == plan.workflow.id && link.record == event.subject).count();
    if own >= usize::try_from(limits.own_chain).unwrap_or(usize::MAX) {
        return Err(because(
            "self_limit",
            format!("the workflow started itself {own} times on this record; the limit is {}", limits.own_chain),
        ));
    }
    Ok(())
}

/// Reads the guards of a start and says what holds them, or why it is refused.
pub(crate) async fn admit(
    tables: &dyn Tables,
    plan: &Plan,
    event: &Event,
    execution: &str,
    now: Timestamp,
) -> Result<Result<Admitted, Reason>, Error> {
    let limits = &plan.workflow.limits;
    let workflow = &plan.workflow.id;
    let mut admitted = Admitted { writes: Vec::new(), start_at: None, holds_record: false };
    if let Some(record) = event.subject.as_ref().filter(|_| plan.workflow.object.is_some()) {
        if let Err(reason) = admit_on_record(tables, workflow, limits, record, (execution, now), &mut admitted).await? {
            return Ok(Err(reason));
        }
    }
    if let Some(starts) = &limits.starts {
        let key = guard::key(workflow, Guard::Spacing);
        let (version, state) = read(tables, &key).await?;
        let interval = SignedDuration::from_secs_f64(
            SignedDuration::from_secs(starts.per.as_seconds()).as_secs_f64() / f64::from(starts.at_most),
        );
        let window = SignedDuration::from_secs(starts.per.as_seconds());
        // The generic cell rate algorithm (ITU-T I.371): a burst up to the limit, then one start an interval.
        let arrival = state.at.unwrap_or(now).max(now);
        let start = (arrival - (window - interval)).max(now);
        let state = State { at: Some(arrival + interval), ..State::default() };
        admitted.writes.push(put(key, version, &state, Some(arrival + window + GUARD_KEPT)));
        admitted.start_at = Some(start).filter(|start| *start > now);
    }
    Ok(Ok(admitted))
}

async fn admit_on_record(
    tables: &dyn Tables,
    workflow: &str,
    limits: &Limits,
    record: &Subject,
    (execution, now): (&str, Timestamp),
    admitted: &mut Admitted,
) -> Result<Result<(), Reason>, Error> {
    let holder = State { execution: Some(execution.to_owned()), at: Some(now), count: 0 };
    let once = match limits.reentry {
        Reentry::EveryEvent => None,
        Reentry::OneActivePerRecord => Some((Guard::Active(record), "an execution is open on this record")),
        Reentry::OncePerRecord => Some((Guard::Once(record), "the workflow ran on this record before")),
    };
    if let Some((guard, why)) = once {
        let key = guard::key(workflow, guard);
        if let (Some(_), state) = read(tables, &key).await? {
            let by = state.execution.unwrap_or_default();
            return Ok(Err(because("reentry", format!("{why}: {by}"))));
        }
        admitted.holds_record = limits.reentry == Reentry::OneActivePerRecord;
        admitted.writes.push(put(key, None, &holder, None));
    }
    if let Some(cooldown) = &limits.cooldown {
        let key = guard::key(workflow, Guard::Cooldown(record));
        let (version, state) = read(tables, &key).await?;
        let span = SignedDuration::from_secs(cooldown.as_seconds());
        if let Some(free) = state.at.map(|last| last + span).filter(|free| *free > now) {
            return Ok(Err(because("cooldown", format!("the workflow may start on this record again at {free}"))));
        }
        admitted.writes.push(put(key, version, &holder, Some(now + span + GUARD_KEPT)));
    }
    let key = guard::key(workflow, Guard::Window(record));
    let (version, state) = read(tables, &key).await?;
    let opened = state.at.filter(|at| now.duration_since(*at).as_secs() < BREAKER_WINDOW_S);
    let count = if opened.is_some() { state.count } else { 0 };
    if count >= BREAKER_STARTS {
        let message =
            format!("{count} starts on one record within {BREAKER_WINDOW_S} s: the workflow's triggers are suspended");
        return Ok(Err(Reason { code: "breaker", message, opens_breaker: true }));
    }
    let window = State { execution: None, at: Some(opened.unwrap_or(now)), count: count + 1 };
    admitted.writes.push(put(key, version, &window, Some(now + SignedDuration::from_secs(BREAKER_WINDOW_S * 2))));
    Ok(Ok(()))
}

async fn read(tables: &dyn Tables, key: &crate::ports::Key) -> Result<(Option<u64>, State), Error> {
    let item = tables.get(guard::TABLE, key, Consistency::Strong).await?;
    let state = item.as_ref().map(guard::parse).transpose()?.unwrap_or_default();
    Ok((item.map(|item| item.version), state))
}

fn put(key: crate::ports::Key, version: Option<u64>, state: &State, expires_at: Option<Timestamp>) -> Write {
    let expect = version.map_or(Expect::Absent, Expect::Version);
    Write::Put { table: guard::TABLE, item: guard::item(key, version.unwrap_or(0) + 1, state, expires_at), expect }
}

/// The row of a refused start.
pub(crate) fn refusal(plan: &Plan, trigger: Option<&str>, event: &Event, reason: &Reason) -> Refusal {
    Refusal {
        workflow: plan.workflow.id.clone(),
        trigger: trigger.map(str::to_owned),
        event_id: event.id.clone(),
        record: event.subject.clone(),
        code: reason.code.to_owned(),
        message: reason.message.clone(),
        at: event.occurred_at,
    }
}

/// After an execution ended: the place that became free wakes the oldest in line, and many failures open the
/// breaker. Neither is needed for correctness: the line looks again by itself, and the breaker at the next failure.
pub(crate) async fn after_end(executor: &Executor, before: &Execution, after: &Execution) -> Result<(), Error> {
    if before.holds_place {
        wake_oldest_in_line(executor, &after.workflow).await?;
    }
    if after.status == Status::Failed && mostly_failed(&*executor.tables, &after.workflow).await? {
        let message =
            format!("at least {BREAKER_FAILURES_PERCENT} % of the last {BREAKER_EXECUTIONS} executions failed");
        open_breaker(executor, &after.workflow, &message).await?;
    }
    Ok(())
}

/// After an execution began: one that stood in line wakes the next. Several places may have become free while it was
/// the oldest, and each of them woke it alone.
pub(crate) async fn after_start(executor: &Executor, before: &Execution) -> Result<(), Error> {
    let in_line = matches!(before.wake, Wake::Timer { purpose: TimerPurpose::Line, .. });
    if in_line { wake_oldest_in_line(executor, &before.workflow).await } else { Ok(()) }
}

async fn wake_oldest_in_line(executor: &Executor, workflow: &str) -> Result<(), Error> {
    let query = of_index(Index::Third, items::execution::of_status(Status::Queued), false, 200);
    for item in executor.tables.query(&query).await?.items {
        let execution = items::execution::parse(&item)?;
        let in_line = matches!(execution.wake, Wake::Timer { purpose: TimerPurpose::Line, .. });
        if in_line && execution.workflow == workflow {
            let job = Job::of(&execution).message(workflow, SignedDuration::ZERO);
            return Ok(executor.jobs.send(queue_of(&execution), vec![job]).await?);
        }
    }
    Ok(())
}

async fn mostly_failed(tables: &dyn Tables, workflow: &str) -> Result<bool, Error> {
    let query = of_index(Index::First, items::execution::of_workflow(workflow), true, BREAKER_EXECUTIONS * 2);
    let mut ended = Vec::new();
    for item in tables.query(&query).await?.items {
        let execution = items::execution::parse(&item)?;
        if execution.status.is_ended() {
            ended.push(execution.status);
        }
    }
    ended.truncate(BREAKER_EXECUTIONS);
    let failed = ended.iter().filter(|status| **status == Status::Failed).count();
    Ok(ended.len() >= BREAKER_EXECUTIONS && failed * 100 >= ended.len() * BREAKER_FAILURES_PERCENT)
}

/// Suspends a workflow's triggers and tells the owner; once, until it is activated again.
pub(crate) async fn open_breaker(executor: &Executor, workflow: &str, why: &str) -> Result<(), Error> {
    let Some(mut head) = executor.catalog.head(workflow).await? else { return Ok(()) };
    if head.suspended.is_some() {
        return Ok(());
    }
    let now = executor.clock.now();
    let before = head.version;
    head.suspended = Some(Act { actor: "breaker".to_owned(), reason: Some(why.to_owned()), at: now });
    head.version += 1;
    let put = Write::Put {
        table: items::workflow::TABLE,
        item: items::workflow::head_item(&head),
        expect: Expect::Version(before),
    };
    let transaction = crate::ports::Transaction { writes: vec![put], durability: crate::ports::Durability::Durable };
    match executor.tables.transact(transaction).await {
        Err(error) if Error::from(error.clone()).is_conflict() => return Ok(()),
        result => result?,
    }
    tracing::error!(workflow, "the breaker suspended the triggers of {workflow}: {why}");
    executor.notices.post(&breaker_notice(&head, why, now)).await
}

fn breaker_notice(head: &items::workflow::Head, why: &str, at: Timestamp) -> Notice {
    Notice {
        id: format!("breaker-{}-{}", head.id, head.version),
        to: head.owner.clone(),
        severity: "error".to_owned(),
        subject: format!("{}: triggers suspended", head.name),
        text: format!(
            "{why}. Its triggers start nothing until somebody activates it again. See docs/errors/breaker.md."
        ),
        at,
    }
}

pub(crate) fn of_index(index: Index, partition: String, newest_first: bool, limit: usize) -> Query {
    Query {
        table: items::execution::TABLE,
        index: Some(index),
        partition,
        range: SortRange::All,
        newest_first,
        limit,
        after: None,
        consistency: Consistency::Eventual,
    }
}
