//! The function's process: settings from the environment, one handler, the Lambda runtime loop.

use std::io;

use function::{Clock, logging};
use lambda_runtime::service_fn;
use query_results::{Handler, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variable = |name: &str| std::env::var(name).ok();
    let ours = &["query_results", "queries"];
    tracing::subscriber::set_global_default(logging::subscriber(ours, logging::level(&variable), io::stdout))?;
    let settings = Settings::read(&variable).inspect_err(|problem| tracing::error!(step = "settings", %problem))?;
    let handler = Handler::new(settings, Clock::system());
    lambda_runtime::run(service_fn(|event| Box::pin(handler.handle(event)))).await
}
