//! Deploys many tenants: in waves, several at once, with a journal from which the next run continues.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use crate::assembly::StackArtifact;
use crate::aws::{assets, stacks};
use crate::capacity::room;
use crate::cloudformation::snapshot::{Snapshot, is_up_to_date};
use crate::deploy::tenant::deploy_stacks;
use crate::fleet::journal::{self, Journal};
use crate::fleet::report::{Outcome, Report};
use crate::fleet::waves;
use crate::plan::allowance;
use crate::{Assembly, Error, Options, Progress, Target};

/// How a fleet is deployed.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The folder for the journal.
    pub journals: PathBuf,
    /// Tenants that are deployed at the same time, at least 1.
    pub concurrency: usize,
    /// No further tenants are started once this percentage has failed.
    pub failures: f64,
}

impl Fleet {
    /// 20 tenants at once, at most 2 % failures.
    pub fn new(journals: &Path) -> Fleet {
        Fleet { journals: journals.to_owned(), concurrency: 20, failures: 2.0 }
    }
}

/// Tenants that are at home in the same environment.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Where they are at home.
    pub target: Target,
    /// In the order in which they are deployed.
    pub tenants: Vec<Assembly>,
}

impl Placement {
    fn stacks(&self) -> impl Iterator<Item = &StackArtifact> {
        self.tenants.iter().flat_map(|tenant| &tenant.stacks)
    }
}

/// [`deploy_fleets`] for a single environment.
///
/// # Errors
///
/// As [`deploy_fleets`].
pub async fn deploy_fleet(
    target: &Target,
    tenants: &[Assembly],
    options: &Options,
    fleet: &Fleet,
    progress: &Progress,
) -> Result<Report, Error> {
    let placement = Placement { target: target.clone(), tenants: tenants.to_vec() };
    deploy_fleets(&[placement], options, fleet, progress).await
}

/// Deploys the tenants of each environment in waves of 1, 5, 25 and the rest. The environments are independent of each other: each has its
/// own rates, journal, concurrency and limit of failures. A failed tenant does not stop the others; when too many fail, or AWS no longer
/// lets the caller in, no further tenants are started. A run that is interrupted at any point is resumed by the next one.
///
/// # Errors
///
/// [`Error::Refused`] and [`Error::Access`] before any tenant is started. Failures of tenants are in the report.
pub async fn deploy_fleets(
    placements: &[Placement],
    options: &Options,
    fleet: &Fleet,
    progress: &Progress,
) -> Result<Report, Error> {
    for stack in placements.iter().flat_map(Placement::stacks) {
        stack.require_functions()?;
    }
    let mut journals = Vec::new();
    for Placement { target, tenants } in placements {
        let path = journal::path(&fleet.journals, target);
        let journal = Journal::open(&path, tenants.iter().map(|tenant| tenant.tenant.clone()).collect())?;
        if journal.is_resumed() {
            progress.line(format!("resuming the unfinished run in {}", path.display()));
        }
        journals.push(journal);
    }
    let places: Vec<_> = placements.iter().map(|placement| (&placement.target, placement.tenants.as_slice())).collect();
    match allowance::unknown(&places, &options.allow_replacement).await? {
        // The run may have removed the resource before it was interrupted.
        Some(sentence) if journals.iter().any(Journal::is_resumed) => progress.line(sentence),
        Some(sentence) => return Err(Error::Refused(sentence)),
        None => {}
    }
    for placement in placements {
        assets::upload_missing(&placement.target, placement.stacks(), progress).await?;
    }

    let count: usize = placements.iter().map(|placement| placement.tenants.len()).sum();
    let alone = count == 1;
    let mut snapshots = Vec::new();
    for placement in placements {
        // For a single tenant, asking about its few stacks is cheaper than listing all.
        let list = !alone && !options.force;
        let snapshot = if list { Snapshot::take(&placement.target).await? } else { Snapshot::default() };
        if list {
            room::require(&placement.target, &placement.tenants, &snapshot, progress).await?;
        }
        snapshots.push(snapshot);
    }
    let several = placements.len() > 1;
    if !alone {
        progress.begin(format!("deploying {count} tenants"), count as u64);
    }
    let finished = Cell::new(0);
    let rollouts = placements.iter().zip(&journals).zip(&snapshots).map(async |((placement, journal), snapshot)| {
        let Placement { target, tenants } = placement;
        let name = several.then(|| format!("{} {}", target.account, target.region));
        let (finished, count) = (&finished, count);
        let rollout = Rollout { target, options, fleet, journal, snapshot, progress, alone, name, finished, count };
        let report = rollout.deploy(tenants).await;
        if report.is_deployed() {
            journal.finish()?;
        }
        Ok(report)
    });
    let reports = join_all(rollouts).await.into_iter().collect::<Result<Vec<Report>, Error>>()?;
    let report = Report(reports.into_iter().flat_map(|report| report.0).collect());
    let unneeded = report
        .replaced_or_removed()
        .and_then(|replaced_or_removed| allowance::unneeded(&options.allow_replacement, &replaced_or_removed));
    if let Some(sentence) = unneeded {
        progress.line(sentence);
    }
    Ok(report)
}

