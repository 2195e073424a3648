//! Which tenants and systems a command selects, and invalid options.

use std::path::Path;

use crate::dependencies::write;
use crate::fake_aws::{self, Fake, FakeStack};
use crate::tenant::{ended, run, start_on, with_bucket};

#[tokio::test]
async fn tenants_without_the_system_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "acme", &[("acme-app", ""), ("acme-store", "")]);
    write(folder.path(), "beta", &[("beta-store", "")]);
    let (code, printed, said) = deploy(folder.path(), &["--all", "--yes", "--only", "app"]).await;
    assert!(said.starts_with("1 of 2 tenants do not have the system app and are left out\n"), "{said}");
    assert_eq!((code, printed.as_str()), (Some(0), "acme-app: created\n  Url = https://example.test\n"), "{said}");

    let (code, _, said) = deploy(folder.path(), &["--all", "--yes", "--only", "ap"]).await;
    assert_eq!(
        (code, said.as_str()),
        (
            Some(2),
            "error: none of the 2 tenants has a system `ap`; `cargo run -- list` shows the systems of each tenant\n"
        )
    );
    let (code, _, said) = deploy(folder.path(), &["beta", "--only", "app"]).await;
    let expected = "error: tenant beta has no system `app`; its stacks are beta-store\n";
    assert_eq!((code, said.as_str()), (Some(2), expected));
}

#[tokio::test]
async fn a_tenant_that_is_named_twice_is_deployed_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "acme", &[("acme-app", "")]);
    let (code, printed, said) = deploy(folder.path(), &["acme", "acme"]).await;
    assert_eq!((code, printed.as_str()), (Some(0), "acme-app: created\n  Url = https://example.test\n"), "{said}");
}

#[tokio::test]
async fn without_a_synth_nothing_is_deployed() {
    let folder = tempfile::tempdir().unwrap();
    let (code, printed, said) = deploy(folder.path(), &["--all", "--yes"]).await;
    let expected = format!("error: {} contains no tenant; run `cargo run synth` first\n", folder.path().display());
    assert_eq!((code, printed.as_str(), said), (Some(2), "", expected));
}

#[tokio::test]
async fn a_failed_plan_does_not_stop_the_plans_of_other_tenants() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "acme", &[("acme-app", "")]);
    write(folder.path(), "beta", &[("beta-app", "")]);
    let stuck = FakeStack { status: "DELETE_FAILED".to_owned(), ..FakeStack::default() };
    let fake = Fake { stacks: [("acme-app".to_owned(), stuck)].into(), ..Fake::default() };
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let plan = start_on(folder.path(), "eu-west-1", Some(endpoint), &["deploy", "--all", "--plan"]);
    let (code, printed, said) = ended(plan).await;
    assert!(said.contains("\nerror: acme-app is DELETE_FAILED"), "{said}");
    let expected = "beta-app: would be created: only tags and outputs\n";
    assert_eq!((code, printed.as_str()), (Some(1), expected), "{said}");
}

#[tokio::test]
async fn options_and_credentials_can_be_checked_before_anything_is_built() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    let (code, _, said) = run(Some(endpoint), &["deploy", "nobody", "--preflight"]).await;
    assert_eq!((code, said.as_str()), (Some(0), "account 111122223333, region eu-west-1\n"));
    assert_eq!(fake.lock().unwrap().calls, ["GetCallerIdentity", "DescribeStacks ferrostack-platform"]);
    let (code, _, said) = run(None, &["deploy", "nobody", "--preflight"]).await;
    assert_eq!((code, said.starts_with("error: no AWS credentials were found")), (Some(2), true), "{said}");
}

#[tokio::test]
async fn an_option_out_of_range_is_refused_with_its_range() {
    for (option, expected) in [
        ("--failures=-1", "`-1` is not a percentage; must be 0 to 100"),
        ("--failures=NaN", "`NaN` is not a percentage; must be 0 to 100"),
        ("--looks-per-second=0", "`0` is not a rate; must be 0.01 to 1000 calls per second"),
        ("--concurrency=0", "0 is not in 1..=200"),
    ] {
        let (code, _, said) = run(None, &["deploy", "acme", option]).await;
        assert_eq!((code, said.contains(expected)), (Some(2), true), "{said}");
    }
}

async fn deploy(out: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (endpoint, _fake) = fake_aws::start(Fake::default()).await;
    let arguments: Vec<_> = ["deploy"].iter().chain(arguments).copied().collect();
    ended(start_on(out, "eu-west-1", Some(endpoint), &arguments)).await
}
