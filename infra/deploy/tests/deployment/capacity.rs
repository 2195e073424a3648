//! How many tenants fit.

use std::path::Path;

use serde_json::{Value, json};

use crate::fake_aws::{self, Fake};
use crate::tenant::{calls, command, ended, with_bucket};

/// Tenants with this number of roles each.
fn write(folder: &Path, tenants: usize, roles: usize) {
    for number in 0..tenants {
        let tenant = format!("t{number}");
        let folder = folder.join(&tenant);
        std::fs::create_dir_all(&folder).unwrap();
        let role = |id: usize| (format!("Role{id}"), json!({ "Type": "AWS::IAM::Role" }));
        let mut resources: serde_json::Map<String, Value> = (0..roles).map(role).collect();
        for (id, kind) in [("Key", "AWS::SecretsManager::Secret"), ("Errors", "AWS::CloudWatch::Alarm")] {
            resources.insert(id.to_owned(), json!({ "Type": kind }));
        }
        let rate = json!({ "ScheduleExpression": "rate(1 hour)" });
        resources.insert("Sweep".to_owned(), json!({ "Type": "AWS::Scheduler::Schedule", "Properties": rate }));
        let stack = format!("{tenant}-app");
        let template = json!({ "Resources": resources }).to_string();
        std::fs::write(folder.join(format!("{stack}.template.json")), template).unwrap();
        let properties = json!({ "templateFile": format!("{stack}.template.json"), "stackName": stack });
        let artifact = json!({ "type": "aws:cloudformation:stack", "properties": properties });
        let manifest = json!({ "artifacts": { stack: artifact } });
        std::fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    }
}

/// As Service Quotas answers about every quota.
fn allowing(limit: u64) -> Fake {
    let mut fake = with_bucket();
    fake.described.insert("GetServiceQuota", json!({ "Quota": { "Value": limit } }));
    fake
}

async fn run(folder: &Path, endpoint: Option<String>, arguments: &[&str]) -> (Option<i32>, String, String) {
    ended(command(folder, "eu-west-1", endpoint, arguments).spawn().unwrap()).await
}

/// The line about IAM roles: limit, used, per tenant, and how many fit.
fn roles(table: &str) -> Vec<&str> {
    let line = table.lines().find(|line| line.starts_with("IAM roles")).unwrap();
    line.trim_start_matches("IAM roles").split_whitespace().collect()
}

#[tokio::test]
async fn without_credentials_the_defaults_are_shown_and_why() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 2, 30);
    let (code, table, said) = run(folder.path(), None, &["capacity"]).await;
    assert_eq!(code, Some(0), "{said}");
    let first = "aws://unknown-account/unknown-region: 33 tenants fit; IAM roles bind first\n\
        limits are AWS's defaults: no AWS credentials were found;";
    assert!(table.starts_with(first), "{table}");
    assert_eq!(roles(&table), ["account", "1000", "(default)", "0", "30.0", "33", "166"]);
    let last = "an idle tenant costs $0.50 a month (1 secrets, 1 alarms) and starts functions 730 times a month\n";
    assert!(table.ends_with(last), "{table}");
}

#[tokio::test]
async fn applied_quotas_and_what_is_deployed_count() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 2, 30);
    let (endpoint, _fake) = fake_aws::start(allowing(2000)).await;
    run(folder.path(), Some(endpoint.clone()), &["deploy", "t0"]).await;
    let (code, table, said) = run(folder.path(), Some(endpoint), &["capacity"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        table.starts_with("account 111122223333, region eu-west-1: 65 tenants fit; IAM roles bind first\n"),
        "{table}"
    );
    assert_eq!(roles(&table), ["account", "2000", "30", "30.0", "65", "165"]);
}

#[tokio::test]
async fn tenants_that_cannot_fit_are_refused_before_the_first_one() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 3, 400);
    let deploy = ["deploy", "--all", "--yes"];
    let (endpoint, fake) = fake_aws::start(allowing(1100)).await;
    let (code, _, said) = run(folder.path(), Some(endpoint), &deploy).await;
    let expected = "error: nothing was deployed: the tenants do not fit into account 111122223333, region eu-west-1, because they need \
        1200 IAM roles of 1100; raise the quotas, or move tenants to another environment; `ferrostack capacity` shows them all\n";
    assert_eq!((code, calls(&fake, "CreateChangeSet")), (Some(2), 0), "{said}");
    assert!(said.ends_with(expected), "{said}");

    let (endpoint, fake) = fake_aws::start(allowing(1200)).await;
    let (code, _, said) = run(folder.path(), Some(endpoint), &deploy).await;
    assert_eq!((code, calls(&fake, "CreateChangeSet")), (Some(0), 3), "{said}");
}

#[tokio::test]
async fn a_quota_that_is_used_up_ends_the_run_whatever_the_limit_of_failures() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 9, 1);
    let mut fake = with_bucket();
    fake.failing = Some((
        "Role0",
        "Cannot exceed quota for RolesPerAccount: 1000 (Service: Iam, Status Code: 409, LimitExceeded)",
    ));
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let (code, printed, said) =
        run(folder.path(), Some(endpoint), &["deploy", "--all", "--yes", "--failures", "100"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(
            "a quota of this environment is used up; `ferrostack capacity` shows which: the other 8 are not started"
        ),
        "{said}"
    );
    assert!(printed.ends_with("0 deployed, 1 failed, 8 not started\n"), "{printed}");
}
