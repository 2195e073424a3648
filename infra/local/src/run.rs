//! A run: the stacks deployed, then each system exercised.

use anyhow::{Context, ensure};
use ferrostack_deploy::{Assembly, Target};
use stand_ins::left_out::leave_out;

use crate::exercise::Exercise;
use crate::roster;
use crate::services::PAGE_ORIGIN;
use crate::stack::DeployedStack;
use crate::world::World;

/// Deploys the platform and the tenant, then exercises the tenant's systems, or only one.
///
/// # Errors
///
/// If something cannot be deployed or prepared, or steps of an exercise failed.
pub(crate) async fn deploy_and_exercise(
    world: &World<'_>,
    platform: Assembly,
    tenant: Assembly,
    only: Option<&str>,
) -> anyhow::Result<()> {
    deploy(world, platform).await?;
    roster::prepare(world, only).await?;
    let deployed = deploy(world, tenant).await?;
    println!("{:<20} {}", "emulator", world.emulator.endpoint());
    for (name, url) in world.services.addresses() {
        println!("{name:<20} {url}");
    }
    let mut failed = Vec::new();
    for name in &deployed {
        let failures = exercise(world, name).await?;
        if failures > 0 {
            failed.push(format!("{failures} steps of {name}"));
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// Deploys stacks and returns their names.
async fn deploy(world: &World<'_>, mut assembly: Assembly) -> anyhow::Result<Vec<String>> {
    for stack in &mut assembly.stacks {
        let (template, gone) = leave_out(&stack.template.read()?)?;
        stack.template = template.replace(PAGE_ORIGIN, &world.services.edge.url).into();
        if !gone.is_empty() {
            println!("{}: left out, since the emulator does not support it: {}", stack.name, gone.join(", "));
        }
    }
    let target = Target::connect(&world.emulator.config, None).await?;
    let options = ferrostack_deploy::Options::default();
    let deployed = ferrostack_deploy::deploy(&target, &assembly, &options, world.progress).await;
    let last_lines =
        || format!("the deployment to the emulator failed; its log ends with:\n{}", world.emulator.last_lines(20));
    let deployed = deployed.with_context(last_lines)?;
    world.progress.clear();
    Ok(deployed.into_iter().map(|deployed| deployed.stack).collect())
}

/// Exercises the system of one stack and returns how many steps failed.
async fn exercise(world: &World<'_>, name: &str) -> anyhow::Result<usize> {
    let caller = &world.emulator.caller;
    let stack = DeployedStack::read(&world.emulator.config, name).await?;
    stack.give_dead_letter_queues(caller).await?;
    println!("\n{name}");
    let mut exercise = Exercise::new(world.progress);
    roster::exercise(world, &stack, &mut exercise).await?;
    let failures = exercise.failed();
    if failures > 0 {
        let logs = stack.function_logs(caller, 30).await;
        eprintln!("the functions' last log lines:\n{logs}");
    }
    Ok(failures)
}
