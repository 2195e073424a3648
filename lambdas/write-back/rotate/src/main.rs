//! The function's process: settings from the environment, one handler, the Lambda runtime loop.

use lambda_runtime::service_fn;
use write_back_rotate::{KeyRotator, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = function::start(&["write_back_rotate"], Settings::read)?;
    let handler = KeyRotator::new(settings);
    lambda_runtime::run(service_fn(|event| Box::pin(handler.handle(event)))).await
}
