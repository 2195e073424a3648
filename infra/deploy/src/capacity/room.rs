//! What an account and region allow, and what of it is used.

use std::collections::BTreeMap;

use serde_json::json;

use crate::aws::json::{AwsJson, SERVICE_QUOTAS};
use crate::aws::sdk_error::from_sdk;
use crate::capacity::need::Need;
use crate::capacity::quotas::{QUOTAS, Quota, Scope};
use crate::cloudformation::snapshot::Snapshot;
use crate::{Assembly, Error, Progress, Target};

/// A quota of one account and region.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) quota: &'static Quota,
    pub(crate) limit: u64,
    /// Whether AWS named the limit; otherwise it is the default.
    pub(crate) applied: bool,
    /// What deployed stacks of these tenants use. Others may use more.
    pub(crate) used: u64,
}

/// What AWS allows, or the defaults if it does not tell this caller, and why.
pub(crate) async fn applied(target: &Target) -> (BTreeMap<&'static str, u64>, Option<Error>) {
    let global = target.json_in("us-east-1");
    let mut limits = BTreeMap::new();
    for quota in QUOTAS {
        let Some((service, code)) = quota.code else { continue };
        let json: &AwsJson = if quota.scope == Scope::Account { &global } else { &target.json };
        let question = json!({ "ServiceCode": service, "QuotaCode": code });
        let answer =
            target.lanes.looks.call_to("Service Quotas", || json.call(&SERVICE_QUOTAS, "GetServiceQuota", &question));
        match answer.await {
            Ok(answer) => limits.extend(answer["Quota"]["Value"].as_f64().map(|value| (quota.name, value as u64))),
            Err(error) => return (limits, Some(from_sdk("reading the quotas of the account", error))),
        }
    }
    (limits, None)
}

/// What the stacks of these tenants use that are deployed, and those that are not.
pub(crate) fn split(target: &Target, tenants: &[Assembly], snapshot: &Snapshot) -> Result<(Need, Need), Error> {
    let (mut deployed, mut missing) = (Need::default(), Need::default());
    for stack in tenants.iter().flat_map(|tenant| &tenant.stacks) {
        let need = Need::of(stack)?;
        let place = target.of(stack)?;
        *if snapshot.has(&place, stack) { &mut deployed } else { &mut missing } += &need;
    }
    Ok((deployed, missing))
}

/// Refuses tenants that certainly do not fit, with each quota that would be exceeded. A quota above its default is asked for first, because
/// it may have been raised.
pub(crate) async fn require(
    target: &Target,
    tenants: &[Assembly],
    snapshot: &Snapshot,
    progress: &Progress,
) -> Result<(), Error> {
    let (deployed, missing) = split(target, tenants, snapshot)?;
    let wanted = |quota: &Quota| deployed.count(quota.counts) + missing.count(quota.counts);
    let grows = |quota: &Quota| missing.count(quota.counts) > 0;
    if !QUOTAS.iter().any(|quota| grows(quota) && wanted(quota) > quota.default) {
        return Ok(());
    }
    let (limits, reason) = applied(target).await;
    if let Some(reason) = &reason {
        progress.line(format!("whether the tenants fit is not known: {reason}"));
    }
    let mut full = Vec::new();
    for quota in QUOTAS.iter().filter(|quota| grows(quota)) {
        let Some(limit) = limits.get(quota.name) else { continue };
        if wanted(quota) > *limit {
            full.push(format!("{} {} of {limit}", wanted(quota), quota.name));
        }
    }
    if full.is_empty() {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "nothing was deployed: the tenants do not fit into account {}, region {}, because they need {}; raise the quotas, or move tenants to \
         another environment; `ferrostack capacity` shows them all",
        target.account,
        target.region,
        full.join(", ")
    )))
}
