//! `pawl dev`: the whole system in one process, reloading on save.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure};
use pawl_definition::Hook;
use pawl_local::BacklogLimits;
use pawl_runtime::System;

use crate::args::Dev;
use crate::embedded::{Embedded, Folder, Loaded, Options, Stopped, What, hear_signals};
use crate::output::say;
use crate::shown::shown;

/// The folder inside the author's folder in which data is kept.
const DATA: &str = ".pawl";

/// A mebibyte, in bytes.
const MIB: usize = 1024 * 1024;

/// Runs until it is interrupted. With a token, the management API asks for it.
pub(crate) async fn run(dev: Dev, token: Option<String>) -> anyhow::Result<bool> {
    if let Some(token) = &token {
        check_token(token)?;
    }
    let data = data_folder(&dev)?;
    let grace = Duration::from_secs(dev.grace);
    let embedded = Embedded::start(Options {
        data: &data,
        port: dev.port,
        allow: &dev.allow,
        max_steps_per_invocation: dev.max_steps_per_invocation,
        retention: dev.retention,
        backlog: BacklogLimits { messages: dev.backlog, bytes: dev.backlog_mib.saturating_mul(MIB) },
        token,
        variables: dev.variables.into_pairs(),
    })
    .await?;
    for doubt in &embedded.doubts {
        say!("warning: {doubt}");
    }
    let mut watching = None;
    if let Some(dir) = &dev.dir {
        let mut folder = Folder::new(dir);
        folder.load(&embedded.system).await?.iter().for_each(tell);
        watching = Some(tokio::spawn(watch(folder, embedded.system.clone(), embedded.url())));
    }
    for head in embedded.system.workflows.list(1_000, None).await?.items {
        print_webhooks(&embedded.system, &embedded.url(), &head.id).await?;
    }
    let mut interrupted = hear_signals(grace)?;
    // Read by scripts and load generators: keep the words.
    say!("ready on {}", embedded.url());
    let ended = tokio::select! {
        _ = interrupted.wait_for(|told| *told) => None,
        why = embedded.storage_ended() => Some(why),
    };
    if let Some(watching) = watching {
        watching.abort();
    }
    if let Some(why) = ended {
        bail!("storage ended: {why}");
    }
    tracing::info!("stopping: waits for what is in progress; another interrupt ends it at once");
    let Stopped { fsyncs, abandoned } = embedded.stop(grace).await;
    if abandoned > 0 {
        tracing::warn!(abandoned, "{abandoned} messages were still in progress; they go on at the next start");
    }
    // Read by the benchmarks: keep the words.
    say!("stopped after fsyncs={fsyncs}");
    Ok(true)
}

/// A token that no request could carry would lock everybody out.
fn check_token(token: &str) -> anyhow::Result<()> {
    let found = match token {
        "" => "an empty one".to_owned(),
        _ if !token.is_ascii() => "others".to_owned(),
        _ if token.bytes().any(|byte| !byte.is_ascii_graphic()) => "blanks or control characters".to_owned(),
        _ => return Ok(()),
    };
    bail!("--token or PAWL_TOKEN: expected a token of visible ASCII characters, found {found}")
}

fn data_folder(dev: &Dev) -> anyhow::Result<PathBuf> {
    if let Some(dir) = &dev.dir {
        ensure!(dir.exists(), "expected a folder of workflows, found none at {}", dir.display());
    }
    let data = match (&dev.data, &dev.dir) {
        (Some(data), _) => data.clone(),
        (None, Some(dir)) => dir.join(DATA),
        (None, None) => PathBuf::from(DATA),
    };
    Ok(data)
}

/// Loads on each save and tells what became of it, for ever.
async fn watch(mut folder: Folder, system: System, url: String) {
    loop {
        for loaded in folder.next(&system).await {
            tell(&loaded);
            if let Ok(What::Workflow(id, _)) = &loaded.result
                && let Err(error) = print_webhooks(&system, &url, id).await
            {
                tracing::error!(workflow = %id, "the webhooks of {id} cannot be listed: {error:#}");
            }
        }
    }
}

fn tell(loaded: &Loaded) {
    match &loaded.result {
        Ok(what) => {
            say!("{}: {what}", loaded.path.display());
            loaded.warnings.iter().for_each(|warning| say!("{}", shown(&warning.to_string())));
        }
        Err(why) => why.lines(&loaded.path).iter().for_each(|line| say!("{}", shown(line))),
    }
}

/// Prints where the webhooks of a workflow listen, and what keeps them from it.
async fn print_webhooks(system: &System, url: &str, workflow: &str) -> anyhow::Result<()> {
    let Some((head, plan)) = system.workflows.in_force(workflow).await? else { return Ok(()) };
    for hook in plan.workflow.webhooks() {
        say!("webhook {url}/hooks/{workflow}/{}{}", hook.trigger.id, note(&hook, head.active));
    }
    Ok(())
}

/// What a webhook is for if it starts nothing, and what keeps it from listening.
fn note(hook: &Hook<'_>, is_active: bool) -> String {
    match (hook.goal, hook.trigger.enabled) {
        (_, false) => "  (not enabled)".to_owned(),
        (Some(goal), true) => format!("  (for the goal {goal})"),
        (None, true) if !is_active => "  (the workflow is inactive)".to_owned(),
        (None, true) => String::new(),
    }
}
