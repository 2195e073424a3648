//! Destroying stacks.

use std::collections::BTreeSet;

use ferrostack_deploy::{Error, Progress, Teardown};
use serde_json::json;

use crate::dependencies::write;
use crate::fake_aws::{self, Fake, FakeStack};
use crate::fake_json::item;
use crate::tenant::{STACK, acme, calls, connect, ended, run, start, start_on, with_bucket, with_stack};

#[tokio::test]
async fn destroying_a_stack_that_does_not_exist_succeeds() {
    let (endpoint, fake) = fake_aws::start(with_bucket()).await;
    destroy(&endpoint, false).await.unwrap();
    assert_eq!(calls(&fake, "DeleteStack"), 0);
}

#[tokio::test]
async fn destroying_keeps_the_data_by_default() {
    let (endpoint, fake) = fake_aws::start(with_data()).await;
    destroy(&endpoint, false).await.unwrap();
    let fake = fake.lock().unwrap();
    assert_eq!(fake.stacks[STACK].status, "DELETE_COMPLETE");
    assert_eq!(fake.versions.len(), 5);
    assert!(!fake.requests.contains_key("CreateChangeSet"));
    assert!(fake.requests["DeleteStack"].contains_key("ClientRequestToken"));
}

#[tokio::test]
async fn destroying_with_data_releases_retention_and_empties_buckets_page_by_page() {
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
    let fake = Fake { failing: Some(("Bucket", "the bucket is not empty")), ..holding_slots(with_data()) };
    let (endpoint, fake) = fake_aws::start(fake).await;
    let error = destroy(&endpoint, false).await.unwrap_err();
    assert!(error.to_string().contains("Bucket (AWS::IAM::Role): the bucket is not empty"), "{error}");
    assert_eq!((error.exit_code(), calls(&fake, "DeleteItem")), (1, 0), "a stack that still works keeps its slots");
}

#[tokio::test]
async fn a_plan_lists_what_is_kept_by_name_and_size_and_deletes_nothing() {
    let (endpoint, fake) = fake_aws::start(with_data()).await;
    let (code, _, said) = run(Some(endpoint), &["destroy", "acme", "--plan"]).await;
    let expected = "  \
  kept: Reports AWS::S3::Bucket acme-reports (5 objects and versions, 35 bytes)
  kept: Claims AWS::DynamoDB::Table acme-claims (12 items, 1.5 KiB, up to six hours ago)
  kept: Letters AWS::SQS::Queue https://sqs.test/acme-letters (about 6 messages)
  kept: Audit AWS::Logs::LogGroup /acme/audit (2.0 MiB)
  kept: Users AWS::Cognito::UserPool eu-west-1_1 (acme-users, about 7 users)
  kept: Key AWS::SecretsManager::Secret arn:aws:secretsmanager:eu-west-1:1:secret:acme-key
";
    assert!(said.ends_with(expected), "{said}");
    assert_eq!((code, calls(&fake, "DeleteStack"), calls(&fake, "CreateChangeSet")), (Some(0), 0, 0));
}

#[tokio::test]
async fn the_data_of_a_stack_that_cannot_be_updated_is_deleted_after_the_stack() {
    let mut fake = with_data();
    let stack = fake.stacks.get_mut(STACK).unwrap();
    stack.status = "DELETE_FAILED".to_owned();
    fake.outside = stack.resources.iter().map(|(_, kind, id)| (*kind, *id)).collect();
    let (endpoint, fake) = fake_aws::start(fake).await;
    let (code, _, said) = run(Some(endpoint), &["destroy", "acme", "--with-data", "--yes"]).await;
    assert_eq!((said.matches("  deleted with its data: ").count(), said.contains("kept")), (6, false), "{said}");
    let fake = fake.lock().unwrap();
    assert_eq!((code, fake.versions.len(), fake.stacks[STACK].status.as_str()), (Some(0), 0, "DELETE_COMPLETE"));
    assert_eq!(fake.outside, [], "{said}");
    let at = |call: &str| fake.calls.iter().position(|made| made == call).unwrap();
    assert!(at(&format!("DeleteStack {STACK}")) < at("DeleteResource"), "a resource of the stack may need it");
}

