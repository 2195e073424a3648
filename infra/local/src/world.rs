//! What is running, and what is done with it: the stacks deployed, then each system exercised.

use std::path::Path;

use anyhow::{Context, ensure};
use ferrostack_deploy::{Assembly, Progress, Target};
use stand_ins::emulator::Emulator;
use stand_ins::left_out::leave_out;

use crate::exercise::Exercise;
use crate::roster;
use crate::services::{PAGE_ORIGIN, Services};
use crate::stack::DeployedStack;

/// What is running, for the systems' modules.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    /// AWS.
    pub(crate) emulator: &'a Emulator,
    /// Everything else.
    pub(crate) services: &'a Services,
    /// The folder for the browser's pictures.
    pub(crate) pictures: &'a Path,
    /// Whether a system is measured instead of exercised.
    pub(crate) measures: bool,
    /// Shows what is being done.
    pub(crate) progress: &'a Progress,
}

impl World<'_> {
    /// Deploys the platform and the tenant, then exercises the tenant's systems, or only one.
    ///
    /// # Errors
    ///
    /// If something cannot be deployed or prepared, or steps of an exercise failed.
    pub(crate) async fn deploy_and_exercise(
        &self,
        platform: Assembly,
        tenant: Assembly,
        only: Option<&str>,
    ) -> anyhow::Result<()> {
        self.deploy(platform).await?;
        roster::prepare(self, only).await?;
        let deployed = self.deploy(tenant).await?;
        println!("{:<20} {}", "emulator", self.emulator.endpoint());
        for (name, url) in self.services.addresses() {
            println!("{name:<20} {url}");
        }
        let mut failed = Vec::new();
        for name in &deployed {
            let failures = self.exercise(name).await?;
            if failures > 0 {
                failed.push(format!("{failures} steps of {name}"));
            }
        }
        ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
        Ok(())
    }

    /// Deploys stacks and returns their names.
    async fn deploy(&self, mut assembly: Assembly) -> anyhow::Result<Vec<String>> {
        for stack in &mut assembly.stacks {
            let (template, gone) = leave_out(&stack.template)?;
            stack.template = template.replace(PAGE_ORIGIN, &self.services.edge.url);
            if !gone.is_empty() {
                println!("{}: left out, since the emulator does not support it: {}", stack.name, gone.join(", "));
            }
        }
        let target = Target::connect(&self.emulator.config, None).await?;
        let options = ferrostack_deploy::Options::default();
        let deployed = ferrostack_deploy::deploy(&target, &assembly, &options, self.progress).await;
        let last_lines =
            || format!("the deployment to the emulator failed; its log ends with:\n{}", self.emulator.last_lines(20));
        let deployed = deployed.with_context(last_lines)?;
        self.progress.clear();
        Ok(deployed.into_iter().map(|deployed| deployed.stack).collect())
    }

    /// Exercises the system of one stack and returns how many steps failed.
    async fn exercise(&self, name: &str) -> anyhow::Result<usize> {
        let caller = &self.emulator.caller;
        let stack = DeployedStack::read(&self.emulator.config, name).await?;
        stack.give_dead_letter_queues(caller).await?;
        println!("\n{name}");
        let mut exercise = Exercise::new(self.progress);
        roster::exercise(self, &stack, &mut exercise).await?;
        let failures = exercise.failed();
        if failures > 0 {
            let logs = stack.function_logs(caller, 30).await;
            eprintln!("the functions' last log lines:\n{logs}");
        }
        Ok(failures)
    }
}
