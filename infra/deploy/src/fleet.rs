//! Deploys many tenants: in waves, several at once, with a journal to go on from.

use std::fmt;
use std::path::{Path, PathBuf};

use futures_util::{StreamExt, stream};

use crate::journal::Journal;
use crate::{Assembly, Deployed, Error, Options, Progress, Target, assets, deploy, watch, waves};

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
    /// They were so already, by the same run before it was cut short.
    DeployedBefore,
    /// One of its stacks is not.
    Failed(Error),
    /// Too many others had failed.
    NotBegun,
}

/// Deploys the tenants in waves of 1, 5, 25 and the rest. One that fails does not hold the others up; when too many fail, no other one is
/// begun. A run that was cut short at any point is taken up by the next one.
///
/// # Errors
///
/// [`Error::Refused`] and [`Error::Access`] before anything was begun, or when AWS no longer lets the caller in. What fails of a tenant
/// is in the report.
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
        progress.line(format!("taking up the run that was cut short, from {}", path.display()));
    }
    let assets = tenants.iter().flat_map(|tenant| &tenant.stacks).flat_map(|stack| &stack.assets);
    assets::upload_missing(target, assets, progress).await?;

    let run = Run { target, options, journal: &journal, progress, alone: tenants.len() == 1 };
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(tenants.len());
    outcomes.resize_with(tenants.len(), || Outcome::NotBegun);
    let (mut first, mut failures, mut finished) = (0, 0, 0);
    for (number, size) in waves::sizes(tenants.len()).into_iter().enumerate() {
        let last = first + size;
        if !run.alone {
            progress.line(format!("wave {}: tenants {} to {last} of {}", number + 1, first + 1, tenants.len()));
            progress.begin("tenants", tenants.len() as u64);
        }
        let stopped = std::cell::Cell::new(false);
        let work = (first..last).map(async |index| {
            if stopped.get() { (index, Ok(Outcome::NotBegun)) } else { (index, run.tenant(&tenants[index]).await) }
        });
        let mut results = stream::iter(work).buffer_unordered(fleet.concurrency.max(1));
        let mut shut_out = None;
        while let Some((index, outcome)) = results.next().await {
            // What one tenant has begun is let to its end, so that no other is left half-way.
            outcomes[index] = match outcome {
                Err(error @ Error::Access(_)) => {
                    stopped.set(true);
                    shut_out = Some(error);
                    continue;
                }
                Err(error) => Outcome::Failed(error),
                Ok(outcome) => outcome,
            };
            failures += usize::from(matches!(outcomes[index], Outcome::Failed(_)));
            finished += 1;
            if !run.alone {
                progress.done(finished);
            }
            stopped.set(stopped.get() || waves::too_many(failures, last, fleet.failures));
        }
        if let Some(error) = shut_out {
            return Err(error);
        }
        if stopped.get() {
            if !run.alone {
                progress.line(format!(
                    "{failures} tenants failed, allowed are {} %: no other one is begun",
                    fleet.failures
                ));
            }
            break;
        }
        first = last;
    }
    if outcomes.iter().all(|outcome| matches!(outcome, Outcome::Deployed(_) | Outcome::DeployedBefore)) {
        journal.finish()?;
    }
    let names = tenants.iter().map(|tenant| tenant.tenant.clone());
    Ok(Report(names.zip(outcomes).collect()))
}

struct Run<'a> {
    target: &'a Target,
    options: &'a Options,
    journal: &'a Journal,
    progress: &'a Progress,
    alone: bool,
}

impl Run<'_> {
    async fn tenant(&self, assembly: &Assembly) -> Result<Outcome, Error> {
        let (tenant, digest) = (assembly.tenant.as_str(), assembly.digest());
        // The journal says what was deployed, but not whether it was taken down since.
        if self.journal.has_deployed(tenant, &digest) && self.stands(assembly).await? {
            return Ok(Outcome::DeployedBefore);
        }
        let attempt = self.journal.attempt(tenant);
        let target = self.target.seeded(&format!("{}/{tenant}/{attempt}", self.journal.run()));
        self.journal.began(tenant)?;
        let part = (!self.alone).then(|| self.progress.part(tenant));
        let progress = part.as_ref().unwrap_or(self.progress);
        match deploy::deploy_stacks(&target, assembly, self.options, progress).await {
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
            if !watch::describe(self.target, &stack.name).await?.is_some_and(|live| watch::stands(&live)) {
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

    /// 0 when all tenants are deployed, 1 when AWS failed one or some were not begun, 2 when all that failed has to be repaired here.
    pub fn exit_code(&self) -> u8 {
        let code = |outcome: &Outcome| match outcome {
            Outcome::Failed(error) => error.exit_code(),
            Outcome::NotBegun => 1,
            Outcome::Deployed(_) | Outcome::DeployedBefore => 0,
        };
        let codes: Vec<_> = self.0.iter().map(|(_, outcome)| code(outcome)).collect();
        if codes.contains(&1) { 1 } else { codes.into_iter().max().unwrap_or(0) }
    }
}

/// A table with one line a tenant, and a line of counts.
impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(tenant, _)| tenant.len()).max().unwrap_or(0);
        let [mut deployed, mut failed, mut not_begun] = [0; 3];
        for (tenant, outcome) in &self.0 {
            match outcome {
                Outcome::Deployed(_) | Outcome::DeployedBefore => deployed += 1,
                Outcome::Failed(_) => failed += 1,
                Outcome::NotBegun => not_begun += 1,
            }
            writeln!(formatter, "{tenant:width$}  {outcome}")?;
        }
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
            Outcome::DeployedBefore => formatter.write_str("deployed    before the run was cut short"),
            Outcome::Failed(error) => write!(formatter, "FAILED      {error}"),
            Outcome::NotBegun => formatter.write_str("not begun"),
        }
    }
}
