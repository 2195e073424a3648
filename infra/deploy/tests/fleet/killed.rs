//! The command itself, killed by SIGKILL.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::tenants;
use crate::world::{self, Faults, Shared, World};

const TENANTS: usize = 50;
const KILLS: u64 = 20;

#[test]
fn fifty_tenants_are_deployed_once_although_the_command_is_killed_twenty_times() {
    let folder = tenants::folder();
    tenants::write(folder.path(), TENANTS);
    let world: Shared = Arc::new(Mutex::new(World::new(7, Faults::default(), Duration::from_millis(60))));
    let endpoint = serve(&world);

    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..KILLS {
        let until = world.lock().unwrap().requests + rng.u64(4..30);
        let mut deployer = start(&endpoint, folder.path());
        while world.lock().unwrap().requests < until {
            assert!(deployer.try_wait().unwrap().is_none(), "it finished before it could be killed");
            std::thread::yield_now();
        }
        deployer.kill().unwrap();
        deployer.wait().unwrap();
    }
    let started = world.lock().unwrap().stacks.len();
    assert!(started < TENANTS, "the kills came too late to prove anything: {started} were started");

    let last = start(&endpoint, folder.path()).wait_with_output().unwrap();
    let printed = String::from_utf8(last.stdout).unwrap();
    assert_eq!(last.status.code(), Some(0), "{printed}{}", String::from_utf8_lossy(&last.stderr));
    assert!(printed.ends_with(&format!("{TENANTS} deployed, 0 failed, 0 not started\n")), "{printed}");
    let world = world.lock().unwrap();
    assert_eq!(world.complete(), TENANTS);
    assert_eq!(world.twice(), 0, "stacks created twice");
    let journal = folder.path().join("journal-111122223333-eu-west-1.jsonl");
    let journal = std::fs::read_to_string(journal).unwrap();
    let deployed = |tenant: &str| journal.contains(&format!(r#"{{"what":"deployed","tenant":"{tenant}""#));
    assert!((0..TENANTS).all(|number| deployed(&tenants::name(number))), "{journal}");
}

/// On a thread of its own, which ends with the tests.
fn serve(world: &Shared) -> String {
    let (sender, receiver) = std::sync::mpsc::channel();
    let world = Arc::clone(world);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            sender.send(world::serve(&world).await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().unwrap()
}

fn start(endpoint: &str, out: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferrostack-deploy"));
    command.args(["deploy", "--all", "--yes", "--asset-bucket", "assets", "--out"]).arg(out);
    command.args(["--changes-per-second", "1000", "--looks-per-second", "1000"]);
    command.env_clear().env("HOME", out).env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "eu-west-1");
    command.envs([("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}
