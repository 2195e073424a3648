//! The real state machine under every fault that a network can have; see [`sim`].

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

mod sim;

use sim::{PLANTED, fair, run};

const SCHEDULES: u64 = 300;

#[test]
fn each_job_runs_once_in_a_slot_and_ends_whatever_fails() {
    let mut accepted = 0;
    for seed in 0..SCHEDULES {
        let report = run(seed, &[]);
        assert_eq!(report.violations, Vec::<String>::new(), "the schedule of seed {seed}");
        accepted += report.accepted;
    }
    assert!(accepted > 3000, "the schedules are about {accepted} jobs");
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
}

#[test]
fn each_planted_bug_is_found() {
    for (bug, planted) in PLANTED {
        let found = (0..SCHEDULES).any(|seed| {
            !run(seed, planted).violations.is_empty() || (seed < 20 && !fair(seed, planted).violations.is_empty())
        });
        assert!(found, "{SCHEDULES} schedules did not detect this bug: {bug}");
    }
}
