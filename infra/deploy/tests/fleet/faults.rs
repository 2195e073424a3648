//! Nothing is created twice and nothing is lost, whatever the network does and whenever the deployer is killed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferrostack_deploy::{Fleet, Options, Progress, deploy_fleet};

use crate::tenants;
use crate::world::{self, Faults, World};

/// A number from the environment, for a run of another size.
fn size(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn a_fleet_is_deployed_completely_and_once_whatever_is_lost_and_whenever_it_is_killed() {
    let (tenants, seeds) = (size("FLEET_TENANTS", 30) as usize, size("FLEET_SEEDS", 4));
    let first = size("FLEET_FIRST_SEED", 0);
    let folder = tenants::folder();
    tenants::write(folder.path(), tenants);
    let [mut kills, mut requests, mut upsets] = [0; 3];
    for seed in first..first + seeds {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let found = runtime.block_on(one(seed, tenants, folder.path()));
        let (complete, double, uploads) = (found.complete, found.double, found.uploads);
        assert_eq!((complete, double), (tenants, 0), "seed {seed}: deployed tenants, and stacks created twice");
        assert!(uploads <= 20, "seed {seed}: {uploads} uploads of one file");
        println!("seed {seed}: {} kills, {} requests, {} of them upset", found.kills, found.requests, found.upsets);
        kills += found.kills;
        requests += found.requests;
        upsets += found.upsets;
    }
    println!(
        "{tenants} tenants, {seeds} seeds: 0 created twice, 0 lost; {kills} kills, {requests} requests, {upsets} of them upset"
    );
}

struct Found {
    complete: usize,
    double: usize,
    uploads: u32,
    kills: u64,
    requests: u64,
    upsets: u64,
}

/// Deploys all tenants under one seed, and kills the deployer up to six times on the way.
async fn one(seed: u64, count: usize, out: &std::path::Path) -> Found {
    fastrand::seed(seed);
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x5eed);
    let world = Arc::new(Mutex::new(World::new(seed, Faults::MANY, Duration::from_secs(20))));
    let endpoint = world::serve(&world).await;
    let assemblies = tenants::read(out, count);
    let journals = tenants::folder();
    let mut kills = 0;
    loop {
        let target = tenants::connect(&endpoint).await;
        let (options, fleet, progress) = (Options::default(), Fleet::new(journals.path()), quiet());
        let deploy = deploy_fleet(&target, &assemblies, &options, &fleet, &progress);
        let killed_after = if kills < 6 { rng.u64(1..count as u64 * 2_000) } else { u64::MAX / 4 };
        match tokio::time::timeout(Duration::from_millis(killed_after), deploy).await {
            Ok(report) => {
                let report = report.unwrap();
                assert_eq!(report.exit_code(), 0, "seed {seed}:\n{report}");
                break;
            }
            Err(_) => kills += 1,
        }
    }
    let world = world.lock().unwrap();
    Found {
        complete: world.complete(),
        double: world.twice(),
        uploads: world.uploads.values().copied().max().unwrap_or(0),
        kills,
        requests: world.requests,
        upsets: world.upsets,
    }
}

pub(crate) fn quiet() -> Progress {
    Progress::silent()
}
