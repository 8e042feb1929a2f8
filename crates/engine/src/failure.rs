//! What follows a failed step: section 6 of the language.

use jiff::SignedDuration;
use pawl_definition::{Failure, FailureClass, Notify, Retry, Severity, Step, Then, Workflow};

use crate::code::Retries;
use crate::draft::Draft;
use crate::{NoticeText, PauseReason, Status, StepCode, StepError, StepStatus, TimerPurpose, Wake, ids};

/// Longest wait that `Retry-After` may ask for, in seconds.
const RETRY_AFTER_MOST_S: u64 = 3_600;

/// Retries the step, or does what its failure policy says.
pub(crate) fn apply<'a>(mut draft: Draft<'a>, step: &Step, error: StepError, after_effect: bool) -> Draft<'a> {
    draft.row.error = Some(error.clone());
    draft.execution.over_budget |= error.code == StepCode::OverBudget;
    let wait = match error.code.retries() {
        Retries::AtOnce => Some(SignedDuration::ZERO),
        Retries::InTurn => Some(asked_for(&error)),
        Retries::Never | Retries::Policy(_) | Retries::ByOccurrence => None,
    };
    if let Some(wait) = wait {
        draft.state_mut().interrupted += 1;
        return retry(draft, error, wait);
    }
    if let Some(wait) = retry_wait(&draft, step, &error, after_effect) {
        return retry(draft, error, wait);
    }
    give_up(draft, step, error)
}

/// Does what the failure policy says of a step that is not tried again.
pub(crate) fn give_up<'a>(mut draft: Draft<'a>, step: &Step, error: StepError) -> Draft<'a> {
    draft.row.error = Some(error.clone());
    // What becomes of the failure is said by the policy of the loop, where all of it ends.
    if draft.execution.is_slice_of(&step.id) {
        draft.set_status(StepStatus::Failed);
        return draft.end_failed(error);
    }
    let own = step.on_failure.as_ref();
    let default = default_policy(&draft);
    let then = own.and_then(|policy| policy.then.as_ref()).or_else(|| default.and_then(|policy| policy.then.as_ref()));
    draft.notice = notice(&draft, step, &error);
    draft.set_status(StepStatus::Failed);
    draft.leave_frame(step);
    draft.execution.leases.clear();
    draft.execution.waiting = None;
    draft.forget_checkpoint();
    draft.execution.failed_steps.insert(step.id.clone());
    if let Some(state) = draft.execution.steps.get_mut(&step.id) {
        state.error = Some(error.clone());
        state.output = draft.row.output.clone();
    }
    let in_region = if draft.execution.is_inside() { &Then::Fail } else { &Then::Pause };
    match then.unwrap_or(in_region) {
        // Without its branch there is no way on; a default failure policy does not follow its own steps.
        Then::Continue if step.kind.facts().must_branch => pause(draft, error),
        Then::Steps(_) if step.failure_steps().is_none() && draft.cx.plan.follows_failures(&step.id) => {
            pause(draft, error)
        }
        Then::Pause => pause(draft, error),
        // A person holds it, and it does not end under his hands.
        Then::Fail if draft.execution.pause.is_some() => pause(draft, error),
        Then::Fail if !draft.execution.frames.is_empty() => {
            draft.execution.steps_done += 1;
            draft.item_ended(Some(error))
        }
        Then::Continue => draft.past_failure(step),
        Then::Steps(_) => draft.failure_steps(step),
        Then::Fail => {
            let notice = draft.notice.clone();
            let mut draft = draft.end_failed(error);
            draft.notice = notice;
            draft
        }
    }
}

/// What the workflow says of failures. A part of an execution fails by itself: the policy is that of the step that it belongs
/// to.
fn default_policy<'a>(draft: &Draft<'a>) -> Option<&'a Failure> {
    draft.cx.plan.workflow.on_failure.as_ref().filter(|_| !draft.execution.is_inside())
}

