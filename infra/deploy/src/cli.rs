//! What the arguments choose: tenants, and the accounts and regions that they are deployed to.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use cfn::Environment;
use ferrostack_command::{Connection, Deploy};
use ferrostack_deploy::{Assembly, Error, Options, PLATFORM, Placement, Progress, Rates, Target};

/// The tenants to deploy. If there are several, those that do not have the chosen system are left out.
pub(crate) fn assemblies(command: &Deploy, progress: &Progress) -> Result<Vec<Assembly>, Error> {
    let tenants = names(command)?
        .iter()
        .map(|name| Assembly::read(&command.connection.out, name))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(system) = &command.only else { return Ok(tenants) };
    if let [tenant] = tenants.as_slice() {
        return Ok(vec![tenant.clone().only(system)?]);
    }
    let count = tenants.len();
    let kept: Vec<_> = tenants.into_iter().filter_map(|tenant| tenant.only(system).ok()).collect();
    let left_out = count - kept.len();
    if left_out == count {
        return Err(Error::Refused(format!(
            "none of the {count} tenants has a system `{system}`; `cargo run -- list` shows the systems of each tenant"
        )));
    }
    if left_out > 0 {
        progress.line(format!("{left_out} of {count} tenants do not have the system {system} and are left out"));
    }
    Ok(kept)
}

/// Signs in wherever the chosen tenants are at home. What is not synthesized yet would be deployed where the caller is signed in.
pub(crate) async fn preflight(command: &Deploy, progress: &Progress) -> Result<(), Error> {
    let known = names(command).unwrap_or_default();
    let mut tenants =
        known.iter().map(|name| Assembly::read_if_any(&command.connection.out, name)).collect::<Result<Vec<_>, _>>()?;
    if tenants.is_empty() {
        tenants.push(Assembly { tenant: PLATFORM.to_owned(), stacks: Vec::new() });
    }
    placements(&command.connection, tenants, Rates::default(), progress).await.map(|_| ())
}

/// Each name once, in the order in which they were given.
fn names(command: &Deploy) -> Result<Vec<String>, Error> {
    if command.bootstrap {
        return Assembly::platforms(&command.connection.out);
    }
    if command.all {
        return Assembly::tenants(&command.connection.out);
    }
    let mut seen = BTreeSet::new();
    Ok(command.tenants.iter().filter(|name| seen.insert(*name)).cloned().collect())
}

/// How to deploy them.
pub(crate) fn options(command: &Deploy) -> Options {
    Options {
        revision: command.revision.clone(),
        allow_replacement: command.allow_replacement.iter().cloned().collect(),
        express: command.express,
        force: command.force,
    }
}

/// The tenants by the environment in which they are at home, in the order in which these are needed first. Each environment is reported
/// once, and nothing in it is changed.
pub(crate) async fn placements(
    connection: &Connection,
    tenants: Vec<Assembly>,
    rates: Rates,
    progress: &Progress,
) -> Result<Vec<Placement>, Error> {
    let mut homes: Vec<(Environment, Vec<Assembly>)> = Vec::new();
    for tenant in tenants {
        let home = signed_in(&tenant.home());
        match homes.iter_mut().find(|(other, _)| *other == home) {
            Some((_, tenants)) => tenants.push(tenant),
            None => homes.push((home, vec![tenant])),
        }
    }
    if let (Some(bucket), true) = (&connection.asset_bucket, homes.len() > 1) {
        let count = homes.len();
        return Err(Error::Refused(format!(
            "--asset-bucket names one bucket, {bucket}, but the tenants are in {count} environments; deploy one environment at a time"
        )));
    }
    let mut targets: BTreeMap<Environment, Target> = BTreeMap::new();
    let mut placements = Vec::new();
    for (home, tenants) in homes {
        let elsewhere: BTreeSet<_> =
            tenants.iter().flat_map(|tenant| &tenant.stacks).map(|stack| &stack.environment).collect();
        let elsewhere: BTreeSet<_> = elsewhere.into_iter().map(signed_in).filter(|other| *other != home).collect();
        for environment in std::iter::once(&home).chain(&elsewhere) {
            if !targets.contains_key(environment) {
                let target = target(connection, environment, rates, progress).await?;
                targets.insert(environment.clone(), target);
            }
        }
        let elsewhere = elsewhere.iter().map(|environment| targets[environment].clone()).collect();
        placements.push(Placement { target: targets[&home].clone().and_elsewhere(elsewhere), tenants });
    }
    Ok(placements)
}

/// What decides about signing in: CloudFormation's role does not.
fn signed_in(environment: &Environment) -> Environment {
    Environment { execution_role: None, ..environment.clone() }
}

/// Signs in to an environment, and reports its account and region.
async fn target(
    connection: &Connection,
    environment: &Environment,
    rates: Rates,
    progress: &Progress,
) -> Result<Target, Error> {
    let mut sign_in = pin!(Target::sign_in(
        connection.profile.as_deref(),
        connection.region.as_deref(),
        connection.asset_bucket.as_deref(),
        environment,
    ));
    let target = loop {
        match tokio::time::timeout(Duration::from_secs(10), sign_in.as_mut()).await {
            Ok(target) => break target?,
            Err(_) => progress.line("signing in: no answer yet"),
        }
    };
    progress.line(format!("account {}, region {}", target.account, target.region));
    Ok(target.at_rates(rates, progress))
}
