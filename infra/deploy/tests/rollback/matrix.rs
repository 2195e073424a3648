//! Every resource of every stack fails in turn, in every operation. Afterwards the next deployment succeeds, and a teardown with data
//! leaves nothing in the account.

use std::collections::BTreeSet;
use std::sync::Arc;

use ferrostack_deploy::{Assembly, Error, Options, Progress, Target, Teardown};
use serde_json::{Value, json};

use crate::account::{Account, Step};
use crate::api::{self, Shared};
use crate::assemblies::{self, Candidate};
use crate::connection::connect;
use crate::template::needs;

/// What goes wrong with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// It cannot be created with its stack.
    Creation,
    /// Another resource cannot be created, and this one cannot be deleted in the rollback.
    CreationRollback,
    /// It cannot be updated.
    Update,
    /// Another resource cannot be created in the update, and this one cannot be set back.
    UpdateRollback,
    /// An update adds it, and it cannot be created.
    Addition,
    /// An update adds it and another resource, which cannot be created, and then this one cannot be deleted.
    AdditionRollback,
    /// An update removes it, and it cannot be deleted.
    Removal,
    /// It cannot be deleted with its stack.
    Deletion,
    /// The same, in a teardown with data.
    DeletionWithData,
}

const FAILURES: [Failure; 9] = [
    Failure::Creation,
    Failure::CreationRollback,
    Failure::Update,
    Failure::UpdateRollback,
    Failure::Addition,
    Failure::AdditionRollback,
    Failure::Removal,
    Failure::Deletion,
    Failure::DeletionWithData,
];

/// A resource that is added to a template so that it can fail after all others.
const LAST: &str = "FailsLast";

/// What stays in the account on purpose: the platform's role for the logs of API Gateway, which other teams' APIs use as well.
const SHARED: [&str; 2] = ["AWS::IAM::Role GatewayRole", "AWS::ApiGateway::Account Gateway"];

#[test]
fn nothing_is_left_behind_and_the_next_deployment_succeeds_whichever_resource_fails() {
    let candidates = assemblies::all();
    let candidates: Vec<_> = candidates.stacks.iter().filter(|candidate| size().includes(candidate)).collect();
    // One thread for each kind of failure, and one row for each stack.
    let columns: Vec<Vec<Outcome>> = std::thread::scope(|scope| {
        let columns = FAILURES.map(|failure| {
            // Futures are large without optimization.
            let thread = std::thread::Builder::new().stack_size(16 << 20);
            let candidates = &candidates;
            thread.spawn_scoped(scope, move || column(failure, candidates)).unwrap()
        });
        columns.map(|column| column.join().unwrap()).into()
    });
    println!("For each stack and what fails: failing resources, left behind, next deployment failed\n");
    let heads: Vec<_> = FAILURES.iter().map(|failure| format!("{:>16}", format!("{failure:?}"))).collect();
    println!("{:<28}{}", "stack", heads.concat());
    for (row, candidate) in candidates.iter().enumerate() {
        let cells = columns.iter().map(|column| &column[row]);
        let cells: Vec<_> =
            cells.map(|cell| format!("{:>16}", format!("{} {} {}", cell.cases, cell.left, cell.stuck))).collect();
        println!("{:<28}{}", candidate.name, cells.concat());
    }
    let outcomes = || columns.iter().flatten();
    let cases: usize = outcomes().map(|outcome| outcome.cases).sum();
    let problems: Vec<_> = outcomes().flat_map(|outcome| &outcome.problems).map(String::as_str).collect();
    println!("\n{} stacks, {cases} failures: {} problems", candidates.len(), problems.len());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// How much of the matrix is tried. Without optimization, one failure takes about a tenth of a second.
struct Size {
    /// `ROLLBACK_STACKS` chooses stacks by a part of their names, and `all` chooses all of them.
    stacks: Option<String>,
}

fn size() -> Size {
    Size { stacks: std::env::var("ROLLBACK_STACKS").ok() }
}

impl Size {
    /// By default the stacks of the example, which has every system, and the platform.
    fn includes(&self, candidate: &Candidate) -> bool {
        match self.stacks.as_deref() {
            None => ["example", stacks::platform::FOLDER].contains(&candidate.tenant.as_str()),
            Some("all") => true,
            Some(part) => candidate.name.contains(part),
        }
    }

    /// By default a resource fails in one way, which its place in the template decides, so that every way is tried on every type sooner
    /// or later; one that holds data fails in every way.
    fn tries(&self, failure: usize, place: usize, definition: &Value) -> bool {
        let holds_data = definition["DeletionPolicy"].as_str().is_some_and(|policy| policy != "Delete");
        self.stacks.is_some() || holds_data || place % FAILURES.len() == failure
    }
}

/// What one kind of failure does to one stack.
#[derive(Default)]
struct Outcome {
    cases: usize,
    left: usize,
    stuck: usize,
    problems: Vec<String>,
}

/// The outcomes of one kind of failure for all stacks.
fn column(failure: Failure, candidates: &[&Candidate]) -> Vec<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let account: Shared = Arc::default();
        let target = connect(&api::serve(&account).await).await;
        let mut outcomes = Vec::new();
        for candidate in candidates {
            let template: Value = serde_json::from_str(&candidate.artifact.template.read().unwrap()).unwrap();
            let mut outcome = Outcome::default();
            let stack = Subject { account: &account, target: &target, candidate, template: &template };
            stack.deploy(&template).await.unwrap();
            let deployed = account.lock().unwrap().clone();
            for (place, (id, definition)) in template["Resources"].as_object().unwrap().iter().enumerate() {
                if !size().tries(failure as usize, place, definition) {
                    continue;
                }
                outcome.cases += 1;
                *account.lock().unwrap() = deployed.clone();
                if let Err(problem) = stack.fail(failure, id).await {
                    let left = problem.starts_with("left behind");
                    outcome.left += usize::from(left);
                    outcome.stuck += usize::from(!left);
                    outcome.problems.push(format!("{}: {failure:?} of {id}: {problem}", candidate.name));
                }
            }
            *account.lock().unwrap() = Account::default();
            outcomes.push(outcome);
        }
        outcomes
    })
}