#[tokio::test]
async fn what_a_deleted_stack_has_kept_is_found_and_deleted_with_data_only() {
    let table = "arn:aws:dynamodb:eu-west-1:111122223333:table/acme-claims";
    let queue = "arn:aws:sqs:eu-west-1:111122223333:acme-letters";
    let of = |tenant, stack, id| {
        let tags = [("ferrostack:tenant", tenant), ("aws:cloudformation:stack-name", stack)];
        [&tags[..], &[("aws:cloudformation:stack-id", id), ("aws:cloudformation:logical-id", "Claims")]].concat()
    };
    let gone = "arn:aws:cloudformation:eu-west-1:111122223333:stack/acme-uptime/0";
    let exists = "arn:aws:cloudformation:eu-west-1:111122223333:stack/acme-uptime/1";
    let tagged = vec![
        (table, of("acme", "acme-uptime", gone)),
        (queue, of("acme", "acme-uptime", exists)),
        // Tags that a person can set prove nothing.
        ("arn:aws:s3:::strangers", vec![("ferrostack:tenant", "acme")]),
        ("arn:aws:s3:::others", of("acme", "beta-uptime", gone)),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/acme-claims/index/by-day", of("acme", "acme-uptime", gone)),
    ];
    let outside =
        vec![("AWS::DynamoDB::Table", "acme-claims"), ("AWS::S3::Bucket", "strangers"), ("AWS::S3::Bucket", "others")];
    let (endpoint, fake) = fake_aws::start(Fake { tagged, outside, ..with_stack("CREATE_COMPLETE") }).await;
    let (_, printed, _) = run(Some(endpoint.clone()), &["status", "acme"]).await;
    let line = "acme uptime  deleted; its data is kept in Claims AWS::DynamoDB::Table acme-claims\n";
    assert!(printed.ends_with(line) && printed.matches("deleted;").count() == 1, "{printed}");

    let (code, _, said) = run(Some(endpoint.clone()), &["destroy", "acme", "--yes"]).await;
    let kept = "left by acme-uptime, and kept; --with-data deletes it: Claims AWS::DynamoDB::Table acme-claims (size unknown: AccessDeniedException)\n";
    assert_eq!((code, said.contains(kept), calls(&fake, "DeleteResource")), (Some(0), true, 0), "{said}");
    let (code, _, said) =
        run(Some(endpoint.clone()), &["destroy", "acme", "--yes", "--with-data", "--only", "other"]).await;
    assert_eq!((code, calls(&fake, "DeleteResource")), (Some(2), 0), "{said}");
    let (code, _, said) = run(Some(endpoint), &["destroy", "acme", "--yes", "--with-data"]).await;
    assert_eq!((code, calls(&fake, "DeleteResource")), (Some(0), 1), "{said}");
    let left: Vec<_> = fake.lock().unwrap().outside.iter().map(|(_, id)| *id).collect();
    assert_eq!(left, ["strangers", "others"]);
}

#[tokio::test]
async fn a_caller_who_may_not_look_by_tags_can_delete_stacks_but_not_everything() {
    let fake = Fake { refused_json: vec!["GetResources"], ..with_stack("CREATE_COMPLETE") };
    let (endpoint, fake) = fake_aws::start(fake).await;
    let (code, _, said) = run(Some(endpoint.clone()), &["destroy", "acme", "--yes", "--with-data"]).await;
    let denied = "access denied while looking for what deleted stacks have left: AccessDeniedException";
    assert_eq!((code, said.contains(denied), calls(&fake, "DeleteStack")), (Some(2), true, 0), "{said}");
    let (code, printed, said) = run(Some(endpoint.clone()), &["status", "acme"]).await;
    assert!(code == Some(0) && said.contains(denied) && printed.starts_with("acme uptime"), "{printed}{said}");
    let (code, _, said) = run(Some(endpoint), &["destroy", "acme", "--yes"]).await;
    assert_eq!((code, said.contains(denied), calls(&fake, "DeleteStack")), (Some(0), true, 1), "{said}");
}

