//! Deploys many tenants: in waves, several at once, with a journal to go on from.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use aws_sdk_cloudformation::types::Stack;
use futures_util::{StreamExt, stream};

use crate::aws::assets;
use crate::cloudformation::{events, version};
use crate::deploy::tenant;
use crate::fleet::journal::Journal;
use crate::fleet::waves;
use crate::plan::allowance;
use crate::{Assembly, Deployed, Error, Options, Progress, Target, exit_code_of};

/// How a fleet is deployed.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The folder for the journal.
    pub journals: PathBuf,
    /// Tenants that are under way at the same time, at least 1.
    pub concurrency: usize,
    /// Percent of the tenants that may fail before no other one is begun.
    pub failures: f64,
}

impl Fleet {
    /// 20 tenants at once, at most 2 % failures.
    pub fn new(journals: &Path) -> Fleet {
        Fleet { journals: journals.to_owned(), concurrency: 20, failures: 2.0 }
    }
}

/// What became of each tenant, in the order in which they were given.
#[derive(Debug)]
pub struct Report(Vec<(String, Outcome)>);

/// What became of one tenant.
#[derive(Debug)]
pub enum Outcome {
    /// All its stacks are as synthesized.
    Deployed(Vec<Deployed>),
    /// They were so already, by the same run before it was taken up again.
    DeployedBefore,
    /// One of its stacks is not.
    Failed(Error),
    /// Too many others had failed.
    NotBegun,
}

/// Deploys the tenants in waves of 1, 5, 25 and the rest. One that fails does not hold the others up; when too many fail, or AWS does not
/// let the caller in any more, no other one is begun. A run that was cut short at any point is taken up by the next one.
///
/// # Errors
///
/// [`Error::Refused`] and [`Error::Access`] before anything was begun. What fails of a tenant is in the report.
pub async fn deploy_fleet(
    target: &Target,
    tenants: &[Assembly],
    options: &Options,
    fleet: &Fleet,
    progress: &Progress,
) -> Result<Report, Error> {
    for stack in tenants.iter().flat_map(|tenant| &tenant.stacks) {
        stack.require_functions()?;
    }
    let path = fleet.journals.join(format!("journal-{}-{}.jsonl", target.account, target.region));
    let journal = Journal::open(&path)?;
    if journal.is_resumed() {
        progress.line(format!("taking up the run that did not come to its end, from {}", path.display()));
    }
    match allowance::unknown(target, tenants, &options.allow_replacement).await? {
        // The run may have removed it before it was cut short.
        Some(sentence) if journal.is_resumed() => progress.line(sentence),
        Some(sentence) => return Err(Error::Refused(sentence)),
        None => {}
    }
    let assets = tenants.iter().flat_map(|tenant| &tenant.stacks).flat_map(|stack| &stack.assets);
    assets::upload_missing(target, assets, progress).await?;

    let run = Run { target, options, journal: &journal, progress, alone: tenants.len() == 1 };
    let report = Report(run.waves(tenants, fleet).await);
    if report.0.iter().all(|(_, outcome)| outcome.is_deployed()) {
        journal.finish()?;
    }
    if let Some(sentence) = report.parted().and_then(|it| allowance::unneeded(&options.allow_replacement, &it)) {
        progress.line(sentence);
    }
    Ok(report)
}

struct Run<'a> {
    target: &'a Target,
    options: &'a Options,
    journal: &'a Journal,
    progress: &'a Progress,
    /// Whether there is one tenant only, which needs no talk of several.
    alone: bool,
}

