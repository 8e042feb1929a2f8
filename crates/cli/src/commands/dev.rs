//! `pawl dev`: the whole system in one process, reloading on save.

use std::path::{Path, PathBuf};

use anyhow::Context;
use pawl_definition::TriggerKind;
use pawl_runtime::System;

use crate::args::Dev;
use crate::embedded::{Embedded, Folder, Options};

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
        for loaded in folder.load(&embedded.system).await? {
            tell(&loaded.path, &loaded.result);
        }
        let system = embedded.system.clone();
        watching = Some(tokio::spawn(folder.watch(system, |loaded| tell(&loaded.path, &loaded.result))));
    }
    print_webhooks(&embedded).await?;
    // Read by scripts and load generators: keep the words.
    println!("ready on {}", embedded.url());
    interrupted().await?;
    if let Some(watching) = watching {
        watching.abort();
    }
    let fsyncs = embedded.stop().await?;
    // Read by the benchmarks: keep the words.
    println!("stopped after fsyncs={fsyncs}");
    Ok(true)
}

/// Waits for an interrupt from the keyboard or a polite end from the system.
async fn interrupted() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn data_folder(dev: &Dev) -> anyhow::Result<PathBuf> {
    let data = match (&dev.data, &dev.dir) {
        (Some(data), _) => data.clone(),
        (None, Some(dir)) => dir.join(DATA),
        (None, None) => PathBuf::from(DATA),
    };
    std::fs::create_dir_all(&data).with_context(|| format!("cannot make the folder {}", data.display()))?;
    Ok(data)
}

fn tell(path: &Path, result: &Result<String, Vec<pawl_definition::Problem>>) {
    match result {
        Ok(what) => println!("{}: {what}", path.display()),
        Err(problems) => problems.iter().for_each(|problem| println!("{problem}")),
    }
}

async fn print_webhooks(embedded: &Embedded) -> anyhow::Result<()> {
    for url in webhooks(&embedded.system).await? {
        println!("webhook {}{url}", embedded.url());
    }
    Ok(())
}

/// The paths of all webhooks.
async fn webhooks(system: &System) -> anyhow::Result<Vec<String>> {
    let mut paths = Vec::new();
    let (heads, _) = system.workflows.list(1_000, None).await?;
    for head in heads {
        let Some(revision) = system.workflows.revision(&head.id, head.revision).await? else { continue };
        let workflow: pawl_definition::Workflow = serde_json::from_value(revision.source)?;
        let hooks = workflow.triggers.iter().filter(|trigger| matches!(trigger.kind, TriggerKind::Webhook(_)));
        let note = if head.active { "" } else { "  (inactive)" };
        paths.extend(hooks.map(|trigger| format!("/hooks/{}/{}{note}", workflow.id, trigger.id)));
    }
    Ok(paths)
}
