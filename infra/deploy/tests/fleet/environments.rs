//! Tenants of several accounts and regions, deployed by the command, each to its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loopback::{Answer, Request, reply};
use serde_json::{Value, json};

use crate::tenants;
use crate::world::{self, Faults, Shared, World};

const OURS: &str = "111122223333";
const THEIRS: &str = "444455556666";

/// An account and a region.
type Place = (&'static str, &'static str);
const PLACES: [Place; 4] = [(OURS, "eu-west-1"), (OURS, "us-east-1"), (THEIRS, "eu-west-1"), (THEIRS, "ap-south-1")];

#[tokio::test]
async fn one_command_deploys_six_tenants_to_three_environments() {
    let cloud = Cloud::start().await;
    let environments = [(OURS, "eu-west-1"), (OURS, "us-east-1"), (THEIRS, "ap-south-1")];
    for (number, (account, region)) in environments.into_iter().cycle().take(6).enumerate() {
        cloud.write(&format!("t{number}"), &[stack(&format!("t{number}-demo"), account, region, true)]);
    }
    let (code, printed, said) = cloud.run("base", &["deploy", "--all", "--yes"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(printed.ends_with("6 deployed, 0 failed, 0 not started\n"), "{printed}");
    for (place, expected) in [
        (environments[0], ["t0-demo", "t3-demo"]),
        (environments[1], ["t1-demo", "t4-demo"]),
        (environments[2], ["t2-demo", "t5-demo"]),
    ] {
        let world = cloud.worlds[&place].lock().unwrap();
        assert_eq!(world.stacks.keys().collect::<Vec<_>>(), expected, "{place:?}");
        let execution_role = format!("arn:aws:iam::{}:role/cloudformation", place.0);
        assert!(world.execution_roles.values().all(|role| *role == execution_role), "{:?}", world.execution_roles);
        let journal = cloud.out.path().join(format!("journal-{}-{}.jsonl", place.0, place.1));
        assert!(std::fs::read_to_string(journal).unwrap().ends_with("{\"what\":\"finished\"}\n"));
    }
    assert!(cloud.worlds[&(THEIRS, "eu-west-1")].lock().unwrap().stacks.is_empty());

    let (_, table, _) = cloud.run("base", &["status"]).await;
    let expected =
        "account 111122223333, region eu-west-1\nt0 demo  CREATE_COMPLETE  revision unknown  template equal\n";
    assert!(table.starts_with(expected), "{table}");
    assert!(table.contains("account 444455556666, region ap-south-1\nt2 demo  CREATE_COMPLETE"), "{table}");
    let (code, plan, said) = cloud.run("base", &["deploy", "--all", "--plan"]).await;
    assert_eq!((code, plan.matches(": no changes").count()), (Some(0), 6), "{plan}{said}");
}

#[tokio::test]
async fn another_account_is_refused_before_anything_happens() {
    let cloud = Cloud::start().await;
    cloud.write("t0", &[stack("t0-demo", OURS, "eu-west-1", false)]);
    let expected = "error: nothing was changed: the environment is account 111122223333 in eu-west-1, and the AWS profile `theirs` \
        signs in to account 444455556666; use a different --profile\n";
    for command in [
        &["deploy", "t0"][..],
        &["deploy", "t0", "--plan"],
        &["deploy", "t0", "--preflight"],
        &["status", "t0"],
        &["destroy", "t0", "--yes"],
    ] {
        let (code, printed, said) = cloud.run("theirs", command).await;
        assert_eq!((code, printed.as_str(), said.as_str()), (Some(2), "", expected), "{command:?}");
    }
    assert_eq!(cloud.worlds.values().map(|world| world.lock().unwrap().requests).sum::<u64>(), 0);

    let (code, _, said) = cloud.run("base", &["deploy", "t0", "--region", "us-east-1"]).await;
    let expected =
        "error: --region is us-east-1, but the environment is aws://111122223333/eu-west-1; remove --region\n";
    assert_eq!((code, said.as_str()), (Some(2), expected));
    cloud.write("t0", &[stack("t0-demo", OURS, "eu-west-1", true)]);
    let (code, _, said) = cloud.run("stranger", &["deploy", "t0"]).await;
    let expected =
        "error: could not assume the role arn:aws:iam::111122223333:role/deployer: AccessDenied: not authorized\n";
    assert_eq!((code, said.as_str()), (Some(2), expected));
}

#[tokio::test]
async fn too_many_failures_stop_their_own_environment_only() {
    let cloud = Cloud::start().await;
    for number in 0..8 {
        cloud.write(&format!("a{number}"), &[stack(&format!("a{number}-demo"), OURS, "eu-west-1", true)]);
        cloud.write(&format!("b{number}"), &[stack(&format!("b{number}-demo"), THEIRS, "eu-west-1", true)]);
    }
    cloud.worlds[&PLACES[0]].lock().unwrap().failing.push("a0-demo".to_owned());
    let (code, printed, said) = cloud.run("base", &["deploy", "--all", "--yes"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(printed.ends_with("8 deployed, 1 failed, 7 not started\n"), "{printed}");
    assert!(said.contains("111122223333 eu-west-1: 1 failed, the limit is 2 %: the other 7 are not started"), "{said}");
    assert_eq!(cloud.worlds[&PLACES[2]].lock().unwrap().complete(), 8);
}

#[tokio::test]
async fn a_companion_in_another_region_is_deployed_first_and_deleted_last() {
    let cloud = Cloud::start().await;
    let mut site = stack("t0-site", OURS, "eu-west-1", true);
    site.1["dependencies"] = json!(["t0-site-edge"]);
    cloud.write("t0", &[site, stack("t0-site-edge", OURS, "us-east-1", true)]);
    let (code, printed, said) = cloud.run("base", &["deploy", "t0"]).await;
    assert_eq!((code, printed.as_str()), (Some(0), "t0-site-edge: created\nt0-site: created\n"), "{said}");
    let status = |place: Place, stack: &str| cloud.worlds[&place].lock().unwrap().stacks[stack].status;
    let statuses = || [status(PLACES[0], "t0-site"), status(PLACES[1], "t0-site-edge")];
    assert_eq!(statuses(), ["CREATE_COMPLETE"; 2]);
    let (_, table, _) = cloud.run("base", &["status", "t0"]).await;
    assert_eq!(table.matches("CREATE_COMPLETE").count(), 2, "{table}");
    let (code, _, said) = cloud.run("base", &["destroy", "t0", "--yes"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.find("t0-site: deleting") < said.find("t0-site-edge: deleting"), "{said}");
    assert_eq!(statuses(), ["DELETE_COMPLETE"; 2]);
}

/// An artifact of a stack, with roles or without.
fn stack(name: &str, account: &str, region: &str, roles: bool) -> (String, Value) {
    let bootstrap = |role: &str| format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/cdk-hnb659fds-{role}");
    let own = |role: &str| format!("arn:aws:iam::{account}:role/{role}");
    let [deployer, execution] = if roles {
        [own("deployer"), own("cloudformation")]
    } else {
        [bootstrap("deploy-role"), bootstrap("cfn-exec-role")]
    };
    let tenant = name.split('-').next().unwrap();
    let properties = json!({
        "templateFile": format!("{name}.template.json"), "stackName": name, "tags": { "ferrostack:tenant": tenant },
        "assumeRoleArn": deployer, "cloudFormationExecutionRoleArn": execution,
    });
    let environment = format!("aws://{account}/{region}");
    (
        name.to_owned(),
        json!({ "type": "aws:cloudformation:stack", "environment": environment, "properties": properties }),
    )
}

/// Accounts and regions, each with a CloudFormation of its own, behind one address. The first part of a request's signature says whose
/// they are.
struct Cloud {
    endpoint: String,
    out: tempfile::TempDir,
    worlds: Arc<BTreeMap<Place, Shared>>,
}

impl Cloud {
    async fn start() -> Cloud {
        let world = |place| (place, Arc::new(Mutex::new(World::new(1, Faults::default(), Duration::from_millis(50)))));
        let worlds: Arc<BTreeMap<Place, Shared>> = Arc::new(PLACES.into_iter().map(world).collect());
        let served = Arc::clone(&worlds);
        let address = loopback::serve(move |request| {
            let worlds = Arc::clone(&served);
            async move { answer(&worlds, &request).await }
        });
        let endpoint = format!("http://{}", address.await);
        let out = tenants::folder();
        let profile = |name: &str, account: &str| {
            format!("[profile {name}]\naws_access_key_id = AKID{account}\naws_secret_access_key = not-a-secret\n")
        };
        std::fs::create_dir(out.path().join(".aws")).unwrap();
        let profiles = [profile("base", OURS), profile("theirs", THEIRS), profile("stranger", "777788889999")].concat();
        std::fs::write(out.path().join(".aws/config"), profiles).unwrap();
        Cloud { endpoint, out, worlds }
    }

    fn write(&self, tenant: &str, stacks: &[(String, Value)]) {
        let folder = self.out.path().join(tenant);
        std::fs::create_dir_all(&folder).unwrap();
        let artifacts: BTreeMap<_, _> = stacks.iter().cloned().collect();
        let manifest = json!({ "version": "34.0.0", "artifacts": artifacts });
        std::fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
        for (name, _) in stacks {
            let template = json!({ "Description": name, "Resources": { "Ping": { "Type": "AWS::SNS::Topic" } } });
            std::fs::write(folder.join(format!("{name}.template.json")), template.to_string()).unwrap();
        }
    }

    /// Exit code, standard output and standard error.
    async fn run(&self, profile: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
        let out: &Path = self.out.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ferrostack-deploy"));
        command.args(arguments).args(["--profile", profile, "--out"]).arg(out);
        if arguments[0] == "deploy" {
            command.args(["--changes-per-second", "1000", "--looks-per-second", "1000"]);
        }
        command.env_clear().env("HOME", out).env("AWS_ENDPOINT_URL", &self.endpoint);
        command.env("AWS_EC2_METADATA_DISABLED", "true").stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let [printed, said] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), printed, said)
    }
}

async fn answer(worlds: &BTreeMap<Place, Shared>, request: &Request) -> Answer {
    // AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …
    let scope = request.header("authorization").split("Credential=").nth(1).unwrap_or_default();
    let scope: Vec<_> = scope.split('/').collect();
    let (account, region) = (scope[0].trim_start_matches("AKID"), scope[2]);
    if request.body.contains("Action=AssumeRole") {
        if account == "777788889999" {
            let error = "<Code>AccessDenied</Code><Message>not authorized</Message>";
            return reply(403, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"));
        }
        let role = request.body.split("iam%3A%3A").nth(1).unwrap().split("%3A").next().unwrap();
        return reply(
            200,
            format!(
                "<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::{role}:assumed-role/deployer/s</Arn>\
                 <AssumedRoleId>a:s</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>AKID{role}</AccessKeyId>\
                 <SecretAccessKey>not-a-secret</SecretAccessKey><SessionToken>session</SessionToken>\
                 <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
            ),
        );
    }
    if request.body.contains("Action=GetCallerIdentity") {
        let identity = format!("<GetCallerIdentityResult><Account>{account}</Account></GetCallerIdentityResult>");
        return reply(200, format!("<GetCallerIdentityResponse>{identity}</GetCallerIdentityResponse>"));
    }
    let world = worlds.iter().find(|(place, _)| **place == (account, region));
    world::answer(world.expect("only these places are called").1, request).await
}
