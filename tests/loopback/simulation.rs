//! Simulations: one seed is one history.

use std::future::Future;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most of a history is waiting for a socket, so a few of them run at once.
const THREADS: usize = 8;

/// The seeds of a simulation: as many as `SIMULATION_SEEDS` says, or 100. With `SEED`, only that one, to look at it again.
///
/// # Panics
///
/// If a variable is not a number.
pub fn seeds() -> Range<u64> {
    let number = |name: &str| {
        let value = std::env::var(name).ok()?;
        Some(value.parse::<u64>().unwrap_or_else(|_| panic!("{name} is {value}; must be a number")))
    };
    match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIMULATION_SEEDS").unwrap_or(100),
    }
}

/// One history per seed, in the order of the seeds. Each has a runtime of its own, and nothing that another one could change.
///
/// # Panics
///
/// If a history panics.
pub fn histories<T, F>(seeds: Range<u64>, history: impl Fn(u64) -> F + Sync) -> Vec<T>
where
    T: Send,
    F: Future<Output = T>,
{
    let (next, done) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    let end = runtime.block_on(history(seed));
                    done.lock().unwrap().push((seed, end));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(seed, _)| *seed);
    done.into_iter().map(|(_, end)| end).collect()
}

/// The first of the first hundred seeds whose history, with a planted bug, violates something.
///
/// # Panics
///
/// If a history panics.
pub fn finds<F>(history: impl Fn(u64) -> F + Sync) -> Option<u64>
where
    F: Future<Output = bool>,
{
    let step = THREADS as u64;
    (0..100).step_by(THREADS).find_map(|first| {
        let violated = histories(first..first + step, &history);
        violated.iter().position(|violated| *violated).map(|index| first + index as u64)
    })
}
