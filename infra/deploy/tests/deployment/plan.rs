//! Showing what a deployment would change.

use ferrostack_deploy::{Error, Options, Progress, Snapshot};
use serde_json::json;

use crate::fake_aws::{self, Fake, change, modification};
use crate::tenant::{
    BOOTSTRAP_BUCKET, STACK, acme, calls, connect, ended, run, sha256, start, start_on, value_of, with_bucket,
    with_stack, write_assembly,
};

#[tokio::test]
async fn an_update_is_shown_resource_by_resource_and_not_executed() {
    let (endpoint, fake) = fake_aws::start(with_changes()).await;
    let expected = "\
acme-uptime: would be updated: 1 added, 1 changed, 2 replaced, 1 removed
  ~ Claims (AWS::DynamoDB::Table): KeySchema: replaced, ITS DATA IS LOST
  ~ Deployment (AWS::ApiGateway::Deployment): Description: replaced
  - Old (AWS::SQS::Queue), its data is kept outside the stack
  ~ Ping (AWS::Lambda::Function): Code, MemorySize, Tags
  + Requests (AWS::ApiGateway::RestApi)
  ~ 2 other resources: Tags
  data is at risk; not deployed without --allow-replacement Claims --allow-replacement Old";
    assert_eq!(plan(&endpoint, false).await.unwrap(), expected);
    assert_eq!((calls(&fake, "ExecuteChangeSet"), calls(&fake, "PUT"), calls(&fake, "DeleteStack")), (0, 0, 0));
    let fake = fake.lock().unwrap();
    assert!(fake.stacks[STACK].change_sets.is_empty());
    assert_eq!(fake.stacks[STACK].status, "CREATE_COMPLETE");
    assert_eq!(value_of(&fake.requests["CreateChangeSet"], "Tags", "", "ferrostack:revision"), Some("1a2b3c"));
}

#[tokio::test]
async fn only_data_at_risk_is_red_and_only_on_a_terminal() {
    let (endpoint, _fake) = fake_aws::start(with_changes()).await;
    let red: Vec<_> =
        plan(&endpoint, true).await.unwrap().lines().filter(|line| line.contains('\x1b')).map(first).collect();
    assert_eq!(red, ["~ Claims", "- Old", "data is"]);
    let (code, printed, _) = run(Some(endpoint), &["deploy", "acme", "--plan"]).await;
    assert_eq!(
        (code, printed.contains("ITS DATA IS LOST"), printed.contains('\x1b')),
        (Some(0), true, false),
        "{printed}"
    );
}