/// One stack in one account.
struct Subject<'a> {
    account: &'a Shared,
    target: &'a Target,
    candidate: &'a Candidate,
    template: &'a Value,
}

impl Subject<'_> {
    /// Lets the resource fail in the account, in which the stack is deployed.
    async fn fail(&self, failure: Failure, id: &str) -> Result<(), String> {
        let whole = self.template.clone();
        match failure {
            Failure::Creation => {
                self.empty();
                self.fails_then_succeeds(&whole, &[(Step::Create, id)]).await
            }
            Failure::CreationRollback => {
                self.empty();
                self.fails_then_succeeds(&with_last(&whole), &[(Step::Create, LAST), (Step::Delete, id)]).await
            }
            Failure::Update => self.fails_then_succeeds(&changed(&whole), &[(Step::Update, id)]).await,
            Failure::UpdateRollback => {
                self.fails_then_succeeds(&with_last(&whole), &[(Step::Create, LAST), (Step::Revert, id)]).await
            }
            Failure::Addition => {
                self.empty();
                self.succeeds("first deployment", &without(&whole, id)).await?;
                self.fails_then_succeeds(&whole, &[(Step::Create, id)]).await
            }
            Failure::AdditionRollback => {
                self.empty();
                self.succeeds("first deployment", &without(&whole, id)).await?;
                self.fails_then_succeeds(&with_last(&whole), &[(Step::Create, LAST), (Step::Delete, id)]).await
            }
            Failure::Removal => {
                self.fault(&[(Step::Delete, id)]);
                self.succeeds("removal", &without(&whole, id)).await?;
                self.fault(&[]);
                self.succeeds("next deployment", &changed(&without(&whole, id))).await?;
                self.nothing_is_left().await
            }
            Failure::Deletion | Failure::DeletionWithData => {
                self.fault(&[(Step::Delete, id)]);
                // It succeeds if the resource is kept.
                let _ = self.destroy(failure == Failure::DeletionWithData).await;
                self.fault(&[]);
                self.destroy(false).await.map_err(|error| format!("next teardown: {error}"))?;
                let destroyed = self.account.lock().unwrap().clone();
                self.nothing_is_left().await?;
                *self.account.lock().unwrap() = destroyed;
                self.succeeds("next deployment", &whole).await?;
                self.nothing_is_left().await
            }
        }
    }

    /// Deploys a template, which fails, and once more, which must succeed. In the same account as it was after the failure, the stack is
    /// given up instead.
    async fn fails_then_succeeds(&self, to: &Value, faults: &[(Step, &str)]) -> Result<(), String> {
        self.fault(faults);
        if self.deploy(to).await.is_ok() {
            return Err("the fault has no effect".to_owned());
        }
        self.fault(&[]);
        let failed = self.account.lock().unwrap().clone();
        self.succeeds("next deployment", to).await?;
        self.nothing_is_left().await?;
        *self.account.lock().unwrap() = failed;
        self.nothing_is_left().await
    }

    /// A teardown with data finds whatever belongs to no stack. It is only tried if something is left.
    async fn nothing_is_left(&self) -> Result<(), String> {
        if self.account.lock().unwrap().orphans().is_empty() {
            return Ok(());
        }
        self.destroy(true).await.map_err(|error| format!("teardown: {error}"))?;
        let account = self.account.lock().unwrap();
        let mut left = account.orphans();
        left.retain(|left| !SHARED.contains(&left.as_str()));
        if left.is_empty() && account.stacks.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}")) }
    }

    fn empty(&self) {
        *self.account.lock().unwrap() = Account::default();
    }

    fn fault(&self, faults: &[(Step, &str)]) {
        self.account.lock().unwrap().faults = faults.iter().map(|(step, id)| (*step, (*id).to_owned())).collect();
    }

    async fn succeeds(&self, what: &str, template: &Value) -> Result<(), String> {
        self.deploy(template).await.map_err(|error| format!("{what}: {error}"))
    }

    async fn deploy(&self, template: &Value) -> Result<(), Error> {
        let options = Options::default();
        ferrostack_deploy::deploy(self.target, &self.assembly(template), &options, &Progress::silent()).await.map(drop)
    }

    async fn destroy(&self, with_data: bool) -> Result<(), Error> {
        let teardown = Teardown { with_data, yes: true, ..Teardown::default() };
        ferrostack_deploy::destroy(self.target, &self.assembly(self.template), &teardown, &Progress::silent()).await
    }

    fn assembly(&self, template: &Value) -> Assembly {
        let mut artifact = self.candidate.artifact.clone();
        artifact.template = template.to_string().into();
        // Uploads are not what this is about.
        artifact.assets.clear();
        Assembly { tenant: self.candidate.tenant.clone(), stacks: vec![artifact] }
    }
}

