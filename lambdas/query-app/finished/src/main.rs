//! The function's process: settings from the environment, one handler, the Lambda runtime loop.

use function::Clock;
use lambda_runtime::service_fn;
use query_finished::{QueryEndHandler, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = function::start(&["query_finished", "queries"], Settings::read)?;
    let handler = QueryEndHandler::new(settings, Clock::system());
    lambda_runtime::run(service_fn(|event| Box::pin(handler.handle(event)))).await
}
