//! Benchmarks of the release binary, driven from outside as any load generator would; one JSON line each.
//!
//! The harness runs on the same machine as the system under test: the generator and the echo server are kept thin,
//! and processor time is read of the server's process alone.

mod aws;
mod bulk;
mod burst;
mod dates;
mod echo;
mod http;
mod import;
mod lanes;
mod listeners;
mod loops;
mod process;
mod sleepers;
mod spread;
mod w5;

use anyhow::bail;

fn main() -> anyhow::Result<()> {
    let name = std::env::args().nth(1);
    // One thread drives: the other core is the server's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match name.as_deref() {
            None => {
                w5::run().await?;
                listeners::run().await?;
                sleepers::run().await?;
                loops::run().await?;
                lanes::run().await?;
                bulk::run().await?;
                burst::run().await?;
                dates::run().await?;
                import::run().await
            }
            Some("w5") => w5::run().await,
            Some("listeners") => listeners::run().await,
            Some("sleepers") => sleepers::run().await,
            Some("loop") => loops::run().await,
            Some("lanes") => lanes::run().await,
            Some("bulk") => bulk::run().await,
            Some("burst") => burst::run().await,
            Some("dates") => dates::run().await,
            Some("import") => import::run().await,
            Some("aws-cost") => aws::cost::run().await,
            Some("aws-latency") => aws::latency::run().await,
            Some("aws-scale") => aws::scale::run().await,
            Some("aws-load") => aws::load::run().await,
            Some("cold") => aws::cold::run().await,
            Some(other) => {
                bail!(
                    "there is no benchmark {other:?}: expected w5, listeners, sleepers, loop, lanes, bulk, burst, dates, import, aws-cost, aws-latency, aws-scale, aws-load or cold"
                )
            }
        }
    })
}
