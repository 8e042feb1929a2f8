//! Wires the step executor.

use lambda_runtime::{Error, run, service_fn};
use pawl_function_step_executor::{Configuration, NAME, StepExecutor, wire};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let started = pawl_lambda::start(NAME, Configuration::read, wire)?;
    let executor = StepExecutor::of(&started);
    let handle = async |payload, invocation| executor.handle(payload, invocation).await;
    run(service_fn(|event| started.function.invoke(event, handle))).await
}
