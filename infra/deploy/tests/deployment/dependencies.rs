//! Stacks that depend on each other: in which order they are created and deleted, and what a failed one stops.

use std::path::Path;

use ferrostack_deploy::Assembly;
use serde_json::json;

use crate::fake_aws::{self, Fake, FakeStack, Shared};
use crate::tenant::{ended, start_on};

#[tokio::test]
async fn a_stack_is_deployed_only_after_the_stack_that_it_needs() {
    let (fake, code, said) = run(Fake::default(), &["acme"], &["deploy", "acme"]).await;
    assert_eq!((code, status(&fake, "acme-app").as_str()), (Some(0), "CREATE_COMPLETE"), "{said}");
    let calls = &fake.lock().unwrap().calls;
    let last_of_store = calls.iter().rposition(|call| call.ends_with(" acme-store")).unwrap();
    let first_of_app = calls.iter().position(|call| call.ends_with(" acme-app")).unwrap();
    assert!(last_of_store < first_of_app, "{calls:?}");
}

#[tokio::test]
async fn a_failed_stack_stops_the_stacks_that_need_it_and_no_other_tenant() {
    let fake = Fake { failing: Some(("Table", "no such attribute")), ..Fake::default() };
    let (fake, code, said) = run(fake, &["acme", "beta"], &["deploy", "--all", "--yes", "--failures", "100"]).await;
    assert!(
        said.contains(
            "\nacme  FAILED      acme-store ended as ROLLBACK_COMPLETE: Table (AWS::IAM::Role): no such attribute\n"
        ),
        "{said}"
    );
    assert!(said.contains("\nbeta  deployed    beta-store created, beta-app created\n"), "{said}");
    assert_eq!((code, fake.lock().unwrap().stacks.contains_key("acme-app")), (Some(1), false));
    assert_eq!([status(&fake, "beta-store"), status(&fake, "beta-app")], ["CREATE_COMPLETE", "CREATE_COMPLETE"]);
}

#[tokio::test]
async fn stacks_are_deleted_in_reverse_order_and_one_that_cannot_be_deleted_keeps_what_it_needs() {
    let existing = || {
        let stack =
            FakeStack { status: "CREATE_COMPLETE".to_owned(), template: "{}".to_owned(), ..FakeStack::default() };
        let names = ["acme-app", "acme-store", "beta-app", "beta-store"];
        Fake { stacks: names.map(|name| (name.to_owned(), stack.clone())).into(), ..Fake::default() }
    };
    let (fake, code, said) = run(existing(), &["acme", "beta"], &["destroy", "acme", "--yes"]).await;
    assert_eq!((code, deleted(&fake)), (Some(0), vec!["acme-app".to_owned(), "acme-store".to_owned()]), "{said}");
    let calls = fake.lock().unwrap().calls.clone();
    let last_of_app = calls.iter().rposition(|call| call.ends_with(" acme-app")).unwrap();
    let store_deleted = calls.iter().position(|call| call == "DeleteStack acme-store").unwrap();
    assert!(last_of_app < store_deleted, "{calls:?}");
    assert!(!calls.iter().any(|call| call.contains("beta")), "{calls:?}");

    let fake = Fake { failing: Some(("Function", "it is in use")), ..existing() };
    let (fake, code, said) = run(fake, &["acme"], &["destroy", "acme", "--yes"]).await;
    let expected = "error: acme-app could not be deleted and is DELETE_FAILED: Function (AWS::IAM::Role): it is in use; fix that and \
                    destroy it again, or leave the resource behind with `aws cloudformation delete-stack --stack-name acme-app \
                    --retain-resources LOGICAL_ID`\n";
    assert!(said.ends_with(expected), "{said}");
    assert_eq!((code, deleted(&fake)), (Some(1), vec!["acme-app".to_owned()]));
}

#[tokio::test]
async fn destroying_one_system_keeps_the_other_systems_and_the_slots_of_the_tenant() {
    let stack = FakeStack { status: "CREATE_COMPLETE".to_owned(), template: "{}".to_owned(), ..FakeStack::default() };
    let platform = FakeStack { outputs: vec![("SlotTable", "slots")], ..stack.clone() };
    let stacks = [("acme-app", stack.clone()), ("acme-store", stack), ("ferrostack-platform", platform)];
    let existing = Fake { stacks: stacks.map(|(name, stack)| (name.to_owned(), stack)).into(), ..Fake::default() };
    let (fake, code, said) = run(existing, &["acme"], &["destroy", "acme", "--only", "app", "--yes"]).await;
    assert_eq!((code, deleted(&fake)), (Some(0), vec!["acme-app".to_owned()]), "{said}");
    assert!(!fake.lock().unwrap().calls.contains(&"Scan".to_owned()));
}

#[test]
fn stacks_that_depend_on_each_other_in_a_circle_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "acme", &[("acme-app", "acme-store"), ("acme-store", "acme-app")]);
    let error = Assembly::read(folder.path(), "acme").unwrap_err();
    assert_eq!(error.to_string(), "the stacks acme-app, acme-store depend on each other in a circle");
}

/// Runs the command on tenants with an `app` that needs a `store`, which comes after it by name. The last is all that it wrote.
async fn run(fake: Fake, tenants: &[&str], arguments: &[&str]) -> (Shared, Option<i32>, String) {
    let (endpoint, fake) = fake_aws::start(fake).await;
    let folder = tempfile::tempdir().unwrap();
    for tenant in tenants {
        let [app, store] = ["app", "store"].map(|system| format!("{tenant}-{system}"));
        write(folder.path(), tenant, &[(&app, &store), (&store, "")]);
    }
    let (code, printed, said) = ended(start_on(folder.path(), "eu-west-1", Some(endpoint), arguments)).await;
    (fake, code, format!("\n{printed}{said}"))
}

/// An assembly of stacks, each with the name of the one it needs.
pub(crate) fn write(out: &Path, tenant: &str, stacks: &[(&str, &str)]) {
    let folder = out.join(tenant);
    std::fs::create_dir_all(&folder).unwrap();
    let artifact = |(stack, needs): &(&str, &str)| {
        std::fs::write(folder.join(format!("{stack}.template.json")), r#"{"Resources": {}}"#).unwrap();
        let needs: Vec<_> = Some(needs).into_iter().filter(|stack| !stack.is_empty()).collect();
        (stack.to_string(), json!({ "type": "aws:cloudformation:stack", "dependencies": needs, "properties": {} }))
    };
    let artifacts: serde_json::Map<_, _> = stacks.iter().map(artifact).collect();
    std::fs::write(folder.join("manifest.json"), json!({ "artifacts": artifacts }).to_string()).unwrap();
}

fn status(fake: &Shared, stack: &str) -> String {
    fake.lock().unwrap().stacks[stack].status.clone()
}

fn deleted(fake: &Shared) -> Vec<String> {
    let calls = &fake.lock().unwrap().calls;
    calls.iter().filter_map(|call| call.strip_prefix("DeleteStack ")).map(str::to_owned).collect()
}
