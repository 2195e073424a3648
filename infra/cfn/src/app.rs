//! The stacks of one deployment.

use crate::assembled_stack::AssembledStack;
use crate::{Check, CloudAssembly, Finding, Stack, acknowledgement, checks};

/// Every stack of one deployment.
#[derive(Default)]
pub struct App {
    stacks: Vec<Stack>,
    checks: Vec<Check>,
    without: Vec<String>,
    today: Option<String>,
}

impl App {
    /// Adds a stack.
    #[must_use]
    pub fn stack(mut self, stack: Stack) -> Self {
        self.stacks.push(stack);
        self
    }

    /// Adds several stacks.
    #[must_use]
    pub fn stacks(mut self, stacks: impl IntoIterator<Item = Stack>) -> Self {
        self.stacks.extend(stacks);
        self
    }

    /// Runs `checks` over every template, in addition to those that always run.
    #[must_use]
    pub fn checks(mut self, checks: &[Check]) -> Self {
        self.checks.extend(checks);
        self
    }

    /// Leaves out the check with this name, for all stacks. To accept a single finding, use [`Stack::acknowledge`].
    /// A name that no check has is a finding.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.without.push(name.to_owned());
        self
    }

    /// The current date, as in `2027-06-30`, after which acknowledgements expire. Without it, they never do. Templates do not depend on it.
    #[must_use]
    pub fn today(mut self, date: impl Into<String>) -> Self {
        self.today = Some(date.into());
        self
    }

    /// Turns the stacks into templates and collects all findings. Reads and writes nothing.
    pub fn synth(self) -> CloudAssembly {
        let stacks = with_companions(self.stacks);
        let mut assembly = CloudAssembly { findings: checks::stacks(&stacks), ..CloudAssembly::default() };
        let is_left_out = |check: &Check| self.without.iter().any(|name| name == check.name);
        for name in &self.without {
            if !self.checks.iter().any(|check| check.name == name) {
                assembly.findings.push(Finding::error(name, "is not the name of a check; it cannot be left out"));
            }
        }
        for stack in stacks {
            let mut findings = stack.findings;
            findings.extend(checks::all(&stack.template));
            for check in self.checks.iter().filter(|check| !is_left_out(check)) {
                let found = (check.run)(&stack.template).into_iter();
                findings.extend(found.map(|finding| Finding { check: Some(check.name), ..finding }));
            }
            findings = acknowledgement::apply(&stack.acknowledgements, findings, self.today.as_deref());
            if !is_stack_name(&stack.template.stack) {
                findings.push(Finding::error(
                    "",
                    "is not a valid stack name; use at most 128 letters, digits and hyphens, starting with a letter",
                ));
            }
            if assembly.stacks.iter().any(|other| other.template.stack == stack.template.stack) {
                findings.push(Finding::error("", "two stacks have this name; rename one"));
            }
            let name = stack.template.stack.clone();
            assembly.findings.extend(findings.into_iter().map(|finding| Finding { stack: name.clone(), ..finding }));
            let document = stack.template.to_json();
            assembly.findings.extend(checks::size(&name, document.len()));
            assembly.stacks.push(AssembledStack {
                document,
                template: stack.template,
                tags: stack.tags,
                dependencies: stack.dependencies,
                environment: stack.environment,
                assets: stack.assets,
            });
        }
        assembly
    }
}

/// The stacks, each after its companions.
fn with_companions(stacks: Vec<Stack>) -> Vec<Stack> {
    let mut all = Vec::with_capacity(stacks.len());
    for mut stack in stacks {
        all.extend(with_companions(std::mem::take(&mut stack.companions)));
        all.push(stack);
    }
    all
}

fn is_stack_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
