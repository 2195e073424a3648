//! The function's process: settings from the environment, one handler, the Lambda runtime loop.

use lambda_runtime::service_fn;
use query_sign_up::{Settings, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = function::start(&["query_sign_up"], Settings::read)?;
    lambda_runtime::run(service_fn(|event| std::future::ready(handle(&settings, event)))).await
}
