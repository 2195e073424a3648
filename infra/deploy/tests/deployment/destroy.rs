//! Taking stacks down.

use std::collections::BTreeSet;

use ferrostack_deploy::{Error, Progress, Teardown};
use serde_json::json;

use crate::fake_aws::{self, Fake};
use crate::tenant::{STACK, acme, calls, connect, run, with_bucket, with_stack};

#[tokio::test]
async fn destroying_a_stack_that_does_not_exist_succeeds() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    destroy(&endpoint, false).await.unwrap();
    assert_eq!(calls(&fake, "DeleteStack"), 0);
}

#[tokio::test]
async fn destroying_keeps_the_data_unless_asked() {
    let (endpoint, fake) = fake_aws::start(with_data()).await;
    destroy(&endpoint, false).await.unwrap();
    let fake = fake.lock().unwrap();
    assert_eq!(fake.stacks[STACK].status, "DELETE_COMPLETE");
    assert_eq!(fake.versions.len(), 5);
    assert!(!fake.calls.iter().any(|call| call == "CreateChangeSet"));
}

#[tokio::test]
async fn destroying_with_data_gives_up_retention_and_empties_buckets_page_by_page() {
    let (endpoint, fake) = fake_aws::start(with_data()).await;
    destroy(&endpoint, true).await.unwrap();
    let fake = fake.lock().unwrap();
    assert_eq!(fake.stacks[STACK].status, "DELETE_COMPLETE");
    assert_eq!(fake.versions, []);
    let request = &fake.requests["CreateChangeSet"];
    assert!(request["TemplateBody"].contains(r#""DeletionPolicy":"Delete""#), "{}", request["TemplateBody"]);
    assert_eq!(request["Parameters.member.1.UsePreviousValue"], "true");
}

#[tokio::test]
async fn a_resource_that_cannot_be_deleted_is_named() {
    let fake = Fake { failing: Some(("Bucket", "the bucket is not empty")), ..with_data() };
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let error = destroy(&endpoint, false).await.unwrap_err();
    assert!(error.to_string().contains("Bucket (AWS::IAM::Role): the bucket is not empty"), "{error}");
    assert_eq!(error.exit_code(), 1);
}

#[tokio::test]
async fn a_plan_lists_what_stays_by_name_and_size_and_deletes_nothing() {
    let (endpoint, fake) = fake_aws::start(with_data()).await;
    let (code, _, said) = run(Some(endpoint), &["destroy", "acme", "--plan"]).await;
    assert!(
        said.contains("  stays: Reports AWS::S3::Bucket acme-reports (5 objects and versions, 35 bytes)\n"),
        "{said}"
    );
    assert_eq!((code, calls(&fake, "DeleteStack"), calls(&fake, "CreateChangeSet")), (Some(0), 0, 0));
}

#[tokio::test]
async fn where_nobody_can_be_asked_nothing_is_deleted_without_yes() {
    let (endpoint, fake) = fake_aws::start(with_data()).await;
    let (code, _, said) = run(Some(endpoint), &["destroy", "acme", "--with-data"]).await;
    assert!(said.lines().last().unwrap().ends_with("run it at a terminal, or with --yes"), "{said}");
    assert_eq!((code, calls(&fake, "DeleteStack"), calls(&fake, "POST acme-reports")), (Some(2), 0, 0));
}

async fn destroy(endpoint: &str, with_data: bool) -> Result<(), Error> {
    let teardown = Teardown { with_data, yes: true, plan: false };
    ferrostack_deploy::destroy(&connect(endpoint).await?, &acme().assembly, teardown, &Progress::detect()).await
}

/// A stack with a bucket that holds five versions, listed two at a time.
fn with_data() -> Fake {
    let mut fake = with_stack("CREATE_COMPLETE");
    let stack = fake.stacks.get_mut(STACK).unwrap();
    stack.resources = vec![("Reports", "AWS::S3::Bucket", "acme-reports")];
    stack.template =
        json!({"Resources": {"Reports": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}}}).to_string();
    fake.buckets.insert("acme-reports".to_owned(), BTreeSet::new());
    fake.versions = (1..=5).map(|n| ("report.pdf".to_owned(), format!("v{n}"))).collect();
    fake.listed_page_size = 2;
    fake
}
