//! Exercising a deployed system: one step after the other, each with a line in a table.

use std::time::{Duration, Instant};

use anyhow::bail;
use ferrostack_deploy::Progress;

/// Runs steps one after the other, and prints the outcome of each as soon as it is known.
#[derive(Debug)]
pub(crate) struct Exercise<'a> {
    progress: &'a Progress,
    failed: usize,
}

impl<'a> Exercise<'a> {
    /// No step has run yet.
    pub(crate) fn new(progress: &'a Progress) -> Exercise<'a> {
        Exercise { progress, failed: 0 }
    }

    /// Runs one step and prints its line of the table. A step that fails does not stop the others.
    pub(crate) async fn step(&mut self, what: &str, trial: impl Future<Output = anyhow::Result<String>>) {
        self.progress.begin(format!("trying: {what}"), 0);
        let started = Instant::now();
        let outcome = trial.await;
        self.progress.clear();
        let (mark, text) = match outcome {
            Ok(text) => ("ok  ", text),
            Err(error) => {
                self.failed += 1;
                ("FAIL", format!("{error:#}"))
            }
        };
        println!("{mark} {what:<58} {:>5.1} s  {text}", started.elapsed().as_secs_f64());
    }

    /// How many steps failed.
    pub(crate) fn failed(&self) -> usize {
        self.failed
    }
}

/// Calls `look` until it returns something, for at most `limit`.
///
/// # Errors
///
/// If the limit is reached; `what` says what was waited for. Errors of `look` are passed on.
pub(crate) async fn until<T>(
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
            bail!("waited {} seconds for {what}", limit.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