struct Rollout<'a> {
    target: &'a Target,
    options: &'a Options,
    fleet: &'a Fleet,
    journal: &'a Journal,
    snapshot: &'a Snapshot,
    progress: &'a Progress,
    /// Whether there is only one tenant, which needs no lines about several.
    alone: bool,
    /// Account and region, if there are several environments.
    name: Option<String>,
    /// Tenants of all environments that are finished.
    finished: &'a Cell<usize>,
    /// Tenants of all environments.
    count: usize,
}

/// How far a rollout has come.
#[derive(Default)]
struct Tally {
    failures: usize,
    /// Whether AWS no longer lets the caller in.
    shut_out: bool,
    /// Whether a quota of the environment is used up.
    full: bool,
}

impl Rollout<'_> {
    async fn deploy(&self, tenants: &[Assembly]) -> Report {
        let count = tenants.len();
        let mut outcomes: Vec<_> = tenants.iter().map(|tenant| (tenant.tenant.clone(), Outcome::NotStarted)).collect();
        let mut tally = Tally::default();
        let mut first = 0;
        for (number, size) in waves::sizes(count).into_iter().enumerate() {
            let last = first + size;
            self.line(|| format!("wave {}: tenants {} to {last} of {count}", number + 1, first + 1));
            let stopped = Cell::new(false);
            let work = (first..last).map(async |index| {
                let outcome = if stopped.get() { Outcome::NotStarted } else { self.tenant(&tenants[index]).await };
                (index, outcome)
            });
            // Tenants that were started are finished, so that none is left half-way.
            let mut results = stream::iter(work).buffer_unordered(self.fleet.concurrency.max(1));
            while let Some((index, outcome)) = results.next().await {
                let (tenant, known) = &mut outcomes[index];
                self.record(&mut tally, tenant, &outcome);
                *known = outcome;
                let stop = tally.shut_out || tally.full || waves::too_many(tally.failures, last, self.fleet.failures);
                stopped.set(stopped.get() || stop);
            }
            if stopped.get() {
                let left = outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::NotStarted)).count();
                let (failed, limit) = (tally.failures, self.fleet.failures);
                let why = if tally.shut_out {
                    "AWS no longer accepts the credentials".to_owned()
                } else if tally.full {
                    "a quota of this environment is used up; `ferrostack capacity` shows which".to_owned()
                } else {
                    format!("{failed} failed, the limit is {limit} %")
                };
                self.line(|| format!("{why}: the other {left} are not started"));
                break;
            }
            first = last;
        }
        Report(outcomes)
    }

    fn record(&self, tally: &mut Tally, tenant: &str, outcome: &Outcome) {
        self.finished.set(self.finished.get() + 1);
        tally.failures += usize::from(matches!(outcome, Outcome::Failed(_)));
        tally.shut_out |= matches!(outcome, Outcome::Failed(Error::Access(_)));
        tally.full |= matches!(outcome, Outcome::Failed(error) if error.is_full_quota());
        let (finished, count) = (self.finished.get(), self.count);
        if !self.alone {
            self.progress.done(finished as u64);
        }
        match outcome {
            Outcome::Deployed(_) => self.line(|| format!("{tenant}: deployed, {finished} of {count}")),
            Outcome::Failed(error) => self.line(|| format!("{tenant}: FAILED, {finished} of {count}: {error}")),
            Outcome::DeployedBefore | Outcome::NotStarted => {}
        }
    }

    /// Prints a line about one tenant of several.
    fn line(&self, text: impl FnOnce() -> String) {
        if !self.alone {
            let place = self.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
            self.progress.line(format!("{place}{}", text()));
        }
    }

    async fn tenant(&self, assembly: &Assembly) -> Outcome {
        match self.deploy_tenant(assembly).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(error),
        }
    }

    async fn deploy_tenant(&self, assembly: &Assembly) -> Result<Outcome, Error> {
        let (tenant, digest) = (assembly.tenant.as_str(), assembly.digest());
        // The journal says what was deployed, but not whether somebody has deleted or changed it since. A tenant that is named alone is
        // deployed again, because its outputs are shown.
        let known = !self.alone && !self.options.force;
        if known && self.journal.has_deployed(tenant, &digest) && self.is_deployed(assembly).await? {
            return Ok(Outcome::DeployedBefore);
        }
        let attempt = self.journal.attempt(tenant);
        let target = self.target.seeded(&format!("{}/{tenant}/{attempt}", self.journal.run()));
        self.journal.began(tenant)?;
        let part = (!self.alone).then(|| self.progress.part(tenant).without_details());
        let progress = part.as_ref().unwrap_or(self.progress);
        match deploy_stacks(&target, assembly, self.options, self.snapshot, progress).await {
            Ok(deployed) => {
                self.journal.deployed(tenant, &digest)?;
                Ok(Outcome::Deployed(deployed))
            }
            // Nothing is wrong with the tenant: the next run resumes this attempt.
            Err(error @ Error::Access(_)) => Err(error),
            Err(error) => {
                self.journal.failed(tenant, &error.to_string())?;
                Err(error)
            }
        }
    }

    /// Whether every stack of the assembly is deployed as synthesized.
    async fn is_deployed(&self, assembly: &Assembly) -> Result<bool, Error> {
        for stack in &assembly.stacks {
            let target = self.target.of(stack)?;
            if self.snapshot.up_to_date(&target, stack).is_some() {
                continue;
            }
            let live = stacks::describe(&target, &stack.name).await?;
            if !live.is_some_and(|live| is_up_to_date(&target, &live, stack)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
