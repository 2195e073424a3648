//! The function's process: settings from the environment, one handler, the Lambda runtime loop.

use std::io;

use function::logging;
use lambda_runtime::service_fn;
use query_sign_up::{Settings, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let variable = |name: &str| std::env::var(name).ok();
    tracing::subscriber::set_global_default(logging::subscriber(
        &["query_sign_up"],
        logging::level(&variable),
        io::stdout,
    ))?;
    let settings = Settings::read(&variable).inspect_err(|problem| tracing::error!(step = "settings", %problem))?;
    lambda_runtime::run(service_fn(|event| std::future::ready(handle(&settings, event)))).await
}
