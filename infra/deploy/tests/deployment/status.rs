//! Showing what is deployed.

use ferrostack_deploy::{Options, Progress};

use crate::fake_aws::{self, Fake, FakeStack};
use crate::tenant::{STACK, acme, calls, connect, run, with_bucket, with_stack};

#[tokio::test]
async fn a_deployed_stack_is_one_line_with_its_version_and_urls() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    let revision = "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d-dirty";
    let options = Options { revision: Some(revision.to_owned()), ..Options::default() };
    let target = connect(&endpoint).await.unwrap();
    ferrostack_deploy::deploy(&target, &acme().assembly, &options, &Progress::detect()).await.unwrap();
    fake.lock().unwrap().stacks.get_mut(STACK).unwrap().outputs.push(("Queue", "letters"));
    let expected =
        "acme uptime  CREATE_COMPLETE  revision 1a2b3c4d5e6f-dirty  template equal  Url https://example.test\n";
    assert_eq!(status(&endpoint).await, expected);

    fake.lock().unwrap().stacks.get_mut(STACK).unwrap().tags.insert("ferrostack:template".into(), "another".into());
    assert!(status(&endpoint).await.contains("template different"));
}

#[tokio::test]
async fn a_stack_that_is_set_to_delete_its_data_is_different_and_the_next_deployment_asks_about_it() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    run(Some(endpoint.clone()), &["deploy", "acme"]).await;
    let asked = calls(&fake, "CreateChangeSet");
    run(Some(endpoint.clone()), &["deploy", "acme"]).await;
    assert_eq!(calls(&fake, "CreateChangeSet"), asked, "it is up to date");
    assert!(status(&endpoint).await.contains("template equal"));

    // An interrupted `destroy --with-data` has updated the stack to such a template.
    let released = serde_json::json!({"Description": "Set to be deleted with its data. "}).to_string();
    fake.lock().unwrap().stacks.get_mut(STACK).unwrap().template = released;
    assert!(status(&endpoint).await.contains("template different"));
    run(Some(endpoint), &["deploy", "acme"]).await;
    assert_eq!(calls(&fake, "CreateChangeSet"), asked + 1);
}

#[tokio::test]
async fn a_stack_that_another_tool_deployed_has_no_known_version() {
    let (endpoint, _fake) = fake_aws::start(with_stack("UPDATE_ROLLBACK_COMPLETE")).await;
    let expected = "acme uptime  UPDATE_ROLLBACK_COMPLETE  revision unknown  template unknown\n";
    assert_eq!(status(&endpoint).await, expected);
}

#[tokio::test]
async fn a_stack_that_is_not_deployed_is_reported_as_such() {
    for fake in [with_bucket(), with_stack("DELETE_COMPLETE"), with_stack("REVIEW_IN_PROGRESS")] {
        let (endpoint, _fake) = fake_aws::start(fake).await;
        assert_eq!(status(&endpoint).await, "acme uptime  not deployed\n");
    }
}

#[tokio::test]
async fn without_a_tenant_every_assembly_is_shown() {
    let (endpoint, _fake) = fake_aws::start(with_bucket()).await;
    for arguments in [&["status"] as &[_], &["status", "acme"]] {
        let (code, printed, said) = run(Some(endpoint.clone()), arguments).await;
        assert_eq!((code, printed.as_str()), (Some(0), "acme uptime  not deployed\n"), "{said}");
    }
}

#[tokio::test]
async fn manual_changes_are_shown_on_request() {
    for (drifted, expected) in [(vec![], "drift none"), (vec!["Claims"], "drift Claims MODIFIED")] {
        let (endpoint, fake) = fake_aws::start(Fake { drifted, ..with_stack("UPDATE_COMPLETE") }).await;
        let (code, printed, said) = run(Some(endpoint), &["status", "acme", "--drift"]).await;
        assert_eq!((code, printed.contains(expected)), (Some(0), true), "{printed}{said}");
        assert_eq!(calls(&fake, "DetectStackDrift"), 1);
    }
}

#[tokio::test]
async fn stacks_without_a_tenant_file_are_listed_and_the_columns_are_aligned() {
    let mut fake = with_stack("CREATE_COMPLETE");
    let others = [
        ("acme-zero", "UPDATE_COMPLETE", "acme"),
        ("acme-gone", "DELETE_COMPLETE", "acme"),
        ("acme-planned", "REVIEW_IN_PROGRESS", "acme"),
        ("acme-2-app", "UPDATE_ROLLBACK_COMPLETE", "acme-2"),
        ("beta-untagged", "CREATE_COMPLETE", ""),
        ("elsewhere", "CREATE_COMPLETE", "beta"),
    ];
    for (name, status, tenant) in others {
        let tags = [("ferrostack:tenant".to_owned(), tenant.to_owned())].into();
        let stack = FakeStack { status: status.to_owned(), tags, ..FakeStack::default() };
        fake.stacks.insert(name.to_owned(), stack);
    }
    let (endpoint, fake) = fake_aws::start(fake).await;
    let of_acme = "\
acme uptime  CREATE_COMPLETE  revision unknown  template unknown
acme zero    UPDATE_COMPLETE  revision unknown  not in the tenant file
";
    let of_all = "\
acme uptime  CREATE_COMPLETE           revision unknown  template unknown
acme zero    UPDATE_COMPLETE           revision unknown  not in the tenant file
acme-2 app   UPDATE_ROLLBACK_COMPLETE  revision unknown  not in the tenant file
";
    for (arguments, expected) in [(&["status", "acme"] as &[_], of_acme), (&["status"], of_all)] {
        let (code, printed, said) = run(Some(endpoint.clone()), arguments).await;
        assert_eq!((code, printed.as_str()), (Some(0), expected), "{said}");
    }
    let calls = &fake.lock().unwrap().calls;
    let looks = calls.iter().filter(|call| call.starts_with("DescribeStacks ") && !call.ends_with("platform"));
    assert_eq!(looks.count(), 0, "stacks are listed by pages, not asked for one by one: {calls:?}");
}

async fn status(endpoint: &str) -> String {
    let target = connect(endpoint).await.unwrap();
    let status =
        ferrostack_deploy::status(&target, &[acme().assembly], false, false, &Progress::detect()).await.unwrap();
    status.to_string()
}
