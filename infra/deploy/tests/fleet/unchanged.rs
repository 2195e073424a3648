//! What it costs to find out that nothing has to be done.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferrostack_deploy::{Assembly, Fleet, Options, Snapshot, Target, deploy_fleet};

use crate::faults::quiet;
use crate::tenants;
use crate::world::{self, Faults, Shared, Stack, World};

const TENANTS: usize = 1000;

#[tokio::test(start_paused = true)]
async fn a_thousand_unchanged_stacks_are_recognized_by_one_call_per_hundred() {
    let (world, assemblies, target, out) = deployed().await;
    let calls = || std::mem::take(&mut world.lock().unwrap().actions);
    let listed = [("DescribeStacks".to_owned(), 10)].into();
    calls();

    let (options, fleet) = (Options::default(), Fleet::new(out.path()));
    let report = deploy_fleet(&target, &assemblies, &options, &fleet, &quiet()).await.unwrap();
    assert_eq!((report.exit_code(), calls()), (0, listed));
    assert_eq!(report.to_string().matches("-demo unchanged").count(), TENANTS);

    let snapshot = Snapshot::take(&target).await.unwrap();
    for assembly in &assemblies {
        let plans = ferrostack_deploy::plan(&target, assembly, &options, &snapshot, &quiet()).await.unwrap();
        assert!(plans[0].text(false).contains("no changes"), "{}", plans[0].text(false));
    }
    let listed = [("DescribeStacks".to_owned(), 10)].into();
    assert_eq!(calls(), listed);

    let status = ferrostack_deploy::status(&target, &assemblies, true, false, &quiet()).await.unwrap();
    assert_eq!(status.to_string().matches("template equal").count(), TENANTS);
    let listed = [("DescribeStacks".to_owned(), 10)].into();
    assert_eq!(calls(), listed);
}

#[tokio::test(start_paused = true)]
async fn whatever_differs_is_asked_about_and_with_force_everything() {
    let (world, assemblies, target, out) = deployed().await;
    let assemblies = &assemblies[..7];
    let change = |number: usize, change: fn(&mut Stack)| {
        change(world.lock().unwrap().stacks.get_mut(&assemblies[number].stacks[0].name).unwrap());
    };
    change(1, |stack| stack.status = "UPDATE_ROLLBACK_COMPLETE");
    change(2, |stack| stack.parameters.clear());
    change(3, |stack| stack.tags.clear());
    let asked = async |force: bool| {
        world.lock().unwrap().actions.clear();
        let (options, fleet) =
            (Options { force, ..Options::default() }, Fleet { failures: 100.0, ..Fleet::new(out.path()) });
        // A stack that was rolled back cannot be updated in this world.
        let _ = deploy_fleet(&target, assemblies, &options, &fleet, &quiet()).await.unwrap();
        world.lock().unwrap().actions.get("CreateChangeSet").copied().unwrap_or_default()
    };
    assert_eq!((asked(false).await, asked(true).await), (3, 7));
}

/// As many tenants as stacks, all of them deployed as synthesized.
async fn deployed() -> (Shared, Vec<Assembly>, Target, tempfile::TempDir) {
    let out = tenants::folder();
    tenants::write(out.path(), TENANTS);
    let assemblies = tenants::read(out.path(), TENANTS);
    let mut world = World::new(1, Faults::default(), Duration::from_secs(20));
    for artifact in assemblies.iter().flat_map(|assembly| &assembly.stacks) {
        let hash = artifact.template.digest();
        let mut parameters = artifact.parameters.clone();
        parameters.insert("AssetBucket".to_owned(), "assets".to_owned());
        let parameter = |(key, value): (&String, &String)| {
            format!("<member><ParameterKey>{key}</ParameterKey><ParameterValue>{value}</ParameterValue></member>")
        };
        let mut stack = Stack::default();
        stack.status = "CREATE_COMPLETE";
        stack.parameters = parameters.iter().map(parameter).collect();
        stack.tags = format!("<member><Key>ferrostack:template</Key><Value>{hash}</Value></member>");
        world.stacks.insert(artifact.name.clone(), stack);
    }
    let world = Arc::new(Mutex::new(world));
    let target = tenants::connect(&world::serve(&world).await).await;
    (world, assemblies, target, out)
}