/// The template without the resource, and without what needs it.
fn without(template: &Value, id: &str) -> Value {
    let needs = needs(template);
    let mut removed: BTreeSet<&str> = [id].into();
    let needs_removed =
        |needs: &BTreeSet<String>, removed: &BTreeSet<&str>| needs.iter().any(|need| removed.contains(need.as_str()));
    while let Some((id, _)) =
        needs.iter().find(|(id, needs)| !removed.contains(id.as_str()) && needs_removed(needs, &removed))
    {
        removed.insert(id);
    }
    let mut template = template.clone();
    template["Resources"].as_object_mut().unwrap().retain(|id, _| !removed.contains(id.as_str()));
    if template["Resources"].as_object().unwrap().is_empty() {
        template["Resources"]["Other"] = json!({ "Type": "AWS::SSM::Parameter", "Properties": { "Name": "other" } });
    }
    template["Outputs"] = json!({});
    template
}

/// The template with a resource that is created after all others.
fn with_last(template: &Value) -> Value {
    let mut template = template.clone();
    let others: Vec<_> = template["Resources"].as_object().unwrap().keys().cloned().collect();
    let last = json!({ "Type": "AWS::SSM::Parameter", "DependsOn": others, "Properties": { "Name": "last" } });
    template["Resources"][LAST] = last;
    template
}

/// The template with other metadata, so that every resource is updated.
fn changed(template: &Value) -> Value {
    let mut template = template.clone();
    for resource in template["Resources"].as_object_mut().unwrap().values_mut() {
        resource["Metadata"] = json!({ "Changed": true });
    }
    template
}
