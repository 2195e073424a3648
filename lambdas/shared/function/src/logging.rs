//! Structured logs: one JSON object per line, one line per step.

use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

/// The level `AWS_LAMBDA_LOG_LEVEL` asks for (TRACE, DEBUG, INFO, WARN, ERROR, FATAL; INFO when absent or unknown).
///
/// Lambda sets the variable from the function's advanced logging configuration:
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>.
pub fn level(variable: &impl Fn(&str) -> Option<String>) -> Level {
    match variable("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default().to_ascii_uppercase().as_str() {
        "TRACE" => Level::TRACE,
        "DEBUG" => Level::DEBUG,
        "WARN" => Level::WARN,
        "ERROR" | "FATAL" => Level::ERROR,
        _ => Level::INFO,
    }
}

/// A subscriber that writes the lines of the crates `ours` at `level`, and those of all other crates from WARN up.
///
/// The libraries underneath log requests and events, including tokens, at TRACE and DEBUG, so no setting turns those levels on.
pub fn subscriber<W>(ours: &[&'static str], level: Level, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let others = LevelFilter::WARN.min(LevelFilter::from_level(level));
    let filter = Targets::new().with_default(others).with_targets(ours.iter().map(|name| (*name, level)));
    let lines = fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(writer);
    Registry::default().with(filter).with(lines)
}
