//! The function's process: settings from the environment, one handler, the Lambda runtime loop.

use function::Clock;
use lambda_runtime::service_fn;
use report_api::{ReportApi, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = function::start(&["report_api", "report_queue"], Settings::read)?;
    let handler = ReportApi::new(settings, Clock::system());
    lambda_runtime::run(service_fn(|event| Box::pin(handler.handle(event)))).await
}
