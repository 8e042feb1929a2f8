//! Wires the webhook ingress.

use lambda_http::{Error, LambdaEvent, Request, RequestExt, run, service_fn};
use pawl_function_webhook_ingress::{Configuration, NAME, handle, wire};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let started = pawl_lambda::start(NAME, Configuration::read, wire)?;
    let router = started.runtime.router();
    let handle = async |request, _| Ok::<_, Error>(handle(&router, request).await);
    run(service_fn(|request: Request| {
        let context = request.lambda_context();
        started.function.invoke(LambdaEvent::new(request, context), handle)
    }))
    .await
}