impl Run<'_> {
    async fn waves(&self, tenants: &[Assembly], fleet: &Fleet) -> Vec<(String, Outcome)> {
        let count = tenants.len();
        let mut outcomes: Vec<_> = tenants.iter().map(|it| (it.tenant.clone(), Outcome::NotBegun)).collect();
        if !self.alone {
            self.progress.begin(format!("deploying {count} tenants"), count as u64);
        }
        let (mut first, mut failures, mut finished) = (0, 0, 0);
        for (number, size) in waves::sizes(count).into_iter().enumerate() {
            let last = first + size;
            self.tell(|| format!("wave {}: tenants {} to {last} of {count}", number + 1, first + 1));
            let stopped = Cell::new(false);
            let work = (first..last).map(async |index| {
                let outcome = if stopped.get() { Outcome::NotBegun } else { self.tenant(&tenants[index]).await };
                (index, outcome)
            });
            // What one tenant has begun is let to its end, so that no other is left half-way.
            let mut results = stream::iter(work).buffer_unordered(fleet.concurrency.max(1));
            while let Some((index, outcome)) = results.next().await {
                let (tenant, known) = &mut outcomes[index];
                *known = outcome;
                finished += 1;
                failures += usize::from(matches!(known, Outcome::Failed(_)));
                if !self.alone {
                    self.progress.done(finished);
                }
                match known {
                    Outcome::Deployed(_) => self.tell(|| format!("{tenant}: deployed, {finished} of {count}")),
                    Outcome::Failed(error) => self.tell(|| format!("{tenant}: FAILED, {finished} of {count}: {error}")),
                    Outcome::DeployedBefore | Outcome::NotBegun => {}
                }
                let shut_out = matches!(known, Outcome::Failed(Error::Access(_)));
                stopped.set(stopped.get() || shut_out || waves::too_many(failures, last, fleet.failures));
            }
            if stopped.get() {
                let left = outcomes.iter().filter(|(_, outcome)| matches!(outcome, Outcome::NotBegun)).count();
                self.tell(|| {
                    format!("{failures} failed, allowed are {} %: the other {left} are not begun", fleet.failures)
                });
                break;
            }
            first = last;
        }
        outcomes
    }

    /// Tells of one tenant among several.
    fn tell(&self, line: impl FnOnce() -> String) {
        if !self.alone {
            self.progress.line(line());
        }
    }

    async fn tenant(&self, assembly: &Assembly) -> Outcome {
        match self.deploy(assembly).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(error),
        }
    }

    async fn deploy(&self, assembly: &Assembly) -> Result<Outcome, Error> {
        let (tenant, digest) = (assembly.tenant.as_str(), assembly.digest());
        // The journal says what was deployed, but not whether somebody took it down or changed it since. Who names one tenant is shown its
        // outputs.
        if !self.alone && self.journal.has_deployed(tenant, &digest) && self.stands(assembly).await? {
            return Ok(Outcome::DeployedBefore);
        }
        let attempt = self.journal.attempt(tenant);
        let target = self.target.seeded(&format!("{}/{tenant}/{attempt}", self.journal.run()));
        self.journal.began(tenant)?;
        let part = (!self.alone).then(|| self.progress.part(tenant).without_details());
        let progress = part.as_ref().unwrap_or(self.progress);
        match tenant::deploy_stacks(&target, assembly, self.options, progress).await {
            Ok(deployed) => {
                self.journal.deployed(tenant, &digest)?;
                Ok(Outcome::Deployed(deployed))
            }
            // Nothing of the tenant's is wrong: the next run takes this try up.
            Err(error @ Error::Access(_)) => Err(error),
            Err(error) => {
                self.journal.failed(tenant, &error.to_string())?;
                Err(error)
            }
        }
    }

    async fn stands(&self, assembly: &Assembly) -> Result<bool, Error> {
        for stack in &assembly.stacks {
            let parameters = tenant::parameters(self.target, stack);
            let stands = |live: Stack| events::stands(&live) && version::is_deployed(&live, stack, &parameters);
            if !events::describe(self.target, &stack.name).await?.is_some_and(stands) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Report {
    /// What became of each tenant, in the order in which they were given.
    pub fn tenants(&self) -> impl Iterator<Item = (&str, &Outcome)> {
        self.0.iter().map(|(tenant, outcome)| (tenant.as_str(), outcome))
    }

    /// 0 when all tenants are deployed, 1 when AWS failed one, 2 when what failed has to be repaired here, or AWS let the caller in no more.
    pub fn exit_code(&self) -> u8 {
        exit_code_of(self.0.iter().filter_map(|(_, outcome)| match outcome {
            Outcome::Failed(error) => Some(error),
            _ => None,
        }))
    }

    /// Logical ids of what was parted from; `None` if that is not known of some stack.
    fn parted(&self) -> Option<BTreeSet<String>> {
        let stacks = self.0.iter().map(|(_, outcome)| match outcome {
            Outcome::Deployed(stacks) => Some(stacks),
            _ => None,
        });
        let stacks = stacks.collect::<Option<Vec<_>>>()?;
        Some(stacks.into_iter().flatten().flat_map(|stack| stack.parted.clone()).collect())
    }
}

impl Outcome {
    fn is_deployed(&self) -> bool {
        matches!(self, Outcome::Deployed(_) | Outcome::DeployedBefore)
    }
}

/// A table with one line a tenant, those that failed last, and a line of counts.
impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(tenant, _)| tenant.len()).max().unwrap_or(0);
        let (deployed, others): (Vec<_>, Vec<_>) = self.0.iter().partition(|(_, outcome)| outcome.is_deployed());
        let (not_begun, failed): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|(_, outcome)| matches!(outcome, Outcome::NotBegun));
        for (tenant, outcome) in deployed.iter().chain(&not_begun).chain(&failed) {
            writeln!(formatter, "{tenant:width$}  {outcome}")?;
        }
        let [deployed, failed, not_begun] = [deployed, failed, not_begun].map(|outcomes| outcomes.len());
        write!(formatter, "{deployed} deployed, {failed} failed, {not_begun} not begun")
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Deployed(stacks) => {
                let stacks: Vec<_> = stacks.iter().map(|it| format!("{} {}", it.stack, it.change)).collect();
                write!(formatter, "deployed    {}", stacks.join(", "))
            }
            Outcome::DeployedBefore => formatter.write_str("deployed    earlier in the same run, and stands"),
            Outcome::Failed(error) => write!(formatter, "FAILED      {error}"),
            Outcome::NotBegun => formatter.write_str("not begun"),
        }
    }
}
