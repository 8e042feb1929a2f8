//! Wires the trigger evaluator.

use lambda_runtime::{Error, run, service_fn};
use pawl_function_trigger_evaluator::{Configuration, NAME, TriggerEvaluator, wire};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let started = pawl_lambda::start(NAME, Configuration::read, wire)?;
    let evaluator = TriggerEvaluator::of(&started);
    let handle = async |payload, invocation| evaluator.handle(payload, invocation).await;
    run(service_fn(|event| started.function.invoke(event, handle))).await
}