#[tokio::test]
async fn the_platform_is_kept_as_long_as_tenants_have_stacks() {
    let stack = |tenant: &str| FakeStack {
        status: "CREATE_COMPLETE".to_owned(),
        template: "{}".to_owned(),
        tags: [("ferrostack:tenant".to_owned(), tenant.to_owned())].into(),
        ..FakeStack::default()
    };
    let mut fake = with_bucket();
    fake.stacks.insert("ferrostack-platform".to_owned(), stack("platform"));
    fake.stacks.extend((1..8).map(|number| (format!("t{number}-app"), stack(&format!("t{number}")))));
    let (endpoint, fake) = fake_aws::start(fake).await;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "platform", &[("ferrostack-platform", "")]);
    let destroy = || start_on(folder.path(), "eu-west-1", Some(endpoint.clone()), &["destroy", "platform", "--yes"]);
    let (code, _, said) = ended(destroy()).await;
    let expected = "error: nothing was deleted: all tenants share the platform, and t1, t2, t3, t4, t5 and 2 more still have \
                    stacks here; destroy them first\n";
    assert_eq!((code, said.ends_with(expected), calls(&fake, "DeleteStack")), (Some(2), true, 0), "{said}");

    fake.lock().unwrap().stacks.retain(|name, _| name == "ferrostack-platform");
    let (code, _, said) = ended(destroy()).await;
    assert_eq!((code, calls(&fake, "DeleteStack")), (Some(0), 1), "{said}");
}

#[tokio::test]
async fn a_size_that_the_caller_may_not_read_stops_nothing() {
    let mut fake = Fake { described: [].into(), ..with_data() };
    fake.refusals.insert("ListObjectVersions", vec![(403, "AccessDenied")]);
    let (endpoint, fake) = fake_aws::start(fake).await;
    let (code, _, said) = run(Some(endpoint), &["destroy", "acme", "--yes"]).await;
    for line in [
        "  kept: Claims AWS::DynamoDB::Table acme-claims (size unknown: AccessDeniedException)\n",
        "  kept: Reports AWS::S3::Bucket acme-reports (size unknown: AccessDenied)\n",
    ] {
        assert_eq!((code, said.contains(line)), (Some(0), true), "{said}");
    }
    assert_eq!(fake.lock().unwrap().stacks[STACK].status, "DELETE_COMPLETE");
}

#[tokio::test]
async fn slots_and_the_place_in_the_line_are_returned_and_those_of_others_are_kept() {
    let fake = Fake { taken_meanwhile: [item("slot#2", "beta")].into(), ..holding_slots(with_data()) };
    let (endpoint, fake) = fake_aws::start(fake).await;
    let (code, _, said) = run(Some(endpoint), &["destroy", "acme", "--yes"]).await;
    assert!(said.contains("QuickSight slots to return: slot#0, slot#2, waiting#acme in slots\n"), "{said}");
    let fake = fake.lock().unwrap();
    let left: Vec<_> =
        fake.slots.iter().map(|(key, item)| (key.as_str(), item["tenant"]["S"].as_str().unwrap())).collect();
    let expected = [
        ("slot#1", "beta"),
        ("slot#2", "beta"),
        ("slot#3", "acme-2"),
        ("waiting#acme-2", "acme-2"),
        ("waiting#beta", "beta"),
    ];
    assert_eq!((code, left), (Some(0), expected.to_vec()));
    let at = |call: &str| fake.calls.iter().position(|made| made == call).unwrap();
    assert!(at(&format!("DeleteStack {STACK}")) < at("DeleteItem"), "functions that still run would take them again");
}

#[tokio::test]
async fn slots_of_a_tenant_without_stacks_are_returned_too() {
    let (endpoint, fake) = fake_aws::start(holding_slots(with_bucket())).await;
    let (code, _, said) = run(Some(endpoint.clone()), &["destroy", "acme", "--plan"]).await;
    assert_eq!((code, calls(&fake, "DeleteItem")), (Some(0), 0), "{said}");
    let (code, _, said) = run(Some(endpoint.clone()), &["destroy", "acme", "--yes"]).await;
    assert_eq!((code, calls(&fake, "DeleteItem")), (Some(0), 3), "{said}");
    let (_, _, said) = run(Some(endpoint), &["destroy", "acme", "--yes"]).await;
    assert_eq!((calls(&fake, "DeleteItem"), said.contains("slots")), (3, false), "{said}");
}

