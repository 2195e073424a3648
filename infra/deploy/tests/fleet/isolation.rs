//! Failures of one tenant, and of too many tenants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferrostack_deploy::{Error, Fleet, Options, Report, deploy_fleet};

use crate::faults::quiet;
use crate::tenants;
use crate::world::{self, Faults, Shared, Stack, World};

struct Scene {
    world: Shared,
    out: tempfile::TempDir,
    count: usize,
}

fn scene(count: usize, failing: &[usize]) -> Scene {
    let out = tenants::folder();
    tenants::write(out.path(), count);
    let mut world = World::new(1, Faults::default(), Duration::from_secs(20));
    world.failing = failing.iter().map(|number| format!("{}-demo", tenants::name(*number))).collect();
    Scene { world: Arc::new(Mutex::new(world)), out, count }
}

impl Scene {
    async fn deploy(&self, failures: f64) -> Result<Report, Error> {
        self.deploy_as(Fleet { failures, ..Fleet::new(self.out.path()) }).await
    }

    async fn deploy_as(&self, fleet: Fleet) -> Result<Report, Error> {
        let target = tenants::connect(&world::serve(&self.world).await).await;
        let assemblies = tenants::read(self.out.path(), self.count);
        deploy_fleet(&target, &assemblies, &Options::default(), &fleet, &quiet()).await
    }

    fn complete(&self) -> usize {
        self.world.lock().unwrap().complete()
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_tenant_does_not_stop_the_others_and_the_table_names_it() {
    let scene = scene(60, &[33]);
    let report = scene.deploy(2.0).await.unwrap();
    assert_eq!((report.exit_code(), scene.complete()), (1, 59));
    let table = report.to_string();
    let failed: Vec<_> = table.lines().filter(|line| line.contains("FAILED")).collect();
    assert_eq!(failed, ["t0033  FAILED      t0033-demo ended as ROLLBACK_COMPLETE: Ping (): no such bucket"]);
    assert!(table.starts_with("t0000  deployed    t0000-demo created\n"), "{table}");
    assert!(table.ends_with(&format!("\n{}\n59 deployed, 1 failed, 0 not started", failed[0])), "{table}");
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_the_caller_may_not_change_does_not_stop_the_others() {
    let scene = scene(60, &[]);
    scene.world.lock().unwrap().denied.push("t0033-demo".to_owned());
    let report = scene.deploy(2.0).await.unwrap();
    assert_eq!((report.exit_code(), scene.complete()), (2, 59), "{report}");
    assert!(report.to_string().contains("t0033  FAILED      access denied while creating the change set"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn deploying_one_tenant_leaves_an_interrupted_run_of_several_as_it_is() {
    let scene = scene(7, &[6]);
    scene.deploy(50.0).await.unwrap();
    scene.world.lock().unwrap().failing.clear();
    let journal = || std::fs::read_to_string(scene.out.path().join("journal-111122223333-eu-west-1.jsonl")).unwrap();
    let target = tenants::connect(&world::serve(&scene.world).await).await;
    let one = tenants::read(scene.out.path(), 1);
    let fleet = Fleet::new(scene.out.path());
    deploy_fleet(&target, &one, &Options::default(), &fleet, &quiet()).await.unwrap();
    assert!(!journal().contains("finished"), "{}", journal());
    scene.world.lock().unwrap().stacks.remove("t0006-demo");
    scene.deploy(50.0).await.unwrap();
    assert!(journal().ends_with("{\"what\":\"finished\"}\n"), "{}", journal());
}

#[tokio::test(start_paused = true)]
async fn when_the_first_tenant_fails_no_other_is_started() {
    let scene = scene(60, &[0]);
    let report = scene.deploy(2.0).await.unwrap();
    assert_eq!((report.exit_code(), scene.world.lock().unwrap().stacks.len()), (1, 1));
    assert!(report.to_string().ends_with("0 deployed, 1 failed, 59 not started"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_wave_stops_as_soon_as_it_is_certain_that_too_many_fail() {
    let scene = scene(200, &(40..60).collect::<Vec<_>>());
    let report = scene.deploy(2.0).await.unwrap();
    let started = scene.world.lock().unwrap().stacks.len();
    assert!(started < 100, "{started} tenants were started");
    assert!(report.to_string().contains("not started"));
}

#[tokio::test(start_paused = true)]
async fn no_more_tenants_are_deployed_at_once_than_wanted() {
    let scene = scene(10, &[]);
    // Long enough that no tenant finishes while another one waits for an answer.
    scene.world.lock().unwrap().longest = Duration::from_secs(300);
    scene.deploy_as(Fleet { concurrency: 3, ..Fleet::new(scene.out.path()) }).await.unwrap();
    assert_eq!((scene.complete(), scene.world.lock().unwrap().most_at_once), (10, 3));
}

#[tokio::test(start_paused = true)]
async fn failed_tenants_are_tried_again_and_deployed_ones_are_not() {
    let scene = scene(31, &[3]);
    assert_eq!(scene.deploy(50.0).await.unwrap().exit_code(), 1);
    scene.world.lock().unwrap().failing.clear();
    scene.world.lock().unwrap().stacks.remove("t0003-demo");
    let report = scene.deploy(50.0).await.unwrap();
    assert_eq!((report.exit_code(), scene.complete()), (0, 31));
    let again =
        report.to_string().lines().filter(|line| line.contains("earlier in the same run, unchanged since")).count();
    assert_eq!(again, 30, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_stack_deleted_since_is_deployed_again_although_the_journal_has_it() {
    let scene = scene(7, &[6]);
    scene.deploy(50.0).await.unwrap();
    scene.world.lock().unwrap().stacks.remove("t0002-demo");
    scene.deploy(50.0).await.unwrap();
    assert_eq!(scene.world.lock().unwrap().stacks["t0002-demo"].status, "CREATE_COMPLETE");
}

#[tokio::test(start_paused = true)]
async fn a_stack_changed_since_is_deployed_again_although_the_journal_has_it() {
    let scene = scene(7, &[6]);
    scene.deploy(50.0).await.unwrap();
    let change = |name: &str, change: fn(&mut Stack)| change(scene.world.lock().unwrap().stacks.get_mut(name).unwrap());
    change("t0001-demo", |stack| stack.tags = "<member><Key>somebody</Key><Value>else</Value></member>".to_owned());
    change("t0002-demo", |stack| stack.parameters.clear());
    let report = scene.deploy(50.0).await.unwrap().to_string();
    let updated: Vec<_> = report.lines().filter(|line| line.ends_with("updated")).collect();
    let expected = ["t0001  deployed    t0001-demo updated", "t0002  deployed    t0002-demo updated"];
    assert_eq!(updated, expected, "{report}");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_end_the_run_with_a_table_and_the_next_run_continues() {
    let scene = scene(31, &[]);
    scene.world.lock().unwrap().shut_out_after = Some(60);
    let report = scene.deploy(100.0).await.unwrap();
    let table = report.to_string();
    let lines = |with: &str| table.lines().filter(|line| line.contains(with)).count();
    let (deployed, expired, left) = (lines("  deployed    "), lines("have expired"), lines("  not started"));
    assert_eq!((report.exit_code(), deployed + expired + left, deployed), (2, 31, scene.complete()), "{table}");
    assert!(expired > 0 && left > 0, "{table}");
    scene.world.lock().unwrap().shut_out_after = None;
    let report = scene.deploy(2.0).await.unwrap();
    assert_eq!((report.exit_code(), scene.complete()), (0, 31), "{report}");
    assert_eq!(scene.world.lock().unwrap().twice(), 0);
}
