//! Work on all cores, with results in order.

use std::num::NonZero;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::Result;

/// Results of one worker that wait until those before them are taken; more would only take memory.
const WAITING: usize = 2;

/// Calls `work` for every item, on all cores, and `take` for every result, here and in the order of the items.
///
/// # Errors
///
/// The first one of `take`; no further items are started then.
pub(crate) fn in_order<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    if workers <= 1 {
        return items.iter().try_for_each(|item| take(work(item)));
    }
    thread::scope(|scope| {
        let mut results = Vec::new();
        for worker in 0..workers {
            let (sender, receiver) = sync_channel(WAITING);
            let work = &work;
            scope.spawn(move || {
                for item in items.iter().skip(worker).step_by(workers) {
                    // Nobody receives after an error.
                    if sender.send(work(item)).is_err() {
                        break;
                    }
                }
            });
            results.push(receiver);
        }
        for index in 0..items.len() {
            take(results[index % workers].recv().expect("a worker sends one result per item, or panics"))?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use anyhow::bail;

    use super::*;

    #[test]
    fn results_are_taken_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        let mut taken = Vec::new();
        let take = |result| {
            taken.push(result);
            Ok(())
        };
        in_order(&items, |item| item * 2, take).unwrap();
        assert_eq!(taken, items.iter().map(|item| item * 2).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_stops_the_work() {
        let items: Vec<usize> = (0..10_000).collect();
        let started = AtomicUsize::new(0);
        let work = |item: &usize| {
            started.fetch_add(1, Ordering::Relaxed);
            *item
        };
        let result = in_order(&items, work, |item| if item == 3 { bail!("three") } else { Ok(()) });
        assert_eq!(result.unwrap_err().to_string(), "three");
        assert!(started.into_inner() < items.len());
    }
}
