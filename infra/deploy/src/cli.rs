//! What the arguments choose: tenants, and the account and region that they are deployed to.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use ferrostack_command::{Deploy, Environment};
use ferrostack_deploy::{Assembly, Error, Options, PLATFORM, Progress, Rates, Target};

/// The tenants to deploy. If there are several, those that do not have the chosen system are left out.
pub(crate) fn assemblies(command: &Deploy, progress: &Progress) -> Result<Vec<Assembly>, Error> {
    let tenants = names(command)?
        .iter()
        .map(|name| Assembly::read(&command.environment.out, name))
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

/// Each name once, in the order in which they were given.
fn names(command: &Deploy) -> Result<Vec<String>, Error> {
    if command.bootstrap {
        return Ok(vec![PLATFORM.to_owned()]);
    }
    if command.all {
        return Assembly::tenants(&command.environment.out);
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
    }
}

/// The account and region, which are reported.
pub(crate) async fn target(environment: &Environment, rates: Rates, progress: &Progress) -> Result<Target, Error> {
    let mut sign_in = pin!(Target::sign_in(
        environment.profile.as_deref(),
        environment.region.as_deref(),
        environment.asset_bucket.as_deref(),
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
