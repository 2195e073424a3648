//! What happened to each tenant of a fleet.

use std::collections::BTreeSet;
use std::fmt;

use crate::{Deployed, Error, exit_code_of};

/// What happened to each tenant, in the order in which they were given.
#[derive(Debug)]
pub struct Report(pub(super) Vec<(String, Outcome)>);

/// What happened to one tenant.
#[derive(Debug)]
pub enum Outcome {
    /// All its stacks are as synthesized.
    Deployed(Vec<Deployed>),
    /// All its stacks are as synthesized, deployed by the same run before it was interrupted.
    DeployedBefore,
    /// The deployment of one of its stacks failed.
    Failed(Error),
    /// It was not started, because too many others had failed.
    NotStarted,
}

impl Report {
    /// The outcome for each tenant, in the order in which they were given.
    pub fn tenants(&self) -> impl Iterator<Item = (&str, &Outcome)> {
        self.0.iter().map(|(tenant, outcome)| (tenant.as_str(), outcome))
    }

    /// 0 if all tenants are deployed, 1 if AWS failed one, 2 if a failure has to be fixed here, or AWS no longer let the caller in.
    pub fn exit_code(&self) -> u8 {
        exit_code_of(self.0.iter().filter_map(|(_, outcome)| match outcome {
            Outcome::Failed(error) => Some(error),
            _ => None,
        }))
    }

    pub(super) fn is_deployed(&self) -> bool {
        self.0.iter().all(|(_, outcome)| outcome.is_deployed())
    }

    /// Logical IDs of resources with data that were replaced or removed; `None` if that is unknown for some stack.
    pub(super) fn replaced_or_removed(&self) -> Option<BTreeSet<String>> {
        let stacks = self.0.iter().map(|(_, outcome)| match outcome {
            Outcome::Deployed(stacks) => Some(stacks),
            _ => None,
        });
        let stacks = stacks.collect::<Option<Vec<_>>>()?;
        Some(stacks.into_iter().flatten().flat_map(|stack| stack.replaced_or_removed.clone()).collect())
    }
}

impl Outcome {
    fn is_deployed(&self) -> bool {
        matches!(self, Outcome::Deployed(_) | Outcome::DeployedBefore)
    }
}

/// A table with one line per tenant, failures last, and a line of counts.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(tenant, _)| tenant.len()).max().unwrap_or(0);
        let (deployed, others): (Vec<_>, Vec<_>) = self.0.iter().partition(|(_, outcome)| outcome.is_deployed());
        let (not_started, failed): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|(_, outcome)| matches!(outcome, Outcome::NotStarted));
        for (tenant, outcome) in deployed.iter().chain(&not_started).chain(&failed) {
            writeln!(f, "{tenant:width$}  {outcome}")?;
        }
        let [deployed, failed, not_started] = [deployed, failed, not_started].map(|outcomes| outcomes.len());
        write!(f, "{deployed} deployed, {failed} failed, {not_started} not started")
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Deployed(stacks) => {
                let stacks: Vec<_> = stacks.iter().map(|stack| format!("{} {}", stack.stack, stack.change)).collect();
                write!(f, "deployed    {}", stacks.join(", "))
            }
            Outcome::DeployedBefore => f.write_str("deployed    earlier in the same run, unchanged since"),
            Outcome::Failed(error) => write!(f, "FAILED      {error}"),
            Outcome::NotStarted => f.write_str("not started"),
        }
    }
}
