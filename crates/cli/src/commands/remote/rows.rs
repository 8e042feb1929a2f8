//! Records in files: `pawl records import` and `pawl records export`.

mod csv;
mod export;
mod file;
mod import;
mod progress;
mod schema;

use crate::args::RecordsOf;
use crate::client::Client;

/// Imports or exports; `false` if the installation refused something.
pub(super) async fn run(client: &Client, rows: &RecordsOf) -> anyhow::Result<bool> {
    match rows {
        RecordsOf::Import(import) => import::run(client, import).await,
        RecordsOf::Export(export) => export::run(client, export).await,
    }
}
