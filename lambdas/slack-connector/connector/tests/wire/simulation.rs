//! Queries by many instances at once, with faults at every call, in virtual time: one seed is one history.
//!
//! Instances die, answers are lost or late, tables and buckets are throttled, clocks differ. Whatever happens, Slack gets no more
//! calls in a minute than it allows, a stored file is whole, and a query that is repeated has all rows.

use std::time::{Duration, SystemTime};

use fastrand::Rng;

use crate::instances::{Fleet, file};

const SEEDS: u64 = 20;

const MEMBERS: usize = 40;

fn days(count: u32) -> Vec<String> {
    (1..=count).map(|day| format!("2026-{:02}-{:02}", 10 - day / 28, day % 28 + 1)).collect()
}

#[tokio::test]
async fn no_history_asks_slack_too_often_or_stores_half_a_file() {
    let (mut killed, mut faulty) = (0, 0);
    for seed in 0..SEEDS {
        fastrand::seed(seed);
        let mut rng = Rng::with_seed(seed);
        let fleet = Fleet::new(seed, 20, MEMBERS, 2).await;
        let days = days(24);
        let failed = fleet.read(&days, 12, &mut rng).await;
        fleet.heal();
        let again: Vec<String> =
            days.iter().filter(|day| failed.iter().any(|(other, _)| other == *day)).cloned().collect();
        let failed = fleet.read(&again, 12, &mut rng).await;
        assert!(failed.is_empty(), "seed {seed}: {failed:?}");
        let service = fleet.service.lock().unwrap();
        let most = service.most_in_a_minute();
        assert!(most <= 20, "seed {seed}: {most} calls in a minute");
        for (key, (bytes, _)) in &service.files.objects {
            let date = key.strip_prefix("days/").unwrap();
            assert!(*bytes == file(date, MEMBERS), "seed {seed}: the file of {date} is not Slack's");
        }
        let sent: u32 = service.sent.values().sum();
        let least = u32::try_from(days.len()).unwrap();
        assert!(
            (least..=least + service.faulty).contains(&sent),
            "seed {seed}: {sent} files, {} faults",
            service.faulty
        );
        killed += service.killed;
        faulty += service.faulty;
    }
    assert!(
        killed > SEEDS as u32 / 2 && faulty > 2 * SEEDS as u32,
        "{killed} instances died, {faulty} calls did not work"
    );
}

#[tokio::test]
async fn the_parts_of_a_day_share_one_download() {
    let fleet = Fleet::new(1, 0, MEMBERS, 8).await;
    let failed = fleet.read(&days(3), 24, &mut Rng::with_seed(1)).await;
    let service = fleet.service.lock().unwrap();
    assert!(
        failed.is_empty() && service.sent.len() == 3 && service.sent.values().all(|sent| *sent == 1),
        "{:?}",
        service.sent
    );
}

#[tokio::test]
async fn instances_together_stay_within_slacks_limit_and_use_it() {
    let fleet = Fleet::new(1, 0, MEMBERS, 1).await;
    let began = fleet.now();
    let failed = fleet.read(&days(70), 50, &mut Rng::with_seed(1)).await;
    let took = fleet.now().duration_since(began).unwrap_or_else(|_| SystemTime::UNIX_EPOCH.elapsed().unwrap());
    let service = fleet.service.lock().unwrap();
    assert!(failed.is_empty() && service.calls.iter().all(|(_, status)| *status == 200), "{:?}", service.calls);
    assert_eq!((service.calls.len(), service.most_in_a_minute()), (70, 20));
    // Four batches of at most twenty, a little more than a minute apart.
    assert!((Duration::from_secs(180)..Duration::from_secs(220)).contains(&took), "{took:?}");
}
