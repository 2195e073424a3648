//! `--allow-replacement` with IDs that match nothing or are not needed.

use serde_json::json;

use crate::dependencies::write;
use crate::fake_aws::{self, Fake, FakeStack, Shared, change};
use crate::tenant::{ended, start_on};

const UNKNOWN: &str = "error: --allow-replacement Clams: none of the chosen stacks has such a resource, neither as \
                       deployed nor as synthesized; use logical IDs as shown by --plan\n";
const UNNEEDED: &str = "--allow-replacement Claims was not needed: no stack replaces or removes such a resource\n";

#[tokio::test]
async fn an_id_that_matches_no_resource_is_refused_before_anything_is_changed() {
    for command in [&["deploy", "acme"] as &[_], &["deploy", "acme", "beta", "--yes"], &["deploy", "acme", "--plan"]] {
        let (fake, code, said) = run(deployed(), command, &["Clams", "Claims"]).await;
        assert_eq!((code, said.ends_with(UNKNOWN)), (Some(2), true), "{said}");
        assert!(!fake.lock().unwrap().calls.iter().any(|call| call.starts_with("CreateChangeSet")));
    }
}

#[tokio::test]
async fn one_match_among_all_tenants_is_enough_even_if_only_a_deployed_stack_has_it() {
    for (stack, changes) in [("beta-app", removal("Old")), ("acme-app", removal("Old"))] {
        let mut fake = Fake { changes, ..deployed() };
        fake.stacks.get_mut(stack).unwrap().template = json!({ "Resources": { "Old": {} } }).to_string();
        let (_, code, said) = run(fake, &["deploy", "acme", "beta", "--yes"], &["Old"]).await;
        assert_eq!((code, said.contains("--allow-replacement")), (Some(0), false), "{said}");
    }
}

#[tokio::test]
async fn an_id_is_accepted_if_the_deployed_template_cannot_be_read() {
    let mut fake = Fake { changes: removal("Old"), ..deployed() };
    fake.stacks.get_mut("acme-app").unwrap().template = "Resources: {Old: {}}".to_owned();
    let (_, code, said) = run(fake, &["deploy", "acme"], &["Old"]).await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test]
async fn an_unneeded_id_is_reported_and_stops_nothing() {
    for command in [&["deploy", "acme"] as &[_], &["deploy", "acme", "beta", "--yes"], &["deploy", "acme", "--plan"]] {
        let (_, code, said) = run(deployed(), command, &["Claims"]).await;
        assert_eq!((code, said.contains(UNNEEDED)), (Some(0), true), "{said}");
        let needing = Fake { changes: removal("Claims"), ..deployed() };
        let (_, code, said) = run(needing, command, &["Claims"]).await;
        assert_eq!((code, said.contains(UNNEEDED)), (Some(0), false), "{said}");
    }
}

#[tokio::test]
async fn a_resumed_run_may_have_removed_the_resource_already() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake { failing: Some(("Table", "no such attribute")), ..deployed() };
    let (endpoint, _fake) = fake_aws::start(fake).await;
    write_both(folder.path());
    let start = |arguments: &[&str]| start_on(folder.path(), "eu-west-1", Some(endpoint.clone()), arguments);
    assert_eq!(ended(start(&["deploy", "acme"])).await.0, Some(1));
    let (code, _, said) = ended(start(&["deploy", "acme", "--allow-replacement", "Gone"])).await;
    assert!(said.contains("\n--allow-replacement Gone: none of the chosen stacks has such a resource"), "{said}");
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test]
async fn a_plan_distinguishes_allowed_data_loss_from_refused() {
    let changes = [removal("Claims"), removal("Jobs")].concat();
    let (_, code, said) = run(Fake { changes, ..deployed() }, &["deploy", "acme", "--plan"], &["Claims"]).await;
    let expected = "
  data is at risk; allowed by --allow-replacement Claims
  data is at risk; not deployed without --allow-replacement Jobs
";
    assert_eq!((code, said.contains(expected)), (Some(0), true), "{said}");
}

fn removal(id: &str) -> String {
    change("Remove", id, "AWS::DynamoDB::Table", "", "Delete")
}

/// Two tenants with one stack each.
fn deployed() -> Fake {
    let stack = FakeStack { status: "CREATE_COMPLETE".to_owned(), template: "{}".to_owned(), ..FakeStack::default() };
    Fake { stacks: ["acme-app", "beta-app"].map(|name| (name.to_owned(), stack.clone())).into(), ..Fake::default() }
}

fn write_both(out: &std::path::Path) {
    for tenant in ["acme", "beta"] {
        write(out, tenant, &[(&format!("{tenant}-app"), "")]);
        let template = json!({ "Resources": { "Claims": { "Type": "AWS::DynamoDB::Table" } } }).to_string();
        std::fs::write(out.join(format!("{tenant}/{tenant}-app.template.json")), template).unwrap();
    }
}

/// The last is all that it wrote: what it printed, then what it said.
async fn run(fake: Fake, command: &[&str], allowed: &[&str]) -> (Shared, Option<i32>, String) {
    let (endpoint, fake) = fake_aws::start(fake).await;
    let folder = tempfile::tempdir().unwrap();
    write_both(folder.path());
    let allowed = allowed.iter().flat_map(|id| ["--allow-replacement", *id]);
    let arguments: Vec<_> = command.iter().copied().chain(allowed).collect();
    let (code, printed, said) = ended(start_on(folder.path(), "eu-west-1", Some(endpoint), &arguments)).await;
    (fake, code, format!("{printed}{said}"))
}