#[tokio::test]
async fn rights_that_the_new_template_adds_are_shown() {
    let mut fake = with_stack("UPDATE_COMPLETE");
    let role = |actions| {
        let statement = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
        json!({"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {"Statement": [statement]}}]}})
    };
    fake.stacks.get_mut(STACK).unwrap().template =
        json!({"Resources": {"PingRole": role(json!(["s3:GetObject"]))}}).to_string();
    fake.changes = modification("PingRole", "AWS::IAM::Role", "False", "", &["Policies"]);
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let mut acme = acme();
    acme.assembly.stacks[0].template =
        json!({"Resources": {"PingRole": role(json!(["s3:GetObject", "s3:DeleteObject"]))}}).to_string();
    let target = connect(&endpoint).await.unwrap();
    let plans = ferrostack_deploy::plan(
        &target,
        &acme.assembly,
        &Options::default(),
        &Snapshot::default(),
        &Progress::detect(),
    )
    .await;
    let text = plans.unwrap()[0].text(false);
    assert!(text.ends_with("  added rights:\n    PingRole: s3:DeleteObject on *"), "{text}");
}

#[tokio::test]
async fn a_template_that_is_not_json_is_reported_as_not_comparable() {
    let mut fake = with_changes();
    fake.stacks.get_mut(STACK).unwrap().template = "Resources: {}".to_owned();
    let (endpoint, _fake) = fake_aws::start(fake).await;
    let text = plan(&endpoint, false).await.unwrap();
    assert!(text.contains("rights cannot be compared"), "{text}");
}

#[tokio::test]
async fn what_a_plan_writes_is_distinguished_from_a_deployment_by_name() {
    let folder = tempfile::tempdir().unwrap();
    write_assembly(folder.path(), Some(b"code"));
    let template = json!({"Metadata": {"Padding": "x".repeat(51_200)}, "Resources": {}}).to_string();
    std::fs::write(folder.path().join(format!("acme/{STACK}.template.json")), &template).unwrap();
    let key = format!("plan/{}.json", sha256(template.as_bytes()));
    for (arguments, plans) in [(&["deploy", "acme", "--plan"] as &[_], true), (&["deploy", "acme"], false)] {
        let (endpoint, fake) = fake_aws::start(with_bucket()).await;
        let (code, _, said) = ended(start_on(folder.path(), "eu-west-1", Some(endpoint), arguments)).await;
        let planned = calls(&fake, &format!("PUT {BOOTSTRAP_BUCKET}/{key}")) == 1;
        assert_eq!((code, planned), (Some(0), plans), "{said}");
        let fake = fake.lock().unwrap();
        let request = &fake.requests["CreateChangeSet"];
        assert_eq!(request["ChangeSetName"].starts_with("plan-"), plans);
        // Only an untagged stack may be deleted by whoever may only plan.
        assert_eq!(value_of(request, "Tags", "", "tenant").is_none(), plans);
    }
}

#[tokio::test]
async fn the_plan_of_a_new_stack_leaves_nothing_behind() {
    let fake = Fake { changes: change("Add", "Claims", "AWS::DynamoDB::Table", "", ""), ..with_bucket() };
    let (endpoint, fake) = fake_aws::start(fake).await;
    let text = plan(&endpoint, false).await.unwrap();
    assert_eq!(text, "acme-uptime: would be created: 1 added\n  + Claims (AWS::DynamoDB::Table)");
    assert_eq!((calls(&fake, "DeleteStack"), calls(&fake, "ExecuteChangeSet")), (1, 0));
    let fake = fake.lock().unwrap();
    assert_eq!(fake.stacks[STACK].status, "DELETE_COMPLETE");
    assert!(fake.stacks[STACK].change_sets.is_empty());
}

#[tokio::test]
async fn a_stack_with_another_change_set_is_kept() {
    let mut fake = with_stack("REVIEW_IN_PROGRESS");
    let others = &mut fake.stacks.get_mut(STACK).unwrap().change_sets;
    others.insert("arn:change-set/acme-uptime/another".into(), Default::default());
    let (endpoint, fake) = fake_aws::start(fake).await;
    plan(&endpoint, false).await.unwrap();
    assert_eq!((calls(&fake, "DeleteStack"), calls(&fake, "DeleteChangeSet")), (0, 1));
    assert_eq!(fake.lock().unwrap().stacks[STACK].change_sets.len(), 1);
}

#[tokio::test]
async fn a_rejected_change_set_leaves_no_empty_stack_either() {
    let fake = Fake { refused_change_set: Some("Parameters: [PingCodeKey] must have values"), ..with_bucket() };
    let (endpoint, fake) = fake_aws::start(fake).await;
    let error = plan(&endpoint, false).await.unwrap_err();
    assert!(error.to_string().contains("must have values"), "{error}");
    assert_eq!(fake.lock().unwrap().stacks[STACK].status, "DELETE_COMPLETE");
}

#[tokio::test]
async fn a_stack_without_changes_is_one_line() {
    let fake = Fake { no_changes: true, ..with_stack("CREATE_COMPLETE") };
    let (endpoint, fake) = fake_aws::start(fake).await;
    assert_eq!(plan(&endpoint, false).await.unwrap(), "acme-uptime: no changes");
    assert!(fake.lock().unwrap().stacks[STACK].change_sets.is_empty());
}

#[tokio::test]
async fn a_plan_does_not_delete_a_stack_whose_creation_failed() {
    let (endpoint, fake) = fake_aws::start(with_stack("ROLLBACK_COMPLETE")).await;
    let expected = "acme-uptime: is ROLLBACK_COMPLETE; would be deleted and created again: 2 added\n  \
                    + Claims (AWS::DynamoDB::Table)\n  + Ping (AWS::Lambda::Function)";
    assert_eq!(plan(&endpoint, false).await.unwrap(), expected);
    assert_eq!((calls(&fake, "DeleteStack"), calls(&fake, "CreateChangeSet")), (0, 0));
}

#[tokio::test]
async fn a_stack_that_needs_a_person_is_reported_as_in_a_deployment() {
    let (endpoint, _fake) = fake_aws::start(with_stack("DELETE_FAILED")).await;
    let error = plan(&endpoint, false).await.unwrap_err();
    assert_eq!((error.exit_code(), error.to_string().contains("run scripts/destroy first")), (1, true), "{error}");
}

#[tokio::test]
async fn a_plan_that_is_interrupted_before_it_created_anything_has_nothing_to_delete() {
    let mut fake = with_bucket();
    fake.refusals.insert("CreateChangeSet", vec![(400, "Throttling"); 20]);
    let (endpoint, fake) = fake_aws::start(fake).await;
    let folder = tempfile::tempdir().unwrap();
    let child = start(Some(endpoint), &["deploy", "acme", "--plan"], folder.path());
    while calls(&fake, "CreateChangeSet") == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let (code, _, said) = ended(child).await;
    let expected = "\ninterrupted: deleting the change sets\nerror: interrupted; nothing was changed\n";
    assert_eq!((code, said.ends_with(expected)), (Some(1), true), "{said}");
}

#[tokio::test]
async fn an_interrupted_plan_leaves_no_change_set_and_no_empty_stack() {
    for signal in ["-INT", "-TERM"] {
        let fake = Fake { slow_change_set: true, ..with_bucket() };
        let (endpoint, fake) = fake_aws::start(fake).await;
        let folder = tempfile::tempdir().unwrap();
        let child = start(Some(endpoint), &["deploy", "acme", "--plan"], folder.path());
        while calls(&fake, "DescribeChangeSet") == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let (code, _, said) = ended(child).await;
        assert!(said.ends_with("error: interrupted; nothing was changed\n"), "{said}");
        let fake = fake.lock().unwrap();
        assert_eq!((code, fake.stacks[STACK].status.as_str()), (Some(1), "DELETE_COMPLETE"));
        assert!(fake.stacks[STACK].change_sets.is_empty());
    }
}

async fn plan(endpoint: &str, color: bool) -> Result<String, Error> {
    let target = connect(endpoint).await?;
    let options = Options { revision: Some("1a2b3c".to_owned()), ..Options::default() };
    let plans =
        ferrostack_deploy::plan(&target, &acme().assembly, &options, &Snapshot::default(), &Progress::detect()).await?;
    Ok(plans.iter().map(|plan| plan.text(color)).collect::<Vec<_>>().join("\n"))
}

/// An update with one of each kind of change.
fn with_changes() -> Fake {
    let changes = [
        modification("Ping", "AWS::Lambda::Function", "False", "", &["MemorySize", "Code", "Tags", "Code"]),
        modification("Claims", "AWS::DynamoDB::Table", "True", "ReplaceAndDelete", &["KeySchema"]),
        modification("Deployment", "AWS::ApiGateway::Deployment", "True", "ReplaceAndDelete", &["Description"]),
        change("Remove", "Old", "AWS::SQS::Queue", "", "Retain"),
        change("Add", "Requests", "AWS::ApiGateway::RestApi", "", ""),
        modification("Key", "AWS::SecretsManager::Secret", "False", "", &["Tags"]),
        modification("Letters", "AWS::SQS::Queue", "False", "", &["Tags"]),
    ];
    Fake { changes: changes.concat(), ..with_stack("CREATE_COMPLETE") }
}

/// The first two words of a line, without its color.
fn first(line: &str) -> String {
    let plain = line.replace("\x1b[31m", "").replace("\x1b[0m", "");
    plain.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
