//! The real state machine under every fault that a network can have; see [`sim`].
//!
//! `SIMULATION_SEEDS` is the number of histories, 100 without it; `SEED` picks a single one.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod sim;

use loopback::seeds;
use sim::{PLANTED, PLANTED_IN_DELIVERIES, deliver, fair, run};

/// How many histories are tried to find a planted bug.
const PATIENCE: u64 = 300;

#[test]
fn each_job_runs_once_in_a_slot_and_ends_whatever_fails() {
    let mut accepted = 0;
    for seed in seeds() {
        let report = run(seed, &[]);
        assert_eq!(report.violations, Vec::<String>::new(), "the schedule of seed {seed}");
        accepted += report.accepted;
    }
    println!("report queue: {} seeds, {accepted} jobs, lost 0, doubled 0, over limit 0, wrong end 0", seeds().count());
    assert!(accepted as u64 > 10 * seeds().count() as u64, "the schedules are about {accepted} jobs");
}

#[test]
fn three_tenants_are_served_in_turn() {
    for seed in 0..20 {
        let report = fair(seed, &[]);
        assert_eq!(report.violations, Vec::<String>::new(), "the schedule of seed {seed}");
        assert_eq!((report.accepted, report.high_water), (56, report.slots));
    }
}

#[test]
fn one_seed_is_one_history() {
    assert_eq!(run(7, &[]), run(7, &[]));
    assert_ne!(run(7, &[]).history, run(9, &[]).history);
    assert_eq!(deliver(7, &[]), deliver(7, &[]));
    assert_ne!(deliver(7, &[]).history, deliver(9, &[]).history);
}

#[test]
fn each_planted_bug_is_found() {
    for (bug, planted) in PLANTED {
        let found = (0..PATIENCE).any(|seed| {
            !run(seed, planted).violations.is_empty() || (seed < 20 && !fair(seed, planted).violations.is_empty())
        });
        assert!(found, "{PATIENCE} schedules did not detect this bug: {bug}");
    }
    println!("report queue: {} planted bugs found", PLANTED.len());
}

#[test]
fn each_delivery_is_made_once_or_is_a_dead_letter_whatever_fails() {
    let (mut owed, mut sent) = (0, 0);
    for seed in seeds() {
        let deliveries = deliver(seed, &[]);
        assert_eq!(deliveries.violations(), 0, "the history of seed {seed}: {deliveries:#?}");
        owed += deliveries.owed;
        sent += deliveries.sent;
    }
    println!(
        "report sender: {} seeds, {owed} deliveries, {sent} sent, lost 0, doubled 0, wrong end 0",
        seeds().count()
    );
    assert!(owed as u64 > 10 * seeds().count() as u64 && sent * 10 > owed * 8, "{sent} of {owed} deliveries were sent");
}

#[test]
fn each_bug_planted_in_the_deliveries_is_found() {
    for (bug, planted) in PLANTED_IN_DELIVERIES {
        let found = (0..PATIENCE).any(|seed| deliver(seed, planted).violations() > 0);
        assert!(found, "{PATIENCE} histories did not detect this bug: {bug}");
    }
    println!("report sender: {} planted bugs found", PLANTED_IN_DELIVERIES.len());
}
