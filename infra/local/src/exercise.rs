//! Trying out a deployed system: one step after the other, each with a limit, and a table of what happened.

use std::time::{Duration, Instant};

use anyhow::bail;
use ferrostack_deploy::Progress;

/// What was tried so far.
#[derive(Debug)]
pub struct Exercise<'a> {
    progress: &'a Progress,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    what: String,
    took: Duration,
    outcome: Result<String, String>,
}

impl<'a> Exercise<'a> {
    /// Nothing tried yet.
    pub fn new(progress: &'a Progress) -> Exercise<'a> {
        Exercise { progress, steps: Vec::new() }
    }

    /// Runs one step and notes how it went. A step that fails does not hold the others up.
    pub async fn step(&mut self, what: &str, trial: impl Future<Output = anyhow::Result<String>>) {
        self.progress.begin(format!("trying: {what}"), 0);
        let started = Instant::now();
        let outcome = trial.await.map_err(|error| format!("{error:#}"));
        self.steps.push(Step { what: what.to_owned(), took: started.elapsed(), outcome });
        self.progress.clear();
        self.progress.line(self.steps.last().map(Step::line).unwrap_or_default());
    }

    /// Whether every step went well.
    pub fn succeeded(&self) -> bool {
        self.steps.iter().all(|step| step.outcome.is_ok())
    }

    /// One line a step.
    pub fn table(&self) -> String {
        self.steps.iter().map(Step::line).collect::<Vec<_>>().join("\n")
    }
}

impl Step {
    fn line(&self) -> String {
        let (mark, text) = match &self.outcome {
            Ok(text) => ("ok  ", text),
            Err(text) => ("FAIL", text),
        };
        format!("{mark} {:<58} {:>5.1} s  {text}", self.what, self.took.as_secs_f64())
    }
}

/// Asks again and again until there is something, at most for `limit`.
///
/// # Errors
///
/// When the limit is reached; `what` says what was waited for.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let give_up = Instant::now() + limit;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() > give_up {
            bail!("{what} did not come within {} seconds", limit.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
