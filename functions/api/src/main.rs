//! Wires the management API.

use lambda_http::{Error, LambdaEvent, Request, RequestExt, run, service_fn};
use pawl_function_api::{Api, Configuration, NAME, wire};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let started = pawl_lambda::start(NAME, Configuration::read, wire)?;
    let api = Api::of(&started);
    let handle = async |request, _| Ok::<_, Error>(api.handle(request).await);
    run(service_fn(|request: Request| {
        let context = request.lambda_context();
        started.function.invoke(LambdaEvent::new(request, context), handle)
    }))
    .await
}
