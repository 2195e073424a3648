//! Showing what is deployed.

use ferrostack_deploy::{Options, Progress};

use crate::fake_aws::{self, Fake};
use crate::tenant::{STACK, acme, calls, connect, run, with_bucket, with_stack};

#[tokio::test]
async fn a_deployed_stack_is_told_in_one_line_with_version_and_urls() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    let options = Options { revision: Some("1a2b3c".to_owned()), ..Options::default() };
    let target = connect(&endpoint).await.unwrap();
    ferrostack_deploy::deploy(&target, &acme().assembly, &options, &Progress::detect()).await.unwrap();
    fake.lock().unwrap().stacks.get_mut(STACK).unwrap().outputs.push(("Queue", "letters"));
    let expected = "acme qlik-reload  CREATE_COMPLETE  revision 1a2b3c  template equal  Url https://example.test";
    assert_eq!(status(&endpoint).await, expected);

    fake.lock().unwrap().stacks.get_mut(STACK).unwrap().tags.insert("ferrostack:template".into(), "another".into());
    assert!(status(&endpoint).await.contains("template different"));
}

#[tokio::test]
async fn a_stack_that_another_tool_deployed_has_no_known_version() {
    let (endpoint, _fake) = fake_aws::start(with_stack("UPDATE_ROLLBACK_COMPLETE")).await;
    let expected = "acme qlik-reload  UPDATE_ROLLBACK_COMPLETE  revision unknown  template unknown";
    assert_eq!(status(&endpoint).await, expected);
}

#[tokio::test]
async fn what_is_not_deployed_is_said_to_be_so() {
    for fake in [with_bucket(), with_stack("DELETE_COMPLETE"), with_stack("REVIEW_IN_PROGRESS")] {
        let (endpoint, _fake) = fake_aws::start(fake).await;
        assert_eq!(status(&endpoint).await, "acme qlik-reload  not deployed");
    }
}

#[tokio::test]
async fn without_a_tenant_every_assembly_is_looked_at() {
    let (endpoint, _fake) = fake_aws::start(with_bucket()).await;
    for arguments in [&["status"] as &[_], &["status", "acme"]] {
        let (code, printed, said) = run(Some(endpoint.clone()), arguments).await;
        assert_eq!((code, printed.as_str()), (Some(0), "acme qlik-reload  not deployed\n"), "{said}");
    }
}

#[tokio::test]
async fn what_was_changed_by_hand_is_told_when_asked() {
    for (drifted, expected) in [(vec![], "drift none"), (vec!["Claims"], "drift Claims MODIFIED")] {
        let (endpoint, fake) = fake_aws::start(Fake { drifted, ..with_stack("UPDATE_COMPLETE") }).await;
        let (code, printed, said) = run(Some(endpoint), &["status", "acme", "--drift"]).await;
        assert_eq!((code, printed.contains(expected)), (Some(0), true), "{printed}{said}");
        assert_eq!(calls(&fake, "DetectStackDrift"), 1);
    }
}

async fn status(endpoint: &str) -> String {
    let target = connect(endpoint).await.unwrap();
    let states = ferrostack_deploy::status(&target, &acme().assembly, false, &Progress::detect()).await.unwrap();
    states.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