#[tokio::test]
async fn without_a_terminal_nothing_is_deleted_without_yes() {
    let (endpoint, fake) = fake_aws::start(with_data()).await;
    let (code, _, said) = run(Some(endpoint), &["destroy", "acme", "--with-data"]).await;
    assert!(said.lines().last().unwrap().ends_with("run it in a terminal, or with --yes"), "{said}");
    assert_eq!((code, calls(&fake, "DeleteStack"), calls(&fake, "POST acme-reports")), (Some(2), 0, 0));
}

#[tokio::test]
async fn stacks_that_left_the_assembly_are_deleted_too_and_none_of_another_tenant() {
    let others = [
        ("acme-zero", "acme"),
        ("acme-2-old", "acme-2"),
        ("beta-old", "beta"),
        ("elsewhere", "acme"),
        ("acme-untagged", ""),
    ];
    let cases = [
        (&["--only", "uptime"] as &[_], vec![STACK]),
        (&["--only", "zero"], vec!["acme-zero"]),
        (&[], vec![STACK, "acme-zero"]),
    ];
    for (arguments, gone) in cases {
        let mut fake = with_stack("CREATE_COMPLETE");
        for (name, tenant) in others {
            let tags = [("ferrostack:tenant".to_owned(), tenant.to_owned())].into();
            let stack = FakeStack {
                status: "UPDATE_COMPLETE".to_owned(),
                template: "{}".to_owned(),
                tags,
                ..FakeStack::default()
            };
            fake.stacks.insert(name.to_owned(), stack);
        }
        let (endpoint, fake) = fake_aws::start(fake).await;
        let (code, _, said) = run(Some(endpoint), &[&["destroy", "acme", "--yes"], arguments].concat()).await;
        let fake = fake.lock().unwrap();
        let found = fake.stacks.iter().filter(|(_, stack)| stack.status == "DELETE_COMPLETE");
        assert_eq!((code, found.map(|(name, _)| name.as_str()).collect::<Vec<_>>()), (Some(0), gone), "{said}");
    }
}

#[tokio::test]
async fn a_tenant_without_a_file_is_deleted_with_all_its_stacks_and_an_unknown_one_is_refused() {
    let existing = || {
        let tags = [("ferrostack:tenant".to_owned(), "beta".to_owned())].into();
        let template = json!({ "Parameters": { "SlotTable": {} } }).to_string();
        let stack = FakeStack { status: "CREATE_COMPLETE".to_owned(), template, tags, ..FakeStack::default() };
        let stacks = ["beta-app", "beta-reports"].map(|name| (name.to_owned(), stack.clone()));
        holding_slots(Fake { stacks: stacks.into(), ..Fake::default() })
    };
    let all = &["beta-app", "beta-reports"] as &[_];
    for (arguments, gone, slots) in [(&[] as &[_], all, 2), (&["--only", "reports"], &["beta-reports"], 2)] {
        let (endpoint, fake) = fake_aws::start(existing()).await;
        let (code, _, said) = run(Some(endpoint), &[&["destroy", "beta", "--yes"], arguments].concat()).await;
        assert_eq!((code, calls(&fake, "DeleteItem")), (Some(0), slots), "{said}");
        let fake = fake.lock().unwrap();
        let deleted = fake.stacks.iter().filter(|(_, stack)| stack.status == "DELETE_COMPLETE");
        assert_eq!(deleted.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), gone, "{said}");
    }
    let nobody =
        "there is no tenant `gamma`: it has neither a file nor stacks in account 111122223333, region eu-west-1";
    let no_stack = "there is no stack `beta-ap`: the tenant has neither a file nor such stacks in account 111122223333, region eu-west-1";
    let no_system = "tenant acme has no system `ap`; its stacks are acme-uptime";
    for (arguments, expected) in [
        (&["destroy", "gamma", "--yes"] as &[_], nobody),
        (&["destroy", "beta", "--only", "ap", "--yes"], no_stack),
        (&["destroy", "acme", "--only", "ap", "--yes"], no_system),
    ] {
        let (endpoint, fake) = fake_aws::start(existing()).await;
        let (code, _, said) = run(Some(endpoint), arguments).await;
        assert!(said.ends_with(&format!("error: {expected}\n")), "{said}");
        assert_eq!((code, calls(&fake, "DeleteStack")), (Some(2), 0));
    }
}

