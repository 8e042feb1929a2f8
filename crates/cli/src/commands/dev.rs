//! `pawl dev`: the whole system in one process, reloading on save.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use pawl_definition::{TriggerKind, Workflow};
use pawl_runtime::System;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::Dev;
use crate::embedded::{Embedded, Folder, Loaded, Options, What};
use crate::output::say;

/// The folder inside the author's folder in which data is kept.
const DATA: &str = ".pawl";

/// Runs until it is interrupted. With a token, the management API asks for it.
pub(crate) async fn run(dev: Dev, token: Option<String>) -> anyhow::Result<bool> {
    let data = data_folder(&dev)?;
    let embedded = Embedded::start(Options {
        data: &data,
        port: dev.port,
        allow: &dev.allow,
        hops: dev.hops,
        token,
        variables: std::env::vars().collect(),
    })
    .await?;
    let mut watching = None;
    if let Some(dir) = &dev.dir {
        let mut folder = Folder::new(dir);
        folder.load(&embedded.system).await?.iter().for_each(tell);
        watching = Some(tokio::spawn(watch(folder, embedded.system.clone(), embedded.url())));
    }
    for head in embedded.system.workflows.list(1_000, None).await?.0 {
        print_webhooks(&embedded.system, &embedded.url(), &head.id).await?;
    }
    let mut interrupts = Interrupts::heard()?;
    // Read by scripts and load generators: keep the words.
    say!("ready on {}", embedded.url());
    interrupts.next().await;
    if let Some(watching) = watching {
        watching.abort();
    }
    tracing::info!("stopping: waits for what is in progress; another interrupt ends it at once");
    tokio::select! {
        // Read by the benchmarks: keep the words.
        fsyncs = embedded.stop() => say!("stopped after fsyncs={}", fsyncs?),
        // What is cut off goes on at the next start, as after a crash.
        () = interrupts.next() => {}
    }
    Ok(true)
}

/// Interrupts from the keyboard, and polite ends from the system.
struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    /// Hears them from now on: before, the system ends the process.
    fn heard() -> anyhow::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
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
    std::fs::create_dir_all(&data).with_context(|| format!("cannot make the folder {}", data.display()))?;
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
            loaded.warnings.iter().for_each(|warning| say!("{warning}"));
        }
        Err(problems) => problems.iter().for_each(|problem| say!("{problem}")),
    }
}

/// Prints where the webhooks of a workflow listen, and what keeps them from it.
async fn print_webhooks(system: &System, url: &str, workflow: &str) -> anyhow::Result<()> {
    let Some((head, plan)) = system.workflows.in_force(workflow).await? else { return Ok(()) };
    for (path, is_enabled) in webhooks(&plan.workflow) {
        let note = match (head.active, is_enabled) {
            (false, _) => "  (the workflow is inactive)",
            (true, false) => "  (not enabled)",
            (true, true) => "",
        };
        say!("webhook {url}{path}{note}");
    }
    Ok(())
}

/// The paths of a workflow's webhooks, and whether each is enabled.
fn webhooks(workflow: &Workflow) -> impl Iterator<Item = (String, bool)> {
    let hooks = workflow.triggers.iter().filter(|trigger| matches!(trigger.kind, TriggerKind::Webhook(_)));
    hooks.map(|trigger| (format!("/hooks/{}/{}", workflow.id, trigger.id), trigger.enabled))
}