fn pause(mut draft: Draft<'_>, error: StepError) -> Draft<'_> {
    draft.execution.wake = Wake::Job;
    draft.execution.status = Status::Running;
    draft.paused(PauseReason::Failure, Some(error.message))
}

fn retry(mut draft: Draft<'_>, error: StepError, wait: SignedDuration) -> Draft<'_> {
    let at = draft.cx.now + wait;
    draft.set_status(StepStatus::Retrying);
    draft.execution.leases.clear();
    // It may be paused: the caller pauses it again, with this wait.
    draft.execution.status = Status::Running;
    draft.execution.wake = Wake::Timer { at, purpose: TimerPurpose::Retry };
    draft.row.due = Some(at);
    draft.row.note = Some(format!("tries again at {at}"));
    let id = draft.execution.cursor.clone();
    if let Some(state) = id.and_then(|id| draft.execution.steps.get_mut(&id)) {
        state.error = Some(error);
    }
    draft
}

/// How long to wait before the next attempt; `None` if there is none.
fn retry_wait(draft: &Draft<'_>, step: &Step, error: &StepError, after_effect: bool) -> Option<SignedDuration> {
    let own = step.on_failure.as_ref().and_then(|policy| policy.retry.clone());
    let default = draft.cx.plan.workflow.on_failure.as_ref().and_then(|policy| policy.retry.clone());
    let by_default = step.kind.reaches_outside().then(Retry::default);
    let retry = own.or(default).or(by_default)?;
    let attempt = draft.state().attempt.saturating_sub(draft.state().interrupted);
    // After a crash nobody knows whether an at-most-once effect happened: it must not be tried again. Neither if
    // the answer was lost.
    let once = step.delivery == pawl_definition::Delivery::AtMostOnce && after_effect && may_have_happened(error);
    let applies = retry.on.contains(&FailureClass::Any) || error.class.is_some_and(|class| retry.on.contains(&class));
    if once || !applies || error.code == StepCode::OutcomeUnknown || attempt > retry.attempts {
        return None;
    }
    Some(backoff(draft, step, &retry, attempt).max(asked_for(error)))
}

/// Whether an effect may have happened although its step failed.
fn may_have_happened(error: &StepError) -> bool {
    matches!(error.class, Some(FailureClass::Timeout | FailureClass::Network | FailureClass::Server))
}

fn asked_for(error: &StepError) -> SignedDuration {
    let seconds = error.retry_after_s.unwrap_or(0).min(RETRY_AFTER_MOST_S);
    SignedDuration::from_secs(i64::try_from(seconds).expect("an hour fits"))
}

/// `first · factor^(attempt − 1)`, at most `max`; with jitter a part of it between a half and the whole ("equal
/// jitter", AWS Architecture Blog, "Exponential Backoff And Jitter").
fn backoff(draft: &Draft<'_>, step: &Step, retry: &Retry, attempt: u32) -> SignedDuration {
    let seconds = |duration: &pawl_definition::Duration| duration.approximate().as_secs_f64();
    let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let full = (seconds(&retry.first) * retry.factor.max(1.0).powi(exponent)).min(seconds(&retry.max));
    let visit = draft.state().visit.to_string();
    let share = ids::fraction(&["jitter", &draft.execution.id, &step.id, &visit, &attempt.to_string()]);
    let wait = if retry.jitter { full * (0.5 + share / 2.0) } else { full };
    SignedDuration::from_millis(to_millis(wait))
}

#[expect(clippy::cast_possible_truncation, reason = "at most the policy's maximum, which is far below 2^63 ms")]
fn to_millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

fn notice(draft: &Draft<'_>, step: &Step, error: &StepError) -> Option<NoticeText> {
    let own: Option<&Failure> = step.on_failure.as_ref();
    let default = default_policy(draft);
    // The failure of a part is told once, as that of the step that it belongs to.
    if draft.execution.is_inside() && own.is_none_or(|policy| policy.notify.is_none() && policy.then.is_none()) {
        return None;
    }
    let whom =
        own.and_then(|policy| policy.notify.as_ref()).or_else(|| default.and_then(|policy| policy.notify.as_ref()));
    let severity = own.and_then(|policy| policy.severity).or_else(|| default.and_then(|policy| policy.severity));
    let to = addressee(whom.unwrap_or(&Notify::Owner), &draft.cx.plan.workflow)?;
    let workflow = draft.cx.plan.workflow.display_name();
    Some(NoticeText {
        to,
        severity: severity.unwrap_or(Severity::Error).as_str(),
        subject: format!("{workflow}: step {} failed", step.id),
        text: format!(
            "Step {} of execution {} failed: {} ({}). See docs/errors/{}.md for what to do.",
            step.id, draft.execution.id, error.message, error.code, error.code
        ),
    })
}

/// The address of whom is told; none if nobody is.
pub(crate) fn addressee(whom: &Notify, workflow: &Workflow) -> Option<String> {
    match whom {
        Notify::Owner => Some(workflow.owner.clone()),
        Notify::None => None,
        Notify::Address(address) => Some(address.clone()),
    }
}

/// The notice that an execution ended as failed.
pub(crate) fn ended_notice(workflow: &Workflow, execution: &str, error: &StepError) -> NoticeText {
    NoticeText {
        to: workflow.owner.clone(),
        severity: Severity::Error.as_str(),
        subject: format!("{}: an execution failed", workflow.display_name()),
        text: format!("Execution {execution} failed: {} ({}).", error.message, error.code),
    }
}
