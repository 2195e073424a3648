//! 10,000 schedules of the simulation, and how soon each planted bug is found: `cargo bench -p report-queue --bench simulation`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails when it cannot continue")]

#[path = "../tests/simulation/sim/mod.rs"]
mod sim;

use std::time::Instant;

use sim::{PLANTED, PLANTED_IN_DELIVERIES, deliver, fair, run};

const SCHEDULES: u64 = 10_000;

fn main() {
    let begin = Instant::now();
    let (mut accepted, mut violations, mut full, mut longest) = (0, 0, 0, 0);
    for seed in 0..SCHEDULES {
        let report = run(seed, &[]);
        for violation in &report.violations {
            println!("seed {seed}: {violation}");
        }
        accepted += report.accepted;
        violations += report.violations.len();
        full += u64::from(report.high_water == report.slots);
        longest = longest.max(report.lasted);
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("schedules                          {SCHEDULES}");
    println!("accepted jobs                      {accepted}");
    println!("violations                         {violations}");
    println!("schedules that used all slots      {full}, none used more");
    println!("longest schedule                   {} virtual minutes", longest / 60_000);
    println!(
        "time                               {seconds:.1} s, {:.0} schedules per second",
        SCHEDULES as f64 / seconds
    );
    let mut found = 0;
    for (bug, planted) in PLANTED {
        let first = (0..300).find(|seed| {
            !run(*seed, planted).violations.is_empty() || (*seed < 20 && !fair(*seed, planted).violations.is_empty())
        });
        found += usize::from(first.is_some());
        println!("  {bug:<75} {}", first.map_or("NOT FOUND".to_owned(), |seed| format!("seed {seed}")));
    }
    println!("planted bugs found                 {found}/{}", PLANTED.len());
    assert!(violations == 0 && found == PLANTED.len());
    let violations: usize = (0..SCHEDULES).map(|seed| deliver(seed, &[]).violations()).sum();
    println!("violations in as many deliveries   {violations}");
    let is_found = |planted| (0..300).any(|seed| deliver(seed, planted).violations() > 0);
    let found = PLANTED_IN_DELIVERIES.iter().filter(|(_, planted)| is_found(planted)).count();
    println!("planted bugs found in deliveries   {found}/{}", PLANTED_IN_DELIVERIES.len());
    assert!(violations == 0 && found == PLANTED_IN_DELIVERIES.len());
}
