//! The function's process: settings from the environment, one handler, the Lambda runtime loop.

use function::Clock;
use lambda_runtime::service_fn;
use write_back_setup::{Settings, setup};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    custom_resource::answer_when_panicking();
    let settings = function::start(&["custom_resource", "warehouse_setup", "write_back_setup"], Settings::read)?;
    let handler = setup(&settings, Clock::system());
    lambda_runtime::run(service_fn(|event| Box::pin(handler.handle(event)))).await
}
