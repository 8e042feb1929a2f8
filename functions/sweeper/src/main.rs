//! Wires the sweeper.

use lambda_runtime::{Error, run, service_fn};
use pawl_function_sweeper::{Configuration, NAME, handle, wire};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let started = pawl_lambda::start(NAME, Configuration::read, wire)?;
    let handle = async |payload, invocation| handle(&started.runtime, payload, &invocation).await;
    run(service_fn(|event| started.function.invoke(event, handle))).await
}