#[tokio::test]
async fn nothing_is_deleted_while_a_deployment_is_running() {
    let (endpoint, fake) = fake_aws::start(with_data()).await;
    let folder = tempfile::tempdir().unwrap();
    let target = connect(&endpoint).await.unwrap();
    let held = ferrostack_deploy::lock(folder.path(), &target).unwrap();
    let (code, _, said) = ended(start(Some(endpoint.clone()), &["destroy", "acme", "--yes"], folder.path())).await;
    assert!(said.contains("error: another deployment to this account and region is running"), "{said}");
    assert_eq!((code, calls(&fake, "DeleteStack")), (Some(2), 0));
    // A plan deletes nothing, so it need not wait.
    let (code, _, said) = ended(start(Some(endpoint.clone()), &["destroy", "acme", "--plan"], folder.path())).await;
    assert_eq!(code, Some(0), "{said}");
    drop(held);
    let (code, _, said) = ended(start(Some(endpoint), &["destroy", "acme", "--yes"], folder.path())).await;
    assert_eq!((code, calls(&fake, "DeleteStack")), (Some(0), 1), "{said}");
}

async fn destroy(endpoint: &str, with_data: bool) -> Result<(), Error> {
    let teardown = Teardown { with_data, yes: true, ..Teardown::default() };
    ferrostack_deploy::destroy(&connect(endpoint).await?, &acme().assembly, &teardown, &Progress::detect()).await
}

/// A stack with one of each kind that holds data; its bucket has five versions, listed two at a time.
fn with_data() -> Fake {
    let resources = vec![
        ("Reports", "AWS::S3::Bucket", "acme-reports"),
        ("Claims", "AWS::DynamoDB::Table", "acme-claims"),
        ("Letters", "AWS::SQS::Queue", "https://sqs.test/acme-letters"),
        ("Audit", "AWS::Logs::LogGroup", "/acme/audit"),
        ("Users", "AWS::Cognito::UserPool", "eu-west-1_1"),
        ("Key", "AWS::SecretsManager::Secret", "arn:aws:secretsmanager:eu-west-1:1:secret:acme-key"),
    ];
    let retained =
        |(id, kind, _): &(&str, &str, &str)| (id.to_string(), json!({ "Type": kind, "DeletionPolicy": "Retain" }));
    let template: serde_json::Map<_, _> = resources.iter().map(retained).collect();
    let mut fake = with_stack("CREATE_COMPLETE");
    let stack = fake.stacks.get_mut(STACK).unwrap();
    stack.template = json!({ "Resources": template }).to_string();
    stack.resources = resources;
    fake.buckets.insert("acme-reports".to_owned(), BTreeSet::new());
    fake.versions = (1..=5).map(|n| ("report.pdf".to_owned(), format!("v{n}"))).collect();
    fake.listed_page_size = 2;
    let messages = json!({
        "ApproximateNumberOfMessages": "3",
        "ApproximateNumberOfMessagesNotVisible": "2",
        "ApproximateNumberOfMessagesDelayed": "1",
    });
    let groups = json!([{ "logGroupName": "/acme/audit", "storedBytes": 2 << 20 }, { "logGroupName": "/acme/audit-2", "storedBytes": 1 }]);
    fake.described = [
        ("DescribeTable", json!({ "Table": { "ItemCount": 12, "TableSizeBytes": 1536 } })),
        ("GetQueueAttributes", json!({ "Attributes": messages })),
        ("DescribeLogGroups", json!({ "logGroups": groups })),
        ("DescribeUserPool", json!({ "UserPool": { "Name": "acme-users", "EstimatedNumberOfUsers": 7 } })),
    ]
    .into();
    fake
}

/// Three tenants that hold slots or wait for them, and the platform.
fn holding_slots(mut fake: Fake) -> Fake {
    let outputs = vec![("SlotTable", "slots")];
    let platform = FakeStack { status: "CREATE_COMPLETE".to_owned(), outputs, ..FakeStack::default() };
    fake.stacks.insert("ferrostack-platform".to_owned(), platform);
    let held = [("slot#0", "acme"), ("slot#1", "beta"), ("slot#2", "acme"), ("slot#3", "acme-2")];
    let waiting = [("waiting#acme", "acme"), ("waiting#acme-2", "acme-2"), ("waiting#beta", "beta")];
    fake.slots = held.into_iter().chain(waiting).map(|(key, tenant)| item(key, tenant)).collect();
    fake
}
