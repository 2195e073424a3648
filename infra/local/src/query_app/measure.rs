//! How fast and how many: from the end of a statement to its result in the socket, and many sockets held at once.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use serde_json::json;

use super::QueryExercise;
use super::person::{Person, Socket};
use crate::exercise::Exercise;

const RUNS: usize = 200;
const SOCKETS: usize = 200;
/// Enough people that nobody reaches the limits per person in `tenant.yaml`.
const PEOPLE: usize = 20;

impl QueryExercise<'_> {
    /// Measures, and prints the figures as lines of the exercise's table.
    pub(super) async fn measure(&self, exercise: &mut Exercise<'_>) {
        exercise.step("from the end of a statement to the socket", self.latency()).await;
        exercise.step("many sockets, none loses its result", self.sockets()).await;
    }

    /// One run after the other. The event's delivery, the function and the push are timed: the stand-in records when a
    /// statement ended.
    async fn latency(&self) -> anyhow::Result<String> {
        let person = self.people.sign_in("latency").await?;
        let mut socket = self.door.enter(&person, &self.rest).await?;
        let mut spans = Vec::new();
        for run in 0..RUNS + 5 {
            let id = socket.run("slow", json!({"seconds": "0"})).await?;
            let came = loop {
                let (message, came) = socket.hear().await?;
                if message["requestId"] == id && message["type"] == "rows" {
                    break came;
                }
            };
            let name = self.last_statement()?;
            let ended = self.redshift.ended(&name).context("the statement has not ended")?;
            // The first runs start the functions.
            if run >= 5 {
                spans.push(since(ended, came));
            }
        }
        spans.sort();
        let at = |share: f64| spans[((spans.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
        Ok(format!("{RUNS} runs: median {:.1} ms, p99 {:.1} ms, most {:.1} ms", at(0.5), at(0.99), at(1.0)))
    }

    /// All sockets are open at once; each runs its own query.
    async fn sockets(&self) -> anyhow::Result<String> {
        let mut people: Vec<Person> = Vec::new();
        for number in 0..PEOPLE {
            people.push(self.people.sign_in(&format!("crowd-{number}")).await?);
        }
        let mut sockets: Vec<Socket> = Vec::new();
        for number in 0..SOCKETS {
            sockets.push(self.door.enter(&people[number % PEOPLE], &self.rest).await?);
        }
        let started = Instant::now();
        let asked = sockets.iter_mut().enumerate().map(async |(number, socket)| {
            let day = format!("2015-{:02}-{:02}", 1 + number / 28 % 12, 1 + number % 28);
            let messages = socket.persist("taxi-hours", json!({"first_day": day, "last_day": day})).await;
            let messages = messages.with_context(|| format!("socket {number} lost its result"))?;
            anyhow::Ok(super::rows(&messages)?.len())
        });
        let counts = try_join_all(asked).await?;
        ensure!(counts.iter().all(|count| *count > 0), "a result is empty: {counts:?}");
        Ok(format!("{SOCKETS} sockets, {} results in {:.1} s", counts.len(), started.elapsed().as_secs_f64()))
    }
}

/// The stand-in records the system's time; the arrival is a monotonic time.
fn since(ended: SystemTime, came: Instant) -> Duration {
    let now = SystemTime::now();
    now.duration_since(ended).unwrap_or_default().saturating_sub(came.elapsed())
}
