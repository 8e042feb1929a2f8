//! A workflow in sentences, for people who do not read its file: when it starts, what it does, and what it may reach.

use std::collections::BTreeSet;

use crate::expression::{listed, short};
use crate::step::Shape;
use crate::{Failure, Notify, Reentry, Step, Template, Then, Workflow};

/// Tells a workflow in plain sentences: what it is for, when it starts, what its steps do one after the other, what happens
/// if one fails, its limits, and what it may reach outside. The same workflow always gives the same text, in lines of
/// Markdown.
pub fn told(workflow: &Workflow) -> String {
    let mut lines = vec![format!("# {}", workflow.display_name()), String::new()];
    lines.extend(
        workflow
            .description
            .as_ref()
            .map(|description| format!("{}\n", description.split_whitespace().collect::<Vec<_>>().join(" "))),
    );
    lines.push(runs(workflow));
    lines.extend([String::new(), "## It starts when".to_owned()]);
    lines.extend(starts(workflow));
    lines.extend([String::new(), "## What it does".to_owned()]);
    steps(&workflow.steps, 0, &mut lines);
    lines.extend([String::new(), "## If a step fails".to_owned(), failures(workflow)]);
    steps(workflow.failure_steps(), 1, &mut lines);
    for (heading, told) in [("Limits", limits(workflow)), ("What it may reach", reaches(workflow))] {
        if !told.is_empty() {
            lines.extend([String::new(), format!("## {heading}")]);
            lines.extend(told.into_iter().map(|line| format!("- {line}")));
        }
    }
    lines.join("\n") + "\n"
}

/// How long a step waits, in words.
pub(crate) fn at_most_words(most: &Template) -> String {
    match most.words().trim_matches('"') {
        "never" => "however long that takes".to_owned(),
        length => format!("at most {length}"),
    }
}

fn runs(workflow: &Workflow) -> String {
    let on = match &workflow.object {
        Some(object) => format!("Each execution is about one record of {object}."),
        None => "Its executions are about no record.".to_owned(),
    };
    let active = if workflow.active { "" } else { " It is not active: only people and other workflows start it." };
    let outcome = workflow.outcome.as_ref().map_or(String::new(), |outcome| {
        format!(" It is to reach: {}, that is, {}.", outcome.name, outcome.reached.words())
    });
    format!("{on} {} is responsible for it.{active}{outcome}", workflow.owner)
}

fn starts(workflow: &Workflow) -> Vec<String> {
    let enabled = workflow.triggers.iter().filter(|trigger| trigger.enabled);
    let by_hand = workflow.triggers.iter().any(|trigger| trigger.kind.facts().by_hand);
    let mut lines: Vec<_> = enabled.map(|trigger| format!("- {}", trigger.words())).collect();
    if !by_hand {
        lines.push(format!("- {}", crate::TriggerKind::always().shape().words()));
    }
    lines
}

/// Steps with a number each; those of a branch stand further in.
fn steps(steps_told: &[Step], depth: usize, lines: &mut Vec<String>) {
    let margin = "   ".repeat(depth);
    for (at, step) in steps_told.iter().enumerate() {
        let name = step.name.as_ref().map_or(String::new(), |name| format!(" ({})", short(name)));
        let skipped = if step.skip { ", but is skipped" } else { "" };
        let (number, words) = (at + 1, step.kind.shape().words(step));
        lines.push(format!("{margin}{number}. **{}**{name} {words}{skipped}.", step.id));
        let shape = step.kind.shape();
        for branch in shape.branches().iter().filter(|branch| !branch.steps.is_empty()) {
            lines.push(format!("{margin}   - {}:", shape.heading(branch)));
            steps(branch.steps, depth + 2, lines);
        }
        if let Some(policy) = &step.on_failure {
            lines.push(format!("{margin}   - if it fails: {}.", listed(failure(policy), "and")));
            steps(policy.steps().unwrap_or_default(), depth + 2, lines);
        }
    }
}

/// What a policy says; `None` where it says nothing.
fn failure(policy: &Failure) -> Vec<String> {
    let again = policy.retry.as_ref().map(|retry| match retry.attempts {
        0 => "it is not tried again".to_owned(),
        1 => "it is tried again once".to_owned(),
        times => format!("it is tried again at most {times} times"),
    });
    let then = policy.then.as_ref().map(|then| match then {
        Then::Continue => "the next step follows",
        Then::Fail => "the execution fails",
        Then::Steps(_) => "the steps below follow, then the next step",
        Then::Pause => "the execution pauses until somebody mends it",
    });
    let told = policy.notify.as_ref().map(|notify| match notify {
        Notify::None => "nobody is told".to_owned(),
        Notify::Address(address) => format!("{address} is told"),
        Notify::Owner => "the owner of the workflow is told".to_owned(),
    });
    again.into_iter().chain(then.map(str::to_owned)).chain(told).collect()
}

/// The policy of a workflow: what it does not say is as it is for all.
fn failures(workflow: &Workflow) -> String {
    let mut policy = workflow.on_failure.clone().unwrap_or_default();
    policy.then.get_or_insert_default();
    policy.notify.get_or_insert_default();
    format!("{}.", capital(&listed(failure(&policy), "and")))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn limits(workflow: &Workflow) -> Vec<String> {
    let limits = &workflow.limits;
    let reentry = match limits.reentry {
        Reentry::EveryEvent => None,
        Reentry::OneActivePerRecord => Some("A record has at most one execution at a time.".to_owned()),
        Reentry::OncePerRecord => Some("It runs once for each record.".to_owned()),
    };
    let per = |key: &Option<crate::Expression>| {
        key.as_ref().map_or(String::new(), |key| format!(" for each {}", key.words()))
    };
    let all = [
        reentry,
        limits.cooldown.map(|time| format!("At least {time} pass between two starts on one record.")),
        limits.starts.as_ref().map(|starts| format!("At most {} start in {}.", starts.at_most, starts.per)),
        limits.concurrency.as_ref().map(|most| format!("At most {} run at once{}.", most.at_most, per(&most.per))),
        limits.debounce.as_ref().map(|burst| {
            format!("A burst of events starts it once{}, when none has come for {}.", per(&burst.per), burst.quiet)
        }),
    ];
    all.into_iter().flatten().collect()
}

fn reaches(workflow: &Workflow) -> Vec<String> {
    let steps = workflow.all_steps();
    let shapes = || steps.iter().map(|step| step.kind.shape());
    let one =
        |word: &str, names: BTreeSet<String>| (!names.is_empty()).then(|| format!("{word} {}.", listed(names, "and")));
    let objects = shapes().filter_map(|shape| shape.object().map(str::to_owned));
    let named =
        shapes().flat_map(|shape| shape.workflows().into_iter().map(|named| named.id.to_owned()).collect::<Vec<_>>());
    let all = [
        one("It calls", shapes().flat_map(Shape::reaches).collect()),
        one("It reads or writes records of", objects.chain(workflow.object.clone()).collect()),
        one("It starts or controls the workflows", named.collect()),
        one("It uses the secrets", shapes().flat_map(Shape::secrets).collect()),
    ];
    all.into_iter().flatten().collect()
}
